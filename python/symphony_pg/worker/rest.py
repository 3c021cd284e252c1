"""What the worker does while there is nothing to do: linger, then sleep; and tick in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from .. import functions
from ..times import parse_datetime
from .link import Clock, Doorbell, Link, telling_the_time

__all__ = ["Rest", "Ticker"]

LINGER = 0.2
LINGER_POLL = 0.001
SETTLE_POLL = 0.05
SETTLE_LIMIT = 2.0
TICK_INTERVAL = 1.0
SHORTEST_TICK = 0.005
HURRIED_TICK = 0.1


class Rest:
    """How long to wait after a claim came back empty.

    A worker that just had something to do polls on for a while, which costs the server little and
    the producers nothing. Then it declares itself idle, so that producers notify it, and claims
    again at once; as long as a transaction that was running at that moment goes on, it does not
    rely on being notified.
    """

    def __init__(
        self,
        link: Link,
        bell: Doorbell,
        worker: str,
        queues: Sequence[str],
        poll_interval: float,
        on_idle: Callable[[], None],
    ) -> None:
        self._on_idle = on_idle
        self._has_told = False
        self._link = link
        self._bell = bell
        self._worker = worker
        self._queues = queues
        self._poll_interval = poll_interval
        self._empty_since: float | None = None
        self._idle_since: float | None = None
        self._is_safe = False

    def reset(self) -> None:
        """Begin anew after the connection was lost: the server may have forgotten us."""
        self._empty_since = self._idle_since = None

    async def end(self) -> None:
        """Be idle no longer: a claim returned something."""
        self._empty_since = None
        self._has_told = False
        if self._idle_since is not None:
            self._idle_since = None
            await self._link.run(functions.busy(self._worker))

    async def wait(self, listen: bool) -> bool:
        """Wait before the next claim; return whether something woke us."""
        now = time.monotonic()
        if self._empty_since is None:
            self._empty_since = now
        if now - self._empty_since < LINGER:
            await asyncio.sleep(LINGER_POLL)
            return False
        if not self._has_told:
            self._has_told = True
            self._on_idle()
        if not listen:
            return await self._bell.wait(None, self._poll_interval)
        if self._idle_since is None:
            self._idle_since = now
            await self._declare()
            return False
        if not self._is_safe and now - self._idle_since < SETTLE_LIMIT:
            woken = await self._bell.wait(await self._link.connection(), SETTLE_POLL)
            await self._declare()
            return woken
        return await self._bell.wait(await self._link.connection(), self._poll_interval)

    async def _declare(self) -> None:
        self._is_safe = await self._link.run(functions.idle(self._worker, self._queues))


class Ticker:
    """Calls tick() every second, and at the moment when the next delayed message is due."""

    def __init__(self, link: Link, clock: Clock, on_work: Callable[[], None]) -> None:
        self._link = link
        self._clock = clock
        self._on_work = on_work
        self._next_due_at: datetime | None = None
        self._ticked = 0.0
        self._changed = asyncio.Event()
        self._stopped = False
        self.finds = 0

    async def tick(self) -> None:
        """Tick once; `finds` counts those that made messages pending, or will at once."""
        report = await self._link.run(telling_the_time(functions.tick(), self._clock))
        self._ticked = time.monotonic()
        due = report["next_due_at"]
        self._next_due_at = None if due is None else parse_datetime(due)
        is_due = self._next_due_at is not None and self._clock.seconds_until(self._next_due_at) <= 0
        if is_due or any(report.get(name) for name in ("promoted", "recovered", "fired")):
            self.finds += 1
            self._on_work()

    async def run(self) -> None:
        """Tick until stop()."""
        while not self._stopped:
            await self.tick()
            while (wait := self._wait()) > 0 and not self._stopped:
                self._changed.clear()
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait)

    def _wait(self) -> float:
        passed = time.monotonic() - self._ticked
        if self._next_due_at is None:
            return TICK_INTERVAL - passed
        due = self._clock.seconds_until(self._next_due_at)
        return min(TICK_INTERVAL - passed, max(due, SHORTEST_TICK - passed))

    def expect(self, due_at: datetime) -> None:
        """Note that a message will be due at that time."""
        if self._next_due_at is None or due_at < self._next_due_at:
            self._next_due_at = due_at
            self._changed.set()

    def hurry(self) -> None:
        """Look for new delayed messages soon: we were notified, and found nothing to claim."""
        if time.monotonic() - self._ticked > HURRIED_TICK:
            self._ticked = 0.0
            self._changed.set()

    def stop(self) -> None:
        """Let run() end."""
        self._stopped = True
        self._changed.set()
