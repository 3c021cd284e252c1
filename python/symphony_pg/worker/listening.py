"""The connection that claims: prepared for that, and listening to the queues."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from ..database.connections import backend, has_session
from ..database.silence import answered_within
from .doorbell import Doorbell
from .link import Link
from .queues import Queues

log = logging.getLogger("symphony_pg.worker")

PROBES = 4


class Listening:
    """Prepares each new connection for claims, and lets it LISTEN where it has a session.

    When it turns out that there is a transaction pooler, `listens` becomes False.
    """

    def __init__(self, queues: Queues, bell: Doorbell, other: Link, *, listens: bool) -> None:
        self.listens = listens
        self._queues = queues
        self._bell = bell
        self._other = other
        self._heard: set[str] = set()

    async def prepare(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Make a new connection one for claims."""
        if self.listens and not has_session(conn) and await self._shares_sessions(conn):
            log.warning("behind a transaction pooler: polling, as with --no-listen")
            self.listens = False
        if self.listens:
            self._bell.attach(conn)
            self._heard.clear()
            await self._listen(conn)

    async def _shares_sessions(self, conn: psycopg.AsyncConnection[Any]) -> bool:
        """Tell whether one session of the server works for both of our connections, or several do.

        False proves nothing if others use the pooler, too.
        """
        other = await self._other.connection()
        seen = {(await backend(conn), await backend(other)) for _ in range(PROBES)}
        return len(seen) > 1 or any(one == another for one, another in seen)

    async def _listen(self, conn: psycopg.AsyncConnection[Any]) -> None:
        for queue in set(self._queues.names) - self._heard:
            channel = sql.Identifier(f"symphony:{queue}")
            await conn.execute(sql.SQL("listen {}").format(channel))
            self._heard.add(queue)

    @property
    def misses_queues(self) -> bool:
        """True when there are queues that it does not listen to yet."""
        return self.listens and not self._heard.issuperset(self._queues.names)

    async def hear_new_queues(self, link: Link) -> None:
        """Listen to the queues that have come since."""
        conn = await link.connection()
        with suppress(psycopg.OperationalError), answered_within(link.call_timeout):
            await self._listen(conn)  # if that fails, a new connection listens
