"""The SQL functions, each once: its arguments, its answer, and what it promises.

Every function here takes the arguments of the SQL function of the same name and returns a `Call`,
which `Client` and `AsyncClient` execute. An argument that is None is left to the SQL default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from psycopg.types.json import Jsonb

from .limits import RawJson

__all__ = [
    "BrokenInvariant",
    "Call",
    "ClaimedMessage",
    "ClockChange",
    "Delivery",
    "Difference",
    "Event",
    "FailedGroup",
    "FailedMessage",
    "MessageStatus",
    "Nacked",
    "Outcome",
    "PatternPolicy",
    "QueueStats",
    "Rebased",
    "RetrySetting",
    "Route",
    "ScheduleDiff",
    "ScheduleRun",
    "ScheduleStatus",
    "TransportStatus",
    "UpcomingRun",
    "WorkerActivity",
]

T = TypeVar("T")
Row = TypeVar("Row", bound="tuple[Any, ...]")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call of one SQL function, and how to read its rows."""

    statement: bytes
    arguments: Mapping[str, Any]
    read: Callable[[Sequence[tuple[Any, ...]]], T]


class ClaimedMessage(NamedTuple):
    """A message in the hands of a worker."""

    claim_id: int
    message_id: int
    queue_name: str
    message_type: str
    body: Any
    headers: Any
    priority: int
    attempt: int
    max_attempts: int
    group_key: str | None
    enqueued_at: datetime
    lease_until: datetime
    alone: bool = False  # it may have taken a worker down: hold nothing beside it


class Nacked(NamedTuple):
    """What becomes of a message: 'retry' or 'snoozed', and then available_at, or 'failed'."""

    outcome: str
    available_at: datetime | None
    last_error: str | None  # the text without secrets


class MessageStatus(NamedTuple):
    """Where a message is, and what happened to it."""

    message_id: int
    queue_name: str
    message_type: str
    status: str
    attempt: int
    max_attempts: int
    priority: int
    enqueued_at: datetime
    available_at: datetime | None
    claimed_at: datetime | None
    finished_at: datetime | None
    failed_at: datetime | None
    worker: str | None
    claim_id: int | None
    last_error: str | None
    body: Any
    headers: Any


class Event(NamedTuple):
    """An attempt that failed ('retry' or 'failed'), or that the message was 'replayed'."""

    event: str
    replay: int
    attempt: int | None
    started_at: datetime | None
    ended_at: datetime
    worker: str | None
    error_class: str | None
    error: str | None
    traceback: str | None
    replayed_by: str | None
    old_body: Any


class FailedMessage(NamedTuple):
    """A message that failed for good."""

    message_id: int
    queue_name: str
    priority: int
    message_type: str
    reason: str
    attempt: int
    replays: int
    failed_at: datetime
    error_class: str | None
    last_error: str
    worker: str | None
    enqueued_at: datetime
    group_key: str | None
    body: Any
    headers: Any


class FailedGroup(NamedTuple):
    """Failed messages of one queue, one type and one class of error."""

    queue_name: str
    message_type: str
    error_class: str | None
    messages: int
    oldest_at: datetime
    newest_at: datetime
    example_id: int
    example_error: str


class Outcome(NamedTuple):
    """What became of one failed message, or, without an id, of how many."""

    message_id: int | None
    outcome: str
    messages: int


class QueueStats(NamedTuple):
    """A queue in numbers."""

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


