"""Keys of ordered and limited queues: what waits for what."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..call import Call, rows, value


class BlockedKey(NamedTuple):
    """A key of which messages wait, and what they wait for."""

    queue: str
    group_key: str
    waiting: int
    held_by: int | None
    held_by_is: str | None
    available_at: datetime | None
    in_hands: int
    worker: str | None
    since: datetime | None


def blocked_keys(
    queue_name: str | None = None, at_most: int | None = None
) -> Call[list[BlockedKey]]:
    """Return the keys of which messages wait, of one queue or of all."""
    return rows(BlockedKey, "blocked_keys", **locals())


def release_key(queue_name: str, group_key: str) -> Call[int | None]:
    """Let a key go that a message holds; return the message, or None if it was not held."""
    return value("release_key", **locals())
