"""Health: what is wrong now."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..call import Call, rows


class Incident(NamedTuple):
    """Something that is wrong now, what is behind it, and the command that helps."""

    rank: int
    severity: str
    code: str
    subject: str | None
    sentence: str
    since: datetime | None
    cause: str
    command: str


def health(library: str | None = None) -> Call[list[Incident]]:
    """Return what is wrong now, the worst first; nothing is good.

    `library` is the version of the program that asks, to be compared with that of the database.
    """
    return rows(Incident, "health", library=library)