class ScheduleStatus(NamedTuple):
    """A schedule: what it enqueues and when, and what it did last."""

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
    created. changes holds [in the database, declared] for each setting that differs.
    """

    schedule_name: str
    outcome: str
    changes: dict[str, list[Any]]
    enabled: bool
    last_error: str | None
    next_run_at: datetime | None


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


class Rebased(NamedTuple):
    """What rebase() had to do. Unless it was needed, the numbers are None."""

    needed: bool
    moved_by: int | None
    messages: int | None
    enqueued_here: int | None


class Delivery(NamedTuple):
    """One of the places that a message of a type goes to."""

    delivery: int
    pattern: str | None
    transport_name: str | None
    transport_type: str
    queue_name: str | None
    priority: int | None
    handler_name: str | None
    enabled: bool


class RetrySetting(NamedTuple):
    """A retry setting and the level that says so: call, type, queue or default."""

    setting: str
    value: str
    level: str
    source: str | None


class TransportStatus(NamedTuple):
    """A transport, and the patterns whose routes lead to it."""

    transport_name: str
    transport_type: str
    queue_name: str | None
    priority: int | None
    enabled: bool
    patterns: list[str]
    config: dict[str, Any]
    updated_at: datetime


class Route(NamedTuple):
    """Where a pattern of message types leads."""

    pattern: str
    transport_name: str
    handler_name: str | None
    transport_type: str
    queue_name: str | None
    priority: int | None
    enabled: bool


class PatternPolicy(NamedTuple):
    """How messages of a pattern are retried; None: the queue says, or else the pattern *."""

    pattern: str
    max_attempts: int | None
    delay: timedelta | None
    multiplier: float | None
    max_delay: timedelta | None
    jitter: float | None
    permanent_errors: list[str]
    transient_errors: list[str]
    retry_after_errors: dict[str, Any]
    snooze_errors: dict[str, Any]


class Difference(NamedTuple):
    """What apply_config() changes: 'create', 'change' or 'remove'."""

    kind: str
    name: str
    change: str
    old: Any
    new: Any


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


class BrokenInvariant(NamedTuple):
    """Something that must always be true and is not."""

    invariant: str
    detail: str


def _call(
    function: str,
    arguments: Mapping[str, Any],
    read: Callable[[Sequence[tuple[Any, ...]]], T],
    columns: Sequence[str] = (),
) -> Call[T]:
    given = {name: value for name, value in arguments.items() if value is not None}
    call = f"symphony.{function}({', '.join(f'{name} => %({name})s' for name in given)})"
    statement = f"select {', '.join(columns)} from {call}" if columns else f"select {call}"  # noqa: S608
    return Call(statement.encode(), given, read)


def _value(function: str, **arguments: Any) -> Call[Any]:
    """Describe the call of a function that returns one value."""
    return _call(function, arguments, lambda rows: rows[0][0])


def _values(function: str, **arguments: Any) -> Call[list[Any]]:
    """Describe the call of a function that returns a set of values."""
    return _call(function, arguments, lambda rows: [row[0] for row in rows])


def _rows(kind: type[Row], function: str, **arguments: Any) -> Call[list[Row]]:
    """Describe the call of a function that returns a table: the fields of `kind`."""
    make: Callable[[tuple[Any, ...]], Row] = kind._make  # type: ignore[attr-defined]
    columns: Sequence[str] = kind._fields  # type: ignore[attr-defined]
    return _call(function, arguments, lambda rows: list(map(make, rows)), columns)


def _nothing(function: str, **arguments: Any) -> Call[None]:
    """Describe the call of a function that returns nothing."""
    return _call(function, arguments, lambda _: None)


# Messages


def enqueue(
    message_type: str,
    body: Any = None,
    queue_name: str | None = None,
    priority: int | None = None,
    delay: timedelta | None = None,
    available_at: datetime | None = None,
    idempotency_key: str | None = None,
    group_key: str | None = None,
    headers: Mapping[str, Any] | None = None,
    retry: Mapping[str, Any] | None = None,
) -> Call[int]:
    """Put a message into a queue, or where its type is routed; return its id.

    With an idempotency key that is in use, nothing is enqueued and the id is the first message's.
    With several routes or handlers there are several messages, and the id is that of the first.
    """
    return _value(
        "enqueue",
        message_type=message_type,
        body=_json(body),
        queue_name=queue_name,
        priority=priority,
        delay=delay,
        available_at=available_at,
        idempotency_key=idempotency_key,
        group_key=group_key,
        headers=_json(headers),
        retry=_json(retry),
    )


def enqueue_batch(messages: Sequence[Mapping[str, Any]]) -> Call[list[int]]:
    """Enqueue objects whose keys are the arguments of enqueue(); return the ids in order."""
    return _values("enqueue_batch", messages=_json(messages))


def claim_batch(
    queues: Sequence[str] = ("default",),
    batch_size: int = 10,
    worker: str | None = None,
    lease: timedelta | None = None,
) -> Call[list[ClaimedMessage]]:
    """Take the next messages of the first of these queues that has any.

    All of them carry one claim_id. There may be more than were returned; none means nothing now.
    """
    return _rows(
        ClaimedMessage,
        "claim_batch",
        queues=list(queues),
        batch_size=batch_size,
        worker=worker,
        lease=lease,
    )


def ack(claim_id: int, message_ids: Sequence[int] | None = None) -> Call[int]:
    """Settle messages of a claim, all that is left by default; return how many.

    Raises LeaseLost if the claim is no longer held or one of them is already settled.
    """
    return _value("ack", claim_id=claim_id, message_ids=_ids(message_ids))


def nack_with_backoff(
    claim_id: int,
    message_id: int,
    error: str,
    error_class: str | None = None,
    retryable: bool | None = None,
    retry_after: timedelta | None = None,
    traceback: str | None = None,
    error_bases: Sequence[str] | None = None,
) -> Call[Nacked]:
    """Report that a message failed: it is retried later, or has failed for good.

    Without retryable and retry_after, the retry policies say which, by the class of the error and
    those it derives from.

    Raises LeaseLost if the claim is no longer held or the message is already settled.
    """
    return _call(
        "nack_with_backoff",
        {
            "claim_id": claim_id,
            "message_id": message_id,
            "error": error,
            "error_class": error_class,
            "retryable": retryable,
            "retry_after": retry_after,
            "traceback": traceback,
            "error_bases": None if error_bases is None else list(error_bases),
        },
        lambda rows: Nacked._make(rows[0]),
        Nacked._fields,
    )


def snooze(
    claim_id: int,
    message_id: int,
    delay: timedelta | None = None,
    until: datetime | None = None,
    reason: str | None = None,
) -> Call[Nacked]:
    """Put a message off without using an attempt; it fails when that went on for too long.

    Raises LeaseLost if the claim is no longer held or the message is already settled.
    """
    return _call(
        "snooze",
        {
            "claim_id": claim_id,
            "message_id": message_id,
            "delay": delay,
            "until": until,
            "reason": reason,
        },
        lambda rows: Nacked._make(rows[0]),
        Nacked._fields,
    )


def extend_lease(claim_ids: Sequence[int], lease: timedelta | None = None) -> Call[list[int]]:
    """Renew the leases of claims; return those that are still held."""
    return _values("extend_lease", claim_ids=list(claim_ids), lease=lease)


def release(claim_id: int, message_ids: Sequence[int] | None = None) -> Call[int]:
    """Give back messages that were not started, using no attempt; return how many.

    Raises LeaseLost if the claim is no longer held or one of them is already settled.
    """
    return _value("release", claim_id=claim_id, message_ids=_ids(message_ids))


def cancel(message_id: int) -> Call[bool]:
    """Remove a message that has not started, and free its key; return false if it is too late."""
    return _value("cancel", message_id=message_id)


def message_status(message_id: int) -> Call[MessageStatus | None]:
    """Return where a message is and what happened to it; None if there is no such message."""
    return _call(
        "message_status",
        {"message_id": message_id},
        lambda rows: MessageStatus._make(rows[0]) if rows else None,
        MessageStatus._fields,
    )


def why_not_running(message_id: int) -> Call[str]:
    """Say in one sentence why a message is not being worked on."""
    return _value("why_not_running", message_id=message_id)


def message_history(message_id: int) -> Call[list[Event]]:
    """Return the attempts of a message that failed, and its replays, in order."""
    return _rows(Event, "message_history", message_id=message_id)


# Failed messages


def failed_messages(
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    before_at: datetime | None = None,
    before_id: int | None = None,
    at_most: int = 50,
) -> Call[list[FailedMessage]]:
    """Return a page of the failed messages, newest first; before_ is the last row before it."""
    return _rows(FailedMessage, "failed_messages", **locals())


def failed_stats(
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
) -> Call[list[FailedGroup]]:
    """Return the failed messages in groups, the largest first."""
    return _rows(FailedGroup, "failed_stats", **locals())


def retry_failed(
    message_ids: Sequence[int] | None = None,
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    body: Any = None,
    per_second: float | None = None,
    dry_run: bool = False,
    everything: bool = False,
    at_most: int = 10000,
) -> Call[list[Outcome]]:
    """Bring failed messages back, by id, by filter, or all; return what became of each id.

    With a filter there is one outcome, and its `messages` says how many; if that is at_most, call
    again.
    """
    given = locals() | {"message_ids": _ids(message_ids), "body": _json(body)}
    return _rows(Outcome, "retry_failed", **given)


def remove_failed(
    message_ids: Sequence[int] | None = None,
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    dry_run: bool = False,
    everything: bool = False,
    at_most: int = 10000,
) -> Call[list[Outcome]]:
    """Remove failed messages, by id, by filter, or all; return what became of each id.

    With a filter there is one outcome, and its `messages` says how many; if that is at_most, call
    again.
    """
    return _rows(Outcome, "remove_failed", **locals() | {"message_ids": _ids(message_ids)})


# Queues


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
) -> Call[bool]:
    """Create a queue, or apply the given settings to it; return whether it was created."""
    return _value("create_queue", **locals())


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
) -> Call[None]:
    """Change the given settings of a queue."""
    return _nothing("configure_queue", **locals())


def pause_queue(queue_name: str) -> Call[bool]:
    """Stop handing out messages of a queue; return false if it was paused already."""
    return _value("pause_queue", queue_name=queue_name)


def resume_queue(queue_name: str) -> Call[bool]:
    """Hand out messages of a queue again; return false if it was not paused."""
    return _value("resume_queue", queue_name=queue_name)


def drop_queue(queue_name: str, force: bool = False) -> Call[bool]:
    """Remove a queue, with force even one that holds messages; return whether it existed."""
    return _value("drop_queue", queue_name=queue_name, force=force)


def purge_queue(queue_name: str) -> Call[None]:
    """Remove every pending message of a queue, and free their idempotency keys."""
    return _nothing("purge_queue", queue_name=queue_name)


def queue_stats(queue_name: str | None = None) -> Call[list[QueueStats]]:
    """Return the numbers of one queue, or of all."""
    return _rows(QueueStats, "queue_stats", queue_name=queue_name)


# Schedules


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
) -> Call[datetime | None]:
    """Create a schedule, or replace the one of that name; return when it runs next.

    The type and its configuration: cron {"expression": "0 9 * * mon-fri"}, interval
    {"every": "15 minutes"}, once {"at": "2027-01-01 09:00+01"}.
    """
    return _value(
        "create_schedule",
        schedule_name=schedule_name,
        message_type=message_type,
        schedule_type=schedule_type,
        schedule_config=_json(schedule_config),
        body=_json(body),
        queue_name=queue_name,
        priority=priority,
        headers=_json(headers),
        timezone=timezone,
        starts_at=starts_at,
        ends_at=ends_at,
        max_runs=max_runs,
        jitter=jitter,
        catch_up=catch_up,
        catch_up_limit=catch_up_limit,
        overlap=overlap,
    )


def pause_schedule(schedule_name: str) -> Call[bool]:
    """Stop a schedule until it is resumed; return false if it was paused already."""
    return _value("pause_schedule", schedule_name=schedule_name)


def resume_schedule(schedule_name: str) -> Call[datetime | None]:
    """Let a paused or broken schedule run again, from its next time on; return that time."""
    return _value("resume_schedule", schedule_name=schedule_name)


def remove_schedule(schedule_name: str) -> Call[bool]:
    """Remove a schedule and its history; return whether it existed."""
    return _value("remove_schedule", schedule_name=schedule_name)


def run_schedule_now(schedule_name: str) -> Call[int]:
    """Enqueue the message of a schedule now, beside its times; return the message's id."""
    return _value("run_schedule_now", schedule_name=schedule_name)


