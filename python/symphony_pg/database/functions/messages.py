"""Messages: enqueue, claim, settle, look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..call import Call, as_list, as_objects, call, jsonb, nothing, row, rows, value, values

LONGEST_ID = 2**63 - 1
# Those of message_status() and list_messages().
STATES = (
    *("pending", "waiting", "delayed", "processing"),
    *("completed", "forwarded", "failed", "removed"),
)
TIMES_OF_A_MESSAGE = ("available_at", "delay", "expires_in", "expires_at", "idempotency_window")


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
    has_more: bool = False  # others could be handed out when it was claimed
    ordered: bool = False  # work on those of the claim with the same group_key one after the other
    next_at: datetime | None = None  # when a rate of the queue allows more


class Nacked(NamedTuple):
    """What becomes of a message: 'retry' or 'snoozed', and then available_at, or 'failed'."""

    outcome: str
    available_at: datetime | None
    last_error: str | None  # the text without secrets
    returned: list[int]  # what follows it in an ordered queue, and was given back, too


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
    expires_at: datetime | None
    group_key: str | None


class ListedMessage(NamedTuple):
    """A message in a list: where it is, without its body."""

    message_id: int | None
    queue: str | None
    type: str | None
    status: str | None
    attempt: int | None
    max_attempts: int | None
    priority: int | None
    enqueued_at: datetime | None
    available_at: datetime | None
    worker: str | None
    last_error: str | None
    group_of: str | None
    correlation: str | None
    more_before: int | None


class HistoryEntry(NamedTuple):
    """An attempt that failed ('retry' or 'failed'), or that it has 'expired' or was 'replayed'."""

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
    expires_in: timedelta | None = None,
    expires_at: datetime | None = None,
    on_expiry: str | None = None,
    on_duplicate: str | None = None,
    idempotency_window: timedelta | None = None,
) -> Call[int]:
    """Put a message into a queue, or where its type is routed; return its id.

    With an idempotency key that is in use, nothing is enqueued and the id is the first message's;
    on_duplicate="replace" gives that one this content and time, if it still waits for its time.
    What is not started by its expiry fails, or is dropped.
    With several routes or handlers there are several messages, and the id is that of the first.
    """
    return value("enqueue", **jsonb(locals(), "body", "headers", "retry"))


def enqueue_batch(messages: Sequence[Mapping[str, Any]]) -> Call[list[int]]:
    """Enqueue objects whose keys are the arguments of enqueue(); return the ids in order."""
    return values("enqueue_batch", messages=as_objects(messages, *TIMES_OF_A_MESSAGE))


def reserve_message_ids(how_many: int) -> Call[list[int]]:
    """Draw ids for messages that are sent to a broker directly."""
    return values("reserve_message_ids", how_many=how_many)


def claim_batch(
    queues: Sequence[str] = ("default",),
    batch_size: int = 10,
    worker: str | None = None,
    lease: timedelta | None = None,
    asynchronous: bool | None = None,
    slots: int | None = None,
) -> Call[list[ClaimedMessage]]:
    """Take the next messages of the first of these queues that has any.

    All of them carry one claim_id. There may be more than were returned; none means nothing now.
    If asynchronous, the transaction does not wait for the disk, and a crash may forget the claim.
    Of a queue with a limit of concurrency it takes no more than there are free slots.
    """
    return rows(ClaimedMessage, "claim_batch", **locals() | {"queues": list(queues)})


def ack(claim_id: int, message_ids: Sequence[int] | None = None) -> Call[int]:
    """Settle messages of a claim, all that is left by default; return how many.

    Raises LeaseLost if the claim is no longer held or one of them is already settled.
    """
    return value("ack", **locals() | {"message_ids": as_list(message_ids)})


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
    return row(Nacked, "nack_with_backoff", **locals() | {"error_bases": as_list(error_bases)})


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
    return row(Nacked, "snooze", **locals())


def extend_lease(claim_ids: Sequence[int], lease: timedelta | None = None) -> Call[list[int]]:
    """Renew the leases of claims; return those that are still held."""
    return values("extend_lease", **locals() | {"claim_ids": list(claim_ids)})


def release(claim_id: int, message_ids: Sequence[int] | None = None) -> Call[int]:
    """Give back messages that were not started, using no attempt; return how many.

    Raises LeaseLost if the claim is no longer held or one of them is already settled.
    """
    return value("release", **locals() | {"message_ids": as_list(message_ids)})


def release_unheard(worker: str, after: int, received: int | None = None) -> Call[int]:
    """Give back what a worker has claimed without getting an answer; return how many messages.

    That is all it has claimed after one claim, but for the one that it has received since. No other
    worker may have its name.
    """
    return value("release_unheard", **locals())


def cancel(message_id: int) -> Call[bool]:
    """Remove a message that has not started, and free its key; return false if it is too late."""
    return value("cancel", message_id=message_id)


def run_message_now(message_id: int) -> Call[None]:
    """Let a message that waits for its time run now; raise WrongState if it does not wait."""
    return nothing("run_message_now", message_id=message_id)


def message_status(message_id: int) -> Call[MessageStatus | None]:
    """Return where a message is and what happened to it; None if there is no such message."""
    return call(
        "message_status",
        {"message_id": message_id},
        lambda rows: MessageStatus._make(rows[0]) if rows else None,
        MessageStatus._fields,
    )


def list_messages(
    state: str | None = None,
    queue_name: str | None = None,
    message_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    idempotency_key: str | None = None,
    group_key: str | None = None,
    correlation_id: str | None = None,
    before_id: int | None = None,
    at_most: int = 50,
    look_at: int | None = None,
) -> Call[list[ListedMessage]]:
    """Return messages, newest first, without their bodies.

    One call looks at 10,000 messages, or at `look_at`. If it ended there and not with the last one,
    the last row has nothing but `more_before`, for the next call's `before_id`.
    """
    return rows(ListedMessage, "list_messages", **locals())


def why_not_running(message_id: int) -> Call[str]:
    """Say in one sentence why a message is not being worked on."""
    return value("why_not_running", message_id=message_id)


def message_history(message_id: int) -> Call[list[HistoryEntry]]:
    """Return the attempts of a message that failed, and its replays, in order."""
    return rows(HistoryEntry, "message_history", message_id=message_id)
