"""How one message is to be retried, for dispatch(): it beats what its type and queue say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

__all__ = ["RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The retry settings of one message; what is None is left to its type, queue and defaults.

    max_attempts counts deliveries: retries + 1. Waits are timedeltas or seconds.
    """

    max_attempts: int | None = None
    delay: timedelta | float | None = None
    multiplier: float | None = None
    max_delay: timedelta | float | None = None
    jitter: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was given, as the argument retry of enqueue()."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: f"{value.total_seconds():.6f} s" if isinstance(value, timedelta) else value
            for name, value in values.items()
            if value is not None
        }
