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

__all__ = [
    "BrokenInvariant",
    "Call",
    "ClaimedMessage",
    "MessageStatus",
    "Nacked",
    "QueueStats",
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


class Nacked(NamedTuple):
    """What becomes of a message that failed: 'retry' at available_at, or 'failed'."""

    outcome: str
    available_at: datetime | None


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
) -> Call[int]:
    """Put a message into a queue; return its id.

    With an idempotency key that is in use, nothing is enqueued and the id is the first message's.
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
    retryable: bool = True,
    retry_after: timedelta | None = None,
) -> Call[Nacked]:
    """Report that a message failed: it is retried later, or dead.

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
    """Remove a message that has not started; return false if it is too late."""
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
    """Remove every pending message of a queue."""
    return _nothing("purge_queue", queue_name=queue_name)


def queue_stats(queue_name: str | None = None) -> Call[list[QueueStats]]:
    """Return the numbers of one queue, or of all."""
    return _rows(QueueStats, "queue_stats", queue_name=queue_name)


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


def check() -> Call[list[BrokenInvariant]]:
    """Return the invariants that do not hold; none is good."""
    return _rows(BrokenInvariant, "check")


def version() -> Call[str]:
    """Return the version of the schema that is installed."""
    return _value("version")


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value)


def _ids(message_ids: Sequence[int] | None) -> list[int] | None:
    return None if message_ids is None else list(message_ids)
