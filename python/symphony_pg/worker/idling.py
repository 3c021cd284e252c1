"""What the worker does while there is nothing to do: linger, then sleep; and tick in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from ..database import functions
from ..database.call import Call
from .doorbell import Doorbell
from .link import Link

__all__ = ["Idling"]

LINGER = 0.2
LINGER_POLL = 0.001
SETTLE_POLL = 0.05
SETTLE_LIMIT = 2.0
PROBE_INTERVAL = 5.0
PROBE: Call[None] = Call(b"select 1", {}, lambda _: None)
# With more than so many queues a look costs more, and those that will be notified look less often.
MANY_QUEUES = 100


class Idling:
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
        return await self._listen()

    async def _listen(self) -> bool:
        """Wait for a notification; make sure now and then that one would come through."""
        left = self._poll_interval * max(1.0, len(self._queues) / MANY_QUEUES)
        while left > PROBE_INTERVAL and self._idle_since is not None:
            if await self._bell.wait(await self._link.connection(), PROBE_INTERVAL):
                return True
            await self._link.run(PROBE)
            left -= PROBE_INTERVAL
        if self._idle_since is None:
            return False  # it is another connection now, and nobody knows that we sleep
        return await self._bell.wait(await self._link.connection(), left)

    async def _declare(self) -> None:
        self._is_safe = await self._link.run(functions.idle(self._worker, self._queues))
