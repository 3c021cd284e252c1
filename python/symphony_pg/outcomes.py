"""How a handler ends an attempt other than by returning: for good, later, or not yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from .times import check_moment


class PermanentError(Exception):
    """Raise this when no retry can help: the message goes to the failed ones at once."""


class AlreadyDone(BaseException):
    """A broker hands out again what has taken effect: the handler has no more to do.

    It is no error, and handlers that catch Exception let it pass.
    """

    def __init__(self, message_ids: list[int]) -> None:
        self.message_ids = message_ids
        super().__init__(f"done already: {message_ids}")


class HandlerTimeout(TimeoutError):  # noqa: N818
    """A handler took longer than its time limit: the message is retried as after other errors."""


class RetryAfter(Exception):  # noqa: N818
    """Raise this to be retried after a wait of your own choice, in place of the backoff."""

    def __init__(self, wait: timedelta | float, reason: str = "") -> None:
        self.wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        super().__init__(reason or f"retry after {self.wait}")


class Snooze(Exception):  # noqa: N818
    """Raise this when the time has not come: it uses no attempt and counts as no failure.

    `until` is a moment, or a wait from now, in seconds or as a timedelta. A message that is put off
    for longer than its queue's max_snooze fails.
    """

    def __init__(self, until: datetime | timedelta | float, reason: str = "") -> None:
        self.until = until if isinstance(until, datetime) else None
        if self.until is not None:
            check_moment("until", self.until)
        self.delay = timedelta(seconds=until) if isinstance(until, int | float) else None
        if isinstance(until, timedelta):
            self.delay = until
        self.reason = reason
        super().__init__(reason or f"snoozed until {self.until or self.delay}")
