"""Which errors of a handler are worth another attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, TypedDict

from ..messages.codec import InvalidMessage
from ..outcomes import PermanentError, RetryAfter

Waits = Mapping[type[BaseException], timedelta | float]


class Verdict(NamedTuple):
    """Whether a retry can help, and when; None leaves that to the retry policies.

    With snooze, no attempt is used, and the message comes back after that.
    """

    retryable: bool | None = None
    retry_after: timedelta | None = None
    snooze: timedelta | None = None


class Errors(TypedDict, total=False):
    """Which errors of a handler are what: what ErrorClasses() takes."""

    permanent: Iterable[type[BaseException]]
    transient: Iterable[type[BaseException]]
    retry_after: Waits | None
    snooze: Waits | None


class ErrorClasses:
    """Classes of errors, each with its verdict; the most specific class of an error counts.

    PermanentError and InvalidMessage are permanent, RetryAfter says when; what is not named here
    is left to the retry policies in the database.
    """

    def __init__(
        self,
        permanent: Iterable[type[BaseException]] = (),
        transient: Iterable[type[BaseException]] = (),
        retry_after: Waits | None = None,
        snooze: Waits | None = None,
    ) -> None:
        self._verdicts: dict[type[BaseException], Verdict] = {}
        for error in permanent:
            self._add(error, Verdict(False))
        for error in transient:
            self._add(error, Verdict(True))
        for error, wait in (retry_after or {}).items():
            self._add(error, Verdict(True, _wait("retry_after", error, wait)))
        for error, wait in (snooze or {}).items():
            self._add(error, Verdict(True, snooze=_wait("snooze", error, wait)))
        for error in (PermanentError, InvalidMessage):
            self._verdicts.setdefault(error, Verdict(False))

    def _add(self, error: type[BaseException], verdict: Verdict) -> None:
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            raise TypeError(f"{error!r} is not a class of exceptions")
        if self._verdicts.setdefault(error, verdict) is not verdict:
            raise ValueError(f"{error.__qualname__} is classified twice")

    def of(self, error: BaseException) -> Verdict:
        """Return the verdict on an error."""
        if isinstance(error, RetryAfter):
            return Verdict(True, error.wait)
        for kind in type(error).__mro__:
            if kind in self._verdicts:
                return self._verdicts[kind]
        return Verdict()


def _wait(what: str, error: Any, wait: timedelta | float) -> timedelta:
    wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
    if wait < timedelta(0):
        raise ValueError(f"{what} of {getattr(error, '__qualname__', error)} is negative: {wait}")
    return wait


USUAL = ErrorClasses()
