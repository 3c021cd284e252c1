"""The transport that does what SQL cannot: it runs handlers here, and publishes to brokers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..brokers.post import Post
from ..config.broker import BrokerSettings
from ..database.client import AsyncClient, Client
from ..database.foreign import async_client_of, client_of
from ..database.functions.routing import Delivery
from ..database.silence import CALL_TIMEOUT
from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .ids import Ids
from .plan import Plan, letters
from .postgres import PostgresTransport
from .sync import SyncTransport

ROUTES_LAST = 5.0  # seconds, for types that are only published


class RoutedTransport:
    """Obeys routes to sync transports, whose handlers run here, and to brokers directly.

    The rest goes to PostgreSQL. That is one transaction, the caller's or our own, so a handler
    that fails leaves nothing behind. What is published goes out last, before the commit, and is
    there whatever becomes of that. Where a message is stored as well and its idempotency key is in
    use, no handler runs.
    It asks the database for the route of each message, and every few seconds for those of types
    that are only published. Where no route needs that, PostgresTransport does the same in one step
    less, and takes the same options but `brokers`: where the brokers of transports are.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        brokers: Mapping[str, BrokerSettings] | None = None,
        call_timeout: float = CALL_TIMEOUT,
        **options: Any,
    ) -> None:
        self._postgres = PostgresTransport(dsn, call_timeout=call_timeout, **options)
        self._here = SyncTransport(max_attempts=1, raises=True)
        self._post = Post(brokers or {}, call_timeout)
        self._routes: dict[tuple[str, str | None], tuple[float, list[Delivery]]] = {}
        self._ids = Ids()

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._postgres.bind(handlers, dsn)
        self._here.bind(handlers, dsn)

    def move(self, dsn: str | None) -> None:
        """Use another database from now on, unless one was given here."""
        self._postgres.move(dsn)
        self._routes, self._ids = {}, Ids()

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return self._postgres.joins(dsn)

    def send(
        self, envelopes: Sequence[Envelope], conn: AnyConnection | None, to: str | None = None
    ) -> list[int]:
        """Enqueue, run and publish; the id of what is neither stored nor published is 0.

        With `to`, the name of a transport, they take no route.
        """
        if plans := self._only_published(envelopes, to):
            self._address(plans, None)
            self._publish(plans)
            return [plan.message_id for plan in plans]
        if conn is None:
            with self._postgres.lender.transaction() as conn:
                return self.send(envelopes, conn, to)
        client, answered = client_of(conn), self._postgres.lender.answered
        with answered():
            plans = [
                self._plan(
                    each, to, [] if each.queue_name else client.route_of(each.message_type, to)
                )
                for each in envelopes
            ]
            self._address(plans, client)
        stored = _stored(plans)
        _settle(plans, self._postgres.send(stored, conn) if stored else [])
        for plan in plans:
            with answered():
                stored_as = client.message_status(plan.message_id) if plan.may_be_known else None
            if not plan.may_be_known or plan.is_first(stored_as):
                self._here.send(plan.here, conn)
        self._publish(plans)
        return [plan.message_id for plan in plans]

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None, to: str | None = None
    ) -> list[int]:
        """Do what send() does, from async code."""
        if plans := self._only_published(envelopes, to):
            await self._address_async(plans, None)
            await self._publish_async(plans)
            return [plan.message_id for plan in plans]
        if conn is None:
            async with self._postgres.lender.transaction_async() as conn:
                return await self.send_async(envelopes, conn, to)
        client, answered = async_client_of(conn), self._postgres.lender.answered
        with answered():
            plans = [
                self._plan(
                    each,
                    to,
                    [] if each.queue_name else await client.route_of(each.message_type, to),
                )
                for each in envelopes
            ]
            await self._address_async(plans, client)
        stored = _stored(plans)
        _settle(plans, await self._postgres.send_async(stored, conn) if stored else [])
        for plan in plans:
            with answered():
                stored_as = (
                    await client.message_status(plan.message_id) if plan.may_be_known else None
                )
            if not plan.may_be_known or plan.is_first(stored_as):
                await self._here.send_async(plan.here, conn)
        await self._publish_async(plans)
        return [plan.message_id for plan in plans]

    def _plan(self, envelope: Envelope, to: str | None, deliveries: list[Delivery]) -> Plan:
        if deliveries and all(each.direct for each in deliveries):
            until = time.monotonic() + ROUTES_LAST
            self._routes[envelope.message_type, to] = until, deliveries
        return Plan(envelope, deliveries, to)

    def _only_published(self, envelopes: Sequence[Envelope], to: str | None) -> list[Plan]:
        """Return the plans if that is known of all of them, so that nothing is to be asked."""
        now, plans = time.monotonic(), []
        for each in envelopes:
            until, deliveries = self._routes.get((each.message_type, to), (now, []))
            if until <= now or each.queue_name:
                return []
            plans.append(plan := Plan(each, deliveries, to))
            if plan.stored:
                return []
        return plans

    def _address(self, plans: Sequence[Plan], client: Client | None) -> None:
        count = sum(len(plan.direct) for plan in plans)
        while (ids := self._ids.take(count)) is None:
            if client is None:
                with self._postgres.lender.transaction() as own:
                    self._draw(Client(own), count)
            else:
                self._draw(client, count)
        for plan in plans:
            plan.address(ids)

    def _draw(self, client: Client, count: int) -> None:
        self._post.origin = self._post.origin or client.origin()
        self._ids.add(client.reserve_message_ids(self._ids.to_draw(count)))

    async def _address_async(self, plans: Sequence[Plan], client: AsyncClient | None) -> None:
        count = sum(len(plan.direct) for plan in plans)
        while (ids := self._ids.take(count)) is None:
            if client is None:
                async with self._postgres.lender.transaction_async() as own:
                    await self._draw_async(AsyncClient(own), count)
            else:
                await self._draw_async(client, count)
        for plan in plans:
            plan.address(ids)

    async def _draw_async(self, client: AsyncClient, count: int) -> None:
        self._post.origin = self._post.origin or await client.origin()
        self._ids.add(await client.reserve_message_ids(self._ids.to_draw(count)))

    def _publish(self, plans: Sequence[Plan]) -> None:
        for transport, messages in letters(plans).items():
            self._post.publish(transport, messages)

    async def _publish_async(self, plans: Sequence[Plan]) -> None:
        for transport, messages in letters(plans).items():
            await self._post.publish_async(transport, messages)

    def close(self) -> None:
        """Close our connections."""
        self._post.close()
        self._postgres.close()

    async def aclose(self) -> None:
        """Close our connections."""
        await asyncio.to_thread(self._post.close)
        await self._postgres.aclose()


def _stored(plans: Sequence[Plan]) -> list[Envelope]:
    return [each for plan in plans for each in plan.stored]


def _settle(plans: Sequence[Plan], ids: Sequence[int]) -> None:
    rest = iter(ids)
    for plan in plans:
        plan.settle(rest)
