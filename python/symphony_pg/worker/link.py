"""The worker's connections: reopened when they are lost, and able to wait for a NOTIFY."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel

from ..database.call import Call
from ..database.connections import connect_async, has_session
from ..database.silence import AsyncConnection, Silence, answered_within
from ..database.translation import translated
from ..errors import ConnectionRefused, LoginRefused, SymphonyError, WrongIsolationLevel
from ..waiting import Backoff, Flag

T = TypeVar("T")
log = logging.getLogger("symphony_pg.worker")
LAST_WORDS = 2.0
TELL_AGAIN = 60.0
LONGEST_SILENCE = 300.0
NOT_WAITING = b", pg_catalog.set_config('synchronous_commit', 'off', true)"
RELIED_ON = (
    "select pg_catalog.set_config('default_transaction_isolation', 'read committed', false), "
    "pg_catalog.set_config('idle_session_timeout', '0', false)"
)
AS_TEXT = (b" body, headers,", b" body::pg_catalog.text, headers::pg_catalog.text,")
READ_ONLY = "25006"  # what an old primary says after a failover


def committed_asynchronously(call: Call[T]) -> Call[T]:
    """Let the transaction of a call that returns rows not wait for the disk, and no other one."""
    return replace(call, statement=call.statement + NOT_WAITING)


def undecoded(call: Call[T]) -> Call[T]:
    """Let the bodies and headers of a claim stay text, which is decoded just once."""
    return replace(call, statement=call.statement.replace(*AS_TEXT, 1))


class Unreadable(SymphonyError):  # noqa: N818
    """PostgreSQL has answered, and Python cannot read it; `first` is the first value as it came."""

    def __init__(self, cursor: psycopg.AsyncCursor[Any], error: Exception) -> None:
        super().__init__(
            "an answer of PostgreSQL cannot be read",
            detail=f"{type(error).__name__}: {_one_line(error)}",
            hint="Compare the encoding of the database with what it holds, and the version of "
            "psycopg with that of the server.",
        )
        result = cursor.pgresult
        self.first = result.get_value(0, 0) if result is not None and result.ntuples else None


class Stopped(Exception):  # noqa: N818
    """The worker ends, so nobody waits for the connection any more."""


class Link:
    """One connection in autocommit mode that is opened again, with backoff, when it is lost.

    It is lost, too, when a call is not answered for `call_timeout` seconds. The same call is given
    twice as long then, for the case that the server is only slow.

    `refusal` is why it could not be opened, as long as it never was.
    """

    def __init__(
        self,
        dsn: str | None,
        purpose: str,
        prepare: Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]],
        *,
        call_timeout: float,
        **options: Any,
    ) -> None:
        self.call_timeout = call_timeout
        self._dsn = dsn
        self._purpose = purpose
        self._prepare = prepare
        self._options = options
        self._conn: AsyncConnection[Any] | None = None
        self._opening = asyncio.Lock()
        self._turns = asyncio.Lock()
        self._stopped = Flag()
        self._backoff = Backoff(self._stopped)
        self.unheard = 0  # calls whose answer was lost with the connection: they may have been made
        self._begins = False
        self._was_open = False
        self._told = ("", 0.0)
        self.refusal: Exception | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a connection, for all we know."""
        conn = self._conn
        return conn is not None and not conn.closed

    async def run(self, call: Call[T]) -> T:
        """Execute a call, again and again until the connection lasts for it.

        So a call may take effect twice: each of ours then changes nothing, or is refused.
        """
        patience = self.call_timeout
        while True:
            conn = await self.connection()
            try:
                with translated(call.arguments), answered_within(patience):
                    if self._begins:  # one at a time: several tasks share the connection
                        async with self._turns, conn.transaction():
                            answer = await _answer(conn, call)
                    else:
                        answer = await _answer(conn, call)
            except WrongIsolationLevel:
                if self._begins:
                    raise
                self._begins = True
            except psycopg.Error as error:
                is_lost = conn.closed or error.sqlstate == READ_ONLY
                if not is_lost and not isinstance(error, psycopg.OperationalError):
                    raise
                if self._stopped.is_set():
                    raise Stopped from None
                if isinstance(error, Silence):
                    patience = min(2 * patience, LONGEST_SILENCE)
                if is_lost:
                    self.unheard += 1
                    await self._drop(conn, error)
                else:
                    log.warning("PostgreSQL: %s; trying again", _one_line(error))
                await self._backoff.wait()
            else:
                self._backoff.reset()
                return answer

    async def connection(self) -> AsyncConnection[Any]:
        """Return the connection, opened again if need be; raise Stopped after stop()."""
        if self._conn is not None and not self._conn.closed:
            return self._conn
        async with self._opening:
            while self._conn is None or self._conn.closed:
                try:
                    self._conn = await self._open_unless_stopped()
                except (ConnectionRefused, psycopg.OperationalError) as error:
                    if not self._was_open:
                        if isinstance(error, LoginRefused) and self.refusal is None:
                            raise  # later it may be a server that is being set up
                        self.refusal = error
                    self._tell(error)
                    await self._backoff.wait()
        return self._conn

    async def _open_unless_stopped(self) -> AsyncConnection[Any]:
        if self._stopped.is_set():
            raise Stopped
        opening = asyncio.ensure_future(self._open())
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([opening, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                raise Stopped
            return await opening
        finally:
            opening.cancel()
            stopped.cancel()

    async def _open(self) -> AsyncConnection[Any]:
        conn = await connect_async(self._dsn, call_timeout=self.call_timeout, **self._options)
        try:
            with answered_within(self.call_timeout):
                await self._be_read_committed(conn)
                await self._prepare(conn)
        except BaseException:
            await conn.close()
            raise
        if self._backoff.attempts:
            log.info("%s: connected again", self._purpose)
        self._was_open, self.refusal = True, None
        return conn

    async def _be_read_committed(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Let our calls be read committed, whatever is the default, and the session not time out.

        Where a pooler lends sessions that is said for each transaction, once one was refused.
        """
        if has_session(conn):
            await conn.execute(RELIED_ON)
        await conn.set_isolation_level(IsolationLevel.READ_COMMITTED)

    async def _drop(self, conn: AsyncConnection[Any], error: psycopg.Error) -> None:
        if self._conn is conn:
            self._conn = None
            self._tell(error)
        await conn.close()

    def _tell(self, error: Exception) -> None:
        text, at = self._told
        news, now = _one_line(error), time.monotonic()
        if not self._backoff.attempts or news != text or now - at >= TELL_AGAIN:
            what = "no writes" if getattr(error, "sqlstate", "") == READ_ONLY else "no connection"
            log.warning("%s: %s (%s); trying again", self._purpose, what, news)
            self._told = (news, now)

    def stop(self) -> None:
        """Open no connection any more, and hang up soon; whoever needs one gets Stopped."""
        if not self._stopped.is_set():
            self._stopped.set()
            asyncio.get_running_loop().call_later(LAST_WORDS, self._hang_up)

    async def finish(self, users: Sequence[asyncio.Task[Any]], timeout: float) -> bool:
        """Wait for tasks that use the connection, but not longer; tell whether they were done.

        Those that were not are cancelled. To hang up first keeps psycopg from waiting until the
        server, which may be frozen, has cancelled their statement.
        """
        _, late = await asyncio.wait(users, timeout=timeout)
        if late:
            self._hang_up()
        for task in late:
            task.cancel()
        return not late

    def _hang_up(self) -> None:
        if self._conn is not None:
            self._conn.hang_up()

    async def close(self) -> None:
        """Close the connection."""
        self._stopped.set()
        if self._conn is not None:
            await self._conn.close()


async def _answer(conn: AsyncConnection[Any], call: Call[T]) -> T:
    """Execute a call; its rows are read before another task can use the same cursor."""
    cursor = conn.calls
    await cursor.execute(call.statement, call.arguments, binary=True)
    try:
        return call.read(await cursor.fetchall())
    except Exception as error:
        raise Unreadable(cursor, error) from error


def _one_line(error: Exception) -> str:
    told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((told or getattr(error, "detail", None) or str(error)).split())
