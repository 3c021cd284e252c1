"""The installation: access, checks, version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..call import Call, call, nothing, rows, value

__all__ = ["BrokenInvariant", "Obstacle", "Rebased"]


class Rebased(NamedTuple):
    """What rebase() had to do. Unless it was needed, the numbers are None."""

    needed: bool
    moved_by: int | None
    messages: int | None
    enqueued_here: int | None


class BrokenInvariant(NamedTuple):
    """Something that must always be true and is not."""

    invariant: str
    detail: str


class Obstacle(NamedTuple):
    """Something that stands in the way of all, and who is behind it."""

    obstacle: str
    detail: str


def grant_access(role_name: str, access: str, queues: Sequence[str] | None = None) -> Call[None]:
    """Let a role act as enqueuer, producer, consumer, operator or observer.

    The first three may be granted for some queues only.
    """
    given = None if queues is None else list(queues)
    return nothing("grant_access", role_name=role_name, access=access, queues=given)


def revoke_access(role_name: str, access: str) -> Call[None]:
    """Take an access back from a role."""
    return nothing("revoke_access", role_name=role_name, access=access)


def rebase() -> Call[Rebased]:
    """Make the positions this server's, after a dump or logical replication brought them here."""
    return call("rebase", {}, lambda rows: Rebased(*rows[0]), Rebased._fields)


def check() -> Call[list[BrokenInvariant]]:
    """Return the invariants that do not hold; none is good."""
    return rows(BrokenInvariant, "check")


def obstacles() -> Call[list[Obstacle]]:
    """Return what stands in the way of all: who holds the tick or a lane, a full NOTIFY queue."""
    return rows(Obstacle, "obstacles")


def version() -> Call[str]:
    """Return the version of the schema that is installed."""
    return value("version")
