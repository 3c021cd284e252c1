"""The search box: `queue:mail type:SendEmail since:2h`, or the id of a message."""

from __future__ import annotations

import shlex
from datetime import datetime, timezone
from typing import Any

from ...database.functions.messages import STATES
from ...times import parse_ago, parse_datetime
from ..problems import Problem

WORDS = {
    "type": "message_type",
    "queue": "queue_name",
    "key": "idempotency_key",
    "group": "group_key",
    "correlation": "correlation_id",
    "state": "state",
    "since": "since",
    "until": "until",
}


def parse(text: str) -> int | dict[str, Any]:
    """Return the id that a search means, or the arguments of list_messages()."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise Problem(400, "a quotation mark is not closed") from None
    if len(words) == 1 and words[0].isdecimal():
        return int(words[0])
    found: dict[str, Any] = {}
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or name not in WORDS or not value:
            raise Problem(400, f"{word!r} is not understood", f"Write {_example()}.")
        if name == "state" and value not in STATES:
            raise Problem(400, f"there is no state {value!r}", f"Those are: {', '.join(STATES)}.")
        found[WORDS[name]] = _time(value) if name in ("since", "until") else value
    return found


def _time(text: str) -> datetime:
    try:
        read = parse_ago(text) or parse_datetime(text)
    except ValueError:
        raise Problem(
            400, f"{text!r} is not a time", "Write 90s, 15m, 2h, 7d, or 2026-05-01T12:00."
        ) from None
    return read if read.utcoffset() is not None else read.replace(tzinfo=timezone.utc)


def _example() -> str:
    return "an id, or " + ", ".join(f"{each}:…" for each in WORDS)
