"""Failed messages: look, retry, remove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..call import Call, as_list, jsonb, procedure, rows


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
    """Failed messages of one queue, one type and one class of error.

    With "messages" in `at_least` there may be more of them, and other groups.
    """

    queue_name: str
    message_type: str
    error_class: str | None
    messages: int
    oldest_at: datetime
    newest_at: datetime
    example_id: int
    example_error: str
    at_least: list[str]


class ErrorGroup(NamedTuple):
    """Attempts that failed lately, of one queue, one type and one class of error."""

    queue_name: str
    message_type: str
    error_class: str | None
    attempts: int
    retried: int
    failed: int
    newest_at: datetime
    next_at: datetime | None
    example_id: int
    example_error: str
    at_least: list[str]


class Outcome(NamedTuple):
    """What became of one failed message, or, without an id, of how many."""

    message_id: int | None
    outcome: str
    messages: int


def recent_errors(
    since: datetime | None = None,
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    at_most: int | None = None,
) -> Call[list[ErrorGroup]]:
    """Count the attempts that failed in the last 10 minutes, or since then, by class of error."""
    return rows(ErrorGroup, "recent_errors", **locals())


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
    return rows(FailedMessage, "failed_messages", **locals())


def failed_stats(
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    at_most: int | None = None,
) -> Call[list[FailedGroup]]:
    """Return the failed messages in groups, the largest first; `at_most` of them are read."""
    return rows(FailedGroup, "failed_stats", **locals())


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
    up_to_id: int | None = None,
) -> Call[list[Outcome]]:
    """Bring failed messages back, by id, by filter, or all; return what became of each id.

    With a filter there is one outcome, and its `messages` says how many; if that is at_most, call
    again.
    """
    given = locals() | {"message_ids": as_list(message_ids)}
    return rows(Outcome, "retry_failed", **jsonb(given, "body"))


def retry_many_failed(
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    per_second: float | None = None,
    everything: bool = False,
    at_most: int | None = None,
    chunk: int | None = None,
    actor: str | None = None,
) -> Call[int]:
    """Bring any number of failed messages back, by filter, or all; return how many they were.

    Each chunk is committed, so the connection must be in autocommit mode. What fails again
    meanwhile is left as it is.
    """
    return procedure("retry_many_failed", **locals())


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
    up_to_id: int | None = None,
) -> Call[list[Outcome]]:
    """Remove failed messages, by id, by filter, or all; return what became of each id.

    With a filter there is one outcome, and its `messages` says how many; if that is at_most, call
    again.
    """
    return rows(Outcome, "remove_failed", **locals() | {"message_ids": as_list(message_ids)})


def remove_many_failed(
    queue_name: str | None = None,
    message_type: str | None = None,
    error_class: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search: str | None = None,
    everything: bool = False,
    at_most: int | None = None,
    chunk: int | None = None,
    actor: str | None = None,
) -> Call[int]:
    """Remove any number of failed messages, by filter, or all; return how many they were.

    Each chunk is committed, so the connection must be in autocommit mode. What fails meanwhile is
    left as it is.
    """
    return procedure("remove_many_failed", **locals())
