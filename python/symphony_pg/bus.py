"""What the dispatches and the handlers of an application share: middleware, events, the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from .events import Event, Events, Sending, Sent
from .message import message_type_of
from .middleware import Middleware, Next, Passage, Phase, chain
from .outbox import outbox_here

if TYPE_CHECKING:
    from .transports import Envelope, Transport

__all__ = ["Bus"]

OPTIONS = ("queue_name", "priority", "delay", "available_at", "idempotency_key", "group_key")
PENDING = 0  # in place of an id: it will be sent when the handler has succeeded


class Bus:
    """The middleware and the listeners of an application, and the way out for its messages."""

    def __init__(self, *, after_handler: bool = True) -> None:
        self.events = Events()
        self._middleware: list[Middleware] = []
        self._after_handler = after_handler

    def add(self, middleware: Middleware) -> None:
        """Put a middleware inside of those that are there."""
        self._middleware.append(middleware)

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
        conn: psycopg.Connection[Any] | None,
        now: bool,
    ) -> list[int]:
        """Send messages through the middleware, or keep them for the end of the handler.

        The ids of those that were kept are 0, and so are those that a middleware did not pass on.
        """
        around = self.around("dispatch")
        if not around:
            return self._send_or_hold(transport, envelopes, conn, now)
        passed = _Passed(envelopes)

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
        conn: psycopg.AsyncConnection[Any] | None,
        now: bool,
    ) -> list[int]:
        """Do what dispatch() does, from async code."""
        around = self.around("dispatch")
        if not around:
            return await self._send_or_hold_async(transport, envelopes, conn, now)
        passed = _Passed(envelopes)

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
        conn: psycopg.Connection[Any] | None,
        now: bool,
    ) -> list[int]:
        if conn is None and not now and self._hold(transport, envelopes):
            return [PENDING] * len(envelopes)
        return self.transmit(transport, envelopes, conn)

    async def _send_or_hold_async(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: psycopg.AsyncConnection[Any] | None,
        now: bool,
    ) -> list[int]:
        if conn is None and not now and self._hold(transport, envelopes):
            return [PENDING] * len(envelopes)
        return await self.transmit_async(transport, envelopes, conn)

    def _hold(self, transport: Transport, envelopes: Sequence[Envelope]) -> bool:
        outbox = outbox_here(self) if self._after_handler else None
        return outbox is not None and outbox.add(transport, envelopes)

    def transmit(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: psycopg.Connection[Any] | None,
    ) -> list[int]:
        """Send messages now; return their ids."""
        if not self.wanted(Sending, Sent):
            return transport.send(envelopes, conn)
        self._sending(envelopes)
        return self._sent(envelopes, transport.send(envelopes, conn))

    async def transmit_async(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: psycopg.AsyncConnection[Any] | None,
    ) -> list[int]:
        """Send messages now; return their ids."""
        if not self.wanted(Sending, Sent):
            return await transport.send_async(envelopes, conn)
        self._sending(envelopes)
        return self._sent(envelopes, await transport.send_async(envelopes, conn))

    def _sending(self, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            self.events.emit(Sending(envelope))

    def _sent(self, envelopes: Sequence[Envelope], ids: list[int]) -> list[int]:
        for envelope, message_id in zip(envelopes, ids, strict=True):
            self.events.emit(Sent(envelope, message_id))
        return ids


class _Passed:
    """Messages on their way through the middleware, and the envelopes that came out of it."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.passages = [_passage(envelope) for envelope in envelopes]
        self.sealed: list[Envelope] = []
        self.ids = [PENDING] * len(envelopes)
        self._places = {id(each): place for place, each in enumerate(self.passages)}
        self._envelopes = envelopes
        self._came_from: list[int] = []

    def add(self, passage: Passage) -> None:
        """Take what has come through."""
        place = self._places.get(id(passage))
        if place is None:
            raise TypeError("a middleware passes on the envelope it was given, changed or not")
        self._came_from.append(place)
        self.sealed.append(_sealed(self._envelopes[place], passage))

    def note(self, *ids: int) -> int:
        """Learn the ids of what came through last."""
        for place, message_id in zip(self._came_from[-len(ids) :], ids, strict=True):
            self.ids[place] = message_id
        return ids[-1]


def _passage(envelope: Envelope) -> Passage:
    message = envelope.body if envelope.message is None else envelope.message
    options = envelope.arguments()
    for name in ("message_type", "body", "headers"):
        options.pop(name, None)
    headers = dict(envelope.headers or {})
    return Passage("dispatch", message, envelope.message_type, headers, options)


def _sealed(envelope: Envelope, passage: Passage) -> Envelope:
    """Return the envelope with what the middleware has changed; encode a message again."""
    known = None if envelope.message is None else message_type_of(type(passage.message))
    return replace(
        envelope,
        message_type=known.name if known else envelope.message_type,
        body=known.codec.encode(passage.message) if known else passage.message,
        headers=(known.stamped(passage.headers) if known else passage.headers) or None,
        message=passage.message if known else None,
        **{**dict.fromkeys(OPTIONS), **passage.options},
    )
