"""What symphony-pg top shows, read at one time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from psycopg.errors import LockNotAvailable

from ..database.client import Client
from ..database.functions.failed import FailedGroup
from ..database.functions.figures import QueueFigures
from ..database.functions.health import Incident
from ..database.functions.queues import QueueStats
from ..database.functions.workers import WorkerActivity
from ..version import __version__

__all__ = ["Glance", "Line", "glance"]

BARS = "▁▂▃▄▅▆▇█"
MINUTES = 10
MOST_READ = 10_000
LONGEST_WAIT = "1s"  # for a table that somebody has locked


class Line(NamedTuple):
    """A queue, and what was handed out in the last minutes, as a line of bars."""

    queue: QueueStats
    bars: str


class Glance(NamedTuple):
    """All that there is to see at a time. Of locked tables only the incidents are known."""

    incidents: list[Incident]
    lines: list[Line]
    workers: list[WorkerActivity]
    groups: list[FailedGroup]
    is_whole: bool = True


def glance(client: Client) -> Glance:
    """Read what there is to see. What is wrong is told even if the rest cannot be read."""
    incidents = client.health(__version__)
    try:
        with client.conn.transaction():
            client.conn.execute(
                "select pg_catalog.set_config('lock_timeout', %s, true)", [LONGEST_WAIT]
            )
            return _whole(client, incidents)
    except LockNotAvailable:
        return Glance(incidents, [], [], [], is_whole=False)


def _whole(client: Client, incidents: list[Incident]) -> Glance:
    now = datetime.now(timezone.utc)
    figures: dict[str, list[QueueFigures]] = {}
    for each in client.queue_figures(since=now - timedelta(minutes=MINUTES)):
        figures.setdefault(each.queue_name, []).append(each)
    return Glance(
        incidents,
        [Line(q, _bars(figures.get(q.queue_name, ()), now)) for q in client.queue_stats()],
        client.worker_activity(),
        client.failed_stats(at_most=MOST_READ),
    )


def _bars(figures: Sequence[QueueFigures], now: datetime) -> str:
    counts = [0] * MINUTES
    for each in figures:
        back = int((now - each.begins_at) / timedelta(minutes=1))
        if 0 <= back < MINUTES:
            counts[-1 - back] = each.claimed
    most = max(counts)
    return "".join(BARS[(each * 7 + most - 1) // most if most else 0] for each in counts)
