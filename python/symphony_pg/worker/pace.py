"""How many messages a worker holds."""

from __future__ import annotations


class Pace:
    """How many messages to hold: what can be worked off in about a second."""

    HORIZON = 1.0
    SOON = 0.02

    def __init__(self, slots: int, batch_size: int) -> None:
        self._slots = slots
        self._batch_size = batch_size
        self._seconds: float | None = None

    def observe(self, seconds: float, messages: int) -> None:
        """Learn how long handlers took: a moving average that forgets quickly."""
        if messages:
            latest = seconds / messages
            self._seconds = latest if self._seconds is None else self._seconds * 0.7 + latest * 0.3

    def batch_size(self, free_slots: int) -> int:
        """Return how many to claim: at least what can start at once."""
        wanted = free_slots
        if self._seconds is not None:
            wanted = int(self.HORIZON * self._slots / max(self._seconds, 1e-6))
        return max(1, min(self._batch_size, max(free_slots, wanted)))

    def is_nearly_through(self, messages: int) -> bool:
        """Tell whether so many messages are worked off before the next claim could be here."""
        return self._seconds is not None and messages * self._seconds < self.SOON * self._slots
