"""Messages on their way through the middleware of dispatch()."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..messages.envelope import ARGUMENTS, Envelope, sealed
from .middleware import Passage

OPTIONS = tuple(
    name for name in ARGUMENTS if name not in ("message_type", "body", "headers", "retry")
)
PENDING = 0  # in place of an id: it will be sent when the handler has succeeded


class Passed:
    """Messages on their way through the middleware, and what came out of it.

    A single one is sent while it is inside, so the middleware learns its id. Of several, those that
    have passed are `waiting`: all of them go in one call.
    """

    def __init__(
        self, envelopes: Sequence[Envelope], send: Callable[[Sequence[Envelope]], Any]
    ) -> None:
        self.send = send
        self.passages = [self._passage(each) for each in envelopes]
        self.waiting: list[Envelope] = []
        self.ids = [PENDING] * len(envelopes)
        self._envelopes = envelopes
        self._came_from: list[int] = []

    def _passage(self, envelope: Envelope) -> Passage:
        message = envelope.body if envelope.message is None else envelope.message
        options = envelope.arguments()
        for name in ("message_type", "body", "headers"):
            options.pop(name, None)
        headers = dict(envelope.headers or {})
        return Passage("dispatch", message, envelope.message_type, headers, options, _passed=self)

    def add(self, passage: Passage) -> Envelope | None:
        """Take what has come through; return it if it is to be sent at once."""
        place = next((n for n, each in enumerate(self.passages) if each is passage), None)
        if place is None:
            raise _other_passage()
        ready = _sealed(self._envelopes[place], passage)
        self._came_from.append(place)
        if len(self.passages) == 1:
            return ready
        self.waiting.append(ready)
        return None

    def note(self, ids: Sequence[int]) -> int:
        """Learn the ids of what came through last."""
        for place, message_id in zip(self._came_from[-len(ids) :], ids, strict=True):
            self.ids[place] = self.passages[place].message_id = message_id
        return ids[-1]


def arrived(passage: Passage) -> int:
    """Be what the innermost middleware of dispatch() calls; return the id of the message."""
    if passage._passed is None:
        raise _other_passage()
    ready = passage._passed.add(passage)
    return PENDING if ready is None else passage._passed.note(passage._passed.send([ready]))


async def arrived_async(passage: Passage) -> int:
    """Be what the innermost middleware of dispatch_async() calls."""
    if passage._passed is None:
        raise _other_passage()
    ready = passage._passed.add(passage)
    return PENDING if ready is None else passage._passed.note(await passage._passed.send([ready]))


def _other_passage() -> TypeError:
    return TypeError("a middleware passes on the passage it was given, changed or not")


def _sealed(envelope: Envelope, passage: Passage) -> Envelope:
    """Return the envelope with what the middleware has changed; encode a message again."""
    headers = passage.headers or None
    options = {**dict.fromkeys(OPTIONS), "retry": envelope.retry, **passage.options}
    if envelope.message is None:
        return replace(envelope, body=passage.message, headers=headers, **options)
    return sealed(passage.message, headers, **options)
