"""What a handler dispatches is sent when it has succeeded, before the ack, and not otherwise."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from symphony_pg import (
    Client,
    Context,
    InMemoryTransport,
    PostgresTransport,
    Symphony,
    SyncTransport,
)
from symphony_pg.database.install import install
from symphony_pg.events import Handled, Sent
from tests.helpers import KINDS, Connection, Job, known, status
from tests.worker.helpers import Process, run, running, until, until_taken_back


@dataclass
class Next:
    n: int


@pytest.fixture
def app(app: Symphony, client: Client) -> Symphony:
    """An application that has a queue for what its handlers dispatch."""
    client.create_queue("next")
    return app


def sent(conn: Connection) -> list[int]:
    """What is in the queue "next", whatever has become of it."""
    rows = conn.execute(
        "select (body ->> 'n')::int from symphony.message join symphony.lane using (lane_id) "
        "where queue_name = 'next' order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def handle(app: Symphony, kind: str, work: Any) -> None:
    """Register a sync or an async handler that does the same."""

    def sync_handler(job: Job, context: Context) -> None:
        work(job, context)

    async def async_handler(job: Job, context: Context) -> None:
        await asyncio.sleep(0)
        work(job, context)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)


@KINDS
def test_only_a_handler_that_succeeds_sends(app: Symphony, conn: Connection, kind: str) -> None:
    ids: list[int] = []

    def work(job: Job, context: Context) -> None:
        ids.append(app.dispatch(Next(job.n), queue="next"))
        ids.extend(app.dispatch_many([Next(job.n + 10), Next(job.n + 20)], queue="next"))
        assert sent(conn) == [] or job.n > 0
        if job.n % 2:
            raise RuntimeError("no")

    handle(app, kind, work)
    app.dispatch_many([Job(n) for n in range(4)])
    counts = run(app, concurrency=1)
    assert (counts.done, counts.retried) == (2, 2)
    assert sent(conn) == [0, 2, 10, 12, 20, 22]
    assert ids == [0] * 12


@KINDS
def test_it_is_sent_before_the_ack(app: Symphony, conn: Connection, kind: str) -> None:
    states: list[str] = []
    message_id = app.dispatch(Job())
    app.on(Sent)(lambda event: states.append(status(conn, message_id)))
    handle(app, kind, lambda job, context: app.dispatch(Next(1), queue="next"))
    run(app)
    assert states == ["processing"]
    assert status(conn, message_id) == "completed"
    assert sent(conn) == [1]


@KINDS
def test_what_cannot_be_sent_fails_the_handler(app: Symphony, conn: Connection, kind: str) -> None:
    handle(app, kind, lambda job, context: app.dispatch(Next(1), queue="nowhere"))
    message_id = app.dispatch(Job())
    assert run(app).retried == 1
    found = known(conn, message_id)
    assert "nowhere" in str(found.last_error)


@KINDS
def test_it_can_be_switched_off(dsn: str, conn: Connection, kind: str) -> None:
    Client(conn).create_queue("next")
    with Symphony(dsn) as first:
        handle(first, kind, _send_and_fail(first, now=True))
        first.dispatch(Job())
        run(first)
        assert sent(conn) == [1]
    with Symphony(dsn, dispatch_after_handler=False) as second:
        handle(second, kind, _send_and_fail(second))
        second.dispatch(Job())
        run(second)
        assert sent(conn) == [1, 1]


@KINDS
@pytest.mark.parametrize("outcome", ["commits", "rolls back", "rolls back and goes on"])
def test_in_a_transaction_it_commits_with_the_ack(
    app: Symphony, conn: Connection, kind: str, outcome: str
) -> None:
    conn.execute("create table note (n int)")

    def sync_handler(job: Job, context: Context) -> None:
        app.dispatch(Next(1), queue="next")
        try:
            with context.transaction() as own:
                own.execute("insert into note values (1)")
                app.dispatch(Next(2), queue="next")
                if outcome != "commits":
                    raise RuntimeError("no")
        except RuntimeError:
            if outcome == "rolls back":
                raise
        else:
            assert app.dispatch(Next(3), queue="next") > 0  # settled: at once
            raise RuntimeError("too late to matter")

    async def async_handler(job: Job, context: Context) -> None:
        app.dispatch(Next(1), queue="next")
        try:
            async with context.transaction() as own:
                await own.execute("insert into note values (1)")
                app.dispatch(Next(2), queue="next")
                if outcome != "commits":
                    raise RuntimeError("no")
        except RuntimeError:
            if outcome == "rolls back":
                raise
        else:
            assert await app.dispatch_async(Next(3), queue="next") > 0
            raise RuntimeError("too late to matter")

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    message_id = app.dispatch(Job())
    run(app)
    if outcome == "commits":
        assert sent(conn) == [1, 2, 3]
        same = conn.execute(
            "select count(*) from symphony.message where message_type = 'Next' "
            "and txid in (select xmin::text::bigint from note)"
        ).fetchone()
        assert same == (2,)
        assert status(conn, message_id) == "completed"
    elif outcome == "rolls back":
        assert sent(conn) == []
        assert status(conn, message_id) == "delayed"
    else:
        assert sent(conn) == [1]
        assert status(conn, message_id) == "completed"


@KINDS
def test_a_transaction_whose_messages_cannot_be_sent_is_rolled_back(
    app: Symphony, conn: Connection, kind: str
) -> None:
    conn.execute("create table note (n int)")

    def sync_handler(job: Job, context: Context) -> None:
        with context.transaction() as own:
            own.execute("insert into note values (1)")
            app.dispatch(Next(2), queue="nowhere")

    async def async_handler(job: Job, context: Context) -> None:
        async with context.transaction() as own:
            await own.execute("insert into note values (1)")
            app.dispatch(Next(2), queue="nowhere")

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    message_id = app.dispatch(Job())
    assert run(app).retried == 1
    assert status(conn, message_id) == "delayed"
    assert conn.execute("select * from note").fetchall() == []


@KINDS
def test_a_transport_elsewhere_sends_before_the_commit(
    app: Symphony, conn: Connection, kind: str
) -> None:
    elsewhere = InMemoryTransport()
    elsewhere_in_database = PostgresTransport(f"{app.dsn} application_name=elsewhere")
    app.transports["elsewhere"] = elsewhere
    assert not elsewhere_in_database.joins(app.dsn)

    def sync_handler(job: Job, context: Context) -> None:
        with context.transaction():
            app.dispatch(Next(1), queue="next", transport="elsewhere")
            app.dispatch(Next(2), queue="next", transport=elsewhere_in_database)

    async def async_handler(job: Job, context: Context) -> None:
        async with context.transaction():
            app.dispatch(Next(1), queue="next", transport="elsewhere")
            app.dispatch(Next(2), queue="next", transport=elsewhere_in_database)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.dispatch(Job())
    run(app)
    assert sent(conn) == [2]
    elsewhere.assert_dispatched(Next(1), queue_name="next")
    elsewhere_in_database.close()


async def test_tasks_and_threads_of_a_handler(app: Symphony, conn: Connection) -> None:
    left: list[asyncio.Task[Any]] = []
    go_on, gone_on = asyncio.Event(), list[int]()

    async def later() -> None:
        await go_on.wait()
        gone_on.append(await app.dispatch_async(Next(4), queue="next"))

    @app.handler(Job)
    async def work(job: Job) -> None:
        await asyncio.gather(
            app.dispatch_async(Next(1), queue="next"),
            asyncio.to_thread(app.dispatch, Next(2), queue="next"),
        )
        assert not {1, 2} & set(sent(conn))
        left.append(asyncio.create_task(later()))

    @app.handler("Thread")
    def in_thread(body: Any) -> None:
        thread = threading.Thread(target=lambda: app.dispatch(Next(3), queue="next"))
        thread.start()
        thread.join()
        assert 3 in sent(conn)
        asyncio.run(app.dispatch_async(Next(5), queue="next"))
        assert 5 not in sent(conn)

    app.dispatch(Job())
    Client(conn).enqueue("Thread")
    async with running(app, concurrency=2) as worker:
        await until(lambda: worker.counts.done == 2)
        assert sent(conn) == [1, 2, 3, 5]
        go_on.set()  # the handler is long over
        await left[0]
        assert gone_on[0] > 0
        assert sent(conn) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("handler", ["direct", "listened to", "batch"])
async def test_after_a_lost_lease_nothing_is_sent(
    app: Symphony, conn: Connection, handler: str
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    started, go_on = threading.Event(), threading.Event()

    def work(job: Job, context: Context) -> None:
        app.dispatch(Next(context.attempt), queue="next")
        if context.attempt == 1:
            started.set()
            go_on.wait(10)
            assert context.lease_lost

    if handler == "batch":
        app.batch_handler(Job, size=1)(lambda jobs, batch: work(jobs[0], batch.of(jobs[0])))
    else:
        app.handler(Job)(work)
    if handler == "listened to":
        app.on(Handled)(lambda event: None)

    app.dispatch(Job())
    async with running(app, concurrency=2) as worker:
        await until(started.is_set)
        conn.execute(
            "update symphony.claim set lease_until = clock_timestamp() - interval '1 second' "
            "where open_ids <> '{}'"
        )
        Client(conn).tick()
        await until(lambda: worker.counts.done == 1)
        go_on.set()
    assert sent(conn) == [2]


def test_another_application_sends_at_once(app: Symphony, dsn: str, conn: Connection) -> None:
    with Symphony(dsn) as other:
        handle(app, "sync", _send_and_fail(other))
        app.dispatch(Job())
        run(app)
    assert sent(conn) == [1]


def _send_and_fail(app: Symphony, now: bool = False) -> Any:
    def work(job: Job, context: Context) -> None:
        app.dispatch(Next(1), queue="next", now=now)
        raise RuntimeError("no")

    return work


@KINDS
def test_local_transports_do_the_same(kind: str) -> None:
    transport = SyncTransport()
    app = Symphony(transport=transport)
    seen: list[Any] = []

    def work(job: Job, context: Context) -> None:
        app.dispatch(Next(context.attempt))
        seen.append(("job", context.attempt))
        if context.attempt == 1 and job.n != 2:
            raise RuntimeError("once")

    handle(app, kind, work)
    app.handler(Next)(lambda message: seen.append(("next", message.n)))
    app.dispatch(Job())
    assert seen == [("job", 1), ("job", 2), ("next", 2)]
    memory = InMemoryTransport()
    with app.using(memory):
        app.dispatch(Job())
        assert memory.run_all(raises=False) == 1
        memory.assert_not_dispatched(Next)
        app.dispatch(Job(2))
        assert memory.run_all(raises=False) == 2
        memory.assert_dispatched(Next(1), count=1)
    assert app.transport is transport


def test_stamps(app: Symphony, conn: Connection) -> None:
    memory = InMemoryTransport()
    app.transports["memory"] = memory
    other = InMemoryTransport()
    app.dispatch(
        Job(1),
        delay=5,
        priority=7,
        transport="memory",
        idempotency_key="k",
        headers={"a": 1},
        queue="next",
        group_key="g",
    )
    app.dispatch_many([Job(2)], transport=other)
    memory.assert_dispatched(
        Job(1),
        delay=timedelta(seconds=5),
        priority=7,
        idempotency_key="k",
        headers={"a": 1},
        queue_name="next",
        group_key="g",
    )
    other.assert_dispatched(Job(2))
    with pytest.raises(ValueError, match="no transport 'smoke'; those that have a name: memory"):
        app.dispatch(Job(), transport="smoke")
    asyncio.run(app.dispatch_async(Job(3), transport="memory"))
    memory.assert_dispatched(Job, count=2)


DIES = """
import os
from symphony_pg import Envelope, Symphony, events

