"""The calls of tick(), once a second and when something is due, and of purge()."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from ..database import functions
from ..times import parse_datetime
from ..waiting import Flag
from .clock import Clock, telling_the_time
from .link import Link, committed_asynchronously

TICK_INTERVAL = 1.0
SHORTEST_TICK = 0.005
HURRIED_TICK = 0.1
PORTION = 500


class Ticker:
    """Calls tick() every second, and at the moment when the next delayed message is due.

    What is to be purged is removed in portions of a few milliseconds, each in a transaction of its
    own, so that acks and ticks on the same connection need not wait.

    With `ticks` False that is left to others, and it does nothing.
    """

    def __init__(
        self, link: Link, clock: Clock, on_work: Callable[[], None], *, ticks: bool = True
    ) -> None:
        self._ticks = ticks
        self._link = link
        self._clock = clock
        self._on_work = on_work
        self._next_due_at: datetime | None = None
        self._ticked = 0.0
        self._changed = Flag()
        self._purge_is_due = Flag()
        self._has_more = False
        self._is_hurried = False
        self._stopped = False
        self.finds = 0

    async def tick(self) -> None:
        """Tick once; `finds` counts those that made something to claim, or will at once."""
        if not self._ticks:
            return
        self._is_hurried = False
        was_due = self._is_due()
        report = await self._link.run(telling_the_time(functions.tick(purge=False), self._clock))
        self._ticked = time.monotonic()
        self._has_more = report.get("has_more", False)
        if report.get("purge_due"):
            self._purge_is_due.set()
        due = report["next_due_at"]
        self._next_due_at = None if due is None else parse_datetime(due)
        is_due = was_due or self._is_due()
        if is_due or any(report.get(name) for name in ("promoted", "recovered", "fired")):
            self.finds += 1
            self._on_work()

    def _is_due(self) -> bool:
        """Tell whether the moment has come that was waited for."""
        return self._next_due_at is not None and self._clock.seconds_until(self._next_due_at) <= 0

    async def run(self) -> None:
        """Tick until stop()."""
        while self._ticks and not self._stopped:
            await self.tick()
            while (wait := self._wait()) > 0 and not self._stopped:
                self._changed.clear()
                await self._changed.wait(wait)

    async def purge(self) -> None:
        """Purge whenever a tick has said that it is due, until stop()."""
        while not self._stopped:
            await self._purge_is_due.wait()
            self._purge_is_due.clear()
            has_more = True
            while has_more and not self._stopped:
                begun = time.monotonic()
                call = committed_asynchronously(functions.purge(PORTION))
                has_more = (await self._link.run(call)).has_more
                await asyncio.sleep(time.monotonic() - begun)  # half of the time is for others

    def _wait(self) -> float:
        passed = time.monotonic() - self._ticked
        if self._has_more:
            return SHORTEST_TICK - passed
        longest = (HURRIED_TICK if self._is_hurried else TICK_INTERVAL) - passed
        if self._next_due_at is None:
            return longest
        due = self._clock.seconds_until(self._next_due_at)
        return min(longest, max(due, SHORTEST_TICK - passed))

    def expect(self, due_at: datetime) -> None:
        """Note that a message will be due at that time."""
        if self._next_due_at is None or due_at < self._next_due_at:
            self._next_due_at = due_at
            self._changed.set()

    def hurry(self) -> None:
        """Look for new delayed messages soon: we were notified, and found nothing to claim."""
        self._is_hurried = True
        self._changed.set()

    def stop(self) -> None:
        """Let run() end."""
        self._stopped = True
        self._changed.set()
        self._purge_is_due.set()
