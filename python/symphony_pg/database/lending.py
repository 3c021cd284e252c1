"""Connections that are lent out one at a time, so many at most, and kept open in between.

Threads and tasks of any event loop get them in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent import futures
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus

from ..errors import NoAnswer, NoConnectionFree
from .connections import connect, connect_async
from .process import here
from .silence import CALL_TIMEOUT, AsyncConnection, Connection, Silence, answered_within, limit

log = logging.getLogger("symphony_pg.connections")

MAX_CONNECTIONS = 4
LONGEST_WAIT = 30.0
IDLE = int(TransactionStatus.IDLE)

Home = asyncio.AbstractEventLoop | None  # the event loop of a connection; None: it is for threads
AnyConnection = Connection[Any] | AsyncConnection[Any]

_lenders: ContextVar[tuple[Connections, ...]] = ContextVar("symphony_lenders", default=())


class _Places:
    """Who finds no place free waits for its turn; whoever leaves hands the place on."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[futures.Future[None]] = deque()
        self._lock = Lock()

    def _queue_up(self) -> futures.Future[None]:
        turn: futures.Future[None] = futures.Future()
        self._waiting.append(turn)
        return turn

    def wait(self, turn: futures.Future[None], seconds: float) -> bool:
        """Wait in the queue for a place; return False if there was none for so long."""
        try:
            turn.result(seconds)
        except futures.TimeoutError:
            return not turn.cancel()  # it may have come at the last moment
        except BaseException:
            self._leave(turn)
            raise
        return True

    async def wait_async(self, turn: futures.Future[None], seconds: float) -> bool:
        """Do what wait() does, from async code."""
        try:
            # Not wait_for(), which up to Python 3.11 may swallow a cancellation.
            come, _ = await asyncio.wait([asyncio.wrap_future(turn)], timeout=seconds)
        except BaseException:
            self._leave(turn)
            raise
        return bool(come) or not turn.cancel()

    def _leave(self, turn: futures.Future[None]) -> None:
        if not turn.cancel():
            self.give()

    def give(self) -> None:
        """Leave a place to whoever has waited for the longest time."""
        with self._lock:
            self._free += 1
            turn = self._next()
        if turn is not None:
            turn.set_result(None)

    def _next(self) -> futures.Future[None] | None:
        """Give the place that is free to who has waited for the longest time, if anybody does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if turn.set_running_or_notify_cancel():
                self._free -= 1
                return turn
        return None


class _Shelf(_Places):
    """The connections of one process: those that are kept, and how many are lent."""

    def __init__(self, most: int, keep: int) -> None:
        super().__init__(most)
        self.owner = here.pid
        self._most = most
        self._keep = keep
        self._lent = 0
        self._kept: list[tuple[Home, AnyConnection]] = []

    def lend(self, home: Home, *, with_place: bool) -> tuple[futures.Future[None] | None, Any]:
        """Lend the connection of that home that was used last; None: there is room for a new one.

        With a place; if there is none, return what is to be waited for before this is called again.
        """
        with self._lock:
            if with_place and not self._free:
                return self._queue_up(), None
            self._free -= with_place
            self._lent += 1
            for place in reversed(range(len(self._kept))):
                if self._kept[place][0] is home:
                    conn = self._kept.pop(place)[1]
                    if _is_usable(conn):
                        return None, conn
                    conn.hang_up()
            self._make_room()
        return None, None

    def _make_room(self) -> None:
        """Hang up on what is in the way of a new one, or belongs to a loop that has ended."""
        ended = [each for each in self._kept if each[0] is not None and each[0].is_closed()]
        rest = [each for each in self._kept if each not in ended]
        many = max(len(rest) + self._lent - self._most, 0)
        for _, conn in ended + rest[:many]:
            conn.hang_up()
        self._kept = rest[many:]

    def take_back(self, home: Home, conn: AnyConnection | None, *, has_place: bool) -> None:
        """Keep a connection that was lent, if it is still good; None: it could not be opened."""
        with self._lock:
            self._lent -= 1
            if conn is not None:
                room = min(self._keep, self._most - self._lent) - len(self._kept)
                if room > 0 and conn.pgconn.transaction_status == IDLE:
                    self._kept.append((home, conn))
                else:
                    conn.hang_up()
            self._free += has_place
            turn = self._next() if self._waiting and self._free else None
        if turn is not None:
            turn.set_result(None)

    def clear(self) -> None:
        """Hang up on those that are not lent."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _, conn in kept:
            conn.hang_up()


def _is_usable(conn: AnyConnection) -> bool:
    """Tell, without asking the server, whether a connection that was kept is still good."""
    try:
        conn.pgconn.consume_input()  # the server's last words, if it has ended
        conn.pgconn.consume_input()  # notices that nothing more can come
    except psycopg.OperationalError:
        return False
    return conn.pgconn.transaction_status == IDLE


