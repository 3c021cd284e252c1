"""What the end points tell of the database: the only place here that reads figures.

Each read is a transaction of its own that cannot write and ends after STATEMENT_TIMEOUT, whatever
the role may do. Nothing is set in the session: a pooler may lend it to others.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from ..database import functions
from ..database.call import Call, run_async
from ..database.functions.figures import Sample
from ..database.lending import Connections
from ..errors import AccessDenied
from ..version import __version__, check_compatible

STATEMENT_TIMEOUT = 3000  # milliseconds
LONGEST_SILENCE = 5.0  # seconds
FRESH = 2.0
LONGEST_SILENCE_OF_TICKS = 30.0
# What is told of each row.
DEPTH = (
    "queue=queue_name pending delayed processing failed oldest_age=oldest_pending_age paused "
    "at_least"
)
FAILED = "queue=queue_name type=message_type error_class messages oldest_at newest_at at_least"
INCIDENT = "severity code subject sentence since cause command"
LIMITS = (
    "select pg_catalog.set_config('statement_timeout', %s, true), "
    "pg_catalog.set_config('transaction_read_only', 'on', true)"
)

K = TypeVar("K")
T = TypeVar("T")


class Cached(Generic[T]):
    """What is read at most once in so many seconds, however many ask for it at a time."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float = FRESH) -> None:
        self._read = read
        self._seconds = seconds
        self._reading: asyncio.Future[T] | None = None
        self._read_at = 0.0

    async def get(self) -> T:
        """Return it, or raise what reading it has raised."""
        loop = asyncio.get_running_loop()
        known = self._reading
        is_old = time.monotonic() - self._read_at >= self._seconds
        if known is None or known.get_loop() is not loop or (known.done() and is_old):
            known = self._reading = asyncio.ensure_future(self._read())
            known.add_done_callback(self._note)
        return await asyncio.shield(known)

    def forget(self) -> None:
        """Let whoever asks next see what is so now."""
        self._reading = None

    def _note(self, reading: asyncio.Future[T]) -> None:
        if reading is self._reading:
            self._read_at = time.monotonic()
        if not reading.cancelled():
            reading.exception()  # whoever asked has got it


class CachedByName(Generic[K, T]):
    """The same of many things, of which the last so many are kept."""

    def __init__(
        self, read: Callable[[K], Awaitable[T]], seconds: float = FRESH, most: int = 50
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._most = most
        self._known: OrderedDict[K, Cached[T]] = OrderedDict()

    async def get(self, name: K) -> T:
        """Return one of them, or raise what reading it has raised."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Cached(lambda: self._read(name), self._seconds)
        self._known.move_to_end(name)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return await known.get()

    def forget(self) -> None:
        """Let whoever asks next see what is so now."""
        self._known.clear()


class Figures:
    """Reads what there is to know, as a role that may look."""

    def __init__(self, dsn: str | None, call_timeout: float) -> None:
        self._connections = Connections(
            dsn, most=2, prepare_threshold=None, call_timeout=min(call_timeout, LONGEST_SILENCE)
        )
        self.incidents = Cached(lambda: self.read(functions.health(__version__)))
        self.samples = Cached(lambda: self.read(functions.metrics()))
        self.state = Cached(self._state)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    async def read(self, call: Call[T]) -> T:
        """Execute a call that only reads."""
        async with self._connections.transaction_async() as conn:
            with self._connections.answered():
                await conn.execute(LIMITS, [str(STATEMENT_TIMEOUT)])
                return await run_async(conn.calls, call)

    async def depth(self, queue: str | None) -> list[dict[str, Any]]:
        """Return how full the queues are, or one of them."""
        stats = await self.read(functions.queue_stats(queue))
        return _told(stats, DEPTH)

    async def remaining(self, queues: list[str]) -> int | None:
        """Return how many messages wait in these queues, or in all; None: we may not look."""
        try:
            stats = await self.read(functions.queue_stats())
        except AccessDenied:
            return None
        return sum(each.pending for each in stats if "*" in queues or each.queue_name in queues)

    async def failed(
        self, queue: str | None, message_type: str | None, error_class: str | None
    ) -> list[dict[str, Any]]:
        """Return how many messages have failed, by queue, type and class of error; no texts."""
        groups = await self.read(functions.failed_stats(queue, message_type, error_class))
        return _told(groups, FAILED)

    async def _state(self) -> dict[str, Any]:
        """Return the state of all: "ok", "degraded" or "down", and what it is made of.

        Raises what reading has raised.
        """
        version = await self.read(functions.version())
        check_compatible(version)
        samples = await self.samples.get()
        ticked = [each.value for each in samples if each.metric == TICKED]
        age = round(time.time() - max(ticked), 1) if ticked else None
        down = _transports_down(samples)
        incidents = await self.incidents.get()
        silent = age is None or age > LONGEST_SILENCE_OF_TICKS
        degraded = down or any(each.severity == "critical" for each in incidents)
        return {
            "status": "down" if silent else "degraded" if degraded else "ok",
            "version": __version__,
            "schema_version": version,
            "last_tick_age": age,
            "transports_down": down,
            "incidents": _told(incidents, INCIDENT),
        }


TICKED = "symphony_last_tick_timestamp_seconds"
DISABLED = "symphony_transport_disabled"
RELAYS = "symphony_transport_relays"
UP = "symphony_transport_up"


def _transports_down(samples: Sequence[Sample]) -> list[str]:
    """Return the transports that are disabled, or whose relays do not reach their broker."""
    named: dict[str, set[str]] = {
        metric: {
            each.labels["transport"] for each in samples if each.metric == metric and each.value
        }
        for metric in (DISABLED, RELAYS, UP)
    }
    return sorted(named[DISABLED] | (named[RELAYS] - named[UP]))


def _told(rows: Sequence[Any], names: str) -> list[dict[str, Any]]:
    """Return what rows have by these names, as JSON; queue=queue_name gives it another one."""
    pairs = [(each.partition("=")[0], each.rpartition("=")[2]) for each in names.split()]
    return [{shown: _plain(getattr(row, name)) for shown, name in pairs} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    return value.isoformat() if isinstance(value, datetime) else value
