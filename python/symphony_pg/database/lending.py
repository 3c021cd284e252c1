"""Connections that are lent out one at a time, so many at most, and kept open in between.

Threads and tasks of any event loop get them in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
import os
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
from .silence import CALL_TIMEOUT, AsyncConnection, Connection, Silence, answered_within, limit

__all__ = ["MAX_CONNECTIONS", "Connections", "Places"]

log = logging.getLogger("symphony_pg.connections")

MAX_CONNECTIONS = 4
LONGEST_WAIT = 30.0

Home = asyncio.AbstractEventLoop | None  # the event loop of a connection; None: it is for threads
AnyConnection = Connection[Any] | AsyncConnection[Any]

_lenders: ContextVar[tuple[Connections, ...]] = ContextVar("symphony_lenders", default=())


class Places:
    """Who finds no place free waits for its turn; whoever leaves hands the place on."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[futures.Future[None]] = deque()
        self._lock = Lock()

    def take(self, seconds: float) -> bool:
        """Take a place; return False if there was none for so long."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = self._queue_up()
        try:
            turn.result(seconds)
        except futures.TimeoutError:
            return not turn.cancel()  # it may have come at the last moment
        except BaseException:
            self._leave(turn)
            raise
        return True

    async def take_async(self, seconds: float) -> bool:
        """Do what take() does, from async code."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = self._queue_up()
        try:
            # Not wait_for(), which up to Python 3.11 may swallow a cancellation.
            come, _ = await asyncio.wait([asyncio.wrap_future(turn)], timeout=seconds)
        except BaseException:
            self._leave(turn)
            raise
        return bool(come) or not turn.cancel()

    def _queue_up(self) -> futures.Future[None]:
        turn: futures.Future[None] = futures.Future()
        self._waiting.append(turn)
        return turn

    def _leave(self, turn: futures.Future[None]) -> None:
        if not turn.cancel():
            self.give()

    def give(self) -> None:
        """Leave a place to whoever has waited for the longest time."""
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    break
            else:
                self._free += 1
                return
        turn.set_result(None)


class _Shelf:
    """The connections of one process: those that are kept, and how many are lent."""

    def __init__(self, most: int, keep: int) -> None:
        self.places = Places(most)
        self.owner = os.getpid()
        self._most = most
        self._keep = keep
        self._lent = 0
        self._kept: list[tuple[Home, AnyConnection]] = []
        self._lock = Lock()

    def take(self, home: Home) -> Any:
        """Lend the connection of that home that was used last, or None: make room for a new one."""
        with self._lock:
            self._lent += 1
            for place in reversed(range(len(self._kept))):
                if self._kept[place][0] is home:
                    conn = self._kept.pop(place)[1]
                    if _is_usable(conn):
                        return conn
                    conn.hang_up()
            self._make_room()
        return None

    def _make_room(self) -> None:
        """Hang up on what is in the way of a new one, or belongs to a loop that has ended."""
        ended = [each for each in self._kept if each[0] is not None and each[0].is_closed()]
        rest = [each for each in self._kept if each not in ended]
        many = max(len(rest) + self._lent - self._most, 0)
        for _, conn in ended + rest[:many]:
            conn.hang_up()
        self._kept = rest[many:]

    def take_back(self, home: Home, conn: AnyConnection | None) -> None:
        """Keep a connection that was lent, if it is still good; None: it could not be opened."""
        with self._lock:
            self._lent -= 1
            room = min(self._keep, self._most - self._lent) - len(self._kept)
            if conn is None:
                return
            if room > 0 and conn.pgconn.transaction_status == TransactionStatus.IDLE:
                self._kept.append((home, conn))
            else:
                conn.hang_up()

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
    return conn.pgconn.transaction_status == TransactionStatus.IDLE


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

    @contextmanager
    def lend(self, within: float | None = None) -> Iterator[Connection[Any]]:
        """Lend a connection in autocommit mode for the length of a with block.

        Calls on it are answered within so many seconds, or it is given up; None: as before.
        """
        shelf = self._shelf if self._shelf.owner == os.getpid() else self._new_shelf()
        held, limit_before = _lenders.get(), limit.get()
        is_nested = self in held
        if not is_nested and not shelf.places.take(LONGEST_WAIT):
            raise self._none_free()
        conn: Connection[Any] | None = None
        _lenders.set((*held, self))
        try:
            conn = shelf.take(None) or self._open()
            limit.set(limit_before if within is None else within)
            yield conn
        except Silence as error:
            raise self._no_answer(shelf, error) from error
        finally:
            limit.set(limit_before)
            _lenders.set(held)
            if shelf.owner == os.getpid():  # else a fork leaves a block that its parent is in
                shelf.take_back(None, conn)
                if not is_nested:
                    shelf.places.give()

    def _open(self) -> Connection[Any]:
        conn = connect(self.dsn, **self._options)
        conn.isolation_level = IsolationLevel.READ_COMMITTED
        return conn

    @asynccontextmanager
    async def lend_async(self, within: float | None = None) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend an async connection in autocommit mode for the length of an async with block."""
        shelf = self._shelf if self._shelf.owner == os.getpid() else self._new_shelf()
        held, limit_before = _lenders.get(), limit.get()
        is_nested = self in held
        if not is_nested and not await shelf.places.take_async(LONGEST_WAIT):
            raise self._none_free()
        home = asyncio.get_running_loop()
        conn: AsyncConnection[Any] | None = None
        _lenders.set((*held, self))
        try:
            conn = shelf.take(home) or await self._open_async()
            limit.set(limit_before if within is None else within)
            yield conn
        except Silence as error:
            raise self._no_answer(shelf, error) from error
        finally:
            limit.set(limit_before)
            _lenders.set(held)
            if shelf.owner == os.getpid():
                shelf.take_back(home, conn)
                if not is_nested:
                    shelf.places.give()

    async def _open_async(self) -> AsyncConnection[Any]:
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

    def _new_shelf(self) -> _Shelf:
        """Begin with nothing in the child of a fork, which shares the sockets of its parent."""
        self._shelf = _Shelf(self._most, self._keep)
        return self._shelf

    def _none_free(self) -> NoConnectionFree:
        return NoConnectionFree(
            f"no connection was free for {LONGEST_WAIT:g} seconds",
            detail=f"All of max_connections={self._most} were in use.",
            hint="Raise max_connections of Symphony(), or dispatch several messages in one call.",
        )

    def _no_answer(self, shelf: _Shelf, error: Silence) -> NoAnswer:
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
        if self._shelf.owner == os.getpid():
            self._shelf.clear()
