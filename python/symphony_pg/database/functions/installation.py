"""The installation: access, checks, version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..call import Call, nothing, row, rows, value


class AuditEntry(NamedTuple):
    """What somebody did. The actor is who the session says it is: a claim, not a proof."""

    audit_id: int
    done_at: datetime
    role_name: str
    login_name: str
    actor: str | None
    application: str | None
    action: str
    arguments: dict[str, Any]
    affected: int | None


class Access(NamedTuple):
    """What a role was granted. The state is "granted", or "waits" and why."""

    role_name: str
    access: str
    queues: list[str] | None
    state: str


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


def list_access() -> Call[list[Access]]:
    """Return which role was granted what, and what waits for restore_access()."""
    return rows(Access, "list_access")


def restore_access() -> Call[list[Access]]:
    """Grant what waits to the roles of these names, and return what waited."""
    return rows(Access, "restore_access")


def audit(
    action: str | None = None,
    role_name: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    subject: str | None = None,
    before_id: int | None = None,
    at_most: int | None = None,
) -> Call[list[AuditEntry]]:
    """Return who did what, newest first; the next page is that before the last audit_id."""
    return rows(AuditEntry, "audit", **locals())


def note(remark: str) -> Call[None]:
    """Write a remark among what was done."""
    return nothing("note", remark=remark)


def rebase() -> Call[Rebased]:
    """Make the positions this server's, after a dump or logical replication brought them here."""
    return row(Rebased, "rebase")


def check() -> Call[list[BrokenInvariant]]:
    """Return the invariants that do not hold; none is good."""
    return rows(BrokenInvariant, "check")


def obstacles() -> Call[list[Obstacle]]:
    """Return what stands in the way of all: who holds the tick or a lane, a full NOTIFY queue."""
    return rows(Obstacle, "obstacles")


def origin() -> Call[str]:
    """Return what tells messages of this database from those of others at a broker."""
    return value("origin")


def version() -> Call[str]:
    """Return the version of the schema that is installed."""
    return value("version")
