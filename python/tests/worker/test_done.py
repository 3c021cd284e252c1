"""What a worker tells of its handlers: how many of each type, and how long they took."""

import random
import time
from dataclasses import dataclass

from symphony_pg import Client, Symphony
from symphony_pg.outcomes import AlreadyDone
from symphony_pg.worker.done import bucket
from tests.helpers import KINDS, Connection, Job, jobs
from tests.worker.helpers import run


def test_a_bucket_is_that_of_the_database(conn: Connection) -> None:
    times = [0.0, -1.0, *(10 ** random.uniform(-6, 5) for _ in range(500))]
    for seconds in times:
        row = conn.execute("select symphony._bucket(%s::float8)", [seconds]).fetchone()
        assert row is not None
        assert bucket(seconds) == row[0]


@KINDS
def test_each_handler_counts_once_with_its_type(app: Symphony, conn: Connection, kind: str) -> None:
    @dataclass
    class Other:
        n: int

    def sync_handler(job: Job) -> None:
        if job.n % 10 == 0:
            raise ValueError("a tenth")

    async def async_handler(job: Job) -> None:
        sync_handler(job)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.handler(Other)(lambda other: time.sleep(0.03))
    app.dispatch_many([*jobs(50), Other(1), Other(2)])
    run(app)
    figures = {each.message_type: each for each in Client(conn).type_figures(step="hour")}
    assert (figures["Job"].handled, figures["Job"].failed) == (50, 5)
    assert (figures["Other"].handled, figures["Other"].failed) == (2, 0)
    median = figures["Other"].worked_p50
    assert median is not None
    assert 0.025 < median.total_seconds() < 1


@KINDS
def test_what_had_taken_effect_before_has_not_failed(
    app: Symphony, conn: Connection, kind: str
) -> None:
    def sync_handler(job: Job) -> None:
        raise AlreadyDone([])

    async def async_handler(job: Job) -> None:
        sync_handler(job)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.dispatch_many(jobs(3))
    assert run(app).done == 3
    (figures,) = Client(conn).type_figures(message_type="Job", step="hour")
    assert (figures.handled, figures.failed) == (3, 0)


def test_a_batch_counts_the_share_of_each_message(app: Symphony, conn: Connection) -> None:
    @app.batch_handler(Job, size=50)
    def work(jobs: list[Job]) -> None:
        time.sleep(0.5)

    app.dispatch_many(jobs(50))
    run(app)
    (figures,) = Client(conn).type_figures(message_type="Job", step="hour")
    assert figures.handled == 50
    assert figures.worked_p50 is not None
    assert figures.worked_p50.total_seconds() < 0.25
