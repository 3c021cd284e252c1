"""Figures in equal steps of time, for charts and the tables beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ...database.functions.figures import QueueFigures, TypeFigures

__all__ = ["RANGES", "Range", "TypeSum", "by_type", "filled", "sparkline"]

WIDTH, HEIGHT = 120, 24


class Range(NamedTuple):
    """How far back a chart looks, and in which steps."""

    name: str
    past: timedelta
    step: str
    length: timedelta


RANGES = {
    "hour": Range("hour", timedelta(hours=1), "minute", timedelta(minutes=1)),
    "day": Range("day", timedelta(days=1), "hour", timedelta(hours=1)),
    "week": Range("week", timedelta(days=7), "hour", timedelta(hours=1)),
}


class TypeSum(NamedTuple):
    """What handlers did with messages of a type; the times are those of its last hour."""

    message_type: str
    handled: int
    failed: int
    last: TypeFigures


def filled(rows: Sequence[QueueFigures], now: datetime, chosen: Range) -> list[QueueFigures]:
    """Return one row for each step, with zeros where nothing happened."""
    known = {each.begins_at: each for each in rows}
    name = rows[0].queue_name if rows else ""
    last = now.replace(second=0, microsecond=0)
    if chosen.step == "hour":
        last = last.replace(minute=0)
    times = [last - chosen.length * back for back in range(chosen.past // chosen.length)]
    nothing = (0, 0, 0, 0, 0, 0, None, None, None, None, None, None)
    return [known.get(each) or QueueFigures(name, each, *nothing) for each in reversed(times)]


def sparkline(counts: Sequence[int]) -> str:
    """Return the points of a line: messages that were handed out, minute by minute."""
    most = max(*counts, 1)
    step = WIDTH / (len(counts) - 1)
    return " ".join(
        f"{place * step:.1f},{HEIGHT - 1 - (HEIGHT - 2) * count / most:.1f}"
        for place, count in enumerate(counts)
    )


def by_type(rows: Sequence[TypeFigures]) -> list[TypeSum]:
    """Return what happened to each type, the busiest first."""
    types: dict[str, list[TypeFigures]] = {}
    for each in sorted(rows, key=lambda row: row.begins_at):
        types.setdefault(each.message_type, []).append(each)
    sums = [
        TypeSum(name, sum(e.handled for e in each), sum(e.failed for e in each), each[-1])
        for name, each in types.items()
    ]
    return sorted(sums, key=lambda each: -each.handled)
