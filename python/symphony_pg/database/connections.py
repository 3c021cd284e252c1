"""Connections that are lent out one at a time and kept open in between.

Behind a pooler that gives each transaction to another session of the server, a statement that was
prepared in one is not there in the next. So nothing is prepared where the session that answers is
not the one that the login was told of: PgBouncer and its like make up what they tell.

Text is UTF-8, whatever the encoding of the database or a setting of the role says: what a message
holds may not fit into another one.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.pq.abc import PGconn

from .translation import connecting

__all__ = [
    "AsyncConnections",
    "Connections",
    "backend",
    "connect",
    "connect_async",
    "dsn_or_default",
    "has_session",
]

NAME = "symphony-pg"
_OWN: dict[str, Any] = {
    "autocommit": True,
    "fallback_application_name": NAME,
    "client_encoding": "utf8",
}
BACKEND = "select pg_catalog.pg_backend_pid()"


def dsn_or_default(dsn: str | None) -> str:
    """Return the DSN, or SYMPHONY_DSN, or what leaves everything to libpq's PG* variables."""
    return dsn if dsn is not None else os.environ.get("SYMPHONY_DSN", "")


def connect(dsn: str | None = None, **options: Any) -> psycopg.Connection[Any]:
    """Open a connection in autocommit mode; raise ConnectionRefused if that fails."""
    dsn = dsn_or_default(dsn)
    with connecting(dsn):
        conn = psycopg.connect(dsn, **_OWN, **options)
        with _closing_if_it_fails(conn.pgconn):
            if conn.prepare_threshold is not None:
                row = conn.execute(BACKEND).fetchone()
                if row != (conn.info.backend_pid,):
                    conn.prepare_threshold = None
        return conn


async def connect_async(dsn: str | None = None, **options: Any) -> psycopg.AsyncConnection[Any]:
    """Open an async connection in autocommit mode; raise ConnectionRefused if that fails."""
    dsn = dsn_or_default(dsn)
    with connecting(dsn):
        conn = await psycopg.AsyncConnection.connect(dsn, **_OWN, **options)
        with _closing_if_it_fails(conn.pgconn):
            if conn.prepare_threshold is not None and await backend(conn) != conn.info.backend_pid:
                conn.prepare_threshold = None
        return conn


@contextmanager
def _closing_if_it_fails(pgconn: PGconn) -> Iterator[None]:
    try:
        yield
    except BaseException:
        pgconn.finish()
        raise


def has_session(conn: psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether what is set in the session lasts: no pooler lends it to others."""
    return conn.prepare_threshold is not None


async def backend(conn: psycopg.AsyncConnection[Any]) -> int:
    """Return the process of the server that answers now."""
    row = await (await conn.execute(BACKEND)).fetchone()
    assert row is not None
    return int(row[0])


def _is_usable(conn: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
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
    """Connections for threads. At most `keep` of them stay open unused.

    Their transactions are read committed, whatever the default is: the acks of messages that were
    claimed together change one row, and at another level all but the first of them would fail.
    """

    def __init__(
        self, dsn: str | None, *, keep: int = 4, prepare_threshold: int | None = 5
    ) -> None:
        self.dsn = dsn
        self._keep = keep
        self._prepare_threshold = prepare_threshold
        self._kept: deque[psycopg.Connection[Any]] = deque()
        self._pid = os.getpid()

    @contextmanager
    def lend(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection in autocommit mode for the length of a with block."""
        conn = self._take()
        try:
            yield conn
        finally:
            if len(self._kept) < self._keep and _is_usable(conn):
                self._kept.append(conn)
            else:
                conn.close()

    def _take(self) -> psycopg.Connection[Any]:
        if self._pid != os.getpid():  # a fork shares the sockets of its parent
            self._kept, self._pid = deque(), os.getpid()
        while self._kept:
            try:
                conn = self._kept.pop()
            except IndexError:  # another thread took the last one
                break
            if _is_usable(conn):
                return conn
            conn.close()
        conn = connect(self.dsn, prepare_threshold=self._prepare_threshold)
        conn.isolation_level = IsolationLevel.READ_COMMITTED
        return conn

    def close(self) -> None:
        """Close the connections that are not lent out."""
        while self._kept:
            self._kept.pop().close()


class AsyncConnections:
    """Connections for the tasks of an event loop; otherwise as `Connections`."""

    def __init__(
        self, dsn: str | None, *, keep: int = 4, prepare_threshold: int | None = 5
    ) -> None:
        self.dsn = dsn
        self._keep = keep
        self._prepare_threshold = prepare_threshold
        self._kept: deque[psycopg.AsyncConnection[Any]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection in autocommit mode for the length of an async with block."""
        conn = await self._take()
        try:
            yield conn
        finally:
            if len(self._kept) < self._keep and _is_usable(conn):
                self._kept.append(conn)
            else:
                await conn.close()

    async def _take(self) -> psycopg.AsyncConnection[Any]:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.abandon()
            self._loop = loop
        while self._kept:
            conn = self._kept.pop()
            if _is_usable(conn):
                return conn
            await conn.close()
        conn = await connect_async(self.dsn, prepare_threshold=self._prepare_threshold)
        await conn.set_isolation_level(IsolationLevel.READ_COMMITTED)
        return conn

    def abandon(self) -> None:
        """Hang up without the event loop that the connections belong to."""
        while self._kept:
            conn = self._kept.pop()  # which is alive until it has hung up
            conn.pgconn.finish()

    async def close(self) -> None:
        """Close the connections that are not lent out."""
        while self._kept:
            await self._kept.pop().close()
