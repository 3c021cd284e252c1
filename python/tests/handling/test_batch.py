"""Batch handlers: what is put together, when it starts, and what becomes of each message."""

import asyncio
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import (
    BatchContext,
    Client,
    InMemoryTransport,
    LeaseLost,
    PermanentError,
    Symphony,
    SyncTransport,
)
from tests.helpers import KINDS, Connection, Job, jobs, known, status
from tests.worker.helpers import Process, run, running, until

SOON = timedelta(seconds=0.2)


def handle(app: Symphony, kind: str, work: Any, **options: Any) -> None:
    """Register a sync or an async batch handler that does the same."""

    def sync_handler(jobs: list[Job], context: BatchContext) -> None:
        work(jobs, context)

    async def async_handler(jobs: list[Job], context: BatchContext) -> None:
        await asyncio.sleep(0)
        work(jobs, context)

    app.batch_handler(Job, **options)(sync_handler if kind == "sync" else async_handler)


@KINDS
@pytest.mark.parametrize("concurrency", [1, 3])
def test_every_message_is_in_one_batch(
    app: Symphony, conn: Connection, kind: str, concurrency: int
) -> None:
    batches: list[list[int]] = []
    handle(app, kind, lambda jobs, _: batches.append([job.n for job in jobs]), size=30)
    ids = app.dispatch_many(jobs(100))
    counts = run(app, concurrency=concurrency)
    assert sorted(n for batch in batches for n in batch) == list(range(100))
    assert max(len(batch) for batch in batches) == 30
    assert len(batches) <= 5
    assert counts.done == 100
    assert {status(conn, each) for each in ids} == {"completed"}


async def test_a_batch_starts_when_it_is_full_or_has_waited(
    app: Symphony, conn: Connection
) -> None:
    starts: list[tuple[float, int]] = []
    started = time.monotonic()
    handle(
        app,
        "async",
        lambda jobs, _: starts.append((time.monotonic() - started, len(jobs))),
        size=3,
        max_wait=timedelta(seconds=0.6),
    )
    async with running(app):
        await until(lambda: conn.execute("select 1 from symphony.worker").fetchone())
        started = time.monotonic()
        app.dispatch_many(jobs(3))
        await until(lambda: starts)
        assert starts[0][0] < 0.5
        for n in range(2):
            app.dispatch(Job(n))
            await asyncio.sleep(0.1)
        sent = time.monotonic() - started
        await until(lambda: len(starts) == 2)
    assert [count for _, count in starts] == [3, 2]
    assert 0.3 < starts[1][0] - sent < 2


async def test_leases_are_extended_while_messages_wait(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.3))
    attempts: list[int] = []
    handle(
        app,
        "sync",
        lambda jobs, context: attempts.extend(context.of(job).attempt for job in jobs),
        max_wait=timedelta(seconds=1.2),
    )
    message_id = app.dispatch(Job())
    async with running(app) as worker:
        await until(lambda: worker.counts.claimed == 1)
        await asyncio.sleep(0.8)
        assert not attempts
        assert status(conn, message_id) == "processing"
        await until(lambda: worker.counts.done == 1)
    assert attempts == [1]


@KINDS
def test_single_items_may_fail(app: Symphony, conn: Connection, kind: str) -> None:
    def work(jobs: list[Job], context: BatchContext) -> None:
        for job in jobs:
            if job.n == 1:
                context.fail(job, PermanentError("never"))
            elif job.n == 2:
                context.retry(job, timedelta(minutes=10), "busy")
            elif job.n == 3:
                context.fail(job, KeyError("listed"))
            elif job.n == 4:
                context.fail(job, RuntimeError("usual"))

    handle(app, kind, work, permanent=[KeyError])
    broken = Client(conn).enqueue("Job", {"n": "x"})
    ids = app.dispatch_many(jobs(6))
    counts = run(app)
    states = [status(conn, each) for each in ids]
    assert states == ["completed", "failed", "delayed", "failed", "delayed", "completed"]
    assert status(conn, broken) == "failed"
    assert (counts.done, counts.failed, counts.retried) == (2, 3, 2)
    found = known(conn, ids[2])
    assert found.available_at is not None
    assert found.available_at - datetime.now(timezone.utc) > timedelta(minutes=9)
    assert "busy" in str(found.last_error)


