"""What the dispatches and the handlers of an application share: middleware, events, the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import Event, Events
from ..messages.envelope import Envelope
from .middleware import Middleware, Next, Passage, Phase, chain
from .outbox import outbox_here
from .passage import PENDING, Passed
from .sender import Sender
from .transport import AnyAsyncConnection, AnyConnection, Transport

__all__ = ["Bus"]


class Bus:
    """The middleware and the listeners of an application, and the way out for its messages."""

    def __init__(self, *, after_handler: bool = True) -> None:
        self.events = Events()
        self.sender = Sender(self.events)
        self._middleware: list[Middleware] = []
        self._after_handler = after_handler

    def add(self, middleware: Middleware, *, outermost: bool = False) -> None:
        """Put a middleware inside of those that are there, or around them."""
        self._middleware.insert(0 if outermost else len(self._middleware), middleware)

    def remove(self, middleware: Middleware) -> None:
        """Take one away that was added."""
        self._middleware.remove(middleware)

    def around(self, phase: Phase) -> list[Middleware]:
        """Return the middleware of a phase, the outermost first."""
        return [each for each in self._middleware if each.phase in (None, phase)]

    def chain(self, phase: Phase, is_async: bool, what: str, innermost: Next) -> Next:
        """Put the middleware of a phase around a function."""
        return chain(self.around(phase), is_async, what, innermost)

    def wanted(self, *kinds: type[Event]) -> bool:
        """Tell whether anybody listens to one of these events."""
        return self.events.wanted(*kinds)

    def dispatch(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyConnection | None,
        now: bool,
    ) -> list[int]:
        """Send messages through the middleware, or keep them for the end of the handler.

        The ids of those that were kept are 0, and so are those that a middleware did not pass on.
        """
        around = self.around("dispatch")
        if not around:
            return self._send_or_hold(transport, envelopes, conn, now)
        passed = Passed(envelopes)

        def send(passage: Passage) -> int:
            passed.add(passage)
            if len(envelopes) > 1:
                return PENDING  # all of them go in one call, when each has passed
            sealed = passed.sealed[-1:]
            (passage.message_id,) = self._send_or_hold(transport, sealed, conn, now)
            return passed.note(passage.message_id)

        through = chain(around, False, "dispatch()", send)
        for passage in passed.passages:
            through(passage)
        if len(envelopes) > 1 and passed.sealed:
            passed.note(*self._send_or_hold(transport, passed.sealed, conn, now))
        return passed.ids

    async def dispatch_async(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,
        now: bool,
    ) -> list[int]:
        """Do what dispatch() does, from async code."""
        around = self.around("dispatch")
        if not around:
            return await self._send_or_hold_async(transport, envelopes, conn, now)
        passed = Passed(envelopes)

        async def send(passage: Passage) -> int:
            passed.add(passage)
            if len(envelopes) > 1:
                return PENDING
            sealed = passed.sealed[-1:]
            (passage.message_id,) = await self._send_or_hold_async(transport, sealed, conn, now)
            return passed.note(passage.message_id)

        through = chain(around, True, "dispatch_async()", send)
        for passage in passed.passages:
            await through(passage)
        if len(envelopes) > 1 and passed.sealed:
            passed.note(*await self._send_or_hold_async(transport, passed.sealed, conn, now))
        return passed.ids

    def _send_or_hold(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyConnection | None,
        now: bool,
    ) -> list[int]:
        if conn is None and not now and self._hold(transport, envelopes):
            return [PENDING] * len(envelopes)
        return self.sender.send(transport, envelopes, conn)

    async def _send_or_hold_async(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,
        now: bool,
    ) -> list[int]:
        if conn is None and not now and self._hold(transport, envelopes):
            return [PENDING] * len(envelopes)
        return await self.sender.send_async(transport, envelopes, conn)

    def _hold(self, transport: Transport, envelopes: Sequence[Envelope]) -> bool:
        outbox = outbox_here(self.sender) if self._after_handler else None
        return outbox is not None and outbox.add(transport, envelopes)
