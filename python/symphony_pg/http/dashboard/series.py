"""Figures in equal steps of time, as lines of charts and the tables beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias, TypeVar

from ...database.functions.figures import FiguresByMinute, QueueFigures, TypeFigures

WIDTH, HEIGHT = 120, 24
LABELS = 5
# Where a chart may end, each of them in four equal parts that are easy to read.
MANY = [
    *(4, 8, 12, 20),
    *(first * 10**zeros for zeros in range(1, 13) for first in (4, 6, 8, 10, 12, 20)),
]
LONG = [
    *(first * 10.0**zeros for zeros in (-3, -2, -1, 0) for first in (1, 2, 4)),
    *(first * unit for unit in (1, 60) for first in (10, 20, 40, 60, 120, 240)),
    *(first * 86_400 for first in (0.5, 1, 2, 4, 8, 12, 20, 40, 80)),
]

IN_AND_OUT = (
    ("In", "in", "arrived"),
    ("Out", "out", "claimed"),
    ("Retried", "warn", "retried"),
    ("Failed", "bad", "failed"),
)
HANDLED = (("Handled", "out", "handled"), ("With an error", "bad", "failed"))

Value: TypeAlias = "int | timedelta | None"
Figures = TypeVar("Figures", QueueFigures, TypeFigures)


class Range(NamedTuple):
    """How far back a chart looks, and in which steps."""

    name: str
    past: timedelta
    step: str
    length: timedelta
    clock: str


RANGES = {
    "hour": Range("hour", timedelta(hours=1), "minute", timedelta(minutes=1), "%H:%M"),
    "day": Range("day", timedelta(days=1), "hour", timedelta(hours=1), "%H:%M"),
    "week": Range("week", timedelta(days=7), "hour", timedelta(hours=1), "%m-%d"),
}


class Line(NamedTuple):
    """What a chart shows in one colour, a value for each step; None: nothing is known of it."""

    name: str
    colour: str
    values: list[Value]

    @property
    def told(self) -> Value:
        """What it comes to: a sum, or the last that is known of something that has no sum."""
        counts = [each for each in self.values if isinstance(each, int)]
        known = [each for each in self.values if each is not None]
        return sum(counts) if len(counts) == len(self.values) else known[-1] if known else None


class Chart(NamedTuple):
    """Lines over the same steps of time, from 0 to `top`."""

    title: str
    times: list[datetime]
    clock: str
    lines: list[Line]
    is_time: bool = False

    @property
    def top(self) -> float:
        """The upper end: a round number above all values."""
        sizes = [_size(each) for line in self.lines for each in line.values if each is not None]
        most = max(sizes, default=0.0)
        known = LONG if self.is_time else MANY
        return next((each for each in known if each >= most), most)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to draw."""
        return not any(each for line in self.lines for each in line.values)

    @property
    def marks(self) -> list[float]:
        """What stands beside it, from top to bottom."""
        top = self.top
        return [top * each / 4 for each in (4, 3, 2, 1, 0)]

    @property
    def labels(self) -> list[str]:
        """What stands below it, from left to right."""
        last = len(self.times) - 1
        places = [round(last * each / (LABELS - 1)) for each in range(LABELS)]
        return [self.times[each].strftime(self.clock) for each in places]

    def path(self, line: Line) -> str:
        """Return a line in a square of 100 by 100, with gaps where nothing is known."""
        step, top = 100 / max(len(self.times) - 1, 1), self.top
        is_drawing, parts = False, []
        for place, each in enumerate(line.values):
            if each is None:
                is_drawing = False
                continue
            at = f"{place * step:.2f} {100 - 100 * _size(each) / top:.2f}"
            parts.append(f"L{at}" if is_drawing else f"M{at}h0")
            is_drawing = True
        return "".join(parts)

    def area(self, line: Line) -> str:
        """Return the path around what is below a line without gaps."""
        return f"{self.path(line)}V100H0Z"


class TypeSum(NamedTuple):
    """What handlers did with messages of a type; the times are those of its last step."""

    message_type: str
    handled: int
    failed: int
    last: TypeFigures
    line: str


