"""Charts: their lines, where they end, and what stands beside them."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from symphony_pg.database.functions.figures import FiguresByMinute, QueueFigures, TypeFigures
from symphony_pg.http.dashboard.rendering import span
from symphony_pg.http.dashboard.series import (
    LONG,
    MANY,
    RANGES,
    Chart,
    Line,
    by_type,
    of_all,
    of_queue,
    of_type,
    steps,
)

NOW = datetime(2026, 11, 29, 10, 30, 5, tzinfo=timezone.utc)
HOUR = RANGES["hour"]


def minute(back: int) -> datetime:
    return NOW.replace(second=0) - timedelta(minutes=back)


def figures(back: int, arrived: int, failed: int = 0, queue: str = "mail", **times: Any) -> Any:
    row = QueueFigures(queue, minute(back), arrived, arrived, arrived, 0, failed, 0, *[None] * 6)
    return row._replace(**times)


def handled(back: int, name: str, count: int) -> TypeFigures:
    return TypeFigures("mail", name, minute(back), count, 1, timedelta(seconds=2), None, None)


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("hour", "2026-11-29T09:31", "2026-11-29T10:30", 60),
        ("day", "2026-11-28T11:00", "2026-11-29T10:00", 24),
        ("week", "2026-11-22T11:00", "2026-11-29T10:00", 168),
    ],
)
def test_the_steps_of_a_range(name: str, first: str, last: str, count: int) -> None:
    found = steps(NOW, RANGES[name])
    shown = [f"{each:%Y-%m-%dT%H:%M}" for each in found]
    assert (shown[0], shown[-1], len(found)) == (first, last, count)


def test_each_step_has_its_figures_and_the_others_are_zero() -> None:
    long = timedelta(milliseconds=300)
    counts, waits, takes = of_queue([figures(2, 7, 1, waited_p50=long)], NOW, HOUR)
    assert [line.name for line in counts.lines] == ["In", "Out", "Retried", "Failed"]
    assert counts.lines[0].values == [*[0] * 57, 7, 0, 0]
    assert [line.told for line in counts.lines] == [7, 7, 0, 1]
    assert waits.lines[0].values == [*[None] * 57, long, None, None]
    assert (waits.lines[0].told, takes.lines[0].told) == (long, None)
    assert (counts.is_empty, takes.is_empty) == (False, True)


def test_a_line_has_gaps_and_a_lone_value_is_a_dot() -> None:
    line = Line("p50", "out", [timedelta(seconds=s) if s else None for s in (1, 2, 0, 4, 0)])
    chart = Chart("Takes", steps(NOW, HOUR)[:5], "%H:%M", [line], is_time=True)
    assert chart.top == 4
    assert chart.path(line) == "M0.00 75.00h0L25.00 50.00M75.00 0.00h0"


@pytest.mark.parametrize(
    ("most", "top"), [(0, 4), (3, 4), (5, 8), (13, 20), (99, 100), (101, 120), (1001, 1200)]
)
def test_counts_end_at_a_round_number(most: int, top: int) -> None:
    chart = Chart("x", [NOW, NOW], "%H", [Line("In", "in", [0, most])])
    assert (chart.top, [int(each) for each in chart.marks]) == (top, chart.marks)


def test_ends_grow_and_are_in_four_parts_that_can_be_read() -> None:
    assert sorted(MANY) == MANY and sorted(LONG) == LONG
    assert all(each % 4 == 0 for each in MANY)
    assert all(len(span(each * part / 4)) <= 7 for each in LONG for part in range(5))
    assert [span(each) for each in (0, 0.0025, 15, 90, 7200, 172_800)] == [
        *("0", "2.5 ms", "15 s", "1.5 min", "2 h", "2 d")
    ]


def test_what_is_above_all_ends_is_shown_whole() -> None:
    line = Line("p99", "bad", [timedelta(days=400), None])
    assert Chart("x", [NOW, NOW], "%H", [line], is_time=True).top == 400 * 86_400


def test_types_the_busiest_first() -> None:
    rows = [handled(5, "A", 2), handled(3, "B", 9), handled(1, "A", 3)]
    found = by_type(rows, NOW, HOUR)
    assert [(each.message_type, each.handled, each.failed) for each in found] == [
        *(("B", 9, 1), ("A", 5, 2))
    ]
    assert found[1].last.begins_at == minute(1)
    counts, takes = of_type(rows[:1], NOW, HOUR)
    assert [line.told for line in counts.lines] == [2, 1]
    assert takes.lines[0].told == timedelta(seconds=2)


def test_all_queues_are_added() -> None:
    quiet = [0] * 60
    mail = FiguresByMinute("mail", [*quiet[1:], 5], [*quiet[1:], 4], quiet)
    other = FiguresByMinute("other", [*quiet[2:], 6, 0], quiet, [*quiet[1:], 2])
    chart = of_all([mail, other], NOW)
    assert [line.told for line in chart.lines] == [11, 4, 2]
    assert chart.lines[0].values[-2:] == [6, 5]
    assert of_all([], NOW).is_empty
