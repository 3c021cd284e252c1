"""Handlers that hold connections and want more of them do not wait for each other for ever."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack, nullcontext

import pytest

from symphony_pg import Client, Context, RoutedTransport, Symphony, SyncTransport
from tests.helpers import KINDS, Connection, Job, jobs
from tests.worker.helpers import run

SLOTS = 6


class Inner(Job):
    """Handled within the handler of another message."""


class Innermost(Job):
    """Handled within that."""


@pytest.mark.parametrize("max_connections", [1, 4])
@KINDS
def test_more_handlers_than_connections_nest_their_transactions(
    dsn: str, conn: Connection, kind: str, max_connections: int
) -> None:
    """All slots hold a transaction when the first of them goes on; one message more waits."""
    conn.execute("create table note (n int)")
    app = Symphony(dsn, max_connections=max_connections, transports={"here": SyncTransport()})
    begin, begin_async = threading.Barrier(SLOTS), asyncio.Event()
    entered: list[int] = []
    met = threading.Event()

    def in_sync(job: Job, context: Context) -> None:
        with context.transaction() as own:
            own.execute("insert into note values (%s)", [job.n])
            if type(job) is Job and not met.is_set():
                begin.wait(10)
                met.set()
            if type(job) is not Innermost:
                after = (Inner if type(job) is Job else Innermost)(job.n)
                app.dispatch(after, transport="here", now=True)
                app.dispatch(Job(100), queue="mail", now=True)  # over a connection of the app

    async def in_async(job: Job, context: Context) -> None:
        async with context.transaction() as own:
            await own.execute("insert into note values (%s)", [job.n])
            if type(job) is Job:
                entered.append(job.n)
                if len(entered) == SLOTS:
                    begin_async.set()
                await asyncio.wait_for(begin_async.wait(), 10)
            if type(job) is not Innermost:
                after = (Inner if type(job) is Job else Innermost)(job.n)
                await app.dispatch_async(after, transport="here", now=True)
                await app.dispatch_async(Job(100), queue="mail", now=True)

    Client(conn).create_queue("mail")
    for kind_of_job in (Job, Inner, Innermost):
        app.message(kind_of_job.__name__)(kind_of_job)
        app.handler(kind_of_job)(in_sync if kind == "sync" else in_async)
    app.dispatch_many(jobs(SLOTS + 1))
    began = time.monotonic()
    counts = run(app, concurrency=SLOTS, batch_size=1)
    assert time.monotonic() - began < 15
    assert counts.done == SLOTS + 1
    row = conn.execute("select count(*), count(distinct n) from note").fetchone()
    assert row == (3 * (SLOTS + 1), SLOTS + 1)
    assert Client(conn).queue_stats()[1].pending == 2 * (SLOTS + 1)
    app.close()


@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.parametrize("max_connections", [1, SLOTS])
@KINDS
def test_a_route_to_handlers_here_nests_on_the_connection_it_has(
    dsn: str, conn: Connection, kind: str, max_connections: int, in_transaction: bool
) -> None:
    """What runs in dispatch() dispatches itself, three deep, while all others do the same."""
    app = Symphony(transport=RoutedTransport(dsn, max_connections=max_connections), dsn=dsn)
    client = Client(conn)
    client.create_queue("mail")
    client.create_transport("here", "sync")
    client.create_transport("mail", queue_name="mail")
    client.set_routes("Inner", ["here"])
    client.set_routes("Innermost", ["here", "mail"])
    begin, begin_async = threading.Barrier(SLOTS), asyncio.Event()
    entered: list[int] = []
    met = threading.Event()
    handled: list[str] = []

    def in_sync(job: Job, context: Context) -> None:
        if type(job) is Job and not met.is_set():
            begin.wait(10)
            met.set()
        with context.transaction() if in_transaction and type(job) is Job else nullcontext():
            if type(job) is not Innermost:
                app.dispatch((Inner if type(job) is Job else Innermost)(job.n), now=True)
        handled.append(type(job).__name__)

    async def in_async(job: Job, context: Context) -> None:
        if type(job) is Job:
            entered.append(job.n)
            if len(entered) == SLOTS:
                begin_async.set()
            await asyncio.wait_for(begin_async.wait(), 10)
        async with AsyncExitStack() as stack:
            if in_transaction and type(job) is Job:
                await stack.enter_async_context(context.transaction())
            if type(job) is not Innermost:
                after = (Inner if type(job) is Job else Innermost)(job.n)
                await app.dispatch_async(after, now=True)
        handled.append(type(job).__name__)

    for kind_of_job in (Job, Inner, Innermost):
        app.message(kind_of_job.__name__)(kind_of_job)
        app.handler(kind_of_job)(in_sync if kind == "sync" else in_async)
    app.dispatch_many(jobs(SLOTS + 1), conn=conn)
    began = time.monotonic()
    assert run(app, concurrency=SLOTS, batch_size=1).done == SLOTS + 1
    assert time.monotonic() - began < 15
    assert Counter(handled) == dict.fromkeys(("Job", "Inner", "Innermost"), SLOTS + 1)
    assert client.queue_stats("mail")[0].pending == SLOTS + 1
    app.close()


def test_a_worker_lends_as_many_connections_as_it_has_slots(app: Symphony, dsn: str) -> None:
    """That max_connections is 1 concerns what is dispatched, and no transaction of a handler."""
    app = Symphony(dsn, max_connections=1)
    begin = threading.Barrier(SLOTS)

    @app.handler(Job)
    def handle(job: Job, context: Context) -> None:
        with context.transaction():
            begin.wait(10)

    app.dispatch_many(jobs(SLOTS))
    assert run(app, concurrency=SLOTS, batch_size=1).done == SLOTS
    app.close()


def test_a_dispatch_in_a_transaction_needs_no_connection_of_its_own(
    dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_pg.database.lending.LONGEST_WAIT", 0.5)
    app = Symphony(dsn, max_connections=1)
    lender = app.transport.lender  # type: ignore[attr-defined]
    Client(conn).create_queue("mail")

    @app.handler(Job)
    def handle(job: Job, context: Context) -> None:
        with context.transaction():
            app.dispatch(Job(job.n), queue="mail")
            assert app.dispatch_many(jobs(2), conn=context.conn, queue="mail")

    app.dispatch_many(jobs(3), conn=conn)
    with lender.lend():  # all that there is
        assert run(app, concurrency=2).done == 3
    assert Client(conn).queue_stats()[1].pending == 9
    app.close()
