"""Batch handlers: functions that work on many messages of a type at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .bus import Bus
from .classification import ErrorClasses
from .context import Context, Holder, RetryAfter, Transaction
from .events import Handled, Received
from .functions import ClaimedMessage
from .handlers import Handler
from .message import MessageType
from .middleware import Passage
from .outbox import outbox_here

__all__ = ["BatchContext", "BatchHandler", "BatchItem"]


@dataclass(eq=False, slots=True)
class BatchItem:
    """One message of a batch: who holds it, what it says, and why it failed if it did."""

    claimed: ClaimedMessage
    holder: Holder
    message: Any = None
    error: BaseException | None = None


class BatchContext:
    """What a batch handler gets as its second argument: a word about each single message."""

    def __init__(self, items: Sequence[BatchItem]) -> None:
        self.conn: Any = None  # the connection of transaction(), while it is open
        self._items = items
        self._by_message = {id(item.message): item for item in items}

    def _item(self, message: Any) -> BatchItem:
        item = self._by_message.get(id(message))
        if item is None:
            raise ValueError(f"{message!r} is not an object of this batch")
        return item

    def of(self, message: Any) -> Context:
        """Return the context of one message: its id, headers, attempt, …."""
        item = self._item(message)
        return Context(item.claimed, item.holder)

    def fail(self, message: Any, error: BaseException) -> None:
        """Let one message fail as if its handler had raised the error; the others go on."""
        if not isinstance(error, BaseException):
            raise TypeError(f"fail() takes an exception, and not {error!r}")
        self._item(message).error = error

    def retry(self, message: Any, after: timedelta | float, reason: str = "") -> None:
        """Let one message come back after a wait."""
        self.fail(message, RetryAfter(after, reason))

    def transaction(self) -> Transaction:
        """Open a transaction that commits your writes and the acks of the batch together.

        The acks are of the messages that have not failed singly when the block ends.
        """
        if self.conn is not None:
            raise RuntimeError("the transaction is open already: its connection is context.conn")
        first = self._items[0]
        return Transaction(self, first.claimed, first.holder, self._items)


class BatchHandler(Handler):
    """A function that works on a list of messages: up to `size`, or what came within `max_wait`.

    Only first deliveries are put together. A message that comes back is a batch of its own, so
    that one that spoils its batch, or kills its worker, does so once.
    """

    __slots__ = ("max_wait", "size")

    def __init__(
        self,
        function: Callable[..., Any],
        message_type: MessageType,
        bus: Bus,
        errors: ErrorClasses,
        size: int,
        max_wait: timedelta,
    ) -> None:
        if size < 1:
            raise ValueError(f"the size of a batch is 1 or more, not {size}")
        if max_wait < timedelta(0):
            raise ValueError(f"max_wait is not negative, as {max_wait} is")
        self.size = size
        self.max_wait = max_wait
        super().__init__(function, message_type.name, message_type, bus, errors)

    def compile(self) -> None:
        """Learn what is around the function now; raise TypeError if it does not fit."""
        what = f"the batch handler {self.function.__qualname__}"
        self._chain = self.bus.chain("handle", self.is_async, what, self._innermost)
        self.call = self._one_async if self.is_async else self._one

    def run(self, items: Sequence[BatchItem]) -> None:
        """Hand messages to the function; those that failed singly carry their errors then."""
        started = time.perf_counter()
        if passage := self._opened(items):
            self._chain(passage)
            outbox = outbox_here(self.bus)
            if outbox and not all(item.holder.lost for item in items):
                outbox.send()
        self._handled(items, started)

    async def run_async(self, items: Sequence[BatchItem]) -> None:
        """Do what run() does, for an async function."""
        started = time.perf_counter()
        if passage := self._opened(items):
            await self._chain(passage)
            outbox = outbox_here(self.bus)
            if outbox and not all(item.holder.lost for item in items):
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
