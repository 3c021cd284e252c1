"""Which message it was: what handlers log has message_id, message_type and attempt.

A filter of the logging handlers adds them, and not a factory of records: that would refuse an
application's own extra={"message_id": …}.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import ContextVar

from ..database.functions.messages import ClaimedMessage

MESSAGE = ("message_id", "message_type", "attempt")

# The message that is handled here, or the messages of a batch.
in_hand: ContextVar[ClaimedMessage | Sequence[ClaimedMessage] | None] = ContextVar(
    "symphony_in_hand", default=None
)


class MessageFilter(logging.Filter):
    """Says of each record which message it belongs to; of a batch it is a list of ids.

    A worker gives it to the logging handlers that it finds. A format that names message_id has it
    in its configuration, since records outside of workers need it, too.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add what is not there."""
        found = in_hand.get()
        values: tuple[object, ...] = (None, None, None)
        if isinstance(found, ClaimedMessage):
            values = (found.message_id, found.message_type, found.attempt)
        elif found:
            first = found[0]
            values = ([each.message_id for each in found], first.message_type, first.attempt)
        for name, value in zip(MESSAGE, values, strict=True):
            record.__dict__.setdefault(name, value)
        return True


naming = MessageFilter()


def name_messages() -> None:
    """Let the logging handlers that there are name the message of each record."""
    known = logging.Logger.manager.loggerDict.values()
    for logger in (logging.getLogger(), *known):
        if isinstance(logger, logging.Logger):
            for handler in logger.handlers:
                handler.addFilter(naming)
