"""Transports, routes, handlers and retry policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..call import Call, as_list, jsonb, nothing, rows, value, values


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
    direct: bool
    max_attempts: int | None


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
    disabled_at: datetime | None
    disabled_by: str | None


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


def create_transport(
    transport_name: str,
    transport_type: str | None = None,
    queue_name: str | None = None,
    priority: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> Call[bool]:
    """Create a transport, or change it to these properties; return whether it was created."""
    return value("create_transport", **jsonb(locals(), "config"))


def enable_transport(transport_name: str) -> Call[bool]:
    """Hand out the messages of a transport again; return false if it was enabled already."""
    return value("enable_transport", transport_name=transport_name)


def disable_transport(transport_name: str) -> Call[bool]:
    """Hold the messages of a transport; return false if it was disabled already."""
    return value("disable_transport", transport_name=transport_name)


def remove_transport(transport_name: str) -> Call[bool]:
    """Remove a transport that no route leads to; return whether it existed."""
    return value("remove_transport", transport_name=transport_name)


def set_routes(pattern: str, routes: Sequence[str | Mapping[str, str]]) -> Call[int]:
    """Route a type, or a group such as orders.*, to these transports; none removes its routes."""
    return value("set_routes", **jsonb(locals() | {"routes": list(routes)}, "routes"))


def route_of(message_type: str, transport: str | None = None) -> Call[list[Delivery]]:
    """Return where a message of this type goes if it is given this transport, or no queue."""
    return rows(Delivery, "route_of", **locals())


def sync_handlers(message_type: str, handler_names: Sequence[str]) -> Call[list[str]]:
    """Declare the handlers of a type, each of which gets a delivery; return those that were new."""
    return values("sync_handlers", **locals() | {"handler_names": list(handler_names)})


def remove_handler(message_type: str, handler_name: str) -> Call[bool]:
    """Make no more deliveries for a handler; return whether it was declared."""
    return value("remove_handler", **locals())


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
    given = locals() | {
        "permanent_errors": as_list(permanent_errors),
        "transient_errors": as_list(transient_errors),
    }
    return nothing("set_retry_policy", **jsonb(given, "retry_after_errors", "snooze_errors"))


def remove_retry_policy(pattern: str | None = None, queue_name: str | None = None) -> Call[bool]:
    """Let the next level say how messages of a type, or of a queue, are retried."""
    return value("remove_retry_policy", **locals())


def retry_policy_of(
    message_type: str, queue_name: str | None = None, retry: Mapping[str, Any] | None = None
) -> Call[list[RetrySetting]]:
    """Return how a message is retried, and which level says so."""
    return rows(RetrySetting, "retry_policy_of", **jsonb(locals(), "retry"))


def list_transports() -> Call[list[TransportStatus]]:
    """Return the transports, by name."""
    return rows(TransportStatus, "list_transports")


def list_routes() -> Call[list[Route]]:
    """Return the routes, by pattern, * last."""
    return rows(Route, "list_routes")


def list_retry_policies() -> Call[list[PatternPolicy]]:
    """Return the retry policies of message types and groups, and * last, the default."""
    return rows(PatternPolicy, "list_retry_policies")


def apply_config(config: Mapping[str, Any], dry_run: bool = False) -> Call[list[Difference]]:
    """Bring queues, transports, routes and policies to this state; return the differences."""
    return rows(Difference, "apply_config", **jsonb(locals(), "config"))