def schedule_status(schedule_name: str | None = None) -> Call[list[ScheduleStatus]]:
    """Return one schedule, or all of them by name."""
    return _rows(ScheduleStatus, "schedule_status", schedule_name=schedule_name)


def schedule_runs(schedule_name: str, n: int | None = None) -> Call[list[ScheduleRun]]:
    """Return the last runs of a schedule, the newest first; 10 by default."""
    return _rows(ScheduleRun, "schedule_runs", schedule_name=schedule_name, n=n)


def schedule_preview(
    schedule: str,
    n: int | None = None,
    timezone: str | None = None,
    after: datetime | None = None,
) -> Call[list[UpcomingRun]]:
    """Return the coming runs of a schedule, or of a cron expression; 5 by default."""
    return _rows(
        UpcomingRun, "schedule_preview", schedule=schedule, n=n, timezone=timezone, after=after
    )


def schedule_diff(
    managed_by: str, schedules: Sequence[Mapping[str, Any]]
) -> Call[list[ScheduleDiff]]:
    """Return what sync_schedules() would do."""
    return _rows(ScheduleDiff, "schedule_diff", managed_by=managed_by, schedules=_json(schedules))


def sync_schedules(
    managed_by: str, schedules: Sequence[Mapping[str, Any]], take_over: bool | None = None
) -> Call[list[ScheduleDiff]]:
    """Create and change the schedules that an application declares; return what was done.

    The keys of a schedule are the arguments of create_schedule(). Raises ScheduleTaken if one
    belongs to another application or was made by hand, unless it is to be taken over.
    """
    return _rows(
        ScheduleDiff,
        "sync_schedules",
        managed_by=managed_by,
        schedules=_json(schedules),
        take_over=take_over,
    )


