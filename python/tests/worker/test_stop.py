"""A worker that is told to end does so, whatever the server and its handlers do."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from symphony_pg import Client, Symphony, Worker
from tests.helpers import NOWHERE, Connection, one, status
from tests.worker.helpers import going_away, running, until

SOON = 7.0


@pytest.fixture
def app(app: Symphony) -> Symphony:
    """An application that has something to do."""
    app.handler("Job")(lambda body: None)
    return app


@asynccontextmanager
async def ending_soon(app: Symphony, **options: Any) -> AsyncIterator[Worker]:
    """Run a worker for the length of a block, which it ends soon after."""
    worker = Worker(app, **options)
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    _, late = await asyncio.wait([task], timeout=SOON)
    for each in late:
        each.cancel()
    assert not late
    await task


@pytest.fixture
def poor_dsn(dsn: str, conn: Connection) -> Iterator[str]:
    """Where the database is for a role that may have one connection."""
    conn.execute("create role poor login password 'poor' connection limit 1")
    Client(conn).grant_access("poor", "consumer")
    yield make_conninfo(dsn, user="poor", password="poor")
    conn.execute("delete from symphony.access where role_name = 'poor'")
    conn.execute("drop owned by poor; drop role poor")


async def test_before_it_runs(app: Symphony) -> None:
    worker = Worker(app, dsn=NOWHERE)
    worker.stop()
    await asyncio.wait_for(worker.run(), SOON)


@pytest.mark.parametrize("all_queues", [False, True])
async def test_while_the_server_is_absent(
    app: Symphony, caplog: pytest.LogCaptureFixture, all_queues: bool
) -> None:
    async with ending_soon(app, dsn=NOWHERE, all_queues=all_queues):
        await until(lambda: "no connection" in caplog.text)


async def test_a_worker_can_be_stopped_while_the_server_is_away(
    app: Symphony, conn: Connection, dsn: str
) -> None:
    with going_away(dsn, conn) as go_away:
        async with running(app, poll_interval=0.05) as worker:
            await until(lambda: Client(conn).worker_activity(), "the worker")
            go_away()
            await asyncio.sleep(0.3)
            worker.stop()
    assert worker.counts.claimed == 0


async def test_while_one_of_its_connections_is_refused(
    app: Symphony, poor_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ending_soon(app, dsn=poor_dsn):
        await until(lambda: "too many connections" in caplog.text)


async def test_while_the_host_does_not_answer(app: Symphony) -> None:
    called = asyncio.Event()
    calls: list[Any] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(asyncio.current_task())
        called.set()
        try:
            await reader.read()
        finally:
            writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ending_soon(app, dsn=make_conninfo(NOWHERE, port=port)):
            await called.wait()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_while_every_claim_fails(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute(
        "create function full_disk() returns trigger language plpgsql as"
        " $$ begin raise 'no space left' using errcode = '53100'; end $$;"
        "create trigger full_disk before insert on symphony.claim execute function full_disk()"
    )
    Client(conn).enqueue("Job")
    async with ending_soon(app):
        await until(lambda: "no space left" in caplog.text)
    assert len(caplog.records) < 20


@pytest.mark.parametrize("options", [{}, {"drain": True}, {"all_queues": True}])
async def test_while_the_server_is_frozen(
    app: Symphony, conn: Connection, options: dict[str, Any]
) -> None:
    backends = (
        "select pid from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )

    @app.handler("Wait")
    async def wait(body: Any) -> None:
        await asyncio.sleep(60)

    Client(conn).enqueue("Wait")
    pids: list[int] = []
    try:
        async with ending_soon(app, poll_interval=0.05, grace=0.5, **options):
            await until(lambda: Client(conn).worker_activity(), "the worker")
            pids += [pid for (pid,) in conn.execute(backends)]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.3)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_signals_mean_afterwards_what_they_meant_before(app: Symphony) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    asyncio.run(Worker(app, drain=True).run(signals=True))
    assert [signal.getsignal(number) for number in numbers] == before


async def test_what_ends_while_others_are_acked_is_acked_too(
    app: Symphony, dsn: str, conn: Connection
) -> None:
    """The last handler returns while the server is still at the ack of those before it."""
    may_end = [asyncio.Event(), asyncio.Event()]

    @app.handler("Slow")
    async def handle(body: Any) -> None:
        await may_end[body["n"]].wait()

    ids = Client(conn).enqueue_batch([{"message_type": "Slow", "body": {"n": n}} for n in (0, 1)])
    worker = Worker(app, concurrency=2)
    task = asyncio.create_task(worker.run())
    await until(lambda: [status(conn, each) for each in ids] == ["processing"] * 2)
    blocked = "select count(*) = 1 from pg_stat_activity where wait_event = 'transactionid'"
    with psycopg.connect(dsn) as other:
        other.execute("select from symphony.claim where open_ids <> '{}' for update")
        may_end[0].set()
        await until(lambda: one(conn, blocked))
        may_end[1].set()
        worker.stop()
        await asyncio.sleep(0.5)
    await task
    assert [status(conn, each) for each in ids] == ["completed"] * 2
    assert worker.counts.done == 2
