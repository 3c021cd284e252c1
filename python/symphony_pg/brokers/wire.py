"""A message of Symphony on its way through a broker, and one of somebody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..messages.codec import decode_json
from ..messages.fidelity import unstorable
from ..times import parse_datetime
from . import cloudevents
from .broker import Delivery

MOST_IDS = 2**63 - 1
MOST_ATTEMPTS = 32000  # what return_delivery() takes
FOREIGN_ATTEMPTS = 4  # the policy * as it is installed
UNKNOWN_TYPE = "foreign"
LONGEST_KEY = 1000  # bytes; the inbox takes a little more
NUL = "\\u0000"  # as JSON has it; PostgreSQL has no such character


class Packed(NamedTuple):
    """What goes on its way. `beside` are texts only, so that any broker can carry them.

    A message that goes out as a CloudEvent has nothing beside it: all of it is the body.
    """

    body: str
    beside: Mapping[str, str]
    content_type: str


def packed(message: ClaimedMessage, settings: BrokerSettings, origin: str) -> Packed:
    """Return a message in the format of its transport."""
    beside = {
        "id": str(message.message_id),
        "origin": origin,
        "type": message.message_type,
        "attempt": str(message.attempt),
        "max-attempts": str(message.max_attempts),
        "priority": str(message.priority),
        "enqueued-at": message.enqueued_at.astimezone(timezone.utc).isoformat(),
        "headers": message.headers
        if isinstance(message.headers, str)
        else json.dumps(message.headers),
    }
    if message.group_key is not None:
        beside["group-key"] = message.group_key
    if settings.has_events:
        return Packed(cloudevents.text_of(message, beside), {}, cloudevents.CONTENT_TYPE)
    return Packed(message.body, beside, "application/json")


class Received(NamedTuple):
    """What a broker hands out. Without an id in `metadata` somebody else has sent it.

    `headers` are the broker's own, and `broker_id` is what it knows the message by.
    """

    body: bytes
    metadata: Mapping[str, str]
    headers: Mapping[str, Any]
    broker_id: str
    type: str | None
    redelivered: int
    token: Any
    content_type: str | None = None


class _Read(NamedTuple):
    """What is known of a message. Without a `message_id` it is not one of our database."""

    key: str
    message_type: str
    body: str
    headers: str
    message_id: int | None = None
    attempt: int = 1
    max_attempts: int = FOREIGN_ATTEMPTS
    priority: int = 5
    group_key: str | None = None
    enqueued_at: datetime | None = None


def delivery_of(
    received: Received, settings: BrokerSettings, lease: float, origin: str
) -> Delivery:
    """Turn what a broker hands out into what a worker can work on, whatever it is."""
    problem = None
    try:
        read = _read(received, settings, origin)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raw = {"raw": received.body.decode(errors="backslashreplace")}
        read = _plain(received, settings, json.dumps(raw))
    now = datetime.now(timezone.utc)
    is_foreign = read.message_id is None
    key = _storable(read.key)
    if len(key.encode()) > LONGEST_KEY:
        key = _digest(key, 32)
    message = ClaimedMessage(
        claim_id=0,
        message_id=_id_of(key) if read.message_id is None else read.message_id,
        queue_name=settings.outbox,
        message_type=read.message_type,
        body=read.body,
        headers=read.headers,
        priority=read.priority,
        attempt=min(read.attempt + received.redelivered, MOST_ATTEMPTS),
        max_attempts=read.max_attempts,
        group_key=read.group_key,
        enqueued_at=read.enqueued_at or now,
        lease_until=now + timedelta(seconds=lease),
    )
    return Delivery(message, key, received.token, received.redelivered, is_foreign, problem)


def _read(received: Received, settings: BrokerSettings, origin: str) -> _Read:
    if "id" in received.metadata:
        return _ours(received.metadata, received.body.decode(), origin)
    event = cloudevents.event_in(
        received.body,
        received.content_type,
        received.headers,
        is_expected=settings.has_events,
    )
    if event is None:
        text = received.body.decode()
        decode_json(text)
        return _plain(received, settings, text)
    if event.ours:
        return _ours(event.ours, event.data, origin)
    return _Read(
        key=f"{event.source} {event.id}",  # two of the same are one
        message_type=_storable(event.type),
        body=event.data,
        headers=_as_headers(event.headers),
        group_key=None if event.partition_key is None else _storable(event.partition_key),
        enqueued_at=event.time,
    )


def _ours(metadata: Mapping[str, str], body: str, origin: str) -> _Read:
    """Read what Symphony has sent.

    The id of a message of another database says nothing here: it may be that of another message.
    """
    sender, headers = metadata.get("origin", origin), metadata["headers"]
    number = _number(metadata, "id", 1, MOST_IDS)
    msgspec.json.decode(headers, type=dict[str, msgspec.Raw])
    if NUL in headers and (found := unstorable(decode_json(headers))):
        raise ValueError(f"its headers: {found[1]}")
    enqueued_at = parse_datetime(metadata["enqueued-at"])
    if enqueued_at.tzinfo is None:
        raise ValueError("its enqueued-at has no time zone")
    return _Read(
        key=str(number) if sender == origin else f"{sender}/{number}",
        message_id=number if sender == origin else None,
        message_type=_storable(metadata["type"]),
        body=body,
        headers=headers,
        attempt=_number(metadata, "attempt", 1, MOST_ATTEMPTS),
        max_attempts=_number(metadata, "max-attempts", 1, MOST_ATTEMPTS),
        priority=_number({"priority": "5", **metadata}, "priority", 0, 9),
        group_key=_storable(metadata.get("group-key")),
        enqueued_at=enqueued_at,
    )


def _number(metadata: Mapping[str, str], name: str, least: int, most: int) -> int:
    number = int(metadata[name])
    if not least <= number <= most:
        raise ValueError(f"its {name} is not {least} to {most}")
    return number


def _plain(received: Received, settings: BrokerSettings, body: str) -> _Read:
    named = settings.settings.get("type_header")
    type_name = (named and received.headers.get(named)) or received.type
    return _Read(
        key=received.broker_id,
        message_type=_storable(
            str(type_name or settings.settings.get("default_type", UNKNOWN_TYPE))
        ),
        body=body,
        headers=_as_headers({k: v for k, v in received.headers.items() if isinstance(v, str)}),
    )


def _as_headers(given: Mapping[str, Any]) -> str:
    return json.dumps({_storable(name): _storable(value) for name, value in given.items()})


def _storable(value: Any) -> Any:
    """Return a text as PostgreSQL can store it; what others send may have any character."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _id_of(key: str) -> int:
    """Return a number below zero, which is the same whenever the message is handed out."""
    return -1 - int(_digest(key, 7), 16)


def _digest(key: str, size: int) -> str:
    return hashlib.blake2b(key.encode(), digest_size=size).hexdigest()