def tick_schedules() -> Call[int]:
    """Enqueue the messages of the schedules that are due; return how many. tick() does it."""
    return _value("tick_schedules")


def cron_next(
    expression: str, after: datetime, timezone: str | None = None, hash_key: str | None = None
) -> Call[datetime]:
    """Return when a cron expression runs next."""
    return _value(
        "cron_next", expression=expression, after=after, timezone=timezone, hash_key=hash_key
    )


def cron_upcoming(
    expression: str,
    n: int | None = None,
    after: datetime | None = None,
    timezone: str | None = None,
    hash_key: str | None = None,
) -> Call[list[datetime]]:
    """Return the coming runs of a cron expression; 5 by default."""
    return _values(
        "cron_upcoming",
        expression=expression,
        n=n,
        after=after,
        timezone=timezone,
        hash_key=hash_key,
    )


def clock_changes(timezone: str, after: datetime, until: datetime) -> Call[list[ClockChange]]:
    """Return when the clocks of a zone are put forward or back."""
    return _rows(ClockChange, "clock_changes", timezone=timezone, after=after, until=until)


def install_pg_cron() -> Call[str]:
    """Have pg_cron call tick() in this database; return its job."""
    return _value("install_pg_cron")


def uninstall_pg_cron() -> Call[bool]:
    """Undo install_pg_cron(); return whether there was such a job."""
    return _value("uninstall_pg_cron")


