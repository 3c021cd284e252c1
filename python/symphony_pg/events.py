"""What happens to messages and workers, told to listeners.

    @app.on(events.Failed)
    def page(event: events.Failed) -> None:
        print(event.message.message_id, event.error)

A listener is called where the thing happens, in a handler's thread or in the worker's event loop:
it should be quick. If it raises, that is logged, and the message goes its way as without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from .database.functions.messages import ClaimedMessage
from .messages.envelope import Envelope
from .redaction import trace_without_secrets
from .results import is_async, refuse_lazy, refuse_unfinished

__all__ = [
    "E",
    "Event",
    "Events",
    "Failed",
    "Handled",
    "Lost",
    "Received",
    "Retried",
    "Sending",
    "Sent",
    "WorkerIdle",
    "WorkerStarted",
    "WorkerStopped",
]

log = logging.getLogger("symphony_pg.events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; listeners ask for one of its subclasses."""


@dataclass(frozen=True, slots=True)
class Sending(Event):
    """A message is about to be sent."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Sent(Event):
    """A message was sent; with a connection of the caller's, its commit is still to come."""

    envelope: Envelope
    message_id: int


@dataclass(frozen=True, slots=True)
class Received(Event):
    """A message is about to be handled."""

    message: ClaimedMessage


@dataclass(frozen=True, slots=True)
class Handled(Event):
    """The handler has succeeded and what it dispatched was sent; the ack comes next."""

    message: ClaimedMessage
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A message has failed for good.

    `error` is the text without secrets; `exception` is what was raised, with all that it holds, or
    None if nothing was: the worker was stopped, say.
    """

    message: ClaimedMessage
    error: str
    error_class: str
    exception: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """A message has failed and comes back at `available_at`."""

    message: ClaimedMessage
    error: str
    error_class: str
    available_at: datetime
    exception: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """The lease of a claim was lost while handlers ran: its messages are handed out again."""

    queue_name: str
    claim_id: int


@dataclass(frozen=True, slots=True)
class WorkerStarted(Event):
    """A worker is connected and begins to claim."""

    worker: str
    queues: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorkerIdle(Event):
    """A worker has nothing left to do and goes to sleep."""

    worker: str
    queues: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorkerStopped(Event):
    """A worker has ended; `counts` is what it did."""

    worker: str
    queues: Sequence[str]
    counts: Mapping[str, int]


E = TypeVar("E", bound=Event)


class Events:
    """The listeners of an application, by the class of the event."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], list[Callable[[Any], Any]]] = {}

    def listen(self, kind: type[E], listener: Callable[[E], Any]) -> None:
        """Call the listener for each event of a class."""
        if not (isinstance(kind, type) and issubclass(kind, Event) and kind is not Event):
            raise TypeError(f"{kind!r} is not an event; those of symphony_pg.events are")
        refuse_lazy(listener, f"the listener {listener!r}")
        if is_async(listener):
            raise TypeError(f"a listener is a plain function, and {listener!r} is async")
        self._listeners.setdefault(kind, []).append(listener)

    def wanted(self, *kinds: type[Event]) -> bool:
        """Tell whether anybody listens to one of these."""
        return not self._listeners.keys().isdisjoint(kinds)

    def emit(self, event: Event) -> None:
        """Tell the listeners; what they raise is logged."""
        for listener in self._listeners.get(type(event), ()):
            try:
                refuse_unfinished(listener(event), "it")
            except BaseException as error:
                log.error(
                    "a listener to %s failed: %s",
                    type(event).__name__,
                    trace_without_secrets(error),
                )
