"""Claiming: how many messages, when, and what is held beside a message that may kill us."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..database import functions
from ..database.functions.messages import ClaimedMessage
from ..errors import LeaseLost
from ..waiting import Flag
from .backlog import Backlog
from .claim import Claim
from .clock import Clock, telling_the_time
from .doorbell import Doorbell
from .heartbeat import resident_memory
from .idling import Idling
from .link import Link, Unreadable, undecoded
from .listening import Listening
from .pace import Pace
from .queues import Queues
from .settler import Counts, Settler
from .ticker import Ticker

log = logging.getLogger("symphony_pg.worker")

DRAIN_POLL = 0.001
SOON = 0.02
SHORTEST_LEASE = 0.1  # no queue has a shorter one, whatever the clock of the server did


@dataclass(frozen=True)
class Limits:
    """How much a worker takes: of messages at a time and in all, and of memory."""

    concurrency: int
    batch_size: int
    messages: int | None
    memory: int | None
    poll_interval: float
    drain: bool

    def is_memory_used_up(self) -> bool:
        """Tell, and log, that the process has become too large."""
        if self.memory is None or (size := resident_memory()) <= self.memory:
            return False
        log.info("stopping: %d bytes in memory, the limit is %d", size, self.memory)
        return True


@dataclass(eq=False)
class Claimer:
    """Fills the backlog until nothing more is to be claimed, or until it is told to stop.

    `has_own_name` tells that no other worker has its name. `hold` makes the Claim of messages and
    the seconds of their lease; `on_memory_limit` is called when the process has become too large.
    """

    worker: str
    has_own_name: bool
    limits: Limits
    queues: Queues
    link: Link
    listening: Listening
    clock: Clock
    bell: Doorbell
    idling: Idling
    ticker: Ticker
    pace: Pace
    backlog: Backlog
    settler: Settler
    counts: Counts
    changed: Flag
    hold: Callable[[Sequence[ClaimedMessage], float], Claim]
    on_memory_limit: Callable[[], None]
    is_stopping: bool = field(default=False, init=False)
    is_paused: bool = field(default=False, init=False)
    _newest: int = field(default=0, init=False)  # the last claim that we have received

    def stop(self) -> None:
        """Claim no more."""
        self.is_stopping = True
        self.bell.ring()

    async def run(self) -> None:
        """Claim, and wait where there is nothing to claim."""
        drain = self.limits.drain
        while not self.is_stopping:
            if not await self._has_room():
                return
            if self.is_paused:
                await self._wait_paused()
                continue
            if self.queues.are_all and self.listening.misses_queues:
                await self.idling.end()  # to declare itself idle for these as well
                await self.listening.hear_new_queues(self.link)
            size = self._claim_size()
            if size == 0 and self.backlog.limited.size:  # that is given back, or starts
                self.changed.clear()
                await self._until_changed()
                continue
            if size == 0:
                return
            if self.limits.is_memory_used_up():
                self.on_memory_limit()
                return
            was_quiet, finds = not self.settler.open, self.ticker.finds
            may_be_delayed = self.bell.clear()
            messages = await self._claim(size)
            if messages:
                await self._accept(messages)
                await self.idling.found()
            elif may_be_delayed:
                self.ticker.hurry()
            is_paced = self._expect(messages)
            if messages and (messages[0].has_more or (drain and not is_paced)):
                continue
            if not drain:
                await self.idling.wait(len(messages), self.listening.listens, is_paced)
            elif is_paced:
                await self.bell.wait(None, self.limits.poll_interval)
            elif self.backlog.batches.flush():
                continue
            elif was_quiet and not await self._has_found_more(finds):
                return
            else:
                await asyncio.sleep(DRAIN_POLL)

    def _expect(self, messages: Sequence[ClaimedMessage]) -> bool:
        """Ring when a rate allows more than these; return whether it does not do so now."""
        if not messages or (next_at := messages[0].next_at) is None:
            return False
        loop = asyncio.get_running_loop()
        loop.call_later(max(self.clock.seconds_until(next_at), 0), self.bell.ring)
        return not messages[0].has_more

    async def _claim(self, size: int) -> list[ClaimedMessage]:
        call = undecoded(
            functions.claim_batch(
                self.queues.names,
                size,
                self.worker,
                asynchronous=True,
                slots=self.backlog.free_slots,
            )
        )
        unheard = self.link.unheard
        try:
            messages = await self.link.run(telling_the_time(call, self.clock))
        except Unreadable as error:
            # With the end of the lease its messages would have used an attempt, and come back.
            claim_id = int.from_bytes(error.first or b"", "big")
            with suppress(LeaseLost):
                await self.link.run(functions.release(claim_id))
            raise
        received = messages[0].claim_id if messages else None
        if self.link.unheard > unheard and self.has_own_name:
            await self._release_unheard(received)
        self._newest = received or self._newest
        return messages

    async def _release_unheard(self, received: int | None) -> None:
        """Give back what was claimed for us by a call that got no answer."""
        count = await self.link.run(functions.release_unheard(self.worker, self._newest, received))
        if count:
            log.info("%d messages are given back: the answer to their claim was lost", count)

    async def _has_found_more(self, finds: int) -> bool:
        """Tell whether a tick has made messages pending since there were so many finds."""
        await self.ticker.tick()
        return self.ticker.finds > finds

    async def _has_room(self) -> bool:
        """Wait until slots have nothing to do, or will have nothing before a claim is back.

        Return False when the worker stops instead.
        """
        backlog = self.backlog
        while not self.is_stopping:
            self.changed.clear()
            # What waits for limited handlers is given back soon, or starts.
            is_full = backlog.limited.size >= self.limits.concurrency
            if not (self.settler.is_behind or is_full):
                waiting, busy = backlog.size, self.limits.concurrency - backlog.free_slots
                if not waiting and backlog.free_slots:
                    return True
                if backlog.is_in_hand and self.pace.is_nearly_through(waiting + busy):
                    return True
            await self._until_changed()
        return False

    async def _until_changed(self) -> None:
        """Wait; say that we are awake if that takes long, and others will be notified."""
        if self.idling.is_asleep:
            if await self.changed.wait(SOON):
                return
            await self.idling.end()
        await self.changed.wait()

    async def _wait_paused(self) -> None:
        """Wait, as one that need not be notified of messages, until there may be news."""
        await self.idling.end()
        self.bell.clear()
        if self.is_paused and not self.is_stopping:
            conn = await self.link.connection() if self.listening.listens else None
            await self.bell.wait(conn, self.limits.poll_interval)

    def _claim_size(self) -> int:
        size = self.pace.batch_size(self.backlog.free_slots)
        size = max(size, min(self.limits.batch_size, self.backlog.batches.room))
        if self.limits.messages is None:
            return size
        return min(size, self.limits.messages - self.counts.claimed)

    async def _accept(self, messages: Sequence[ClaimedMessage]) -> None:
        lease = max(self.clock.seconds_until(messages[0].lease_until), SHORTEST_LEASE)
        claim = self.hold(messages, lease)
        self.counts.claimed += claim.size
        self.settler.add(claim)
        if messages[0].alone:
            await self._accept_alone(claim, messages, lease)
        else:
            self.backlog.add(claim, messages)

    async def _accept_alone(
        self, claim: Claim, messages: Sequence[ClaimedMessage], patience: float
    ) -> None:
        """Hold nothing beside a message that may take us down with it.

        But neither it nor what is pending waits for ever for work that is long.
        """
        self.backlog.batches.flush()
        await self._until_open(lambda: len(self.settler.open) <= 1, patience)
        if claim.lost:
            self.counts.lost += claim.size
        if claim.lost or self.is_stopping:
            await self.settler.release({claim: [messages[0].message_id]})
            return
        self.backlog.add(claim, messages)
        self.backlog.batches.flush()
        await self._until_open(lambda: claim.claim_id not in self.settler.open, patience)

    async def _until_open(self, condition: Callable[[], bool], patience: float) -> None:
        """Wait until the open claims are as they should be; look away after some time."""
        deadline = time.monotonic() + patience
        while not (condition() or self.is_stopping) and (left := deadline - time.monotonic()) > 0:
            self.changed.clear()
            await self.changed.wait(left)
