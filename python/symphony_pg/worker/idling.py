"""What the worker does while there is nothing to do: sleep, or look again soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from ..database import functions
from ..database.call import Call
from .doorbell import Doorbell
from .link import Link

# From so many notifications a second on, to look costs less than to be told: a NOTIFY makes the
# commits of all producers of the server take turns. Where a commit takes 10 ms, no more than 100 a
# second come, however many there would be otherwise. So many looks in vain end it.
MANY = 50
LOOKS = 5
# Before the next look: let messages gather, a millisecond for each that was found, so that the acks
# of a few at a time do not make the producers' commits wait for the disk.
GATHER = 0.001
SHORTEST_GATHER = 0.005
LONGEST_GATHER = 0.02
# One that cannot listen goes on to look for a moment after it has found something.
LINGER = 0.2
LINGER_POLL = 0.001
# Until everybody knows that it sleeps.
SETTLE_POLL = 0.05
SETTLE_LIMIT = 2.0
PROBE_INTERVAL = 5.0
PROBE: Call[None] = Call(b"select 1", {}, lambda _: None)
# With more than so many queues a look costs more, and those that will be notified look less often.
MANY_QUEUES = 100


class Idling:
    """When to claim next, once a claim has left nothing.

    A worker says that it sleeps, and from then on each message rings the bell. It still says so
    while it works off what woke it, which costs nobody anything. As long as a transaction goes on
    that had begun before all could see that it sleeps, it does not rely on the bell.

    Where many messages come, it says that it is awake, so that producers need not notify it, and
    looks every few milliseconds as long as there is something to find. So does a worker that cannot
    listen, for a while after it has found something.
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
        self._found_at = 0.0
        self._looks = LOOKS
        self._asleep_since: float | None = None
        self._is_safe = False
        self._was_told = True

    def reset(self) -> None:
        """Begin anew after the connection was lost: the server may have forgotten us."""
        self._asleep_since = None

    @property
    def is_asleep(self) -> bool:
        """True when producers have been told to notify us."""
        return self._asleep_since is not None

    async def end(self) -> None:
        """Be awake, and let nobody notify us."""
        if self._asleep_since is not None:
            self._asleep_since = None
            await self._link.run(functions.busy(self._worker))

    async def found(self) -> None:
        """Note that a claim has found something; be awake where many messages come."""
        self._found_at, self._looks, self._has_told = time.monotonic(), 0, False
        if self._asleep_since is not None:
            if self._bell.rate() >= MANY:
                await self.end()
            elif not self._was_told:
                await self._declare()  # somebody has forgotten that we sleep
        self._was_told = True

    async def wait(self, found: int, listen: bool, is_paced: bool = False) -> None:
        """Wait after a claim that found so many messages and left none.

        One that is paced left some, and the bell rings when their rate allows the next.
        """
        if self._asleep_since is None and not is_paced and self._is_soon(listen):
            shortest = SHORTEST_GATHER if listen else LINGER_POLL
            await asyncio.sleep(max(shortest, min(found * GATHER, LONGEST_GATHER)))
            return
        self._tell()
        if not listen:
            await self._bell.wait(None, self._poll_interval)
        elif self._asleep_since is None:
            await self._declare()
        elif not self._is_safe and time.monotonic() - self._asleep_since < SETTLE_LIMIT:
            await self._bell.wait(await self._link.connection(), SETTLE_POLL)
            await self._declare()
        else:
            self._was_told = await self._sleep()

    def _is_soon(self, listen: bool) -> bool:
        """Tell whether a worker that is awake should look again soon."""
        if not listen:
            return time.monotonic() - self._found_at < LINGER
        self._looks += 1
        return self._looks <= LOOKS

    async def _sleep(self) -> bool:
        """Wait for a notification; make sure now and then that one would come through."""
        left = self._poll_interval * max(1.0, len(self._queues) / MANY_QUEUES)
        if not self._has_told:
            quiet = min(left, max(self._found_at + LINGER - time.monotonic(), 0))
            if await self._bell.wait(await self._link.connection(), quiet):
                return True
            self._tell()
            left -= quiet
        while left > PROBE_INTERVAL and self._asleep_since is not None:
            if await self._bell.wait(await self._link.connection(), PROBE_INTERVAL):
                return True
            await self._link.run(PROBE)
            left -= PROBE_INTERVAL
        if self._asleep_since is None:
            return False  # it is another connection now, and nobody knows that we sleep
        return await self._bell.wait(await self._link.connection(), left)

    async def _declare(self) -> None:
        if self._asleep_since is None:
            self._asleep_since = time.monotonic()
        self._is_safe = await self._link.run(functions.idle(self._worker, self._queues))

    def _tell(self) -> None:
        """Say once that there is nothing to do, when that has been so for a moment."""
        if not self._has_told and time.monotonic() >= self._found_at + LINGER:
            self._has_told = True
            self._on_idle()
