"""Messages for batch handlers wait here until there are enough of them, or have waited enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..database.functions.messages import ClaimedMessage
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.handler import Handler, each_handler, find_handler
from .claim import Claim


class Batches:
    """Collects the first deliveries of messages for batch handlers; `ready` gets the batches."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        ready: Callable[[BatchHandler, Sequence[BatchItem]], None],
    ) -> None:
        self._handlers = handlers
        self._has_batches = any(isinstance(each, BatchHandler) for each in each_handler(handlers))
        self._ready = ready
        self._items: dict[BatchHandler, list[BatchItem]] = {}
        self._timers: dict[BatchHandler, asyncio.TimerHandle] = {}

    def sort_out(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> list[ClaimedMessage]:
        """Collect those that can wait for others; return the rest, which is handled one by one."""
        if not self._has_batches:
            return list(messages)
        rest = []
        for message in messages:
            handler = find_handler(self._handlers, message.message_type, message.headers)
            if isinstance(handler, BatchHandler) and handler.gathers(message):
                self._collect(handler, BatchItem(message, claim))
            else:
                rest.append(message)
        return rest

    def _collect(self, handler: BatchHandler, item: BatchItem) -> None:
        items = self._items.setdefault(handler, [])
        items.append(item)
        if len(items) >= handler.size:
            self._flush(handler)
        elif handler not in self._timers:
            loop = asyncio.get_running_loop()
            wait = handler.max_wait.total_seconds()
            self._timers[handler] = loop.call_later(wait, self._flush, handler)

    def _flush(self, handler: BatchHandler) -> None:
        if timer := self._timers.pop(handler, None):
            timer.cancel()
        if items := self._items.pop(handler, None):
            self._ready(handler, items)

    def flush(self) -> bool:
        """Wait for no more, nothing is to come; tell whether something waited."""
        begun = [handler for handler, items in self._items.items() if items]
        for handler in begun:
            self._flush(handler)
        return bool(begun)

    @property
    def room(self) -> int:
        """How many messages would fill the batches that have begun."""
        return sum(handler.size - len(items) for handler, items in self._items.items())

    def take_back(self, lost: Claim | None) -> Iterator[tuple[Claim, int]]:
        """Remove what waits, of one claim or of all; return claims and message ids."""
        for handler, items in self._items.items():
            self._items[handler] = []
            for item in items:
                assert isinstance(item.holder, Claim)
                if lost in (None, item.holder):
                    yield item.holder, item.claimed.message_id
                else:
                    self._items[handler].append(item)
