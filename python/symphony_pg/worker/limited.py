"""Messages of handlers with a limit of their own: so many run at a time, and the others wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..database.functions.messages import ClaimedMessage
from ..handling.handler import Handler, each_handler, find_handler
from .claim import Claim

PATIENCE = 1.0  # then others get what waits: they may have room for it


class Limited:
    """Counts what runs of each limited handler, and keeps what has to wait.

    `ready` gets a message that may start; the handler is over with ended(). `overdue` is called
    with a claim when messages of it have waited for longer than PATIENCE.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        ready: Callable[[Claim, Handler, ClaimedMessage], None],
        overdue: Callable[[Claim], None],
    ) -> None:
        self._handlers = handlers
        self._has_limits = any(each.concurrency is not None for each in each_handler(handlers))
        self._ready = ready
        self._overdue = overdue
        self._running: dict[Handler, int] = {}
        self._waiting: dict[Handler, deque[tuple[Claim, ClaimedMessage]]] = {}

    def sort_out(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> list[ClaimedMessage]:
        """Start or keep those of limited handlers; return the rest, which need not wait."""
        if not self._has_limits:
            return list(messages)
        rest, waits = [], False
        for message in messages:
            handler = find_handler(self._handlers, message.message_type, message.headers)
            if handler is None or handler.concurrency is None:
                rest.append(message)
            elif self._running.get(handler, 0) < handler.concurrency:
                self._start(claim, handler, message)
            else:
                self._waiting.setdefault(handler, deque()).append((claim, message))
                waits = True
        if waits:
            asyncio.get_running_loop().call_later(PATIENCE, self._look, claim)
        return rest

    def _start(self, claim: Claim, handler: Handler, message: ClaimedMessage) -> None:
        self._running[handler] = self._running.get(handler, 0) + 1
        self._ready(claim, handler, message)

    def ended(self, handler: Handler) -> None:
        """Start the next message of a handler, since one has ended, or was taken back."""
        self._running[handler] -= 1
        if waiting := self._waiting.get(handler):
            claim, message = waiting.popleft()
            self._start(claim, handler, message)

    def _look(self, claim: Claim) -> None:
        if any(each is claim for waiting in self._waiting.values() for each, _ in waiting):
            self._overdue(claim)

    @property
    def size(self) -> int:
        """How many messages wait."""
        return sum(map(len, self._waiting.values()))

    def take_back(self, lost: Claim | None) -> Iterator[tuple[Claim, int]]:
        """Remove what waits, of one claim or of all; return claims and message ids."""
        for waiting in self._waiting.values():
            for claim, message in [*waiting]:
                if lost in (None, claim):
                    waiting.remove((claim, message))
                    yield claim, message.message_id