def steps(now: datetime, chosen: Range) -> list[datetime]:
    """Return when each step of a range begins, the last one is now."""
    last = now.replace(second=0, microsecond=0)
    if chosen.step == "hour":
        last = last.replace(minute=0)
    return [last - chosen.length * back for back in range(chosen.past // chosen.length)][::-1]


def of_queue(rows: Sequence[QueueFigures], now: datetime, chosen: Range) -> list[Chart]:
    """Return the charts of a queue."""
    times = steps(now, chosen)
    known = _placed(rows, times)
    return [
        _counts(IN_AND_OUT, known, times, chosen),
        _percentiles("Waits", "waited", known, times, chosen),
        _percentiles("Takes", "worked", known, times, chosen),
    ]


def of_type(rows: Sequence[TypeFigures], now: datetime, chosen: Range) -> list[Chart]:
    """Return the charts of a type in one queue."""
    times = steps(now, chosen)
    known = _placed(rows, times)
    return [
        _counts(HANDLED, known, times, chosen),
        _percentiles("Takes", "worked", known, times, chosen),
    ]


def of_all(queues: Sequence[FiguresByMinute], now: datetime) -> Chart:
    """Return the chart of all queues, for the last hour."""
    chosen = RANGES["hour"]
    times = steps(now, chosen)
    nothing = [0] * len(times)
    lines = (
        ("In", "in", [each.arrived for each in queues]),
        ("Out", "out", [each.claimed for each in queues]),
        ("Failed", "bad", [each.failed for each in queues]),
    )
    return Chart(
        "Messages a minute, in all queues",
        times,
        chosen.clock,
        [
            Line(name, colour, [sum(each) for each in zip(nothing, *counts, strict=True)])
            for name, colour, counts in lines
        ],
    )


def sparkline(counts: Sequence[int]) -> str:
    """Return the points of a line."""
    most = max(*counts, 1)
    step = WIDTH / (len(counts) - 1)
    return " ".join(
        f"{place * step:.1f},{HEIGHT - 1 - (HEIGHT - 2) * count / most:.1f}"
        for place, count in enumerate(counts)
    )


def by_type(rows: Sequence[TypeFigures], now: datetime, chosen: Range) -> list[TypeSum]:
    """Return what happened to each type, the busiest first."""
    times = steps(now, chosen)
    types: dict[str, list[TypeFigures]] = {}
    for each in sorted(rows, key=lambda row: row.begins_at):
        types.setdefault(each.message_type, []).append(each)
    sums = [
        TypeSum(
            name,
            sum(e.handled for e in each),
            sum(e.failed for e in each),
            each[-1],
            sparkline([e.handled if e else 0 for e in _placed(each, times)]),
        )
        for name, each in types.items()
    ]
    return sorted(sums, key=lambda each: -each.handled)


def _placed(rows: Iterable[Figures], times: Sequence[datetime]) -> list[Figures | None]:
    """Return one row for each step, None where nothing happened."""
    known = {each.begins_at: each for each in rows}
    return [known.get(each) for each in times]


def _counts(
    lines: Sequence[tuple[str, str, str]],
    known: Sequence[QueueFigures | TypeFigures | None],
    times: list[datetime],
    chosen: Range,
) -> Chart:
    return Chart(
        f"Messages {'an' if chosen.step == 'hour' else 'a'} {chosen.step}",
        times,
        chosen.clock,
        [
            Line(name, colour, [getattr(each, field) if each else 0 for each in known])
            for name, colour, field in lines
        ],
    )


def _percentiles(
    title: str,
    field: str,
    known: Sequence[QueueFigures | TypeFigures | None],
    times: list[datetime],
    chosen: Range,
) -> Chart:
    return Chart(
        title,
        times,
        chosen.clock,
        [
            Line(name, colour, [getattr(each, f"{field}_{name}", None) for each in known])
            for name, colour in (("p50", "out"), ("p95", "warn"), ("p99", "bad"))
        ],
        is_time=True,
    )


def _size(value: int | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
