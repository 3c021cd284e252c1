"""A transport, its broker, and what sends and consumes there: the ground of the contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from symphony_pg import Client, Symphony, Worker
from symphony_pg.brokers.broker import Broker
from symphony_pg.brokers.opening import broker_of
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.worker.relay import Relay
from tests.brokers.servers import Server
from tests.worker.helpers import until

NAME = "orders"


@dataclass
class Bench:
    """What a test of a broker needs."""

    server: Server
    client: Client
    app: Symphony
    dsn: str
    destination: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> BrokerSettings:
        given = {"destination": self.destination, **self.server.settings, **self.options}
        return BrokerSettings(NAME, self.server.kind, self.server.dsn, None, given)

    def create(self, **options: Any) -> None:
        """Create the transport, or change its settings."""
        self.options = options
        self.client.create_transport(NAME, self.server.kind, config={**self.settings.settings})
        self.client.set_routes("*", [NAME])
        self.client.set_retry_policy("*", 3, delay=_seconds(0.05), multiplier=1, jitter=0)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        """Run a relay for the length of a block."""
        relay = Relay(self.settings, self.dsn)
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            relay.stop()
            await task

    @asynccontextmanager
    async def consuming(self, **options: Any) -> AsyncIterator[Worker]:
        """Run a consumer for the length of a block."""
        worker = Worker(self.app, transport=self.settings, **options)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task

    @asynccontextmanager
    async def working(self, **options: Any) -> AsyncIterator[Worker]:
        """Run both."""
        async with self.relaying(), self.consuming(**options) as worker:
            yield worker

    @asynccontextmanager
    async def broker(self) -> AsyncIterator[Broker]:
        """Talk to the broker itself."""
        broker = broker_of(self.settings)
        await broker.open()
        try:
            yield broker
        finally:
            await broker.close()

    async def until(self, condition: Callable[[], object], what: str = "the condition") -> None:
        """Wait until something is true; the broker may have to start."""
        await until(condition, what)

    async def send_foreign(self, body: bytes, type_: str | None = None, **headers: str) -> None:
        """Send what another program might."""
        await self.server.send_foreign(self.destination, body, type_, headers)

    def status(self, message_id: int) -> str:
        found = self.client.message_status(message_id)
        assert found is not None
        return found.status

    def elsewhere(self, **settings: Any) -> BrokerSettings:
        return replace(self.settings, **settings)


def _seconds(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)
