"""Messages on their way through the middleware of dispatch()."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..messages.envelope import Envelope
from ..messages.types import message_type_of
from .middleware import Passage

OPTIONS = ("queue_name", "priority", "delay", "available_at", "idempotency_key", "group_key")
PENDING = 0  # in place of an id: it will be sent when the handler has succeeded


class Passed:
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
            raise TypeError("a middleware passes on the passage it was given, changed or not")
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
