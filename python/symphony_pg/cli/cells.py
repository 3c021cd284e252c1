"""One value as people read it: its text, and the colour that it has if it is a problem."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from ..times import show_duration

STATES = {
    **dict.fromkeys(("failed", "broken", "silent", "taken", "unknown"), "red"),
    **dict.fromkeys(("paused", "stopping", "changed", "orphaned"), "yellow"),
}
PROBLEMS = {"failed": "red", "last_error": "red", "error": "red", "paused": "yellow"}
OVERDUE = "OVER ITS LIMIT"
CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class AtLeast(int):
    """A count that was ended there: `10,000+` for people, and a number for programs."""


def zone() -> str:
    """Return the name of the zone in which times are shown, such as UTC or CET/CEST."""
    return "/".join(dict.fromkeys(time.tzname))


def show_cell(value: Any) -> str:
    """Return one value as it stands in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}{'+' * isinstance(value, AtLeast)}"
    if isinstance(value, timedelta):
        return show_duration(value)
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return without_codes(str(value))


def colour_of(name: str, value: Any) -> str | None:
    """Return the colour of a value that is a problem, or may become one."""
    if name in ("state", "status", "outcome"):
        return STATES.get(value)
    if name == "doing":
        return "red" if OVERDUE in (value or "") else None
    if name == "enabled":
        return None if value else "yellow"
    return PROBLEMS.get(name) if value else None


def without_codes(text: str) -> str:
    """Return a text that cannot move the cursor or colour the terminal."""
    return CODES.sub("�", text)


def one_line(text: str) -> str:
    """Return a text without the ends of its lines."""
    return re.sub(r"\s*\n\s*", " ", text.strip()).replace("\t", " ")


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def cut(text: str, width: int) -> str:
    """Return a text that takes at most so many columns; an ellipsis stands for its end."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) >= width:
        text = text[:-1]
    return f"{text}…"
