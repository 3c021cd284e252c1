"""How create_app() was asked to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..app import Symphony
from ..errors import BadArgument

__all__ = ["LONGEST", "Settings"]

LONGEST = 900.0


@dataclass(frozen=True)
class Settings:
    """The arguments of create_app() that are not about who may do what."""

    app: Symphony
    dsn: str | None
    path: str
    cron_path: str
    metrics_public: bool
    cors_origins: Sequence[str]
    queues: Sequence[str]
    concurrency: int
    max_seconds: float
    dashboard_path: str | None = None
    operator_dsn: str | None = None

    def __post_init__(self) -> None:
        for name in ("path", "cron_path", "dashboard_path"):
            path = getattr(self, name)
            if path and (not path.startswith("/") or path.endswith("/")):
                raise BadArgument(
                    f"{name} is {path!r}",
                    detail="A path begins with / and does not end with it; it may be empty.",
                    hint='Write path="/api/symphony".',
                )
        if not 1 <= self.max_seconds <= LONGEST:
            raise BadArgument(
                f"max_seconds is {self.max_seconds}",
                detail=f"It is between 1 and {LONGEST:g}.",
                hint="Give somewhat less than the platform allows a request.",
            )
