"""Which errors of a handler are worth another attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from .codec import InvalidMessage
from .context import PermanentError, RetryAfter

__all__ = ["USUAL", "ErrorClasses", "Verdict"]


class Verdict(NamedTuple):
    """Whether a retry can help, and when; retry_after None leaves the wait to the queue."""

    retryable: bool
    retry_after: timedelta | None = None


class ErrorClasses:
    """Classes of errors, each with its verdict; the most specific class of an error counts.

    PermanentError and InvalidMessage are permanent, RetryAfter says when; all else is retried.
    """

    def __init__(
        self,
        permanent: Iterable[type[BaseException]] = (),
        transient: Iterable[type[BaseException]] = (),
        retry_after: Mapping[type[BaseException], timedelta | float] | None = None,
    ) -> None:
        self._verdicts: dict[type[BaseException], Verdict] = {}
        for error in permanent:
            self._add(error, Verdict(False))
        for error in transient:
            self._add(error, Verdict(True))
        for error, wait in (retry_after or {}).items():
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else wait
            if seconds < 0:
                raise ValueError(f"retry_after of {error.__qualname__} is negative: {wait}")
            self._add(error, Verdict(True, timedelta(seconds=seconds)))
        for error in (PermanentError, InvalidMessage):
            self._verdicts.setdefault(error, Verdict(False))

    def _add(self, error: type[BaseException], verdict: Verdict) -> None:
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            raise TypeError(f"{error!r} is no class of exceptions")
        if self._verdicts.setdefault(error, verdict) is not verdict:
            raise ValueError(f"{error.__qualname__} is classified twice")

    def of(self, error: BaseException) -> Verdict:
        """Return the verdict on an error."""
        if isinstance(error, RetryAfter):
            return Verdict(True, error.wait)
        for kind in type(error).__mro__:
            if kind in self._verdicts:
                return self._verdicts[kind]
        return Verdict(True)


USUAL = ErrorClasses()