class Connections:
    """Connections for threads and for the tasks of any event loop: `most` of them are open.

    Who finds all of them lent waits in turn. Who has one already does not wait for a second one,
    which is opened beyond the others: so nobody waits for somebody who waits for him.

    Their transactions are read committed, whatever the default is: the acks of messages that were
    claimed together change one row, and at another level all but the first of them would fail.
    """

    def __init__(
        self,
        dsn: str | None,
        *,
        most: int = MAX_CONNECTIONS,
        keep: int = 1000,
        prepare_threshold: int | None = 5,
        call_timeout: float = CALL_TIMEOUT,
    ) -> None:
        self.dsn = dsn
        self.call_timeout = call_timeout
        self._most = most
        self._keep = keep
        self._options: dict[str, Any] = {
            "call_timeout": call_timeout,
            "prepare_threshold": prepare_threshold,
        }
        self._shelf = _Shelf(most, keep)

    def lend(self, within: float | None = None) -> _Loan:
        """Lend a connection in autocommit mode for the length of a with block.

        Calls on it are answered within so many seconds, or it is given up; None: as before.
        """
        return _Loan(self, within)

    def open(self) -> Connection[Any]:
        """Open one more, for threads."""
        conn = connect(self.dsn, **self._options)
        conn.isolation_level = IsolationLevel.READ_COMMITTED
        return conn

    def lend_async(self, within: float | None = None) -> _AsyncLoan:
        """Lend an async connection in autocommit mode for the length of an async with block."""
        return _AsyncLoan(self, within)

    async def open_async(self) -> AsyncConnection[Any]:
        """Open one more, for the event loop that runs."""
        conn = await connect_async(self.dsn, **self._options)
        await conn.set_isolation_level(IsolationLevel.READ_COMMITTED)
        return conn

    def answered(self, more: float = 0.0) -> answered_within:
        """Give calls of our own the seconds they get, and some more to those that do much."""
        return answered_within(self.call_timeout + more)

    @contextmanager
    def transaction(self) -> Iterator[Connection[Any]]:
        """Lend a connection in a transaction; begin and commit are calls of our own."""
        with self.lend(self.call_timeout) as conn, conn.transaction(), answered_within(None):
            yield conn

    @asynccontextmanager
    async def transaction_async(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend an async connection in a transaction; begin and commit are calls of our own."""
        async with self.lend_async(self.call_timeout) as conn, conn.transaction():
            with answered_within(None):
                yield conn

    def shelf(self) -> _Shelf:
        """Return what there is in this process: a forked child shares sockets, and begins anew."""
        if self._shelf.owner != here.pid:
            self._shelf = _Shelf(self._most, self._keep)
        return self._shelf

    def none_free(self) -> NoConnectionFree:
        """Say that all of them were in use for too long."""
        return NoConnectionFree(
            f"no connection was free for {LONGEST_WAIT:g} seconds",
            detail=f"All of max_connections={self._most} were in use.",
            hint="Raise max_connections of Symphony(), or dispatch several messages in one call.",
        )

    def no_answer(self, shelf: _Shelf, error: Silence) -> NoAnswer:
        """Say that PostgreSQL fell silent, and give up the connections that lead to it."""
        log.warning("%s: the connection is given up, and those that are kept with it", error)
        shelf.clear()  # they lead to the same place
        return NoAnswer(
            "PostgreSQL did not answer",
            detail=f"{error}. The connection is closed, and whether the call took effect is not "
            "known.",
            hint="Try again, with an idempotency_key if a message must not be there twice. If the "
            "server needs more time, raise call_timeout of Symphony().",
        )

    def close(self) -> None:
        """Close the connections that are not lent out."""
        self.shelf().clear()


class _Terms:
    """What a loan changes while it lasts, and puts right at its end."""

    __slots__ = ("_conn", "_has_place", "_held", "_home", "_lender", "_limit", "_shelf", "_within")

    def __init__(self, lender: Connections, within: float | None) -> None:
        self._lender = lender
        shelf = lender._shelf
        self._shelf = shelf if shelf.owner == here.pid else lender.shelf()
        self._held = _lenders.get()
        self._has_place = lender not in self._held
        self._limit = limit.get()
        self._within = within
        self._home: Home = None
        self._conn: Any = None

    def _end(self, _: object, error: BaseException | None, *__: object) -> None:
        limit.set(self._limit)
        _lenders.set(self._held)
        if self._shelf.owner == here.pid:  # else a fork leaves a block that its parent is in
            self._shelf.take_back(self._home, self._conn, has_place=self._has_place)
        if isinstance(error, Silence):
            raise self._lender.no_answer(self._shelf, error) from error


class _Loan(_Terms):
    """A connection for the length of a with block."""

    __slots__ = ()

    def __enter__(self) -> Connection[Any]:
        turn, conn = self._shelf.lend(None, with_place=self._has_place)
        if turn is not None:
            if not self._shelf.wait(turn, LONGEST_WAIT):
                raise self._lender.none_free()
            _, conn = self._shelf.lend(None, with_place=False)
        _lenders.set((*self._held, self._lender))
        try:
            conn = conn or self._lender.open()
        except BaseException as error:
            self._end(None, error)
            raise
        self._conn = conn
        if self._within is not None:
            limit.set(self._within)
        return conn

    __exit__ = _Terms._end


class _AsyncLoan(_Terms):
    """A connection for the length of an async with block, and of the event loop that runs it."""

    __slots__ = ()

    async def __aenter__(self) -> AsyncConnection[Any]:
        home = self._home = asyncio.get_running_loop()
        turn, conn = self._shelf.lend(home, with_place=self._has_place)
        if turn is not None:
            if not await self._shelf.wait_async(turn, LONGEST_WAIT):
                raise self._lender.none_free()
            _, conn = self._shelf.lend(home, with_place=False)
        _lenders.set((*self._held, self._lender))
        try:
            conn = conn or await self._lender.open_async()
        except BaseException as error:
            self._end(None, error)
            raise
        self._conn = conn
        if self._within is not None:
            limit.set(self._within)
        return conn

    async def __aexit__(self, *result: Any) -> None:
        self._end(*result)
