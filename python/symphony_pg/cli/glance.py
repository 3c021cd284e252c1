"""What symphony-pg top shows, read at one time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.errors import LockNotAvailable

from ..database.client import Client
from ..database.functions.failed import FailedGroup
from ..database.functions.health import Incident
from ..database.functions.queues import QueueStats
from ..database.functions.workers import WorkerActivity
from ..version import __version__

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
    claimed = {each.queue_name: each.claimed for each in client.figures_by_minute(MINUTES)}
    return Glance(
        incidents,
        [Line(q, _bars(claimed.get(q.queue_name, ()))) for q in client.queue_stats()],
        client.worker_activity(),
        client.failed_stats(at_most=MOST_READ),
    )


def _bars(counts: Sequence[int]) -> str:
    most = max(counts, default=0)
    return "".join(BARS[(each * 7 + most - 1) // most if most else 0] for each in counts)
