"""A message whose handler raised, in words that the database can keep."""

from __future__ import annotations

import logging
import os
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from ..database.functions.messages import ClaimedMessage
from ..outcomes import Snooze
from ..redaction import trace_without_secrets
from .classification import USUAL, ErrorClasses, Verdict
from .handler import Handler

log = logging.getLogger("symphony_pg.worker")
ERROR_BYTES = 8000
NAME_LENGTH = 200
MOST_FRAMES = 100  # what follows no longer fits into the bytes that are kept
MOST_LINKED = 100
PACKAGE = str(Path(__file__).parents[1]) + os.sep
T = TypeVar("T")
U = TypeVar("U")


class Failure(NamedTuple):
    """A message whose handler raised, in the words of nack_with_backoff().

    `exception` is what it raised, and `traces` are the tracebacks of that and of what it is linked
    with, which forget_traceback() takes off them.
    """

    message: ClaimedMessage
    error: str
    error_class: str
    retryable: bool | None
    retry_after: timedelta | None
    traceback: str | None = None
    snooze: Snooze | None = None
    error_bases: Sequence[str] | None = None
    exception: BaseException | None = None
    traces: Sequence[tuple[BaseException, TracebackType | None]] = ()

    @classmethod
    def of(
        cls, message: ClaimedMessage, error: BaseException, handler: Handler | None = None
    ) -> Failure:
        """Describe an error: its text, class and traceback, and whether a retry can help.

        An error that cannot be described in full is described as far as it can be. If it is the
        wait that it asks for, the message is retried as usual.
        """
        kind = type(error)
        name = _name(kind)
        errors = handler.errors if handler else USUAL
        verdict = _unless_it_raises(lambda: _verdict(error, errors), Verdict())
        snooze = _unless_it_raises(lambda: _snooze(error, verdict), None)
        if snooze is error:
            text = _unless_it_raises(lambda: _capped(str(snooze.reason)), name)
        else:
            text = _unless_it_raises(lambda: _text_of(error), _line(error))
        traces = _unless_it_raises(
            lambda: [(each, each.__traceback__) for each in _linked(error)], ()
        )
        described = cls(
            message, text, name, verdict.retryable, verdict.retry_after,
            snooze=snooze, exception=error, traces=traces,
        )  # fmt: skip
        if snooze is not None:
            return described._replace(retryable=True)
        return described._replace(
            traceback=_unless_it_raises(lambda: _trace_of(error), text),
            error_bases=_unless_it_raises(lambda: _bases(kind), None),
        )

    @property
    def is_plain(self) -> bool:
        """True if it asks for no wait of its own."""
        return self.retry_after is None and self.snooze is None

    def plain(self, refusal: str) -> Failure:
        """Return it without the wait that it asked for, as that was refused; the text says so."""
        text = self.error if self.snooze is None else f"{self.error_class}: {self.error}"
        return self._replace(
            error=_capped(f"{text}\n{refusal}"), retryable=None, retry_after=None, snooze=None
        )

    @contextmanager
    def traced(self) -> Iterator[None]:
        """Give the exception its traceback back, for the length of a with block."""
        for each, trace in self.traces:
            BaseException.with_traceback(each, trace)
        try:
            yield
        finally:
            for each, _ in self.traces:
                BaseException.with_traceback(each, None)

    def told(self) -> Failure:
        """Return it without the exception, once everybody has heard of it."""
        return self._replace(exception=None, traces=())

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


def forget_traceback(error: BaseException) -> None:
    """Take the traceback off an error, and off those it is linked with.

    The next raise of the same object would add to it, and the frames keep what was in them.
    """
    with suppress(BaseException):
        for each in _linked(error):
            BaseException.with_traceback(each, None)
            notes = getattr(each, "__notes__", None)
            if isinstance(notes, list):
                del notes[:-MOST_LINKED]


def _unless_it_raises(tell: Callable[[], T], otherwise: U) -> T | U:
    """Return what is told of an error, whatever its class does when it is asked."""
    try:
        return tell()
    except BaseException:
        return otherwise


def _verdict(error: BaseException, errors: ErrorClasses) -> Verdict:
    verdict = errors.of(error)
    if not isinstance(verdict.retry_after, timedelta | None):
        raise TypeError(f"the wait is no timedelta: {verdict.retry_after!r}")
    return verdict


def _snooze(error: BaseException, verdict: Verdict) -> Snooze | None:
    if not isinstance(error, Snooze):
        return None if verdict.snooze is None else Snooze(verdict.snooze)
    if not (isinstance(error.delay, timedelta | None) and isinstance(error.until, datetime | None)):
        raise TypeError(f"the wait is no timedelta and no datetime: {error.delay or error.until!r}")
    return error


def _name(kind: type) -> str:
    module = _unless_it_raises(lambda: kind.__module__, None)
    name = _unless_it_raises(lambda: str(kind.__qualname__), "Exception")
    is_builtin = not isinstance(module, str) or module == "builtins"
    return _storable(name if is_builtin else f"{module}.{name}")[:NAME_LENGTH]


def _bases(kind: type[BaseException]) -> list[str]:
    return [_name(base) for base in kind.__mro__[1 : MOST_LINKED + 1] if base is not object]


def _text_of(error: BaseException) -> str:
    if not _unless_it_raises(lambda: _is_short(error), False):
        return _line(error)
    return _capped("".join(traceback.format_exception_only(type(error), error)).strip())


def _line(error: BaseException) -> str:
    """Return the class and the text of an error, without what else belongs to it."""
    return _capped(f"{_name(type(error))}: {_str(error)[-ERROR_BYTES:]}")


def _str(value: object) -> str:
    return _unless_it_raises(lambda: str(value), "(it has no text: its __str__ raises)")


def _trace_of(error: BaseException) -> str:
    trace = _of_handler(error)
    if _unless_it_raises(lambda: _is_short(error), False):
        lines = traceback.format_exception(type(error), error, trace, limit=-MOST_FRAMES)
        return _capped("".join(lines))
    lines = traceback.format_tb(trace, limit=-MOST_FRAMES)
    return _capped("".join(["Traceback (most recent call last):\n", *lines, _line(error)]))


def _is_short(error: BaseException) -> bool:
    """Tell whether an error, with its notes and the errors it is linked with, is not a book."""
    linked = list(_linked(error))
    notes = [note for each in linked for note in getattr(each, "__notes__", ())[:MOST_LINKED]]
    texts = [_str(each) for each in (*linked, *notes)]
    return len(texts) < MOST_LINKED and sum(map(len, texts)) < ERROR_BYTES * 10


def _linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes and contexts, and the members of groups: each once, not all."""
    seen: set[int] = set()
    waiting = deque([error])
    while waiting and len(seen) < MOST_LINKED:
        each = waiting.popleft()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            links = (each.__cause__, each.__context__, *_members(each))
            waiting.extend(link for link in links if isinstance(link, BaseException))


def _members(error: BaseException) -> Sequence[Any]:
    members = _unless_it_raises(lambda: error.exceptions, ())  # type: ignore[attr-defined]
    return members[:MOST_LINKED] if isinstance(members, tuple) else ()


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
    data = _storable(text[-ERROR_BYTES - 1 :]).encode()
    if len(data) <= ERROR_BYTES:
        return data.decode()
    return "[...]\n" + data[-(ERROR_BYTES - 6) :].decode(errors="ignore")


def _storable(text: str) -> str:
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
