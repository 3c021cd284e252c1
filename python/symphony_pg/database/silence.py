"""How long PostgreSQL may be silent while it owes us an answer.

A network may drop packets, and so may a proxy, without closing anything. Then the answer never
comes, and nothing tells so. So our own calls are made within `answered_within(seconds)`: when
nothing at all comes or goes for so long, the connection is hung up and Silence is raised. Whether
the call took effect is not known.

What a handler asks of the database itself has no such limit: only it knows how long that takes.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Coroutine
from contextvars import ContextVar
from functools import cached_property
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus
from psycopg.rows import Row, tuple_row

from .process import here

CALL_TIMEOUT = 10.0
NOT_AT_ALL = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time

T = TypeVar("T")

# How long the calls on our connections may be silent here and now; None: for ever.
limit: ContextVar[float | None] = ContextVar("symphony_limit", default=None)


class Silence(psycopg.OperationalError):
    """PostgreSQL did not answer in time, and the connection is given up."""


class answered_within:  # noqa: N801 (it reads as a function)
    """Give the calls on our connections so many seconds of silence, or None: any number of them."""

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = limit.get()
        limit.set(self._seconds)

    def __exit__(self, *_: object) -> None:
        limit.set(self._before)


class _Owned:
    """A connection of the process that opened it: a fork has the same socket, and leaves it alone.

    `hang_up()` ends it at once, without a word that may wait for the network or an event loop.
    """

    pgconn: psycopg.pq.abc.PGconn

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._owner = here.pid

    @property
    def is_foreign(self) -> bool:
        """True in a child process."""
        return self._owner != here.pid

    def hang_up(self) -> None:
        """Close the connection, if it is ours."""
        if not self.is_foreign:
            self.pgconn.finish()

    def abandon(self) -> None:
        """Hang up and take back what is still on its way, or the server may do it much later.

        A claim that arrives when the network is back takes messages for nobody.
        """
        if not self.is_foreign and self.pgconn.status == ConnStatus.OK:
            same = socket.socket(fileno=self.pgconn.socket)
            try:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOT_AT_ALL)
            finally:
                same.detach()  # it is libpq that closes it
        self.hang_up()

    def _heard(self, talk: PQGen[T]) -> PQGen[T]:
        """Pass on what psycopg waits for, but in vain for no longer than it may be.

        It looks up every tenth of a second, with nothing.
        """
        if self._owner != here.pid:
            raise psycopg.OperationalError("the connection is that of the parent process")
        seconds = limit.get()
        if seconds is None:
            return (yield from talk)
        ready, heard_at = None, monotonic()
        try:
            while True:
                ready = yield talk.send(ready)  # type: ignore[arg-type]
                if ready:
                    heard_at = monotonic()
                elif monotonic() - heard_at >= seconds:
                    self.abandon()
                    raise Silence(f"PostgreSQL has not answered for {seconds:g} seconds")
        except StopIteration as end:
            result: T = end.value
            return result


class Connection(_Owned, psycopg.Connection[Row]):
    """A connection that can be given a limit of silence."""

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """Wait for the server; raise Silence when it is silent for longer than it may be."""
        return super().wait(self._heard(gen), *args, **options)

    @cached_property
    def calls(self) -> psycopg.Cursor[tuple[Any, ...]]:
        """The cursor for one call after another; it remembers how the one before was sent."""
        return psycopg.Cursor(self, row_factory=tuple_row)

    def close(self) -> None:
        """Close the connection, if it is ours."""
        if not self.is_foreign:
            super().close()


class AsyncConnection(_Owned, psycopg.AsyncConnection[Row]):
    """An async connection that can be given a limit of silence."""

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> Coroutine[Any, Any, T]:
        """Wait for the server; raise Silence when it is silent for longer than it may be."""
        return super().wait(self._heard(gen), *args, **options)

    @cached_property
    def calls(self) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        """The cursor for one call after another; it remembers how the one before was sent."""
        return psycopg.AsyncCursor(self, row_factory=tuple_row)

    async def close(self) -> None:
        """Close the connection, if it is ours."""
        if not self.is_foreign:
            await super().close()
