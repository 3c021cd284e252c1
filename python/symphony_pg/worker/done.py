"""What handlers did since the last heartbeat, counted by queue and message type."""

from __future__ import annotations

from collections import Counter
from math import ceil, log2
from threading import Lock
from typing import Any

from ..database.functions.messages import ClaimedMessage


class Done:
    """Counts what handlers did, from any thread, until a heartbeat takes it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int, bool]] = Counter()
        self._lock = Lock()

    def add(self, message: ClaimedMessage, seconds: float, *, failed: bool) -> None:
        """Note that a handler ended after so many seconds."""
        key = (message.queue_name, message.message_type, bucket(seconds), failed)
        with self._lock:
            self._counts[key] += 1

    def take(self) -> list[dict[str, Any]] | None:
        """Return what is new, as heartbeat() wants it, and begin anew; None if nothing is."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        told: dict[tuple[str, str], dict[str, Any]] = {}
        for (queue_name, message_type, place, failed), count in counts.items():
            work = told.setdefault(
                (queue_name, message_type),
                {
                    "queue_name": queue_name,
                    "message_type": message_type,
                    "handled": 0,
                    "failed": 0,
                    "worked": Counter(),
                },
            )
            work["handled"] += count
            work["failed"] += count * failed
            work["worked"][place] += count
        for work in told.values():
            work["worked"] = sorted(work["worked"].items())
        return list(told.values()) or None


def bucket(seconds: float) -> int:
    """Return b where the time is more than 2^((b-1)/2) and at most 2^(b/2) milliseconds."""
    return ceil(2 * log2(max(seconds, 1e-6) * 1000))
