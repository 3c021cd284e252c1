"""A forked child has the sockets of its parent, and leaves them alone."""

import asyncio
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from symphony_pg import Client, Context, Symphony
from symphony_pg.database.connections import connect, connect_async
from tests.helpers import KINDS, Connection, Job
from tests.worker.helpers import run

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    # Python 3.12 warns of forks beside threads, which are what is tested here.
    pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning"),
]


def by_fork(work: Callable[[], Any]) -> int:
    """Do something in a child; return its exit code, 0 if it raised nothing."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def by_multiprocessing(work: Callable[[], Any]) -> int:
    """Do the same, in a process of multiprocessing."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


IN_CHILD = pytest.mark.parametrize(
    "in_child", [by_fork, by_multiprocessing], ids=["os.fork", "multiprocessing"]
)
InChild = Callable[[Callable[[], Any]], int]


class Sender:
    """Dispatches in one of the two ways, the async one always on the same event loop."""

    def __init__(self, app: Symphony, kind: str) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop() if kind == "async" else None

    def __call__(self, n: int = 0) -> int:
        if self.loop is None:
            return self.app.dispatch(Job(n))
        return self.loop.run_until_complete(self.app.dispatch_async(Job(n)))


@pytest.fixture
def sender(app: Symphony, kind: str) -> Iterator[Sender]:
    sender = Sender(app, kind)
    yield sender
    app.close()
    if sender.loop is not None:
        sender.loop.close()


def pending(conn: Connection) -> int:
    return Client(conn).queue_stats()[0].pending


def pids(conn: Connection) -> list[int]:
    rows = conn.execute(
        "select pid from pg_stat_activity where application_name = 'symphony-pg'"
        " and datname = current_database() order by pid"
    ).fetchall()
    return [row[0] for row in rows]


@contextmanager
def same_sessions(conn: Connection) -> Iterator[None]:
    """Make sure that the sessions of the parent live on, and are no others."""
    before = pids(conn)
    yield
    assert set(before) <= set(pids(conn))
    assert before


@KINDS
@IN_CHILD
@pytest.mark.parametrize("how", ["close", "aclose"])
def test_what_a_child_closes_is_its_own(
    sender: Sender, conn: Connection, kind: str, in_child: InChild, how: str
) -> None:
    sender()
    with same_sessions(conn):
        close = sender.app.close
        assert in_child(close if how == "close" else lambda: asyncio.run(sender.app.aclose())) == 0
        sender()
    assert len(pids(conn)) == 1
    assert pending(conn) == 2


@KINDS
@IN_CHILD
def test_what_a_child_dispatches_goes_over_a_connection_of_its_own(
    sender: Sender, conn: Connection, kind: str, in_child: InChild
) -> None:
    sender()

    def work() -> None:
        sender.app.dispatch(Job())
        asyncio.run(sender.app.dispatch_async(Job()))
        sender.app.close()

    with same_sessions(conn):
        assert in_child(work) == 0
        sender()
    assert pending(conn) == 4


@IN_CHILD
def test_a_child_does_not_wait_for_threads_that_it_does_not_have(
    dsn: str, conn: Connection, in_child: InChild
) -> None:
    with Symphony(dsn, max_connections=1) as app:
        lender = app.transport.lender  # type: ignore[attr-defined]
        lent, done = threading.Event(), threading.Event()

        def hold() -> None:
            with lender.lend():
                lent.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        lent.wait()
        assert in_child(lambda: app.dispatch(Job())) == 0
        done.set()
        thread.join()
    assert pending(conn) == 1


@IN_CHILD
@KINDS
def test_a_connection_that_was_opened_before_the_fork_is_refused(
    dsn: str, in_child: InChild, kind: str
) -> None:
    loop = asyncio.new_event_loop()
    if kind == "sync":
        own = connect(dsn)

        def use() -> None:
            with pytest.raises(psycopg.OperationalError, match="that of the parent"):
                own.execute("select 1")
            own.close()
            own.hang_up()

        assert in_child(use) == 0
        assert own.execute("select 1").fetchone() == (1,)
        own.close()
    else:
        other = loop.run_until_complete(connect_async(dsn))

        async def use_async() -> None:
            with pytest.raises(psycopg.OperationalError, match="that of the parent"):
                await other.execute("select 1")
            await other.close()
            other.hang_up()

        assert in_child(lambda: asyncio.run(use_async())) == 0
        loop.run_until_complete(other.execute("select 1"))
        loop.run_until_complete(other.close())
    loop.close()


@KINDS
@pytest.mark.parametrize("end", ["leaves", "raises"])
def test_a_child_that_leaves_the_transaction_of_a_handler_ends_nothing(
    app: Symphony, conn: Connection, kind: str, end: str
) -> None:
    """The child goes out of the block that it was forked in; the parent commits."""
    conn.execute("create table note (n int)")
    codes: list[int] = []

    def forked() -> bool:
        """Fork in the midst; return True in the parent, after the end of the child."""
        if (pid := os.fork()) == 0:
            return False
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return True

    def handle(job: Job, context: Context) -> None:
        is_parent = True
        try:
            with context.transaction() as own:
                own.execute("insert into note values (1)")
                is_parent = forked()
                if end == "raises" and not is_parent:
                    raise RuntimeError
        finally:
            if not is_parent:
                os._exit(7)

    async def handle_async(job: Job, context: Context) -> None:
        is_parent = True
        try:
            async with context.transaction() as own:
                await own.execute("insert into note values (1)")
                is_parent = forked()
                if end == "raises" and not is_parent:
                    raise RuntimeError
        finally:
            if not is_parent:
                os._exit(7)

    app.handler(Job)(handle if kind == "sync" else handle_async)
    app.dispatch(Job())
    counts = run(app)
    assert (counts.done, counts.retried, codes) == (1, 0, [7])
    assert conn.execute("select n from note").fetchall() == [(1,)]


@KINDS
@IN_CHILD
def test_what_the_child_of_a_handler_dispatches_is_sent(
    app: Symphony, conn: Connection, kind: str, in_child: InChild
) -> None:
    """The outbox of the handler stays with the parent, which sends what is its own."""
    codes: list[int] = []

    def handle(job: Job, context: Context) -> None:
        app.dispatch(Job(1), queue="mail")
        codes.append(in_child(lambda: app.dispatch(Job(2), queue="mail")))
        app.dispatch(Job(3), queue="mail")

    async def handle_async(job: Job, context: Context) -> None:
        await app.dispatch_async(Job(1), queue="mail")
        codes.append(in_child(lambda: asyncio.run(app.dispatch_async(Job(2), queue="mail"))))
        await app.dispatch_async(Job(3), queue="mail")

    Client(conn).create_queue("mail")
    app.handler(Job)(handle if kind == "sync" else handle_async)
    app.dispatch(Job())
    assert run(app).done == 1
    # Python gives 1 to a process that multiprocessing forks in a thread of a pool, whatever it did.
    in_thread = kind == "sync" and in_child is by_multiprocessing
    assert codes == [0] or (in_thread and codes == [1])
    claimed = Client(conn).claim_batch(["mail"])
    assert [each.body["n"] for each in claimed] == [2, 1, 3]
