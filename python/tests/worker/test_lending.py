"""Handlers that hold connections and want more of them do not wait for each other for ever."""

import asyncio
import threading
import time

import pytest

from symphony_pg import Client, Context, Symphony, SyncTransport
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
