"""A message whose handler raised, in words that the database can keep."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from ..database.functions.messages import ClaimedMessage
from ..outcomes import Snooze
from ..redaction import trace_without_secrets
from .classification import USUAL
from .handler import Handler

__all__ = ["Failure"]

log = logging.getLogger("symphony_pg.worker")
ERROR_BYTES = 8000
PACKAGE = str(Path(__file__).parents[1]) + os.sep


class Failure(NamedTuple):
    """A message whose handler raised, in the words of nack_with_backoff()."""

    message: ClaimedMessage
    error: str
    error_class: str
    retryable: bool | None
    retry_after: timedelta | None
    traceback: str | None = None
    snooze: Snooze | None = None
    error_bases: Sequence[str] | None = None
    exception: BaseException | None = None

    @classmethod
    def of(
        cls, message: ClaimedMessage, error: BaseException, handler: Handler | None = None
    ) -> Failure:
        """Describe an error: its text, class and traceback, and whether a retry can help."""
        kind = type(error)
        verdict = (handler.errors if handler else USUAL).of(error)
        if isinstance(error, Snooze):
            reason = _capped(error.reason)
            return cls(message, reason, _name(kind), True, None, snooze=error, exception=error)
        text = _capped("".join(traceback.format_exception_only(kind, error)).strip())
        if verdict.snooze is not None:
            snooze = Snooze(verdict.snooze)
            return cls(message, text, _name(kind), True, None, snooze=snooze, exception=error)
        trace = "".join(traceback.format_exception(kind, error, _of_handler(error)))
        return cls(
            message,
            error=text,
            error_class=_name(kind),
            retryable=verdict.retryable,
            retry_after=verdict.retry_after,
            traceback=_capped(trace),
            error_bases=[_name(base) for base in kind.__mro__[1:] if base is not object],
            exception=error,
        )

    def sanitized(self, sanitize: Callable[[str], str]) -> Failure:
        """Return it with the texts that the application's hook makes of these.

        If the hook raises, the texts are withheld: they may hold what it was to take out.
        """
        try:
            return self._replace(
                error=_text(sanitize(self.error)),
                traceback=None if self.traceback is None else _text(sanitize(self.traceback)),
            )
        except Exception as error:
            kind = type(error).__qualname__
            log.error(
                "message %d: the sanitizer failed: %s",
                self.message.message_id,
                trace_without_secrets(error),
            )
            withheld = f"{self.error_class}: (text withheld: the sanitizer raised {kind})"
            return self._replace(error=withheld, traceback=None)

    @property
    def summary(self) -> str:
        """The line of the error that says what went wrong; details, hints and notes follow it."""
        lines, kind = self.error.strip().split("\n"), self.error_class.rpartition(".")[2]
        named = (line for line in lines if line.partition(":")[0].endswith(kind))
        return next(named, lines[-1]) or self.error_class


def _name(kind: type) -> str:
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    return module + kind.__qualname__


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a sanitizer returns the text, not {value!r}")
    return _capped(value)


def _of_handler(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frames of this package that led to the handler."""
    trace = error.__traceback__
    while trace and trace.tb_next and trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
        trace = trace.tb_next
    return trace


def _capped(text: str) -> str:
    """Keep the end of a traceback, which says most, and only what PostgreSQL can store."""
    data = text.replace("\x00", "\\x00").encode(errors="backslashreplace")
    if len(data) <= ERROR_BYTES:
        return data.decode()
    return "[...]\n" + data[-(ERROR_BYTES - 6) :].decode(errors="ignore")
