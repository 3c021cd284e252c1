"""What becomes of a message whose handler fails, in sync and async handlers."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from symphony_pg import Client, Context, PermanentError, RetryAfter, Symphony
from tests.helpers import Connection, Job, jobs, known, status
from tests.worker.helpers import run


def test_a_failure_is_retried(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0))
    attempts: list[int] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt < 3:
            raise RuntimeError("not yet \0 \ud800")

    message_id = app.dispatch(Job())
    counts = run(app)
    assert attempts == [1, 2, 3]
    assert (counts.retried, counts.done) == (2, 1)
    assert status(conn, message_id) == "completed"


def test_the_log_says_what_went_wrong(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    Client(conn).configure_queue("default", max_attempts=1)

    @app.handler(Job)
    def work(job: Job) -> None:
        if job.n == 0:
            Client(conn).enqueue("Job", queue_name="nowhere")
        elif job.n == 1:
            conn.execute("create table twice (id int primary key)")
            conn.execute("insert into twice values (1), (1)")
        else:
            compile("1 +", "rules", "eval")

    app.dispatch_many(jobs(3))
    run(app)
    messages = [each.getMessage().partition(": ")[2] for each in caplog.records]
    assert [each.partition(":")[0] for each in messages] == [
        "symphony_pg.UnknownQueue",
        "psycopg.errors.UniqueViolation",
        "SyntaxError",
    ]
    assert not any("HINT" in each or "DETAIL" in each for each in messages)


def test_attempts_are_used_up(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0), max_attempts=2)

    @app.handler(Job)
    async def work(job: Job) -> None:
        raise RuntimeError("x" * 20_000)

    message_id = app.dispatch(Job())
    counts = run(app)
    assert (counts.retried, counts.failed) == (1, 1)
    found = known(conn, message_id)
    assert found.status == "failed"
    assert found.last_error is not None
    assert len(found.last_error.encode()) <= 8000
    assert found.last_error.rstrip().endswith("xxx")


def test_permanent_errors_are_not_retried(app: Symphony, conn: Connection) -> None:
    @app.handler(Job, permanent=(KeyError,))
    def work(job: Job) -> None:
        raise [PermanentError("no use"), KeyError("missing")][job.n]

    ids = app.dispatch_many(jobs(2))
    counts = run(app)
    assert counts.failed == 2
    assert [status(conn, each) for each in ids] == ["failed", "failed"]
    rows = conn.execute("select error_class from symphony.failed_message order by 1").fetchall()
    assert rows == [("KeyError",), ("symphony_pg.PermanentError",)]


def test_retry_after_sets_the_time(app: Symphony, conn: Connection) -> None:
    @app.handler(Job)
    def work(job: Job) -> None:
        raise RetryAfter(timedelta(minutes=10), "busy")

    message_id = app.dispatch(Job())
    counts = run(app)
    found = known(conn, message_id)
    assert counts.retried == 1
    assert found.available_at is not None
    wait = (found.available_at - datetime.now(timezone.utc)).total_seconds()
    assert 590 < wait <= 600
    assert found.last_error is not None
    assert found.last_error == "symphony_pg.RetryAfter: busy"
    (event,) = Client(conn).message_history(message_id)
    assert "in work\n" in str(event.traceback)
    assert "slots.py" not in str(event.traceback)


def test_what_cannot_be_handled_fails_and_the_worker_lives(app: Symphony, conn: Connection) -> None:
    client = Client(conn)
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    client.configure_queue("default", max_snooze=timedelta(0))  # or others might take Nobody
    unknown = client.enqueue("Nobody", {"a": 1})
    broken = client.enqueue("Job", {"n": "one"})
    app.dispatch(Job(7))
    counts = run(app)
    assert seen == [7]
    assert (counts.failed, counts.done) == (2, 1)
    for message_id, text in ((unknown, "'Nobody'"), (broken, "n: expected `int`")):
        found = known(client.conn, message_id)
        assert found.status == "failed"
        assert found.last_error is not None
        assert text in found.last_error


def test_a_handler_may_even_exit(app: Symphony) -> None:
    @app.handler(Job)
    def work(job: Job) -> None:
        raise SystemExit("out")

    @dataclass
    class Cancelled:
        pass

    @app.handler(Cancelled)
    async def cancelled(message: Cancelled) -> None:
        raise asyncio.CancelledError

    app.dispatch_many([Job(), Cancelled()])
    assert run(app).retried == 2
