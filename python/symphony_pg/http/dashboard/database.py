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
from ...database.functions.health import Incident
from ...database.functions.limits import BlockedKey
from ...database.functions.messages import ListedMessage
from ...database.functions.queues import QueueHold, QueueSetting, QueueStats
from ...database.functions.workers import WorkerActivity
from ...database.lending import Connections
from ...version import __version__
from ..figures import Cached, CachedByName, Figures
from .actions import Action, Form
from .series import RANGES, Chart, TypeSum, by_type, of_all, of_queue, sparkline

ACTION_TIMEOUT = 30_000  # milliseconds
GROUPS_READ = 10_000
LINES_ARE_FRESH = 30.0
PAST_IS_FRESH = 10.0
MOST_KEYS = 20
MOST_LISTED = 20

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


@dataclass(frozen=True)
class Now:
    """How a queue is now."""

    stats: QueueStats
    holds: list[QueueHold]
    groups: list[FailedGroup]
    workers: list[WorkerActivity]


@dataclass(frozen=True)
class Past:
    """What happened in a queue, and what does not change by the second."""

    charts: list[Chart]
    types: list[TypeSum]
    settings: list[QueueSetting]
    blocked: list[BlockedKey]
    pending: list[ListedMessage] | None


class Database:
    """Looks as one role, acts as another. Whoever watches, what is shown is read every 2 seconds.

    What has a longer past, every 10 or 30 seconds.
    """

    def __init__(self, figures: Figures, operator_dsn: str | None, call_timeout: float) -> None:
        self._figures = figures
        self._acting = Connections(
            operator_dsn, most=2, prepare_threshold=None, call_timeout=call_timeout
        )
        self.overview = Cached(self._overview)
        self._lines = Cached(self._sparklines, LINES_ARE_FRESH)
        self.now = CachedByName(self._now)
        self.past = CachedByName(self._past, PAST_IS_FRESH)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._acting.close()
        self._figures.close()

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
        self.now.forget()
        self.past.forget()
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

    async def _now(self, queue: str) -> Now:
        (stats,) = await self.read(functions.queue_stats(queue))
        workers = await self.read(functions.worker_activity())
        return Now(
            stats,
            await self.read(functions.queue_holds(queue)),
            await self.read(functions.failed_stats(queue, at_most=GROUPS_READ)),
            [each for each in workers if queue in each.queues or "*" in each.queues],
        )

    async def _past(self, asked: tuple[str, str]) -> Past:
        queue, chosen = asked[0], RANGES[asked[1]]
        now = datetime.now(timezone.utc)
        since = now - chosen.past
        figures = await self.read(functions.queue_figures(queue, since, step=chosen.step))
        types = await self.read(functions.type_figures(queue, since=since, step=chosen.step))
        return Past(
            of_queue(figures, now, chosen),
            by_type(types, now, chosen),
            await self.read(functions.queue_settings(queue)),
            await self.read(functions.blocked_keys(queue, MOST_KEYS)),
            await self.newest("pending", queue),
        )

    async def newest(
        self, state: str | None, queue: str, message_type: str | None = None
    ) -> list[ListedMessage] | None:
        """Return the newest such messages; None: it takes too long to find them."""
        try:
            found = await self.read(
                functions.list_messages(
                    state, queue, message_type, at_most=MOST_LISTED, look_at=1000
                )
            )
        except QueryCanceled:
            return None
        return [each for each in found if each.message_id is not None]

    async def _sparklines(self) -> tuple[dict[str, str], Chart]:
        queues = await self.read(functions.figures_by_minute())
        lines = {each.queue_name: sparkline(each.claimed) for each in queues}
        return lines, of_all(queues, datetime.now(timezone.utc))
