"""Batch handlers: functions that work on many messages of a type at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..events import Handled, Received
from ..messages.hints import refuse_other_class
from ..messages.types import MessageType
from ..sending.bus import Bus
from ..sending.middleware import Passage
from ..sending.outbox import outbox_here
from .classification import ErrorClasses
from .context import BatchContext, BatchItem, Holder
from .handler import Handler


class BatchHandler(Handler):
    """A function that works on a list of messages: up to `size`, or what came within `max_wait`.

    Only first deliveries are put together. A message that comes back is a batch of its own, so
    that one that spoils its batch, or kills its worker, does so once.
    """

    __slots__ = ("max_wait", "size")
    kind = "batch handler"

    def __init__(
        self,
        function: Callable[..., Any],
        message_type: MessageType,
        bus: Bus,
        errors: ErrorClasses,
        size: int,
        max_wait: timedelta,
        timeout: timedelta | float | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"the size of a batch is 1 or more, not {size}")
        if max_wait < timedelta(0):
            raise ValueError(f"max_wait is not negative, as {max_wait} is")
        self.size = size
        self.max_wait = max_wait
        super().__init__(function, message_type.name, message_type, bus, errors, timeout=timeout)

    def _refuse_other_class(self) -> None:
        assert self.message_type is not None
        refuse_other_class(self.function, (self.message_type.cls,), self.what, many=True)

    def gathers(self, message: ClaimedMessage) -> bool:
        """Tell whether a message waits for others."""
        return message.attempt == 1

    def compile(self) -> None:
        """Learn what is around the function now; raise TypeError if it does not fit."""
        self._chain = self._around_function()
        self.call = self._one_async if self.is_async else self._one

    def run(self, items: Sequence[BatchItem]) -> None:
        """Hand messages to the function; those that failed singly carry their errors then."""
        started = time.perf_counter()
        if passage := self._opened(items):
            self._chain(passage)
            outbox = outbox_here(self.bus.sender)
            if outbox and not self._is_cancelled(items):
                outbox.send()
        self._handled(items, started)

    async def run_async(self, items: Sequence[BatchItem]) -> None:
        """Do what run() does, for an async function."""
        started = time.perf_counter()
        if passage := self._opened(items):
            await self._chain(passage)
            outbox = outbox_here(self.bus.sender)
            if outbox and not self._is_cancelled(items):
                await outbox.send_async()
        self._handled(items, started)

    def _opened(self, items: Iterable[BatchItem]) -> Passage | None:
        """Decode what can be decoded; return None if nothing can."""
        for item in items:
            self.bus.events.emit(Received(item.claimed))
            try:
                item.message = self.decode(item.claimed.body, item.claimed.headers)
            except Exception as error:
                item.error = error
        good = [item for item in items if item.error is None]
        if not good:
            return None
        messages = [item.message for item in good]
        return Passage("handle", messages, self.name, {}, context=BatchContext(good))

    def _is_cancelled(self, items: Iterable[BatchItem]) -> bool:
        return all(item.holder.is_cancelled(item.claimed.message_id) for item in items)

    def _handled(self, items: Iterable[BatchItem], started: float) -> None:
        if self.bus.wanted(Handled):
            seconds = time.perf_counter() - started
            for item in items:
                if item.error is None:
                    self.bus.events.emit(Handled(item.claimed, seconds))

    def _one(self, message: ClaimedMessage, holder: Holder) -> None:
        item = BatchItem(message, holder)
        self.run([item])
        if item.error is not None:
            raise item.error

    async def _one_async(self, message: ClaimedMessage, holder: Holder) -> None:
        item = BatchItem(message, holder)
        await self.run_async([item])
        if item.error is not None:
            raise item.error
