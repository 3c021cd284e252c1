"""How create_app() was asked to be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..app import Symphony
from ..errors import BadArgument

LONGEST = 900.0
NAME = re.compile("[A-Za-z0-9_-]{1,40}")


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
    operator_dsn: str | Mapping[str, str] | None = None
    databases: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("path", "cron_path", "dashboard_path"):
            path = getattr(self, name)
            if path and (not path.startswith("/") or path.endswith("/")):
                raise BadArgument(
                    f"{name} is {path!r}",
                    detail="A path begins with / and does not end with it; it may be empty.",
                    hint='Write path="/api/symphony".',
                )
        self._check_databases()
        if not 1 <= self.max_seconds <= LONGEST:
            raise BadArgument(
                f"max_seconds is {self.max_seconds}",
                detail=f"It is between 1 and {LONGEST:g}.",
                hint="Give somewhat less than the platform allows a request.",
            )

    def _check_databases(self) -> None:
        known, acting = self.databases, self.operator_dsn
        if known is not None:
            for name in known:
                if not NAME.fullmatch(name):
                    raise BadArgument(
                        f"a database has the name {name!r}",
                        detail="It stands in addresses: letters, digits, - and _, 40 at most.",
                        hint='Write databases={"shop": "postgresql:///shop"}.',
                    )
            if not known:
                raise BadArgument(
                    "databases names no database",
                    detail="The dashboard would be empty.",
                    hint="Leave it out for that of the application.",
                )
        named = acting if isinstance(acting, Mapping) else {}
        unknown = sorted(each for each in named if each not in (known or ()))
        if unknown or (known is not None and isinstance(acting, str)):
            raise BadArgument(
                f"operator_dsn is for {unknown[0] if unknown else 'one database'}, "
                f"databases are {', '.join(known or ()) or 'not given'}",
                detail="With several databases each may have one of its own.",
                hint='Write operator_dsn={"shop": "postgresql://shop_operator@/shop"}.',
            )
