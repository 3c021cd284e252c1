"""Figures: what happened in the queues, by minutes and hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ..call import Call, rows


class QueueFigures(NamedTuple):
    """A queue in a minute or an hour."""

    queue_name: str
    begins_at: datetime
    arrived: int
    claimed: int
    completed: int
    retried: int
    failed: int
    returned: int
    waited_p50: timedelta | None
    waited_p95: timedelta | None
    waited_p99: timedelta | None
    worked_p50: timedelta | None
    worked_p95: timedelta | None
    worked_p99: timedelta | None


class QueueTotals(NamedTuple):
    """Counters of a queue; the histograms have the bounds 1 ms times 2 to the 0 to 20, and all."""

    queue_name: str
    arrived: int
    claimed: int
    completed: int
    retried: int
    failed: int
    returned: int
    waited_seconds: float
    worked_seconds: float
    waited_histogram: list[int]
    worked_histogram: list[int]


class TypeFigures(NamedTuple):
    """What handlers did with messages of a type in a minute or an hour."""

    queue_name: str
    message_type: str
    begins_at: datetime
    handled: int
    failed: int
    worked_p50: timedelta | None
    worked_p95: timedelta | None
    worked_p99: timedelta | None


class FiguresByMinute(NamedTuple):
    """What came in, went out and failed in a queue in each minute, the present one last."""

    queue_name: str
    arrived: list[int]
    claimed: list[int]
    failed: list[int]


class Sample(NamedTuple):
    """One value of a metric."""

    metric: str
    labels: Mapping[str, str]
    value: float


def queue_figures(
    queue_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    step: str | None = None,
) -> Call[list[QueueFigures]]:
    """Return what happened in a queue, or in all, by "minute" or "hour"."""
    return rows(QueueFigures, "queue_figures", **locals())


def figures_by_minute(minutes: int | None = None) -> Call[list[FiguresByMinute]]:
    """Return what came in, went out and failed in each of the last minutes, of all queues."""
    return rows(FiguresByMinute, "figures_by_minute", minutes=minutes)


def queue_totals(queue_name: str | None = None) -> Call[list[QueueTotals]]:
    """Return the counters of a queue, or of all: they only grow."""
    return rows(QueueTotals, "queue_totals", queue_name=queue_name)


def type_figures(
    queue_name: str | None = None,
    message_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    step: str | None = None,
) -> Call[list[TypeFigures]]:
    """Return what handlers did with messages of each type, by "minute" or "hour"."""
    return rows(TypeFigures, "type_figures", **locals())


def metrics() -> Call[list[Sample]]:
    """Return everything that a monitoring system is to know, in one query."""
    return rows(Sample, "metrics")
