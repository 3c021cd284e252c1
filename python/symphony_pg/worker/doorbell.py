"""What wakes a worker that waits: a notification, or something in its own process."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg

from ..waiting import Flag

WINDOW = 0.2  # in seconds
SECOND_LOOK = 0.06
REQUEST = "request"  # the payload of request_workers()
Called = tuple[str | None, str | None, int | None]


class Doorbell:
    """What the claimer sleeps on: a NOTIFY on its connection, or ring() from inside.

    A NOTIFY may call one worker by its `name`. It names a second one, which looks if the first has
    not come: a little later, or when the next NOTIFY tells of the same newest claim again.

    `on_request` is called for a NOTIFY that says that something is asked of workers.
    """

    def __init__(self, name: str, on_request: Callable[[], None]) -> None:
        self._name = name
        self._rung = Flag()
        self._is_for_all = False
        self._on_request = on_request
        self._heard: deque[float] = deque(maxlen=1000)
        self._second_look: asyncio.TimerHandle | None = None
        self._newest_claim: int | None = None

    def attach(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Hear the notifications that arrive while the connection is executing something."""
        conn.add_notify_handler(lambda notify: self._hear(notify.payload))

    def rate(self) -> float:
        """Return how many notifications a second have come lately."""
        since = time.monotonic() - WINDOW
        while self._heard and self._heard[0] < since:
            self._heard.popleft()
        return len(self._heard) / WINDOW

    def _hear(self, payload: str) -> None:
        self._heard.append(time.monotonic())
        if payload == REQUEST:
            self._on_request()
        elif (called := _called(payload)) is not None:
            self._hear_call(*called)
            return
        else:
            self._is_for_all = True
        self._rung.set()

    def _hear_call(self, first: str | None, second: str | None, newest: int | None) -> None:
        if self._second_look is not None:
            self._second_look.cancel()
        if first == self._name or (second == self._name and newest == self._newest_claim):
            self._rung.set()
        elif second == self._name:
            loop = asyncio.get_running_loop()
            self._second_look = loop.call_later(SECOND_LOOK, self._rung.set)
        self._newest_claim = newest

    def ring(self) -> None:
        """Wake the claimer."""
        self._rung.set()

    def clear(self) -> bool:
        """Forget earlier rings; tell whether one was for all, for messages that may be delayed.

        Call it before the look at the queue, not after it.
        """
        self._rung.clear()
        was_for_all, self._is_for_all = self._is_for_all, False
        return was_for_all

    async def wait(self, conn: psycopg.AsyncConnection[Any] | None, timeout: float) -> bool:
        """Wait; return whether it rang. A connection that breaks rings, too."""
        if conn is None:
            return await self._rung.wait(timeout)
        loop, fileno = asyncio.get_running_loop(), conn.fileno()
        loop.add_reader(fileno, self._listen, conn)
        try:
            self._listen(conn)  # what libpq has read already makes the socket readable no more
            return await self._rung.wait(timeout)
        finally:
            loop.remove_reader(fileno)

    def _listen(self, conn: psycopg.AsyncConnection[Any]) -> None:
        try:
            conn.pgconn.consume_input()
            while notify := conn.pgconn.notifies():
                self._hear(notify.extra.decode(errors="replace"))
        except psycopg.OperationalError:
            self._rung.set()


def _called(payload: str) -> Called | None:
    """Return whom a notification calls, and the newest claim; None if it is for all."""
    try:
        first, second, newest = json.loads(payload)
    except (ValueError, TypeError):
        return None
    return first, second, newest
