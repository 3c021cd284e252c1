"""Schedules and cron expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..call import Call, as_objects, jsonb, rows, value, values

TIMES_OF_A_SCHEDULE = (
    "starts_at",
    "ends_at",
    "jitter",
    "expires_in",
)


class ScheduleStatus(NamedTuple):
    """A schedule: what it enqueues and when, and what it did last.

    state is on, paused, broken (last_error says why) or done (it will not run again).
    """

    schedule_name: str
    message_type: str
    body: Any
    headers: Any
    queue_name: str
    priority: int | None
    schedule_type: str
    schedule_config: Any
    timezone: str
    starts_at: datetime | None
    ends_at: datetime | None
    max_runs: int | None
    jitter: timedelta
    catch_up: str
    catch_up_limit: int
    overlap: str
    managed_by: str | None
    enabled: bool
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_message_id: int | None
    run_count: int
    last_error: str | None
    created_at: datetime
    updated_at: datetime
    state: str
    paused_at: datetime | None
    paused_by: str | None
    expires_in: timedelta | None
    on_expiry: str | None


class ScheduleRun(NamedTuple):
    """A run of a schedule: its message, or why it was skipped."""

    schedule_name: str
    scheduled_at: datetime
    fired_at: datetime
    message_id: int | None
    skipped: str | None


class ScheduleDiff(NamedTuple):
    """A schedule in the database, against what an application declares.

    outcome is new, changed, unchanged, orphaned or taken; after sync_schedules() new ones are
    created. changes holds [in the database, declared] for each setting that differs. state is None
    while it is new.
    """

    schedule_name: str
    outcome: str
    changes: dict[str, list[Any]]
    enabled: bool
    last_error: str | None
    next_run_at: datetime | None
    state: str | None


class UpcomingRun(NamedTuple):
    """A run to come, on the clocks of the schedule's zone."""

    run_at: datetime
    local_time: datetime
    utc_offset: timedelta
    changes_clock: bool
    zone: str


class ClockChange(NamedTuple):
    """A moment at which the clocks of a zone are changed."""

    changed_at: datetime
    clock_before: datetime
    clock_after: datetime


def create_schedule(
    schedule_name: str,
    message_type: str,
    schedule_type: str,
    schedule_config: Mapping[str, Any],
    body: Any = None,
    queue_name: str | None = None,
    priority: int | None = None,
    headers: Mapping[str, Any] | None = None,
    timezone: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    max_runs: int | None = None,
    jitter: timedelta | None = None,
    catch_up: str | None = None,
    catch_up_limit: int | None = None,
    overlap: str | None = None,
    expires_in: timedelta | None = None,
    on_expiry: str | None = None,
) -> Call[datetime | None]:
    """Create a schedule, or replace the one of that name; return when it runs next.

    The type and its configuration: cron {"expression": "0 9 * * mon-fri"}, interval
    {"every": "15 minutes"}, once {"at": "2027-01-01 09:00+01"}.
    """
    return value("create_schedule", **jsonb(locals(), "schedule_config", "body", "headers"))


def pause_schedule(schedule_name: str) -> Call[bool]:
    """Stop a schedule until it is resumed; return false if it was paused already."""
    return value("pause_schedule", schedule_name=schedule_name)


def resume_schedule(schedule_name: str) -> Call[datetime | None]:
    """Let a paused or broken schedule run again, from its next time on; return that time."""
    return value("resume_schedule", schedule_name=schedule_name)


def remove_schedule(schedule_name: str) -> Call[bool]:
    """Remove a schedule and its history; return whether it existed."""
    return value("remove_schedule", schedule_name=schedule_name)


def run_schedule_now(schedule_name: str) -> Call[int]:
    """Enqueue the message of a schedule now, beside its times; return the message's id."""
    return value("run_schedule_now", schedule_name=schedule_name)


def schedule_status(schedule_name: str | None = None) -> Call[list[ScheduleStatus]]:
    """Return one schedule, or all of them by name."""
    return rows(ScheduleStatus, "schedule_status", schedule_name=schedule_name)


def schedule_runs(schedule_name: str, n: int | None = None) -> Call[list[ScheduleRun]]:
    """Return the last runs of a schedule, the newest first; 10 by default."""
    return rows(ScheduleRun, "schedule_runs", **locals())


def schedule_preview(
    schedule: str,
    n: int | None = None,
    timezone: str | None = None,
    after: datetime | None = None,
) -> Call[list[UpcomingRun]]:
    """Return the coming runs of a schedule, or of a cron expression; 5 by default."""
    return rows(UpcomingRun, "schedule_preview", **locals())


def schedule_diff(
    managed_by: str, schedules: Sequence[Mapping[str, Any]]
) -> Call[list[ScheduleDiff]]:
    """Return what sync_schedules() would do."""
    given = locals() | {"schedules": as_objects(schedules, *TIMES_OF_A_SCHEDULE)}
    return rows(ScheduleDiff, "schedule_diff", **given)


def sync_schedules(
    managed_by: str, schedules: Sequence[Mapping[str, Any]], take_over: bool | None = None
) -> Call[list[ScheduleDiff]]:
    """Create and change the schedules that an application declares; return what was done.

    The keys of a schedule are the arguments of create_schedule(). Raises ScheduleTaken if one
    belongs to another application or was made by hand, unless it is to be taken over.
    """
    given = locals() | {"schedules": as_objects(schedules, *TIMES_OF_A_SCHEDULE)}
    return rows(ScheduleDiff, "sync_schedules", **given)


def tick_schedules() -> Call[int]:
    """Enqueue the messages of the schedules that are due; return how many. tick() does it."""
    return value("tick_schedules")


def cron_next(
    expression: str, after: datetime, timezone: str | None = None, hash_key: str | None = None
) -> Call[datetime]:
    """Return when a cron expression runs next."""
    return value("cron_next", **locals())


def cron_upcoming(
    expression: str,
    n: int | None = None,
    after: datetime | None = None,
    timezone: str | None = None,
    hash_key: str | None = None,
) -> Call[list[datetime]]:
    """Return the coming runs of a cron expression; 5 by default."""
    return values("cron_upcoming", **locals())


def clock_changes(timezone: str, after: datetime, until: datetime) -> Call[list[ClockChange]]:
    """Return when the clocks of a zone are put forward or back."""
    return rows(ClockChange, "clock_changes", **locals())
