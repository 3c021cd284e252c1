"""Queues: create, configure, pause, empty, count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ..call import Call, as_list, nothing, row, rows, value, values


class PurgePreview(NamedTuple):
    """How many messages a purge would remove, and what it would have seen by then."""

    messages: int
    at_least: bool
    seen: str


class QueueStats(NamedTuple):
    """A queue in numbers; `at_least` names those that may be greater."""

    queue_name: str
    paused: bool
    pending: int
    delayed: int
    processing: int
    failed: int
    oldest_pending_age: timedelta | None
    claimed_last_minute: int
    claimed_last_hour: int
    finished_last_minute: int
    finished_last_hour: int
    retried_last_hour: int
    mean_waiting: timedelta | None
    mean_processing: timedelta | None
    idle_workers: int
    purge_waits_for: str | None
    at_least: list[str]
    waiting: int  # for others of their key
    paused_at: datetime | None
    paused_by: str | None
    failed_last_hour: int
    arrived_last_hour: int
    inflow: float  # messages a minute
    outflow: float
    backlog_lasts: timedelta | None
    why_at_least: str | None


class QueueSetting(NamedTuple):
    """A setting of a queue, as text, and where it comes from."""

    setting: str
    value: str | None
    origin: str | None


class QueueHold(NamedTuple):
    """Something that delays or holds messages of a queue."""

    hold: str
    detail: str


class WaitingType(NamedTuple):
    """A type of messages that wait, and how many do, as far as was looked."""

    message_type: str
    handler_name: str | None
    messages: int


def create_queue(
    queue_name: str,
    max_attempts: int | None = None,
    retry_delay: timedelta | None = None,
    retry_multiplier: float | None = None,
    retry_max_delay: timedelta | None = None,
    retry_jitter: float | None = None,
    lease: timedelta | None = None,
    retention: timedelta | None = None,
    max_body_bytes: int | None = None,
    idempotency_window: timedelta | None = None,
    failed_retention: timedelta | None = None,
    max_snooze: timedelta | None = None,
    ordered: bool | None = None,
    key_concurrency: int | None = None,
    concurrency: int | None = None,
    on_failure: str | None = None,
    rate: str | None = None,
    burst: int | None = None,
    key_rate: str | None = None,
) -> Call[bool]:
    """Create a queue, or apply the given settings to it; return whether it was created."""
    return value("create_queue", **locals())


def configure_queue(
    queue_name: str,
    max_attempts: int | None = None,
    retry_delay: timedelta | None = None,
    retry_multiplier: float | None = None,
    retry_max_delay: timedelta | None = None,
    retry_jitter: float | None = None,
    lease: timedelta | None = None,
    retention: timedelta | None = None,
    max_body_bytes: int | None = None,
    idempotency_window: timedelta | None = None,
    failed_retention: timedelta | None = None,
    max_snooze: timedelta | None = None,
    ordered: bool | None = None,
    key_concurrency: int | None = None,
    concurrency: int | None = None,
    on_failure: str | None = None,
    rate: str | None = None,
    burst: int | None = None,
    key_rate: str | None = None,
) -> Call[None]:
    """Change the given settings of a queue."""
    return nothing("configure_queue", **locals())


def pause_queue(queue_name: str) -> Call[bool]:
    """Stop handing out messages of a queue; return false if it was paused already."""
    return value("pause_queue", queue_name=queue_name)


def resume_queue(queue_name: str) -> Call[bool]:
    """Hand out messages of a queue again; return false if it was not paused."""
    return value("resume_queue", queue_name=queue_name)


def drop_queue(queue_name: str, force: bool = False) -> Call[bool]:
    """Remove a queue, with force even one that holds messages; return whether it existed."""
    return value("drop_queue", queue_name=queue_name, force=force)


def purge_preview(queue_name: str) -> Call[PurgePreview]:
    """Return what purge_queue() would remove now."""
    return row(PurgePreview, "purge_preview", queue_name=queue_name)


def purge_queue(queue_name: str, seen: str | None = None) -> Call[int]:
    """Remove every pending message of a queue, free their idempotency keys; return how many.

    With `seen` of a preview, what came later stays.
    """
    return value("purge_queue", queue_name=queue_name, seen=seen)


def queue_stats(queue_name: str | None = None) -> Call[list[QueueStats]]:
    """Return the numbers of one queue, or of all."""
    return rows(QueueStats, "queue_stats", queue_name=queue_name)


def queue_settings(queue_name: str) -> Call[list[QueueSetting]]:
    """Return the settings of a queue, and where each comes from."""
    return rows(QueueSetting, "queue_settings", queue_name=queue_name)


def queue_holds(queue_name: str) -> Call[list[QueueHold]]:
    """Return what delays or holds messages of a queue now."""
    return rows(QueueHold, "queue_holds", queue_name=queue_name)


def list_queues() -> Call[list[str]]:
    """Return all queues in the order in which a worker of all of them should claim."""
    return values("list_queues")


def waiting_types(queues: Sequence[str] | None = None) -> Call[list[WaitingType]]:
    """Return the types of the messages that come first in these queues, or in all."""
    return rows(WaitingType, "waiting_types", queues=as_list(queues))
