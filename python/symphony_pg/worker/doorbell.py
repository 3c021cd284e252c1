"""What wakes a worker that waits: a notification, or something in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg

__all__ = ["Doorbell"]

REQUEST = "request"  # the payload of request_workers()


class Doorbell:
    """What the claimer sleeps on: a NOTIFY on its connection, or ring() from inside.

    `on_request` is called for a NOTIFY that says that something is asked of workers.
    """

    def __init__(self, on_request: Callable[[], None]) -> None:
        self._rung = asyncio.Event()
        self._on_request = on_request

    def attach(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Hear the notifications that arrive while the connection is executing something."""
        conn.add_notify_handler(lambda notify: self._hear(notify.payload))

    def _hear(self, payload: str) -> None:
        self._rung.set()
        if payload == REQUEST:
            self._on_request()

    def ring(self) -> None:
        """Wake the claimer."""
        self._rung.set()

    def clear(self) -> None:
        """Forget earlier rings. Call it before the look at the queue, not after it."""
        self._rung.clear()

    async def wait(self, conn: psycopg.AsyncConnection[Any] | None, timeout: float) -> bool:
        """Wait; return whether it rang. A connection that breaks rings, too."""
        if conn is None:
            return await self._wait(timeout)
        loop, fileno = asyncio.get_running_loop(), conn.fileno()
        loop.add_reader(fileno, self._listen, conn)
        try:
            self._listen(conn)  # what libpq has read already makes the socket readable no more
            return await self._wait(timeout)
        finally:
            loop.remove_reader(fileno)

    async def _wait(self, timeout: float) -> bool:
        try:
            await asyncio.wait_for(self._rung.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    def _listen(self, conn: psycopg.AsyncConnection[Any]) -> None:
        try:
            conn.pgconn.consume_input()
            while notify := conn.pgconn.notifies():
                self._hear(notify.extra.decode(errors="replace"))
        except psycopg.OperationalError:
            self._rung.set()
