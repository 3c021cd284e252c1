"""Messages that were claimed and have not started."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.handler import Handler, each_handler, find_handler
from ..waiting import Flag
from .batches import Batches
from .claim import Claim
from .limited import Limited


class Run:
    """Messages that follow each other and whose handlers are all sync or all async.

    They are of one claim, but for the items of a batch, which know their own.
    """

    __slots__ = ("claim", "is_async", "waiting")

    def __init__(self, claim: Claim | None, is_async: bool, messages: Iterable[Any]) -> None:
        self.claim = claim
        self.is_async = is_async
        self.waiting = deque(messages)

    def take_back(self, lost: Claim | None) -> Iterator[tuple[Claim, int]]:
        """Remove what waits, of one claim or of all; return claims and message ids."""
        if lost is None or self.claim is lost:
            while self.waiting:
                try:
                    message_id = self.waiting.popleft().message_id
                except IndexError:  # a thread was faster
                    break
                assert self.claim is not None
                yield self.claim, message_id


class LimitedRun(Run):
    """One message of a handler that has a limit of its own."""

    __slots__ = ("handler",)

    def __init__(self, claim: Claim, handler: Handler, message: ClaimedMessage) -> None:
        super().__init__(claim, handler.is_async, [message])
        self.handler = handler


class BatchRun(Run):
    """A batch: its messages may be of several claims, and start together."""

    __slots__ = ("handler",)

    def __init__(self, handler: BatchHandler, items: Sequence[BatchItem]) -> None:
        super().__init__(None, handler.is_async, items)
        self.handler = handler

    def take(self) -> list[BatchItem]:
        """Take all of it, so that no other slot finds anything."""
        items = list(self.waiting)
        self.waiting.clear()
        return items

    def take_back(self, lost: Claim | None) -> Iterator[tuple[Claim, int]]:
        """Remove what waits, of one claim or of all; return claims and message ids."""
        for item in self.take():
            assert isinstance(item.holder, Claim)
            if lost in (None, item.holder):
                yield item.holder, item.claimed.message_id
            else:
                self.waiting.append(item)


class Backlog:
    """The messages that were claimed and not yet started, in order.

    `changed` is set whenever a slot comes for more; `overdue` is told of a claim whose messages
    wait for long, since their handlers are limited.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        changed: Flag,
        overdue: Callable[[Claim], None] = lambda _: None,
    ) -> None:
        self._handlers = handlers
        self._has_async = any(handler.is_async for handler in each_handler(handlers))
        self.batches = Batches(handlers, self._add_batch)
        self.limited = Limited(handlers, self._add_limited, overdue)
        self._runs: deque[Run] = deque()
        self._ordered: set[Claim] = set()
        self._idle: deque[asyncio.Future[None]] = deque()  # what slots without work wait for
        self._closed = False
        self._changed = changed

    def add(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> None:
        """Put the messages of a claim at the end; those for batches wait for others first.

        Of an ordered queue these are the first of each key: follow() adds the others.
        """
        if claim.order is not None:
            self._ordered.add(claim)
            messages = claim.order.first
        self._put(claim, messages)

    def follow(self, claim: Claim) -> None:
        """Add the messages of a claim that waited for those before them of their keys."""
        if claim.order is not None:
            if messages := claim.next_in_order():
                self._put(claim, messages)
            if claim.is_complete:
                self._ordered.discard(claim)

    def _put(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> None:
        messages = self.limited.sort_out(claim, self.batches.sort_out(claim, messages))
        if self._has_async:
            kinds = groupby(messages, self._is_async)
            self._runs.extend(Run(claim, is_async, run) for is_async, run in kinds)
        else:
            self._runs.append(Run(claim, False, iter(messages)))
        self._wake(len(messages))

    def _is_async(self, message: ClaimedMessage) -> bool:
        handler = find_handler(self._handlers, message.message_type, message.headers)
        return handler is not None and handler.is_async

    def _add_batch(self, handler: BatchHandler, items: Sequence[BatchItem]) -> None:
        self._runs.append(BatchRun(handler, items))
        self._wake(1)

    @property
    def free_slots(self) -> int:
        """How many slots have nothing to do."""
        return len(self._idle)

    def _wake(self, count: int) -> None:
        while count and self._idle:
            work = self._idle.popleft()
            if not work.done():  # else its slot was cancelled
                work.set_result(None)
                count -= 1

    def _add_limited(self, claim: Claim, handler: Handler, message: ClaimedMessage) -> None:
        self._runs.append(LimitedRun(claim, handler, message))
        self._wake(1)

    async def next(self) -> Run | None:
        """Return the first run with messages that wait, when there is one; None after close().

        The run stays: several slots work on it together.
        """
        while True:
            while self._runs and not self._runs[0].waiting:
                self._runs.popleft()
            if self._runs:
                self._changed.set()
                return self._runs[0]
            if self._closed:
                return None
            work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(work)
            self._changed.set()
            await work

    @property
    def size(self) -> int:
        """How many messages wait."""
        return sum(len(run.waiting) for run in self._runs)

    @property
    def is_in_hand(self) -> bool:
        """True when slots are working on the last run already."""
        return len(self._runs) <= 1

    def take_back(self, lost: Claim | None = None) -> dict[Claim, list[int]]:
        """Remove what waits, of one claim or of all; return the message ids by claim."""
        taken: dict[Claim, list[int]] = {}
        for claim, message_id in chain(self.batches.take_back(lost), self.limited.take_back(lost)):
            taken.setdefault(claim, []).append(message_id)
        for run in [*self._runs]:
            for claim, message_id in run.take_back(lost):
                taken.setdefault(claim, []).append(message_id)
                if isinstance(run, LimitedRun):
                    self.limited.ended(run.handler)
        for claim in [each for each in self._ordered if lost in (None, each)]:
            self._ordered.discard(claim)
            if claim.order is not None and (behind := claim.order.take_back()):
                taken.setdefault(claim, []).extend(behind)
        return taken

    def close(self) -> None:
        """Send the slots home when they have nothing to do."""
        self._closed = True
        self._wake(len(self._idle))
