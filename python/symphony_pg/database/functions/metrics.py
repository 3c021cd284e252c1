"""Metrics for monitoring systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..call import Call, rows

__all__ = ["Sample", "metrics"]


class Sample(NamedTuple):
    """One value of a metric."""

    metric: str
    labels: Mapping[str, str]
    value: float


def metrics() -> Call[list[Sample]]:
    """Return everything that a monitoring system is to know, in one query."""
    return rows(Sample, "metrics")
