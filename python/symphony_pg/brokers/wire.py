"""A message of Symphony on its way through a broker, and one of somebody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..messages.codec import decode_json
from ..times import parse_datetime
from .broker import Delivery

__all__ = ["Received", "delivery_of", "metadata_of"]

FOREIGN_ATTEMPTS = 4  # the policy * as it is installed
UNKNOWN_TYPE = "foreign"


def metadata_of(message: ClaimedMessage, origin: str = "") -> dict[str, str]:
    """Return what travels beside the body: texts only, so that any broker can carry it."""
    found = {
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
        found["group-key"] = message.group_key
    return found


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


def delivery_of(
    received: Received, settings: BrokerSettings, lease: float, origin: str
) -> Delivery:
    """Turn what a broker hands out into what a worker can work on.

    The id of a message of another database says nothing here: it may be that of another message.
    """
    metadata, problem = received.metadata, None
    is_foreign = "id" not in metadata
    try:
        text = received.body.decode()
        if is_foreign:
            decode_json(text)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        text = json.dumps({"raw": received.body.decode(errors="backslashreplace")})
    now = datetime.now(timezone.utc)
    if is_foreign:
        key = received.broker_id
        message_id = _number_of(key)
        named = settings.settings.get("type_header")
        type_name = (named and received.headers.get(named)) or received.type
        type_name = type_name or settings.settings.get("default_type", UNKNOWN_TYPE)
        headers = json.dumps({k: v for k, v in received.headers.items() if isinstance(v, str)})
        attempt, most, enqueued_at = 1, FOREIGN_ATTEMPTS, now
    else:
        key, message_id = metadata["id"], int(metadata["id"])
        type_name, headers = metadata["type"], metadata["headers"]
        attempt, most = int(metadata["attempt"]), int(metadata["max-attempts"])
        enqueued_at = parse_datetime(metadata["enqueued-at"])
        if is_foreign := metadata.get("origin", origin) != origin:
            key = f"{metadata['origin']}/{key}"
            message_id = _number_of(key)
    message = ClaimedMessage(
        claim_id=0,
        message_id=message_id,
        queue_name=settings.outbox,
        message_type=str(type_name),
        body=text,
        headers=headers,
        priority=int(metadata.get("priority", 5)),
        attempt=attempt + received.redelivered,
        max_attempts=most,
        group_key=metadata.get("group-key"),
        enqueued_at=enqueued_at,
        lease_until=now + timedelta(seconds=lease),
    )
    return Delivery(message, key, received.token, received.redelivered, is_foreign, problem)


def _number_of(key: str) -> int:
    """Return a number below zero, which is the same whenever the message is handed out."""
    return -1 - int.from_bytes(hashlib.blake2b(key.encode(), digest_size=7).digest(), "big")
