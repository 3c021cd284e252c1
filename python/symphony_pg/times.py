"""Times and durations as text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .errors import BadArgument

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def as_expiry(value: timedelta | float | datetime) -> tuple[timedelta | None, datetime | None]:
    """Return the duration or the moment that an expiry is, the other one is None."""
    if isinstance(value, datetime):
        return None, value
    return as_timedelta(value), None


def as_timedelta(value: timedelta | float) -> timedelta:
    """Return a duration that may be given in seconds."""
    return timedelta(seconds=value) if isinstance(value, int | float) else value


def check_moment(name: str, value: datetime | str) -> None:
    """Refuse a time without a zone, which each server would take for one of its own."""
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            return  # the server can read it, or says what is wrong
    if value.utcoffset() is None:
        raise BadArgument(
            f"{name} has no time zone: {value}",
            detail="PostgreSQL would take it for a time of whatever zone the session has.",
            hint="Give datetime.now(timezone.utc) + …, or value.astimezone() for a time on the "
            "clocks of this machine.",
        )


def parse_datetime(text: str) -> datetime:
    """Read ISO 8601 as PostgreSQL, JavaScript and Python write it; raise ValueError."""
    # Python 3.10 knows neither Z nor a fraction of other than three or six digits.
    text = re.sub(r"[zZ]$", "+00:00", text)
    return datetime.fromisoformat(
        re.sub(r"\.(\d{1,6})\d*", lambda found: f".{found[1]:0<6}", text, count=1)
    )


def parse_duration(text: str) -> timedelta:
    """Read '90', '1.5s', '200ms', '1h30m' or '2d'; a bare number is seconds; raise ValueError."""
    plain = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        plain += "s"
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", plain)
    if not parts or "".join(number + unit for number, unit in parts) != plain:
        raise ValueError(f"{text!r} is not a duration; write for instance 90, 1.5s, 5m or 1h30m")
    try:
        return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is too long a time") from None


def parse_ago(text: str) -> datetime | None:
    """Read '2h' as the moment two hours ago; None: this is no duration; raise ValueError."""
    try:
        ago = parse_duration(text)
    except ValueError:
        return None
    try:
        return datetime.now(timezone.utc) - ago
    except OverflowError:
        raise ValueError(f"{text!r} is too long ago") from None


def show_duration(value: timedelta) -> str:
    """Write a duration for people, in at most two units."""
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
