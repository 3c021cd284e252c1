"""The way out: a transport is told to send, and listeners hear of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import Events, Sending, Sent
from ..messages.envelope import Envelope
from .transport import AnyAsyncConnection, AnyConnection, Transport


class Sender:
    """Sends what dispatch() or an outbox hands to it, and emits the events of it."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def send(
        self, transport: Transport, envelopes: Sequence[Envelope], conn: AnyConnection | None
    ) -> list[int]:
        """Send messages now; return their ids."""
        if not self._events.wanted(Sending, Sent):
            return transport.send(envelopes, conn)
        self._sending(envelopes)
        return self._sent(envelopes, transport.send(envelopes, conn))

    async def send_async(
        self, transport: Transport, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Send messages now; return their ids."""
        if not self._events.wanted(Sending, Sent):
            return await transport.send_async(envelopes, conn)
        self._sending(envelopes)
        return self._sent(envelopes, await transport.send_async(envelopes, conn))

    def _sending(self, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            self._events.emit(Sending(envelope))

    def _sent(self, envelopes: Sequence[Envelope], ids: list[int]) -> list[int]:
        for envelope, message_id in zip(envelopes, ids, strict=True):
            self._events.emit(Sent(envelope, message_id))
        return ids
