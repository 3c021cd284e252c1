"""What the dashboard reads and does: the only place here that calls the database.

Looks go through the role that only looks, in transactions that cannot write. Actions go through the
role of the operators, in transactions that know who acts, for the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

from psycopg.errors import QueryCanceled

from ...database import functions
from ...database.call import Call, run_async
from ...database.functions.failed import FailedGroup
from ...database.functions.figures import QueueFigures
from ...database.functions.health import Incident
from ...database.functions.queues import QueueStats
from ...database.functions.workers import WorkerActivity
from ...database.lending import Connections
from ...version import __version__
from ..figures import Cached, Figures
from .actions import Action, Form
from .series import RANGES, Chart, of_all, of_rows, steps

__all__ = ["Database", "Overview"]

ACTION_TIMEOUT = 30_000  # milliseconds
GROUPS_READ = 10_000
LINES_ARE_FRESH = 30.0

T = TypeVar("T")


@dataclass(frozen=True)
class Overview:
    """All that there is to see at a glance, at one time.

    If tables are locked, only the incidents are known; `trouble` is why.
    """

    incidents: list[Incident]
    queues: list[QueueStats]
    workers: list[WorkerActivity]
    groups: list[FailedGroup]
    lines: dict[str, str]
    chart: Chart | None = None
    trouble: QueryCanceled | None = None

    @property
    def worst(self) -> str:
        """How bad it is: "critical", "warning", "note" or "well"."""
        return self.incidents[0].severity if self.incidents else "well"

    def at_least(self, name: str) -> bool:
        """Tell whether a figure of all queues may be greater."""
        return any(name in each.at_least for each in self.queues)


class Database:
    """Looks as one role, acts as another. Whoever watches, the overview is read every 2 seconds."""

    def __init__(self, figures: Figures, operator_dsn: str | None, call_timeout: float) -> None:
        self._figures = figures
        self._acting = Connections(
            operator_dsn, most=2, prepare_threshold=None, call_timeout=call_timeout
        )
        self.overview = Cached(self._overview)
        self._lines = Cached(self._sparklines, LINES_ARE_FRESH)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._acting.close()

    async def read(self, call: Call[T]) -> T:
        """Look."""
        return await self._figures.read(call)

    async def whole(self) -> Overview:
        """Return the overview, or raise why not all of it can be read."""
        seen = await self.overview.get()
        if seen.trouble is not None:
            raise seen.trouble
        return seen

    async def act(self, actor: str, action: Action, form: Form) -> str:
        """Do something, in the name of somebody; return what to say of it."""
        async with self._acting.transaction_async() as conn:
            with self._acting.answered():
                await conn.execute(
                    "select pg_catalog.set_config('statement_timeout', %s, true), "
                    "pg_catalog.set_config('symphony.actor', %s, true)",
                    [str(ACTION_TIMEOUT), actor],
                )
                done = await run_async(conn.calls, action.call(form))
                said = action.said(form, done)
                if action.is_noted and done:
                    await run_async(conn.calls, functions.note(said))
        self.overview = Cached(self._overview)  # who has acted sees what came of it
        return said

    async def _overview(self) -> Overview:
        incidents = await self.read(functions.health(__version__))
        try:
            return Overview(
                incidents,
                await self.read(functions.queue_stats()),
                await self.read(functions.worker_activity()),
                await self.read(functions.failed_stats(at_most=GROUPS_READ)),
                *await self._lines.get(),
            )
        except QueryCanceled as error:
            return Overview(incidents, [], [], [], {}, trouble=error)

    async def _sparklines(self) -> tuple[dict[str, str], Chart]:
        figures = await self.read(functions.queue_figures())
        queues: dict[str, list[QueueFigures]] = {}
        for each in figures:
            queues.setdefault(each.queue_name, []).append(each)
        now = datetime.now(timezone.utc)
        times = steps(now, RANGES["hour"])
        lines = {name: of_rows(rows, times) for name, rows in queues.items()}
        return lines, of_all(figures, now)
