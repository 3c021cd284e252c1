"""Messages for batch handlers wait here until there are enough of them, or have waited enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..batch import BatchHandler, BatchItem
from ..functions import ClaimedMessage
from ..handlers import Handler
from .claim import Claim

__all__ = ["Batches"]


class Batches:
    """Collects the first deliveries of messages for batch handlers; `ready` gets the batches."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        ready: Callable[[BatchHandler, Sequence[BatchItem]], None],
    ) -> None:
        self._handlers = {
            name: handler for name, handler in handlers.items() if isinstance(handler, BatchHandler)
        }
        self._ready = ready
        self._items: dict[str, list[BatchItem]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def sort_out(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> list[ClaimedMessage]:
        """Collect those that can wait for others; return the rest, which is handled one by one."""
        if not self._handlers:
            return list(messages)
        rest = []
        for message in messages:
            handler = self._handlers.get(message.message_type)
            if handler is None or message.attempt > 1:
                rest.append(message)
            else:
                self._collect(handler, BatchItem(message, claim))
        return rest

    def _collect(self, handler: BatchHandler, item: BatchItem) -> None:
        items = self._items.setdefault(handler.name, [])
        items.append(item)
        if len(items) >= handler.size:
            self._flush(handler.name)
        elif handler.name not in self._timers:
            loop = asyncio.get_running_loop()
            wait = handler.max_wait.total_seconds()
            self._timers[handler.name] = loop.call_later(wait, self._flush, handler.name)

    def _flush(self, name: str) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()
        if items := self._items.pop(name, None):
            self._ready(self._handlers[name], items)

    def flush(self) -> bool:
        """Wait for no more, nothing is to come; tell whether something waited."""
        names = [name for name, items in self._items.items() if items]
        for name in names:
            self._flush(name)
        return bool(names)

    @property
    def room(self) -> int:
        """How many messages would fill the batches that have begun."""
        return sum(self._handlers[name].size - len(items) for name, items in self._items.items())

    def take_back(self, lost: Claim | None) -> Iterator[tuple[Claim, int]]:
        """Remove what waits, of one claim or of all; return claims and message ids."""
        for name, items in self._items.items():
            self._items[name] = []
            for item in items:
                assert isinstance(item.holder, Claim)
                if lost in (None, item.holder):
                    yield item.holder, item.claimed.message_id
                else:
                    self._items[name].append(item)
