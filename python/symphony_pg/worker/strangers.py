"""Messages that this worker does not know: their type, their handler, or their version."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping

from ..database.functions.queues import WaitingType
from ..handling.failure import Failure
from ..handling.handler import Handler, find_handler

log = logging.getLogger("symphony_pg.worker")
TELL_AGAIN = 60.0
MOST_TOLD = 10
HINT = "is their module imported by the application that --app names?"


class Strangers:
    """Tells of messages that other workers must take, by type and at most once a minute."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._met: Counter[str] = Counter()
        self._told_at: float | None = None

    def expect(self, waiting: Iterable[WaitingType]) -> None:
        """Say which of the messages that wait at the start are for handlers that are not here."""
        unknown: Counter[str] = Counter()
        for each in waiting:
            headers = {} if each.handler_name is None else {"handler": each.handler_name}
            if find_handler(self._handlers, each.message_type, headers) is None:
                unknown[repr(each.message_type)] += each.messages
        if unknown:
            self._say("wait", unknown)

    def meet(self, failure: Failure) -> bool:
        """Note a message that was put off, if that is why; tell() will say so."""
        name, headers = failure.message.message_type, failure.message.headers
        if find_handler(self._handlers, name, headers) is None:
            self._met[repr(name)] += 1
        elif failure.error_class.endswith(".NewerVersion"):
            self._met[f"{name!r} in its newer version"] += 1
        else:
            return False
        return True

    def tell(self) -> None:
        """Say what was met, unless something was said within the last minute."""
        now = time.monotonic()
        if self._met and (self._told_at is None or now - self._told_at >= TELL_AGAIN):
            self._say("were put off", self._met)
            self._met.clear()

    def _say(self, what: str, counts: Counter[str]) -> None:
        types = [f"{name} ({count})" for name, count in counts.most_common(MOST_TOLD)]
        if len(counts) > MOST_TOLD:
            types.append(f"{len(counts) - MOST_TOLD} others")
        log.warning(
            "messages %s that another worker must take: here is no handler for the message type "
            "%s; %s",
            what,
            ", ".join(types),
            HINT,
        )
        self._told_at = time.monotonic()