# Routing


def create_transport(
    transport_name: str,
    transport_type: str | None = None,
    queue_name: str | None = None,
    priority: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> Call[bool]:
    """Create a transport, or change it to these properties; return whether it was created."""
    return _value(
        "create_transport",
        transport_name=transport_name,
        transport_type=transport_type,
        queue_name=queue_name,
        priority=priority,
        config=_json(config),
    )


def enable_transport(transport_name: str) -> Call[bool]:
    """Hand out the messages of a transport again; return false if it was enabled already."""
    return _value("enable_transport", transport_name=transport_name)


def disable_transport(transport_name: str) -> Call[bool]:
    """Hold the messages of a transport; return false if it was disabled already."""
    return _value("disable_transport", transport_name=transport_name)


def remove_transport(transport_name: str) -> Call[bool]:
    """Remove a transport that no route leads to; return whether it existed."""
    return _value("remove_transport", transport_name=transport_name)


def set_routes(pattern: str, routes: Sequence[str | Mapping[str, str]]) -> Call[int]:
    """Route a type, or a group such as orders.*, to these transports; none removes its routes."""
    return _value("set_routes", pattern=pattern, routes=Jsonb(list(routes)))


def route_of(message_type: str) -> Call[list[Delivery]]:
    """Return where a message of this type goes if it is not given a queue."""
    return _rows(Delivery, "route_of", message_type=message_type)


def sync_handlers(message_type: str, handler_names: Sequence[str]) -> Call[list[str]]:
    """Declare the handlers of a type, each of which gets a delivery; return those that were new."""
    return _values("sync_handlers", message_type=message_type, handler_names=list(handler_names))


def remove_handler(message_type: str, handler_name: str) -> Call[bool]:
    """Make no more deliveries for a handler; return whether it was declared."""
    return _value("remove_handler", message_type=message_type, handler_name=handler_name)


def set_retry_policy(
    pattern: str,
    max_attempts: int | None = None,
    delay: timedelta | None = None,
    multiplier: float | None = None,
    max_delay: timedelta | None = None,
    jitter: float | None = None,
    permanent_errors: Sequence[str] | None = None,
    transient_errors: Sequence[str] | None = None,
    retry_after_errors: Mapping[str, Any] | None = None,
    snooze_errors: Mapping[str, Any] | None = None,
) -> Call[None]:
    """Say how messages of a type, of a group, or of all (*) are retried.

    Classes of errors are names; waits by class are texts such as "1 minute", or seconds.
    """
    waits = {"retry_after_errors": _json(retry_after_errors), "snooze_errors": _json(snooze_errors)}
    return _nothing(
        "set_retry_policy",
        pattern=pattern,
        max_attempts=max_attempts,
        delay=delay,
        multiplier=multiplier,
        max_delay=max_delay,
        jitter=jitter,
        permanent_errors=permanent_errors,
        transient_errors=transient_errors,
        **waits,
    )


def remove_retry_policy(pattern: str | None = None, queue_name: str | None = None) -> Call[bool]:
    """Let the next level say how messages of a type, or of a queue, are retried."""
    return _value("remove_retry_policy", pattern=pattern, queue_name=queue_name)


def retry_policy_of(
    message_type: str, queue_name: str | None = None, retry: Mapping[str, Any] | None = None
) -> Call[list[RetrySetting]]:
    """Return how a message is retried, and which level says so."""
    return _rows(
        RetrySetting,
        "retry_policy_of",
        message_type=message_type,
        queue_name=queue_name,
        retry=_json(retry),
    )


def list_transports() -> Call[list[TransportStatus]]:
    """Return the transports, by name."""
    return _rows(TransportStatus, "list_transports")


def list_routes() -> Call[list[Route]]:
    """Return the routes, by pattern, * last."""
    return _rows(Route, "list_routes")


def list_retry_policies() -> Call[list[PatternPolicy]]:
    """Return the retry policies of message types and groups, and * last, the default."""
    return _rows(PatternPolicy, "list_retry_policies")


def apply_config(config: Mapping[str, Any], dry_run: bool = False) -> Call[list[Difference]]:
    """Bring queues, transports, routes and policies to this state; return the differences."""
    return _rows(Difference, "apply_config", config=_json(config), dry_run=dry_run)


# Workers


def tick() -> Call[dict[str, Any]]:
    """Promote due messages, recover ended leases, purge by retention; return what was done."""
    return _value("tick")


def heartbeat(
    worker: str, queues: Sequence[str], details: Mapping[str, Any] | None = None
) -> Call[str | None]:
    """Say that a worker is alive, every 5 seconds; return what is asked of it: stop or pause."""
    return _value("heartbeat", worker=worker, queues=list(queues), details=_json(details))


def stop_worker(worker: str) -> Call[None]:
    """Say that a worker is gone."""
    return _nothing("stop_worker", worker=worker)


def list_queues() -> Call[list[str]]:
    """Return all queues in the order in which a worker of all of them should claim."""
    return _values("list_queues")


def worker_activity() -> Call[list[WorkerActivity]]:
    """Return the workers that are alive and what each does now."""
    return _rows(WorkerActivity, "worker_activity")


def request_workers(
    command: str, workers: Sequence[str] | None = None, queue_name: str | None = None
) -> Call[list[str]]:
    """Ask workers, all by default, to stop, pause or resume; return those that were asked.

    Raises UnknownWorker if one of them does not exist.
    """
    return _values(
        "request_workers",
        command=command,
        workers=None if workers is None else list(workers),
        queue_name=queue_name,
    )


def idle(worker: str, queues: Sequence[str]) -> Call[bool]:
    """Say that a worker sleeps and wants a NOTIFY; return whether it is safe to sleep yet."""
    return _value("idle", worker=worker, queues=list(queues))


def busy(worker: str) -> Call[None]:
    """Say that a worker no longer sleeps."""
    return _nothing("busy", worker=worker)


# The installation


def grant_access(role_name: str, access: str) -> Call[None]:
    """Let a role act as producer, consumer, operator or observer."""
    return _nothing("grant_access", role_name=role_name, access=access)


def revoke_access(role_name: str, access: str) -> Call[None]:
    """Take an access back from a role."""
    return _nothing("revoke_access", role_name=role_name, access=access)


def rebase() -> Call[Rebased]:
    """Make the positions this server's, after a dump or logical replication brought them here."""
    return _call("rebase", {}, lambda rows: Rebased(*rows[0]), Rebased._fields)


def check() -> Call[list[BrokenInvariant]]:
    """Return the invariants that do not hold; none is good."""
    return _rows(BrokenInvariant, "check")


def version() -> Call[str]:
    """Return the version of the schema that is installed."""
    return _value("version")


def _json(value: Any) -> Jsonb | None:
    if isinstance(value, RawJson):
        return Jsonb(value, dumps=str)
    return None if value is None else Jsonb(value)


def _ids(message_ids: Sequence[int] | None) -> list[int] | None:
    return None if message_ids is None else list(message_ids)