@KINDS
def test_an_exception_fails_all_and_each_comes_back_alone(
    app: Symphony, conn: Connection, kind: str
) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0), max_attempts=3)
    batches: list[list[int]] = []

    def work(jobs: list[Job], context: BatchContext) -> None:
        batches.append([job.n for job in jobs])
        if any(job.n == 2 for job in jobs):
            raise RuntimeError("poison")

    handle(app, kind, work)
    ids = app.dispatch_many(jobs(4))
    counts = run(app)
    assert batches[0] == [0, 1, 2, 3]
    assert sorted(batches[1:]) == [[0], [1], [2], [2], [3]]
    assert (counts.done, counts.retried, counts.failed) == (3, 5, 1)
    assert [status(conn, each) for each in ids].count("completed") == 3


@KINDS
def test_a_transaction_settles_what_has_not_failed(
    app: Symphony, conn: Connection, kind: str
) -> None:
    conn.execute("create table note (n int)")

    def sync_handler(jobs: list[Job], context: BatchContext) -> None:
        with context.transaction() as own:
            for job in jobs:
                own.execute("insert into note values (%s)", [job.n])
            context.fail(jobs[0], RuntimeError("no"))
            with pytest.raises(OSError), context.transaction() as part:  # is taken back alone
                assert part is own
                part.execute("insert into note values (-1)")
                raise OSError
        raise RuntimeError("too late to matter")

    async def async_handler(jobs: list[Job], context: BatchContext) -> None:
        async with context.transaction() as own:
            for job in jobs:
                await own.execute("insert into note values (%s)", [job.n])
            context.fail(jobs[0], RuntimeError("no"))

    app.batch_handler(Job)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many(jobs(5))
    counts = run(app, batch_size=2)
    assert (counts.done, counts.retried) == (4, 1)
    assert [status(conn, each) for each in ids] == ["delayed", *["completed"] * 4]
    assert conn.execute("select count(*) from note").fetchone() == (5,)


async def test_a_lost_claim_spoils_a_transaction_and_loses_nothing(
    app: Symphony, conn: Connection
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6), retry_delay=timedelta(0))
    conn.execute("create table note (n int)")
    started, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    @app.batch_handler(Job, size=2)
    def work(jobs: list[Job], context: BatchContext) -> None:
        first = not started.is_set()
        started.set()
        try:
            with context.transaction() as own:
                for job in jobs:
                    own.execute("insert into note values (%s)", [job.n])
                if first:
                    go_on.wait(10)
        except LeaseLost as error:
            errors.append(error)
            raise

    ids = app.dispatch_many(jobs(2))
    async with running(app, concurrency=2, batch_size=1) as worker:
        await until(started.is_set)
        conn.execute(
            "update symphony.claim set lease_until = clock_timestamp() - interval '1 second' "
            "where claim_id = (select min(claim_id) from symphony.claim where open_ids <> '{}')"
        )
        Client(conn).tick()
        await asyncio.sleep(0.3)
        go_on.set()
        await until(lambda: {status(conn, each) for each in ids} == {"completed"})
        assert worker.counts.failed == 0
    assert len(errors) == 1
    assert sorted(conn.execute("select n from note").fetchall()) == [(0,), (1,)]


@KINDS
def test_what_a_batch_dispatches_is_sent_if_it_succeeds(
    app: Symphony, conn: Connection, kind: str
) -> None:
    Client(conn).create_queue("next")

    def work(jobs: list[Job], context: BatchContext) -> None:
        for job in jobs:
            assert app.dispatch(Job(job.n), queue="next") == 0
        if jobs[-1].n == 1:
            raise RuntimeError("no")

    handle(app, kind, work, size=2)
    app.dispatch_many(jobs(4))
    run(app)
    waiting = Client(conn).queue_stats()
    assert [each.pending for each in waiting if each.queue_name == "next"] == [2]


async def test_a_stop_gives_back_what_waits(app: Symphony, conn: Connection) -> None:
    handle(app, "sync", lambda jobs, _: None, max_wait=timedelta(hours=1))
    ids = app.dispatch_many(jobs(3))
    async with running(app) as worker:
        await until(lambda: worker.counts.claimed == 3)
    assert (worker.counts.released, worker.counts.done) == (3, 0)
    found = [Client(conn).message_status(each) for each in ids]
    assert [(each.status, each.attempt) for each in found if each] == [("pending", 0)] * 3


