"""Workers, and the tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..call import Call, as_list, jsonb, nothing, row, rows, value, values


class WorkerActivity(NamedTuple):
    """A worker, and what it does now."""

    worker: str
    state: str
    queues: list[str]
    open_claims: int
    processing: int
    claimed_at: datetime | None
    running: list[dict[str, Any]]
    request: str | None
    started_at: datetime
    seen_at: datetime
    details: dict[str, Any]
    requested_at: datetime | None
    requested_by: str | None


class Purged(NamedTuple):
    """What one call of purge() has removed, and whether to call it again."""

    purged: int
    has_more: bool


def install_pg_cron() -> Call[str]:
    """Have pg_cron call tick() in this database; return its job."""
    return value("install_pg_cron")


def uninstall_pg_cron() -> Call[bool]:
    """Undo install_pg_cron(); return whether there was such a job."""
    return value("uninstall_pg_cron")


def tick(purge: bool = True) -> Call[dict[str, Any]]:
    """Promote due messages, recover ended leases, purge by retention; return what was done.

    With `purge` False nothing is removed: where "purge_due" is true, call purge().
    """
    return value("tick", purge=purge)


def purge(at_most: int | None = None) -> Call[Purged]:
    """Remove what was kept for long enough, at most so many rows of each kind."""
    return row(Purged, "purge", at_most=at_most)


def heartbeat(
    worker: str,
    queues: Sequence[str],
    details: Mapping[str, Any] | None = None,
    work: Sequence[Mapping[str, Any]] | None = None,
) -> Call[str | None]:
    """Say that a worker is alive, every 5 seconds; return what is asked of it: stop or pause.

    `work` is what its handlers did since it last told so, for type_figures().
    """
    return value("heartbeat", **jsonb(locals() | {"queues": list(queues)}, "details", "work"))


def stop_worker(worker: str) -> Call[None]:
    """Say that a worker is gone."""
    return nothing("stop_worker", worker=worker)


def worker_activity() -> Call[list[WorkerActivity]]:
    """Return the workers that are alive and what each does now."""
    return rows(WorkerActivity, "worker_activity")


def request_workers(
    command: str, workers: Sequence[str] | None = None, queue_name: str | None = None
) -> Call[list[str]]:
    """Ask workers, all by default, to stop, pause or resume; return those that were asked.

    Raises UnknownWorker if one of them does not exist.
    """
    return values("request_workers", **locals() | {"workers": as_list(workers)})


def idle(worker: str, queues: Sequence[str]) -> Call[bool]:
    """Say that a worker sleeps and wants a NOTIFY; return whether it is safe to sleep yet."""
    return value("idle", worker=worker, queues=list(queues))


def busy(worker: str) -> Call[None]:
    """Say that a worker no longer sleeps."""
    return nothing("busy", worker=worker)
