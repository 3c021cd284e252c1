"""Connections that are lent out one at a time, so many at most, and kept open in between."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import ConnStatus, TransactionStatus

from ..errors import NoAnswer, NoConnectionFree
from .connections import connect, connect_async
from .places import Places
from .silence import CALL_TIMEOUT, AsyncConnection, Connection, Silence, answered_within

__all__ = ["MAX_CONNECTIONS", "Connections"]

log = logging.getLogger("symphony_pg.connections")

MAX_CONNECTIONS = 4
LONGEST_WAIT = 30.0

Home = asyncio.AbstractEventLoop | None  # the event loop of a connection; None: it is for threads
AnyConnection = Connection[Any] | AsyncConnection[Any]

_lenders: ContextVar[tuple[Connections, ...]] = ContextVar("symphony_lenders", default=())


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
            if room > 0 and _is_usable(conn):
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
        if not conn.closed:
            conn.pgconn.consume_input()  # the server's last words, if it has ended
            conn.pgconn.consume_input()  # notices that nothing more can come
    except psycopg.OperationalError:
        return False
    return (
        conn.pgconn.status == ConnStatus.OK
        and conn.pgconn.transaction_status == TransactionStatus.IDLE
    )


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
    def lend(self) -> Iterator[Connection[Any]]:
        """Lend a connection in autocommit mode for the length of a with block."""
        shelf, held = self._here(), _lenders.get()
        is_nested = self in held
        if not is_nested and not shelf.places.take(LONGEST_WAIT):
            raise self._none_free()
        conn: Connection[Any] | None = None
        _lenders.set((*held, self))
        try:
            conn = shelf.take(None)
            if conn is None:
                conn = self._open()
            yield conn
        except Silence as error:
            raise self._no_answer(shelf, error) from error
        finally:
            _lenders.set(held)
            self._end(shelf, None, conn, is_nested)

    def _open(self) -> Connection[Any]:
        conn = connect(self.dsn, **self._options)
        conn.isolation_level = IsolationLevel.READ_COMMITTED
        return conn

    @asynccontextmanager
    async def lend_async(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend an async connection in autocommit mode for the length of an async with block."""
        shelf, held = self._here(), _lenders.get()
        is_nested = self in held
        if not is_nested and not await shelf.places.take_async(LONGEST_WAIT):
            raise self._none_free()
        home = asyncio.get_running_loop()
        conn: AsyncConnection[Any] | None = None
        _lenders.set((*held, self))
        try:
            conn = shelf.take(home)
            if conn is None:
                conn = await self._open_async()
            yield conn
        except Silence as error:
            raise self._no_answer(shelf, error) from error
        finally:
            _lenders.set(held)
            self._end(shelf, home, conn, is_nested)

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
        with self.lend() as conn, self.answered(), conn.transaction(), answered_within(None):
            yield conn

    @asynccontextmanager
    async def transaction_async(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend an async connection in a transaction; begin and commit are calls of our own."""
        async with self.lend_async() as conn:
            with self.answered():
                async with conn.transaction():
                    with answered_within(None):
                        yield conn

    def _here(self) -> _Shelf:
        """Return what is kept in this process: a fork shares the sockets of its parent."""
        if self._shelf.owner != os.getpid():
            self._shelf = _Shelf(self._most, self._keep)
        return self._shelf

    def _end(self, shelf: _Shelf, home: Home, conn: AnyConnection | None, is_nested: bool) -> None:
        if shelf.owner != os.getpid():
            return  # the child of a fork leaves a block that its parent is in
        shelf.take_back(home, conn)
        if not is_nested:
            shelf.places.give()

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
        self._here().clear()
