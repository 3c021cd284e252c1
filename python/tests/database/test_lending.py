"""What is lent is bounded: who comes too late waits in turn, and nobody waits for himself."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from symphony_pg import Client, PostgresTransport, Symphony
from symphony_pg.database.lending import Connections, _Shelf
from symphony_pg.errors import NoConnectionFree
from tests.helpers import KINDS, Connection, Job, wait_until


def sessions(conn: Connection) -> int:
    """Count the sessions of our own."""
    return len(_pids(conn))


def _pids(conn: Connection) -> set[int]:
    rows = conn.execute(
        "select pid from pg_stat_activity where application_name = 'symphony-pg'"
        " and datname = current_database()"
    ).fetchall()
    return {pid for (pid,) in rows}


class Watch:
    """Looks how many sessions there are, for the length of a block.

    One that the client has hung up on takes a moment to end, so what counts is there twice.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0

    def _look(self) -> None:
        before = set[int]()
        while not self._ends.wait(0.01):
            now = _pids(self._conn)
            self.most = max(self.most, len(now & before))
            before = now

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()


def pending(conn: Connection) -> int:
    return Client(conn).queue_stats()[0].pending


def test_300_threads_share_four_connections(app: Symphony, conn: Connection) -> None:
    begin = threading.Barrier(300)

    def dispatch(n: int) -> int:
        begin.wait()
        return app.dispatch(Job(n))

    with Watch(conn) as watch, ThreadPoolExecutor(300) as threads:
        assert len(set(threads.map(dispatch, range(300)))) == 300
    assert 1 <= watch.most <= 4
    assert pending(conn) == 300


def test_300_tasks_share_three_connections(dsn: str, conn: Connection) -> None:
    async def dispatch_all() -> list[int]:
        return await asyncio.gather(*(app.dispatch_async(Job(n)) for n in range(300)))

    with Symphony(dsn, max_connections=3) as app, Watch(conn) as watch:
        assert len(set(asyncio.run(dispatch_all()))) == 300
    assert 1 <= watch.most <= 3
    assert pending(conn) == 300


def test_event_loops_and_threads_share_them_too(dsn: str, conn: Connection) -> None:
    async def dispatch_some() -> None:
        for _ in range(3):
            await asyncio.gather(*(app.dispatch_async(Job(n)) for n in range(20)))

    def dispatch(n: int) -> None:
        if n % 2:
            asyncio.run(dispatch_some())
        else:
            for each in range(60):
                app.dispatch(Job(each))

    with (
        Symphony(dsn, max_connections=2) as app,
        Watch(conn) as watch,
        ThreadPoolExecutor(6) as threads,
    ):
        list(threads.map(dispatch, range(6)))
    assert 1 <= watch.most <= 2
    assert pending(conn) == 360


def test_connections_of_event_loops_that_have_ended_are_closed(
    app: Symphony, conn: Connection
) -> None:
    async def dispatch() -> None:
        await app.dispatch_async(Job())

    for _ in range(10):
        asyncio.run(dispatch())
    wait_until(lambda: sessions(conn) == 1, "the end of the others")
    app.close()
    wait_until(lambda: sessions(conn) == 0, "the end of the last")


@KINDS
def test_who_waits_for_too_long_is_told_of_the_setting(
    dsn: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_pg.database.lending.LONGEST_WAIT", 0.3)
    lender = Connections(dsn, most=1)

    async def lend() -> None:
        async with lender.lend_async():
            pass

    async def wait_async() -> None:
        waiting = asyncio.create_task(asyncio.sleep(0.05))
        waiting.add_done_callback(lambda _: others.append(asyncio.create_task(lend())))
        others: list[asyncio.Task[None]] = []
        async with lender.lend_async():
            await asyncio.sleep(0.1)
            await others[0]

    def wait() -> None:
        with lender.lend():
            pass

    with pytest.raises(NoConnectionFree, match=r"max_connections=1") as caught:
        if kind == "async":
            asyncio.run(wait_async())
        else:
            with lender.lend(), ThreadPoolExecutor(1) as threads:
                threads.submit(wait).result()
    assert caught.value.sqlstate == "53300"
    assert "HINT: Raise max_connections" in str(caught.value)
    with lender.lend():  # the place was not lost
        pass
    lender.close()


def test_who_holds_a_connection_does_not_wait_for_a_second_one(dsn: str, conn: Connection) -> None:
    """Two threads hold both and want one more each: they get it, beyond the others."""
    lender = Connections(dsn, most=2)
    both = threading.Barrier(2)

    def nest(_: int) -> None:
        with lender.lend():
            both.wait()
            with lender.lend() as second:
                second.execute("select 1")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(nest, range(2)))
    wait_until(lambda: sessions(conn) <= 2, "the end of those that are too many")
    lender.close()


def test_one_connection_at_least() -> None:
    with pytest.raises(ValueError, match="max_connections is at least 1"):
        Symphony(max_connections=0)
    with pytest.raises(ValueError, match="max_connections is at least 1"):
        PostgresTransport(max_connections=0)


def take(shelf: _Shelf, seconds: float) -> bool:
    """Take a place, as a loan does; return False if there was none for so long."""
    turn, _ = shelf.lend(None, with_place=True)
    if turn is None:
        return True
    return shelf.wait(turn, seconds) and shelf.lend(None, with_place=False)[0] is None


async def take_async(shelf: _Shelf, seconds: float) -> bool:
    """Do what take() does, from async code."""
    turn, _ = shelf.lend(None, with_place=True)
    if turn is None:
        return True
    return await shelf.wait_async(turn, seconds) and shelf.lend(None, with_place=False)[0] is None


def give(shelf: _Shelf) -> None:
    """Leave a place."""
    shelf.take_back(None, None, has_place=True)


def test_places_go_to_those_who_came_first() -> None:
    shelf, order = _Shelf(1, 0), list[int]()
    assert take(shelf, 0)
    threads = []
    for n in range(8):

        def wait(n: int = n) -> None:
            if n % 2:
                assert asyncio.run(take_async(shelf, 9))
            else:
                assert take(shelf, 9)
            order.append(n)
            give(shelf)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        wait_until(lambda n=n: len(shelf._waiting) == n + 1, "a place in the queue")  # type: ignore[misc]
    give(shelf)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_has_gone_gets_no_place() -> None:
    shelf = _Shelf(1, 0)
    assert take(shelf, 0)
    assert not take(shelf, 0.05)

    async def give_up() -> None:
        assert not await take_async(shelf, 0.05)
        waiting = asyncio.create_task(take_async(shelf, 9))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    give(shelf)
    assert take(shelf, 0)


def test_a_place_that_comes_with_the_cancellation_is_handed_on() -> None:
    shelf = _Shelf(1, 0)
    assert take(shelf, 0)

    async def cancelled_in_the_same_moment() -> None:
        waiting = asyncio.create_task(take_async(shelf, 9))
        await asyncio.sleep(0.05)
        give(shelf)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancelled_in_the_same_moment())
    began = time.monotonic()
    assert take(shelf, 1)
    assert time.monotonic() - began < 0.5


@pytest.fixture
def lender(dsn: str) -> Iterator[Connections]:
    lender = Connections(dsn)
    yield lender
    lender.close()


def test_a_connection_is_used_again_unless_it_was_left_in_a_transaction(
    lender: Connections,
) -> None:
    def pid(*, leave_open: bool = False) -> int:
        with lender.lend() as conn:
            if leave_open:
                conn.execute("begin")
            return conn.info.backend_pid

    first = pid()
    assert pid(leave_open=True) == first
    assert pid() != first
