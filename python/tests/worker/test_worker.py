"""What the worker promises about messages: each outcome, in sync and async handlers."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from operator import contains
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from symphony_pg import (
    Client,
    ConnectionRefused,
    Context,
    LeaseLost,
    LoginRefused,
    PermanentError,
    RetryAfter,
    Symphony,
    UnknownQueue,
    Worker,
    WrongVersion,
)
from tests.helpers import Connection
from tests.worker.helpers import run, running, status, until


@dataclass
class Job:
    n: int = 0


@pytest.fixture
def app(dsn: str) -> Iterator[Symphony]:
    with Symphony(dsn) as app:
        yield app


def jobs(count: int) -> list[Job]:
    return [Job(n) for n in range(count)]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_message_is_handled_once(
    app: Symphony, conn: Connection, kind: str, concurrency: int
) -> None:
    seen: list[int] = []

    def sync_handler(job: Job) -> None:
        seen.append(job.n)

    async def async_handler(job: Job, context: Context) -> None:
        await asyncio.sleep(0)
        seen.append(job.n)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.dispatch_many(jobs(500))
    counts = run(app, concurrency=concurrency)
    assert sorted(seen) == list(range(500))
    assert (counts.claimed, counts.done, counts.failed) == (500, 500, 0)
    if concurrency == 1:
        assert seen == list(range(500))
    assert Client(conn).queue_stats()[0].finished_last_hour == 500


def test_sync_and_async_handlers_share_a_batch_in_order(app: Symphony) -> None:
    seen: list[object] = []

    @app.handler(Job)
    def work(job: Job) -> None:
        seen.append(job.n)

    @dataclass
    class Other:
        n: int

    @app.handler(Other)
    async def work_async(other: Other) -> None:
        seen.append(other.n)

    app.dispatch_many([Job(n) if n % 3 else Other(n) for n in range(60)])
    run(app)
    assert seen == list(range(60))


def test_no_more_handlers_run_at_a_time_than_allowed(app: Symphony) -> None:
    running_now, most, lock = 0, 0, threading.Lock()

    @app.handler(Job)
    def work(job: Job) -> None:
        nonlocal running_now, most
        with lock:
            running_now += 1
            most = max(most, running_now)
        time.sleep(0.02)
        with lock:
            running_now -= 1

    app.dispatch_many(jobs(24))
    run(app, concurrency=3)
    assert most == 3


def test_what_a_context_tells(app: Symphony, conn: Connection) -> None:
    Client(conn).create_queue("mail", max_attempts=9)
    found: list[Context] = []
    app.handler(Job)(lambda job, context: found.append(context))
    message_id = app.dispatch(Job(), queue="mail", priority=7, headers={"a": [1]}, group_key="g")
    run(app, queues=["mail"])
    (context,) = found
    assert (context.message_id, context.queue_name, context.message_type) == (
        message_id,
        "mail",
        "Job",
    )
    assert (context.attempt, context.max_attempts, context.priority) == (1, 9, 7)
    assert context.headers == {"a": [1]}
    assert context.group_key == "g"
    assert context.claim_id > 0
    now = datetime.now(timezone.utc)
    assert context.enqueued_at <= now < context.lease_until
    assert not context.lease_lost


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
        "symphony_pg.errors.UnknownQueue",
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
    found = Client(conn).message_status(message_id)
    assert found is not None
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
    assert rows == [("KeyError",), ("symphony_pg.context.PermanentError",)]


def test_retry_after_sets_the_time(app: Symphony, conn: Connection) -> None:
    @app.handler(Job)
    def work(job: Job) -> None:
        raise RetryAfter(timedelta(minutes=10), "busy")

    message_id = app.dispatch(Job())
    counts = run(app)
    found = Client(conn).message_status(message_id)
    assert counts.retried == 1
    assert found is not None
    assert found.available_at is not None
    wait = (found.available_at - datetime.now(timezone.utc)).total_seconds()
    assert 590 < wait <= 600
    assert found.last_error is not None
    assert found.last_error == "symphony_pg.context.RetryAfter: busy"
    (event,) = Client(conn).message_history(message_id)
    assert "in work\n" in str(event.traceback)
    assert "slots.py" not in str(event.traceback)


def test_what_cannot_be_handled_fails_and_the_worker_lives(app: Symphony, conn: Connection) -> None:
    client = Client(conn)
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    unknown = client.enqueue("Nobody", {"a": 1})
    broken = client.enqueue("Job", {"n": "one"})
    app.dispatch(Job(7))
    counts = run(app)
    assert seen == [7]
    assert (counts.failed, counts.done) == (2, 1)
    for message_id, text in ((unknown, "'Nobody'"), (broken, "n: expected an integer")):
        found = client.message_status(message_id)
        assert found is not None
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


@pytest.fixture
def notes(conn: Connection) -> Connection:
    conn.execute("create table note (n int)")
    return conn


def notes_in(conn: Connection) -> list[int]:
    return [row[0] for row in conn.execute("select n from note order by n").fetchall()]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("outcome", ["commits", "raises", "raises afterwards"])
def test_a_transaction_keeps_writes_and_ack_together(
    app: Symphony, notes: Connection, kind: str, outcome: str
) -> None:
    def sync_handler(job: Job, context: Context) -> None:
        with context.transaction() as conn:
            conn.execute("insert into note values (%s)", [job.n])
            if outcome == "raises" and job.n % 2:
                raise RuntimeError("no")
        if outcome == "raises afterwards":
            raise RuntimeError("too late to matter")

    async def async_handler(job: Job, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute("insert into note values (%s)", [job.n])
            if outcome == "raises" and job.n % 2:
                raise RuntimeError("no")
        if outcome == "raises afterwards":
            raise RuntimeError("too late to matter")

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many(jobs(6))
    counts = run(app, concurrency=2)
    lost = {1, 3, 5} if outcome == "raises" else set()
    assert notes_in(notes) == [n for n in range(6) if n not in lost]
    assert (counts.done, counts.retried) == (6 - len(lost), len(lost))
    for n, message_id in enumerate(ids):
        assert status(notes, message_id) == ("delayed" if n in lost else "completed")


async def test_leases_are_extended_while_a_handler_runs(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.3))
    extended: list[timedelta] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        before = context.lease_until
        time.sleep(1)
        extended.append(context.lease_until - before)
        assert not context.lease_lost

    message_id = app.dispatch(Job())
    async with running(app) as worker:
        await until(lambda: worker.counts.done == 1)
    found = Client(conn).message_status(message_id)
    assert found is not None
    assert (found.status, found.attempt) == ("completed", 1)
    assert extended[0] > timedelta(seconds=0.5)


def end_leases(conn: Connection) -> None:
    """Let the time of every open claim be over, as if the worker had stalled."""
    conn.execute(
        "update symphony.claim set lease_until = clock_timestamp() - interval '1 second' "
        "where open_ids <> '{}'"
    )
    Client(conn).tick()


async def test_a_lost_lease_cancels_an_async_handler(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    first, outcomes = asyncio.Event(), []

    @app.handler(Job)
    async def work(job: Job, context: Context) -> None:
        if context.attempt > 1:
            outcomes.append("second attempt")
            return
        first.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            outcomes.append("cancelled" if context.lease_lost else "cancelled without being told")
            raise

    message_id = app.dispatch(Job())
    async with running(app) as worker:
        await first.wait()
        end_leases(conn)
        await until(lambda: outcomes == ["cancelled", "second attempt"], str(outcomes))
        await until(lambda: worker.counts.done == 1)
    assert worker.counts.retried == worker.counts.failed == 0
    assert status(conn, message_id) == "completed"


async def test_a_lost_lease_tells_a_sync_handler(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    started = threading.Event()
    outcomes: list[object] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        if context.attempt > 1:
            outcomes.append("second attempt")
            return
        started.set()
        deadline = time.monotonic() + 10
        while not context.lease_lost and time.monotonic() < deadline:
            time.sleep(0.01)
        outcomes.append(context.lease_lost)
        try:
            with context.transaction() as own:
                own.execute("create table must_not_exist ()")
        except LeaseLost:
            outcomes.append("refused")
            raise

    app.dispatch(Job())
    async with running(app) as worker:
        await until(started.is_set)
        end_leases(conn)
        await until(lambda: len(outcomes) == 3, str(outcomes))
        await until(lambda: worker.counts.done == 1)
    assert outcomes == [True, "refused", "second attempt"]
    assert conn.execute("select to_regclass('must_not_exist')").fetchone() == (None,)


async def test_a_lease_that_nobody_can_extend_is_lost_in_time(
    app: Symphony, conn: Connection
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    started = threading.Event()
    told: list[bool] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        started.set()
        deadline = time.monotonic() + 3
        while not context.lease_lost and time.monotonic() < deadline:
            time.sleep(0.01)
        told.append(context.lease_lost)

    app.dispatch(Job())
    async with running(app, limit=1):
        await until(started.is_set)
        with conn.transaction():
            conn.execute("lock table symphony.claim")  # no word of the server comes through
            await until(lambda: told)
    assert told == [True]


async def test_partial_acks_are_sent_while_the_rest_runs(app: Symphony, conn: Connection) -> None:
    last_started = asyncio.Event()
    go_on = asyncio.Event()

    @app.handler(Job)
    async def work(job: Job) -> None:
        if job.n == 2:
            last_started.set()
            await go_on.wait()

    ids = app.dispatch_many(jobs(3))
    async with running(app, concurrency=3) as worker:
        await last_started.wait()
        await until(lambda: worker.counts.done == 2)
        assert [status(conn, each) for each in ids] == ["completed", "completed", "processing"]
        go_on.set()
        await until(lambda: worker.counts.done == 3)


async def test_slow_handlers_do_not_hoard(app: Symphony, conn: Connection) -> None:
    started = 0

    @app.handler(Job)
    async def work(job: Job) -> None:
        nonlocal started
        started += 1
        await asyncio.sleep(0.25)

    app.dispatch_many(jobs(100))
    async with running(app, concurrency=2, grace=5) as worker:
        await until(lambda: started >= 8)
        assert worker.counts.claimed - started <= 10
    assert worker.counts.released + worker.counts.done == worker.counts.claimed


async def test_a_delayed_message_starts_in_time(app: Symphony) -> None:
    late: list[float] = []
    due: dict[int, float] = {}

    @app.handler(Job)
    def work(job: Job) -> None:
        late.append(time.monotonic() - due[job.n])

    async with running(app):
        for n, delay in enumerate((1.5, 0.4, 1.1)):
            due[n] = time.monotonic() + delay
            app.dispatch(Job(n), delay=delay)
            await asyncio.sleep(0.3)
        await until(lambda: len(late) == 3)
    assert max(late) < 0.1
    assert min(late) > -0.05


@pytest.mark.parametrize("listen", [True, False])
async def test_an_idle_worker_wakes_up(app: Symphony, conn: Connection, listen: bool) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    client = Client(conn)
    async with running(app, listen=listen, poll_interval=5 if listen else 0.2):
        if listen:
            await until(lambda: client.queue_stats()[0].idle_workers == 1)
        await asyncio.sleep(0.5)
        sent = time.monotonic()
        app.dispatch(Job())
        await until(lambda: seen)
        assert seen[0] - sent < 1
        await until(lambda: client.queue_stats()[0].idle_workers == (1 if listen else 0))
        if not listen:
            rows = conn.execute("select * from pg_listening_channels()").fetchall()
            assert rows == []
    assert client.queue_stats()[0].idle_workers == 0


async def test_a_message_of_a_long_transaction_arrives_when_it_commits(
    app: Symphony, dsn: str
) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    async with running(app):
        with psycopg.connect(dsn) as long:
            app.dispatch(Job(), conn=long)
            await asyncio.sleep(0.7)
            assert not seen
            long.commit()
            committed = time.monotonic()
        await until(lambda: seen)
    assert seen[0] - committed < 0.5


def test_earlier_queues_go_first(app: Symphony, conn: Connection) -> None:
    for queue in ("urgent", "bulk"):
        Client(conn).create_queue(queue)
    seen: list[str] = []
    app.handler(Job)(lambda job, context: seen.append(context.queue_name))
    app.dispatch_many(jobs(3), queue="bulk")
    app.dispatch_many(jobs(3), queue="urgent")
    run(app, queues=["urgent", "bulk"])
    assert seen == ["urgent"] * 3 + ["bulk"] * 3


def test_limit(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    app.dispatch_many(jobs(10))
    assert run(app, drain=False, limit=7, batch_size=3).done == 7
    assert Client(conn).queue_stats()[0].pending == 3


def test_time_limit(app: Symphony) -> None:
    app.handler(Job)(lambda job: None)
    started = time.monotonic()
    run(app, drain=False, time_limit=0.5)
    assert 0.4 < time.monotonic() - started < 5


def test_drain_waits_for_what_handlers_dispatch(app: Symphony) -> None:
    @app.handler(Job)
    def work(job: Job) -> None:
        if job.n:
            time.sleep(0.05)
            app.dispatch(Job(job.n - 1))

    app.dispatch(Job(5))
    assert run(app, concurrency=2).done == 6


def test_no_tick_leaves_delays_alone(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    message_id = app.dispatch(Job(), delay=0.01)
    time.sleep(0.02)
    assert run(app, tick=False).done == 0
    assert status(conn, message_id) == "delayed"
    assert run(app).done == 1


async def test_the_worker_reports_itself(app: Symphony, conn: Connection) -> None:
    def workers() -> list[Any]:
        return conn.execute("select worker, queues, details from symphony.worker").fetchall()

    async with running(app, name="me", concurrency=2):
        await until(workers)
        ((name, queues, details),) = workers()
        assert (name, queues, details["concurrency"]) == ("me", ["default"], 2)
    assert workers() == []


async def test_grace_ends_what_does_not_finish(app: Symphony, conn: Connection) -> None:
    outcomes: list[str] = []

    @app.handler(Job)
    async def work(job: Job) -> None:
        outcomes.append("started")
        try:
            await asyncio.sleep(60)
        finally:
            outcomes.append("cancelled")

    message_id = app.dispatch(Job())
    async with running(app, grace=0.2) as worker:
        await until(lambda: outcomes)
    assert outcomes == ["started", "cancelled"]
    assert worker.counts.retried == 1
    found = Client(conn).message_status(message_id)
    assert found is not None
    assert (found.status, found.attempt) == ("delayed", 1)
    assert "was stopped" in str(found.last_error)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_what_succeeds_soon_after_the_grace_is_done(
    app: Symphony, conn: Connection, kind: str
) -> None:
    started = threading.Event()

    def sync_handler(job: Job) -> None:
        started.set()
        time.sleep(0.5)

    async def async_handler(job: Job) -> None:
        started.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    message_id = app.dispatch(Job())
    async with running(app, grace=0) as worker:
        await until(started.is_set)
    assert (worker.counts.done, worker.counts.retried) == (1, 0)
    assert status(conn, message_id) == "completed"


def test_what_a_handler_settles_itself_leaves_the_rest_alone(
    app: Symphony, conn: Connection
) -> None:
    seen: list[int] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        seen.append(job.n)
        if job.n == 3:
            Client(conn).ack(context.claim_id, [context.message_id])

    ids = app.dispatch_many(jobs(10))
    counts = run(app)
    assert (counts.claimed, counts.done, counts.lost) == (10, 9, 1)
    assert seen == list(range(10))
    assert {status(conn, each) for each in ids} == {"completed"}


async def test_lost_connections_are_opened_again(app: Symphony, conn: Connection) -> None:
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    async with running(app) as worker:
        for n in range(3):
            app.dispatch(Job(n))
            await until(partial(contains, seen, n))
            conn.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        app.dispatch(Job(9))
        await until(lambda: 9 in seen)
        await until(lambda: Client(conn).queue_stats()[0].processing == 0)
    assert worker.counts.failed == 0


async def test_a_worker_can_be_stopped_while_the_server_is_away(
    app: Symphony, conn: Connection, dsn: str
) -> None:
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as admin:
        allow = sql.SQL("alter database {} allow_connections {}")
        name = sql.Identifier(conn.info.dbname)
        try:
            async with running(app, poll_interval=0.05) as worker:
                await until(lambda: Client(conn).worker_activity(), "the worker")
                admin.execute(allow.format(name, sql.Literal(False)))
                conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
                await asyncio.sleep(0.3)
                worker.stop()
        finally:
            admin.execute(allow.format(name, sql.Literal(True)))
    assert worker.counts.claimed == 0


def test_an_unknown_queue_ends_the_worker(app: Symphony) -> None:
    with pytest.raises(UnknownQueue):
        run(app, queues=["nowhere"])


def test_another_version_ends_the_worker(app: Symphony, conn: Connection) -> None:
    conn.execute("insert into symphony.release (version) values ('9.0.0')")
    with pytest.raises(WrongVersion):
        run(app)


def test_a_message_type_that_cannot_be_decoded_ends_the_worker(app: Symphony) -> None:
    @dataclass
    class Bad:
        data: set[int]

    app.handler(Bad)(lambda bad: None)
    with pytest.raises(TypeError, match="Bad"):
        run(app)


@pytest.mark.parametrize(("tell_again", "least", "most"), [(60.0, 1, 1), (0.1, 2, 9)])
def test_the_worker_waits_for_a_server_that_is_away(
    app: Symphony,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tell_again: float,
    least: int,
    most: int,
) -> None:
    monkeypatch.setattr("symphony_pg.worker.link.TELL_AGAIN", tell_again)
    nowhere = make_conninfo("", host="127.0.0.1", port=1, user="x", dbname="x")
    started = time.monotonic()
    with pytest.raises(ConnectionRefused, match="port 1 failed"):
        asyncio.run(Worker(app, dsn=nowhere, time_limit=1).run())
    assert 1 <= time.monotonic() - started < 5
    assert least <= len(caplog.messages) <= most
    assert all("no connection" in each and "port 1 failed" in each for each in caplog.messages)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "nobody"}, 'authentication failed for user "nobody"'),
    ],
)
def test_a_login_that_is_refused_at_first_ends_the_worker(
    app: Symphony, dsn: str, wrong: dict[str, str], text: str
) -> None:
    with pytest.raises(LoginRefused, match=f"(?s){text}.*HINT: Compare user"):
        asyncio.run(asyncio.wait_for(Worker(app, dsn=make_conninfo(dsn, **wrong)).run(), 5))


def test_bodies_are_any_json(app: Symphony, conn: Connection) -> None:
    seen: list[object] = []
    app.handler("Raw")(seen.append)
    bodies = [[1, 2.5], "text", {"a": {"b": None}}, 7, True]
    for body in bodies:
        Client(conn).enqueue("Raw", body)
    run(app)
    assert seen == json.loads(json.dumps(bodies))
