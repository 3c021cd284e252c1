"""A broker that is opened again whenever it was away, and what to say of it meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any, TypeVar

from ..redaction import without_secrets
from ..waiting import Backoff, Flag
from .broker import Broker, BrokerAway, BrokerFull

T = TypeVar("T")
log = logging.getLogger("symphony_pg.brokers")


class BrokerGone(Exception):  # noqa: N818
    """The process ends, so nobody waits for the broker any more."""


class Reach:
    """Keeps a broker open, and knows whether it is up.

    `sessions` counts the connections: what came by an earlier one may be lost. `on_change` hears
    of news.
    """

    def __init__(self, broker: Broker, on_change: Callable[[], None] = lambda: None) -> None:
        self.broker = broker
        self.sessions = 0
        self.state = "connecting"  # then up, down or full
        self.since = datetime.now(timezone.utc)
        self.error = ""
        self._on_change = on_change
        self._is_open = False
        self._opening = asyncio.Lock()
        self._stopped = Flag()
        self._backoff = Backoff(self._stopped)

    def describe(self) -> dict[str, Any]:
        """Return what a heartbeat tells of it."""
        if self.state in ("connecting", "up"):
            return {"state": self.state}
        return {"state": self.state, "since": self.since.isoformat(), "error": self.error}

    @property
    def is_stopping(self) -> bool:
        """True after stop()."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Wait for the broker no more."""
        self._stopped.set()

    async def run(
        self,
        work: Callable[[Broker], Awaitable[T]],
        gives_up: Callable[[], bool] = lambda: False,
    ) -> T:
        """Do something with the broker, again and again until it was there for it.

        Raise BrokerGone after stop(), or if it was not there and who asks gives up.
        """
        while True:
            try:
                await self.open()
                answer = await work(self.broker)
            except BrokerAway as error:
                await self.lost(error)
                if gives_up():
                    raise BrokerGone from error
            else:
                self.found()
                return answer

    async def open(self) -> None:
        """Connect unless it is; raise BrokerAway."""
        async with self._opening:
            if not self._is_open:
                if self.is_stopping:
                    raise BrokerGone
                await self.broker.open()
                self._is_open = True
                self.sessions += 1

    def found(self) -> None:
        """Note that the broker does what it should."""
        self._backoff.reset()
        if self.state != "up":
            self.state = "up"
            log.info("%s: the broker is up", self.broker.settings.name)
            self._on_change()

    async def lost(self, error: BrokerAway) -> None:
        """Note that it does not, hang up, and wait; raise BrokerGone after stop()."""
        state = "full" if isinstance(error, BrokerFull) else "down"
        text = without_secrets(str(error))
        if state != self.state or text != self.error:
            if state != self.state:
                self.since = datetime.now(timezone.utc)
            self.state, self.error = state, text
            log.warning("%s: %s; trying again", self.broker.settings.name, text)
            self._on_change()
        if state == "down":
            await self.hang_up()
        if self.is_stopping:
            raise BrokerGone
        await self._backoff.wait()
        if self.is_stopping:
            raise BrokerGone

    async def hang_up(self, session: int | None = None) -> None:
        """Close the connection, or that of one session if there is no newer one."""
        async with self._opening:
            if self._is_open and session in (None, self.sessions):
                self._is_open = False
                await self.broker.close()
