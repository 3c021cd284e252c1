"""A transport, its broker, and what sends and consumes there: the ground of the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from symphony_pg import Client, Config, Symphony, Worker
from symphony_pg.brokers.broker import Broker
from symphony_pg.brokers.opening import broker_of
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.worker.relay import Relay
from tests.brokers.servers import Server
from tests.helpers import status
from tests.worker.helpers import at_work, running

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
    through: str | None = None  # another DSN of the broker, that of a proxy

    @property
    def settings(self) -> BrokerSettings:
        given = {"destination": self.destination, **self.server.settings, **self.options}
        return BrokerSettings(NAME, self.server.kind, self.through or self.server.dsn, None, given)

    def create(self, **options: Any) -> None:
        """Create the transport, or change its settings."""
        self.options = options
        self.client.create_transport(NAME, self.server.kind, config={**self.settings.settings})
        self.client.set_routes("*", [NAME])
        self.client.set_retry_policy("*", 3, delay=timedelta(seconds=0.05), multiplier=1, jitter=0)

    def relaying(self) -> AbstractAsyncContextManager[Relay]:
        """Run a relay for the length of a block."""
        return at_work(Relay(self.settings, self.dsn))

    def consuming(self, **options: Any) -> AbstractAsyncContextManager[Worker]:
        """Run a consumer for the length of a block."""
        return running(self.app, transport=self.settings, **options)

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

    async def send_foreign(self, body: bytes, type_: str | None = None, **headers: str) -> None:
        """Send what another program might."""
        await self.server.send_foreign(self.destination, body, type_, headers)

    async def send_event(
        self, body: bytes, content_type: str | None = None, **headers: str
    ) -> None:
        """Send a CloudEvent as another program might."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        await self.server.send_foreign(self.destination, body, None, named, content_type)

    def direct_app(self, form: str = "symphony", **options: Any) -> Symphony:
        """Return an application whose file says that it publishes to the broker itself."""
        self.create(outbox=False, format=form)
        wanted = {"transports": {NAME: {"type": self.server.kind}}}
        config = Config(Path("symphony.toml"), None, wanted, {}, {NAME: self.settings})
        return Symphony(self.dsn, config=config, **options)

    def status(self, message_id: int) -> str:
        return status(self.client.conn, message_id)

    def queue(self, message_id: int) -> str | None:
        found = self.client.message_status(message_id)
        return None if found is None else found.queue_name
