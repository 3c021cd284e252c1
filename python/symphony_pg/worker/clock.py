"""The server's clock, as far as it is known here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ..database.call import Call

T = TypeVar("T")
AND_THE_TIME = b"select answer.*, pg_catalog.clock_timestamp() from (%s) as answer"


def telling_the_time(call: Call[T], clock: Clock) -> Call[T]:
    """Let a call set the clock, if it returns rows: that of the server may have been set, too."""

    def read(rows: Sequence[tuple[Any, ...]]) -> T:
        if rows:
            clock.set(rows[0][-1])
        return call.read([row[:-1] for row in rows])

    return Call(AND_THE_TIME % call.statement, call.arguments, read)


class Clock:
    """The server's time, told by our own clock that cannot be set."""

    def __init__(self) -> None:
        self._at = datetime.now().astimezone()
        self._read = time.monotonic()

    def set(self, now: datetime) -> None:
        """Take over the time that the server told just now."""
        self._at = now
        self._read = time.monotonic()

    def seconds_until(self, moment: datetime) -> float:
        """Return how long it is until a time of the server."""
        now = self._at + timedelta(seconds=time.monotonic() - self._read)
        return (moment - now).total_seconds()