@KINDS
async def test_grace_ends_a_batch_that_does_not_finish(
    app: Symphony, conn: Connection, kind: str
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def sync_handler(jobs: list[Job]) -> None:
        started.set()
        go_on.wait(10)

    async def async_handler(jobs: list[Job]) -> None:
        started.set()
        await asyncio.sleep(60)

    app.batch_handler(Job, max_wait=SOON)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many(jobs(2))
    async with running(app, grace=0.2) as worker:
        await until(lambda: worker.counts.claimed == 2)
        await until(started.is_set)
    assert worker.has_stuck_handlers == (kind == "sync")
    go_on.set()
    assert worker.counts.retried == 2
    assert {status(conn, each) for each in ids} == {"delayed"}


def test_other_messages_go_their_way(app: Symphony) -> None:
    seen: list[Any] = []
    handle(app, "sync", lambda jobs, _: seen.append(len(jobs)), max_wait=timedelta(hours=1))

    @dataclass
    class Other:
        n: int

    app.handler(Other)(lambda other: seen.append(other))
    app.dispatch_many([Job(1), Other(2), Job(3), Other(4)])
    run(app)
    assert seen == [Other(2), Other(4), 2]


def test_a_limit_starts_what_waits(app: Symphony) -> None:
    sizes: list[int] = []
    handle(app, "sync", lambda jobs, _: sizes.append(len(jobs)), max_wait=timedelta(hours=1))
    app.dispatch_many(jobs(5))
    assert run(app, drain=False, limit=3).done == 3
    assert sum(sizes) == 3


def test_local_transports_make_batches_too() -> None:
    sync, memory = SyncTransport(max_attempts=2), InMemoryTransport()
    app = Symphony(transport=sync)
    sizes: list[int] = []

    def work(jobs: list[Job], context: BatchContext) -> None:
        sizes.append(len(jobs))
        if jobs[0].n == 1:
            context.fail(jobs[0], RuntimeError("no"))

    handle(app, "sync", work, size=3)
    app.dispatch(Job(1))
    assert sizes == [1, 1]
    assert len(sync.failed) == 1
    sizes.clear()
    with app.using(memory):
        app.dispatch_many([*jobs(4)[1:], Job(5)])
        app.dispatch(Job(9), delay=60)
        assert memory.run_all(raises=False) == 4
        assert sizes == [3, 1]
        assert [run.outcome for run in memory.runs] == ["failed", "acked", "acked", "acked"]
        assert memory.run_all(delayed=True) == 1
        assert sizes[2:] == [1]


def test_mistakes() -> None:
    app = Symphony(transport=SyncTransport(raises=True))
    mistakes: list[dict[str, Any]] = [{"size": 0}, {"max_wait": timedelta(-1)}]
    for options in mistakes:
        with pytest.raises(ValueError, match=r"batch is 1 or more|not negative"):
            app.batch_handler(Job, **options)(lambda jobs: None)
    with pytest.raises(TypeError, match="of a class, such as a dataclass, and not 'Job'"):
        app.batch_handler("Job")  # type: ignore[arg-type]

    def work(jobs: list[Job], context: BatchContext) -> None:
        with pytest.raises(TypeError, match="takes an exception"):
            context.fail(jobs[0], "text")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="not an object of this batch"):
            context.of(Job())

    handle(app, "sync", work)
    app.dispatch(Job())
    with pytest.raises(ValueError, match="Job is handled already"):
        app.handler(Job)(lambda job: None)


DIES = """
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from symphony_pg import Symphony

app = Symphony()

@app.message("Job")
@dataclass
class Job:
    n: int

@app.batch_handler(Job, max_wait=timedelta(seconds=0.2))
def work(jobs):
    if any(job.n == 2 for job in jobs):
        time.sleep(0.2)  # so that what was done before is acked
        os._exit(9)
"""


def test_a_message_that_kills_its_worker_takes_no_neighbours_with_it(
    conn: Connection, dsn: str, tmp_path: Path
) -> None:
    client = Client(conn)
    client.configure_queue("default", lease=timedelta(seconds=0.5), max_attempts=4)
    messages = [{"message_type": "Job", "body": {"n": n}} for n in range(4)]
    ids = client.enqueue_batch(messages)
    deadline = time.monotonic() + 30
    while any(status(conn, each) not in ("completed", "failed") for each in ids):
        assert time.monotonic() < deadline
        with Process(tmp_path, DIES, dsn, "--drain", "--batch-size", "10") as worker:
            assert worker.wait() in (0, 9)
        client.tick()
        time.sleep(0.1)
    assert [status(conn, each) for each in ids] == ["completed", "completed", "failed", "completed"]
