"""What brokers hand out and give back, and whether they are reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..call import Call, as_list, jsonb, row, rows, value


class ReturnedDelivery(NamedTuple):
    """What becomes of a delivery: 'retry', 'snoozed' or 'failed', or it was 'known'."""

    outcome: str
    available_at: datetime | None
    last_error: str | None  # the text without secrets


class BrokerStatus(NamedTuple):
    """A transport that leads to a broker: 'up', 'connecting', 'down', 'full' or 'no relay'."""

    transport_name: str
    transport_type: str
    queue_name: str
    enabled: bool
    state: str
    since: datetime | None
    last_error: str | None
    relays: int
    consumers: int
    pending: int
    oldest_pending_age: timedelta | None
    forwarded_last_minute: int


def return_delivery(
    transport_name: str,
    message_key: str,
    message_type: str,
    body: Any,
    headers: Mapping[str, Any] | str | None,
    attempt: int,
    error: str,
    message_id: int | None = None,
    error_class: str | None = None,
    retryable: bool | None = None,
    retry_after: timedelta | None = None,
    traceback: str | None = None,
    error_bases: Sequence[str] | None = None,
    snoozed: bool | None = None,
    group_key: str | None = None,
    priority: int | None = None,
    enqueued_at: datetime | None = None,
    worker: str | None = None,
) -> Call[ReturnedDelivery]:
    """Take back what a broker had handed out and could not be done; then let it forget that."""
    given = locals() | {"error_bases": as_list(error_bases)}
    return row(ReturnedDelivery, "return_delivery", **jsonb(given, "body", "headers"))


def first_receipt(transport_name: str, message_key: str) -> Call[bool]:
    """Note, in the transaction of its effect, that a delivery takes effect; False: it has."""
    return value("first_receipt", **locals())


def transport_status() -> Call[list[BrokerStatus]]:
    """Return the brokers: whether relays reach them, and what waits."""
    return rows(BrokerStatus, "transport_status")
