"""What the dashboard reads and does: the only place here that calls the database.

Looks go through the role that only looks, in transactions that cannot write. Actions go through the
role of the operators, in transactions that know who acts, for the audit trail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TypeVar

from psycopg.errors import QueryCanceled

from ...database import functions
from ...database.call import Call, run_async
from ...database.functions.failed import FailedGroup
from ...database.functions.figures import TypeFigures
from ...database.functions.health import Incident
from ...database.functions.limits import BlockedKey
from ...database.functions.messages import ListedMessage
from ...database.functions.queues import QueueHold, QueueSetting, QueueStats
from ...database.functions.workers import WorkerActivity
from ...database.lending import Connections
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
U = TypeVar("U")


@dataclass(frozen=True)
class Overview:
    """What there is to see at a glance.

    If tables are locked, only the incidents are known; `trouble` is why.
    """

    incidents: list[Incident]
    queues: list[QueueStats] = field(default_factory=list)
    workers: list[WorkerActivity] = field(default_factory=list)
    groups: list[FailedGroup] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
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
    types: list[TypeSum] | None  # None: it takes too long to add them up
    settings: list[QueueSetting]
    blocked: list[BlockedKey]
    pending: list[ListedMessage] | None


async def together(first: Awaitable[T], second: Awaitable[U]) -> tuple[T, U]:
    """Await both to the end, even if one of them fails."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for each in (one, other):
        if isinstance(each, BaseException):
            raise each
    return one, other  # type: ignore[return-value]


class Database:
    """Looks as one role, acts as another.

    A page asks for what it shows. Whoever watches, each of that is read every 2 seconds; what has a
    longer past, every 10 or 30 seconds.
    """

    def __init__(self, figures: Figures, operator_dsn: str | None, call_timeout: float) -> None:
        self._figures = figures
        self._acting = Connections(
            operator_dsn, most=2, prepare_threshold=None, call_timeout=call_timeout
        )
        self._queues = Cached(lambda: self.read(functions.queue_stats()))
        self._lines = Cached(self._sparklines, LINES_ARE_FRESH)
        self.workers = Cached(lambda: self.read(functions.worker_activity()))
        self.groups = Cached(lambda: self.read(functions.failed_stats(at_most=GROUPS_READ)))
        self.stats = CachedByName(self._stats)
        self.holds = CachedByName(self._holds)
        self.groups_of = CachedByName(self._groups)
        self.past = CachedByName(self._past, PAST_IS_FRESH)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._acting.close()
        self._figures.close()

    async def read(self, call: Call[T]) -> T:
        """Look."""
        return await self._figures.read(call)

    async def overview(self) -> Overview:
        """Return what is wrong, queues and workers, what has failed, and the last hour."""
        incidents = await self._figures.incidents.get()
        try:
            (queues, workers), (groups, lines, chart) = await together(self._who(), self._what())
            return Overview(incidents, queues, workers, groups, lines, chart)
        except QueryCanceled as error:
            return Overview(incidents, trouble=error)

    async def glance(self) -> Overview:
        """Return what is wrong, queues and workers."""
        incidents = await self._figures.incidents.get()
        try:
            return Overview(incidents, *await self._who())
        except QueryCanceled as error:
            return Overview(incidents, trouble=error)

    async def _who(self) -> tuple[list[QueueStats], list[WorkerActivity]]:
        return await self._queues.get(), await self.workers.get()

    async def _what(self) -> tuple[list[FailedGroup], dict[str, str], Chart]:
        groups = await self.groups.get()
        return groups, *await self._lines.get()

    async def now(self, queue: str) -> Now:
        """Return how a queue is now."""
        return Now(
            await self.stats.get(queue),
            await self.holds.get(queue),
            await self.groups_of.get(queue),
            await self.workers_of(queue),
        )

    async def workers_of(self, queue: str) -> list[WorkerActivity]:
        """Return who consumes a queue."""
        known = await self.workers.get()
        return [each for each in known if queue in each.queues or "*" in each.queues]

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
        self._forget()  # who has acted sees what came of it
        return said

    def _forget(self) -> None:
        for each in (self._figures.incidents, self._queues, self.workers, self.groups):
            each.forget()
        for named in (self.stats, self.holds, self.groups_of, self.past):
            named.forget()

    async def _stats(self, queue: str) -> QueueStats:
        (stats,) = await self.read(functions.queue_stats(queue))
        return stats

    async def _holds(self, queue: str) -> list[QueueHold]:
        return await self.read(functions.queue_holds(queue))

    async def _groups(self, queue: str) -> list[FailedGroup]:
        return await self.read(functions.failed_stats(queue, at_most=GROUPS_READ))

    async def _past(self, asked: tuple[str, str]) -> Past:
        queue, chosen = asked[0], RANGES[asked[1]]
        now = datetime.now(timezone.utc)
        since = now - chosen.past
        figures, types = await together(
            self.read(functions.queue_figures(queue, since, step=chosen.step)),
            self._types(queue, since, chosen.step),
        )
        return Past(
            of_queue(figures, now, chosen),
            None if types is None else by_type(types, now, chosen),
            await self.read(functions.queue_settings(queue)),
            await self.read(functions.blocked_keys(queue, MOST_KEYS)),
            await self.newest("pending", queue),
        )

    async def _types(self, queue: str, since: datetime, step: str) -> list[TypeFigures] | None:
        """Return what handlers did in a queue; None: it takes too long to add it up."""
        try:
            return await self.read(functions.type_figures(queue, since=since, step=step))
        except QueryCanceled:
            return None

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