app = Symphony()

@app.handler("Job")
def job(body):
    app.dispatch_many([Envelope("Next", {"n": 1}, queue_name="next")])

@app.on(events.Sent)
def die(event):
    os._exit(9)
"""


def test_a_crash_between_send_and_ack_repeats_the_handler(
    app: Symphony, conn: Connection, dsn: str, tmp_path: Path
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))
    message_id = Client(conn).enqueue("Job")
    with Process(tmp_path, DIES, dsn) as worker:
        assert worker.wait() == 9
    assert sent(conn) == [1]
    until_taken_back(conn, message_id)
    app.handler("Job")(lambda body: None)
    assert run(app).done == 1
    assert status(conn, message_id) == "completed"


MOVED = """
import os
from dataclasses import dataclass
from symphony_pg import PostgresTransport, Symphony

aside = PostgresTransport(os.environ["SYMPHONY_DSN"])
app = Symphony({dsn}, transports={{"same": PostgresTransport(), "aside": aside}})

@app.message
@dataclass
class Plain:
    pass

@app.handler("Job")
def job(twice, context):
    with context.transaction() as conn:
        app.dispatch(Plain(), queue="plain")
        app.dispatch(Plain(), queue="plain", transport="same")
        conn.execute("insert into done values (1), (%s)", [1 if twice else 2])
    app.dispatch(Plain(), transport="aside", now=True)
"""


@pytest.mark.parametrize("given", ["None", 'os.environ["SYMPHONY_DSN"]'])
def test_a_worker_elsewhere_dispatches_there(
    dsn: str, empty_dsn: str, conn: Connection, tmp_path: Path, given: str
) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as there:
        install(there)
        there.execute("create table done (id int primary key deferrable initially deferred)")
        client = Client(there)
        client.create_queue("plain")
        client.configure_queue("default", max_attempts=1)
        client.enqueue_batch([{"message_type": "Job", "body": twice} for twice in (True, False)])
        app = MOVED.format(dsn=given)
        with Process(tmp_path, app, dsn, "--dsn", empty_dsn, "--drain") as worker:
            assert worker.wait() == 0
        default, plain = client.queue_stats()
        # The commit of the first one failed, and with it what it dispatched.
        assert (default.failed, default.finished_last_hour, plain.pending) == (1, 1, 2)
    assert sum(each.pending for each in Client(conn).queue_stats()) == 1
