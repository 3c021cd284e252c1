"""The transport that obeys routes to sync transports, which SQL alone cannot serve."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..database.foreign import async_client_of, client_of
from ..database.functions.messages import MessageStatus
from ..database.functions.routing import Delivery
from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .postgres import PostgresTransport
from .sync import SyncTransport

__all__ = ["RoutedTransport"]

DISPATCH = "dispatch_id"


class RoutedTransport:
    """Obeys routes to sync transports: their handlers run here, the rest goes to PostgreSQL.

    All of it is one transaction, the caller's or our own, so a handler that fails leaves nothing
    behind. Where a message is stored as well and its idempotency key is in use, no handler runs.
    It asks the database for the route of each message; without routes to sync transports
    PostgresTransport does the same in one step less, and takes the same options.
    """

    def __init__(self, dsn: str | None = None, **options: Any) -> None:
        self._postgres = PostgresTransport(dsn, **options)
        self._here = SyncTransport(max_attempts=1, raises=True)

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._postgres.bind(handlers, dsn)
        self._here.bind(handlers, dsn)

    def move(self, dsn: str | None) -> None:
        """Use another database from now on, unless one was given here."""
        self._postgres.move(dsn)

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return self._postgres.joins(dsn)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Enqueue what is stored, run what is not; the id of what is not stored at all is 0."""
        if conn is None:
            with self._postgres.lender.transaction() as conn:
                return self.send(envelopes, conn)
        client, answered = client_of(conn), self._postgres.lender.answered
        with answered():
            plans = [
                _Plan(each, [] if each.queue_name else client.route_of(each.message_type))
                for each in envelopes
            ]
        ids = _in_places(
            plans, self._postgres.send(stored, conn) if (stored := _stored(plans)) else []
        )
        for plan, message_id in zip(plans, ids, strict=True):
            with answered():
                stored_as = client.message_status(message_id) if plan.may_be_known else None
            if not plan.may_be_known or plan.is_first(stored_as):
                self._here.send(plan.here, conn)
        return ids

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        if conn is None:
            async with self._postgres.lender.transaction_async() as conn:
                return await self.send_async(envelopes, conn)
        client, answered = async_client_of(conn), self._postgres.lender.answered
        with answered():
            plans = [
                _Plan(each, [] if each.queue_name else await client.route_of(each.message_type))
                for each in envelopes
            ]
        stored = _stored(plans)
        ids = _in_places(plans, await self._postgres.send_async(stored, conn) if stored else [])
        for plan, message_id in zip(plans, ids, strict=True):
            with answered():
                stored_as = await client.message_status(message_id) if plan.may_be_known else None
            if not plan.may_be_known or plan.is_first(stored_as):
                await self._here.send_async(plan.here, conn)
        return ids

    def close(self) -> None:
        """Close our connections."""
        self._postgres.close()

    async def aclose(self) -> None:
        """Close our connections."""
        await self._postgres.aclose()


class _Plan:
    """What is to be done with an envelope: store it, run handlers here, or both.

    What is both and has an idempotency key carries a header that no other message has. The message
    that enqueue() returns the id of tells by it whether it is this one, or one that was first.
    """

    def __init__(self, envelope: Envelope, deliveries: Sequence[Delivery]) -> None:
        self.is_stored = not deliveries or any(d.transport_type != "sync" for d in deliveries)
        is_here = any(d.transport_type == "sync" for d in deliveries)
        self.may_be_known = self.is_stored and is_here and envelope.idempotency_key is not None
        if self.may_be_known:
            headers = {**(envelope.headers or {}), DISPATCH: uuid.uuid4().hex}
            envelope = replace(envelope, headers=headers)
        self.envelope = envelope
        self.here = [
            envelope
            if d.handler_name is None
            else replace(envelope, headers={**(envelope.headers or {}), "handler": d.handler_name})
            for d in deliveries
            if d.transport_type == "sync"
        ]

    def is_first(self, stored: MessageStatus | None) -> bool:
        """Tell whether the message that was enqueued, or was there, is this one."""
        mine = (self.envelope.headers or {})[DISPATCH]
        headers = {} if stored is None else stored.headers
        if isinstance(headers, str):  # Django and asyncpg leave jsonb as it came
            headers = json.loads(headers)
        return bool(headers.get(DISPATCH) == mine)


def _stored(plans: Sequence[_Plan]) -> list[Envelope]:
    return [plan.envelope for plan in plans if plan.is_stored]


def _in_places(plans: Sequence[_Plan], ids: Sequence[int]) -> list[int]:
    """Return an id for each plan: 0 for what is not stored."""
    rest = iter(ids)
    return [next(rest) if plan.is_stored else 0 for plan in plans]
