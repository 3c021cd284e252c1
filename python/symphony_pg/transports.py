"""Where dispatched messages go: to PostgreSQL, straight to the handler, or into a list.

Symphony(dsn)                                  # PostgreSQL
Symphony(transport=SyncTransport())            # the handler runs in dispatch(): development
Symphony(transport=InMemoryTransport())        # collected, to look at: tests
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from .client import AsyncClient, Client
from .connections import AsyncConnections, Connections
from .context import Holder
from .functions import ClaimedMessage, Delivery
from .handlers import Handler, UnknownMessageType, handler_of
from .message import message_type_of

__all__ = [
    "Envelope",
    "InMemoryTransport",
    "PostgresTransport",
    "RoutedTransport",
    "SyncTransport",
    "Transport",
]

M = TypeVar("M")
AnyConnection = psycopg.Connection[Any]
AnyAsyncConnection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encoded message and how it is to be delivered: the arguments of enqueue()."""

    message_type: str
    body: Any
    queue_name: str | None = None
    priority: int | None = None
    delay: timedelta | None = None
    available_at: datetime | None = None
    idempotency_key: str | None = None
    group_key: str | None = None
    headers: Mapping[str, Any] | None = None
    retry: Mapping[str, Any] | None = None

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as keyword arguments of enqueue()."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not None}

    def element(self) -> dict[str, Any]:
        """Return what was given, as an element of enqueue_batch()."""
        values = self.arguments()
        if self.delay is not None:
            values["delay"] = f"{self.delay.total_seconds():.6f} seconds"
        if self.available_at is not None:
            values["available_at"] = self.available_at.isoformat()
        return values


class Transport(Protocol):
    """Takes envelopes to where they are handled."""

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers (by wire name) and its database."""

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Send in the caller's transaction, or in one of our own; return the message ids."""

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""

    def close(self) -> None:
        """Close what was opened for send()."""

    async def aclose(self) -> None:
        """Close what was opened for send() and send_async()."""


class PostgresTransport:
    """Enqueues into PostgreSQL. Behind a transaction pooler, set prepare_threshold to None."""

    def __init__(self, dsn: str | None = None, *, prepare_threshold: int | None = 5) -> None:
        self._dsn = dsn
        self._prepare_threshold = prepare_threshold
        self._open(dsn)

    def _open(self, dsn: str | None) -> None:
        self._lender = Connections(dsn, prepare_threshold=self._prepare_threshold)
        self._async_lender = AsyncConnections(dsn, prepare_threshold=self._prepare_threshold)
        self.lend = self._lender.lend
        self.lend_async = self._async_lender.lend

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:  # noqa: ARG002
        """Use the application's database, unless one was given here."""
        if self._dsn is None:
            self._open(dsn)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Enqueue in the caller's transaction, or in one of our own; return the message ids."""
        if conn is None:
            with self._lender.lend() as conn:
                return self.send(envelopes, conn)
        if not isinstance(conn, psycopg.Connection):
            raise TypeError("dispatch() takes a psycopg.Connection; see dispatch_async()")
        if len(envelopes) == 1:
            return [Client(conn).enqueue(**envelopes[0].arguments())]
        return Client(conn).enqueue_batch([envelope.element() for envelope in envelopes])

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        if conn is None:
            async with self._async_lender.lend() as conn:
                return await self.send_async(envelopes, conn)
        if not isinstance(conn, psycopg.AsyncConnection):
            raise TypeError("dispatch_async() takes a psycopg.AsyncConnection; see dispatch()")
        if len(envelopes) == 1:
            return [await AsyncClient(conn).enqueue(**envelopes[0].arguments())]
        return await AsyncClient(conn).enqueue_batch([each.element() for each in envelopes])

    def close(self) -> None:
        """Close our connections."""
        self._lender.close()
        self._async_lender.abandon()

    async def aclose(self) -> None:
        """Close our connections."""
        self._lender.close()
        await self._async_lender.close()


class _Here:
    """Holds a message inside this process: nobody can take it away, and there is no ack.

    context.transaction() uses the connection that was given to dispatch(), else one of our own.
    """

    lost = False
    lease_until = datetime.max.replace(tzinfo=timezone.utc)

    def __init__(self, dsn: str | None, conn: AnyConnection | AnyAsyncConnection | None) -> None:
        self._dsn = dsn
        self._conn = conn

    @contextmanager
    def transaction(self, message: ClaimedMessage) -> Iterator[AnyConnection]:  # noqa: ARG002
        """Open the transaction of context.transaction()."""
        if isinstance(self._conn, psycopg.Connection):
            with nullcontext() if _begins_by_itself(self._conn) else self._conn.transaction():
                yield self._conn
        else:
            lender = Connections(self._dsn, keep=0)
            with lender.lend() as conn, conn.transaction():
                yield conn

    @asynccontextmanager
    async def transaction_async(
        self,
        message: ClaimedMessage,  # noqa: ARG002
    ) -> AsyncIterator[AnyAsyncConnection]:
        """Open the transaction of context.transaction()."""
        if isinstance(self._conn, psycopg.AsyncConnection):
            async with nullcontext() if _begins_by_itself(self._conn) else self._conn.transaction():
                yield self._conn
        else:
            lender = AsyncConnections(self._dsn, keep=0)
            async with lender.lend() as conn, conn.transaction():
                yield conn


def _begins_by_itself(conn: AnyConnection | AnyAsyncConnection) -> bool:
    """Tell whether the caller's transaction begins with the next statement.

    There is nothing to nest a savepoint in yet, and conn.transaction() would commit.
    """
    return not conn.autocommit and conn.info.transaction_status == TransactionStatus.IDLE


class _LocalTransport:
    """What the two transports without a database have in common: they run handlers here."""

    def __init__(self) -> None:
        self._handlers: Mapping[str, Handler] = {}
        self._dsn: str | None = None
        self._last_id = 0

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._handlers = handlers
        self._dsn = dsn

    def close(self) -> None:
        """Do nothing: nothing is open."""

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _prepare(
        self,
        message_id: int,
        envelope: Envelope,
        conn: AnyConnection | AnyAsyncConnection | None = None,
    ) -> tuple[list[Handler], ClaimedMessage, Holder]:
        first = self._handlers.get(envelope.message_type)
        if first is None:
            raise UnknownMessageType(envelope.message_type)
        now = datetime.now(timezone.utc)
        message = ClaimedMessage(
            claim_id=0,
            message_id=message_id,
            queue_name=envelope.queue_name or "default",
            message_type=envelope.message_type,
            body=json.dumps(envelope.body),  # as on the way through the database
            headers=dict(envelope.headers or {}),
            priority=5 if envelope.priority is None else envelope.priority,
            attempt=1,
            max_attempts=1,
            group_key=envelope.group_key,
            enqueued_at=now,
            lease_until=_Here.lease_until,
        )
        is_for_one = "handler" in message.headers
        handlers = [handler_of(self._handlers, message)] if is_for_one else [*first.all.values()]
        return handlers, message, _Here(self._dsn, conn)

    def _handle(
        self, message_id: int, envelope: Envelope, conn: AnyConnection | None = None
    ) -> None:
        handlers, message, holder = self._prepare(message_id, envelope, conn)
        for handler in handlers:
            if not handler.is_async:
                handler.call(message, holder)
                continue
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                asyncio.run(handler.call(message, holder))
            else:
                raise RuntimeError(
                    f"the handler of {envelope.message_type} is async and so is the caller: "
                    "use the async method here, dispatch_async() or run_all_async()"
                )

    async def _handle_async(
        self, message_id: int, envelope: Envelope, conn: AnyAsyncConnection | None = None
    ) -> None:
        handlers, message, holder = self._prepare(message_id, envelope, conn)
        for handler in handlers:
            result = handler.call(message, holder)
            if handler.is_async:
                await result


class SyncTransport(_LocalTransport):
    """Runs the handler inside dispatch(), at once; its errors are the caller's.

    Delay, priority and idempotency key have no meaning here.
    """

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Run the handlers; return made-up message ids."""
        ids = []
        for envelope in envelopes:
            ids.append(self._next_id())
            self._handle(ids[-1], envelope, conn)
        return ids

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Run the handlers; return made-up message ids."""
        ids = []
        for envelope in envelopes:
            ids.append(self._next_id())
            await self._handle_async(ids[-1], envelope, conn)
        return ids


class RoutedTransport:
    """Obeys routes to sync transports: their handlers run here, the rest goes to PostgreSQL.

    All of it is one transaction, the caller's or our own, so a handler that fails leaves nothing
    behind. It asks the database for the route of each message; without routes to sync transports
    PostgresTransport does the same in one step less.
    """

    def __init__(self, dsn: str | None = None) -> None:
        self._postgres = PostgresTransport(dsn)
        self._here = SyncTransport()

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._postgres.bind(handlers, dsn)
        self._here.bind(handlers, dsn)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Enqueue what is stored, run what is not; the id of what is not stored at all is 0."""
        if conn is None:
            with self._postgres.lend() as conn, conn.transaction():
                return self.send(envelopes, conn)
        client = Client(conn)
        plans = [
            _Plan(each, [] if each.queue_name else client.route_of(each.message_type))
            for each in envelopes
        ]
        ids = _in_places(
            plans, self._postgres.send(stored, conn) if (stored := _stored(plans)) else []
        )
        for plan in plans:
            self._here.send(plan.here, conn)
        return ids

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        if conn is None:
            async with self._postgres.lend_async() as conn, conn.transaction():
                return await self.send_async(envelopes, conn)
        client = AsyncClient(conn)
        plans = [
            _Plan(each, [] if each.queue_name else await client.route_of(each.message_type))
            for each in envelopes
        ]
        stored = _stored(plans)
        ids = _in_places(plans, await self._postgres.send_async(stored, conn) if stored else [])
        for plan in plans:
            await self._here.send_async(plan.here, conn)
        return ids

    def close(self) -> None:
        """Close our connections."""
        self._postgres.close()

    async def aclose(self) -> None:
        """Close our connections."""
        await self._postgres.aclose()


class _Plan:
    """What is to be done with an envelope: store it, run handlers here, or both."""

    def __init__(self, envelope: Envelope, deliveries: Sequence[Delivery]) -> None:
        self.envelope = envelope
        self.is_stored = not deliveries or any(d.transport_type != "sync" for d in deliveries)
        self.here = [
            envelope
            if d.handler_name is None
            else replace(envelope, headers={**(envelope.headers or {}), "handler": d.handler_name})
            for d in deliveries
            if d.transport_type == "sync"
        ]


def _stored(plans: Sequence[_Plan]) -> list[Envelope]:
    return [plan.envelope for plan in plans if plan.is_stored]


def _in_places(plans: Sequence[_Plan], ids: Sequence[int]) -> list[int]:
    """Return an id for each plan: 0 for what is not stored."""
    rest = iter(ids)
    return [next(rest) if plan.is_stored else 0 for plan in plans]


class InMemoryTransport(_LocalTransport):
    """Collects what is dispatched, for tests: look at it, assert on it, or run it.

    `envelopes` holds everything that was dispatched, in order.
    A transaction that is rolled back does not take back what was dispatched in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []
        self._waiting: deque[tuple[int, Envelope]] = deque()
        self._keys: dict[tuple[str | None, str], int] = {}

    def messages(self, kind: type[M]) -> list[M]:
        """Return the dispatched messages of one class, in order."""
        type_ = message_type_of(kind)
        return [
            type_.codec.decode(json.dumps(envelope.body))
            for envelope in self.envelopes
            if envelope.message_type == type_.name
        ]

    def assert_dispatched(
        self, message: object, *, count: int | None = None, **envelope: Any
    ) -> None:
        """Assert that a message was dispatched: an equal one, or any one of a class.

        `envelope` names what the envelope must say, as in queue_name="mail".
        """
        is_class = isinstance(message, type)
        type_ = message_type_of(message if isinstance(message, type) else type(message))
        body = None if is_class else type_.codec.encode(message)
        found = [
            sent
            for sent in self.envelopes
            if sent.message_type == type_.name
            and (is_class or sent.body == body)
            and all(getattr(sent, key) == value for key, value in envelope.items())
        ]
        if (count is None and not found) or (count is not None and len(found) != count):
            wanted = "at least one" if count is None else str(count)
            sent_lines = "\n".join(f"  {each}" for each in self.envelopes) or "  nothing"
            raise AssertionError(
                f"{wanted} of {message!r} {envelope or ''} should have been dispatched, "
                f"and {len(found)} were; dispatched:\n{sent_lines}"
            )

    def assert_nothing_dispatched(self) -> None:
        """Assert that nothing was dispatched."""
        if self.envelopes:
            raise AssertionError(f"nothing should have been dispatched: {self.envelopes}")

    def clear(self) -> None:
        """Forget everything."""
        self.envelopes.clear()
        self._waiting.clear()
        self._keys.clear()

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:  # noqa: ARG002
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    async def send_async(
        self,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,  # noqa: ARG002
    ) -> list[int]:
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    def _collect(self, envelope: Envelope) -> int:
        message_id = self._next_id()
        if envelope.idempotency_key is not None:
            key = (envelope.queue_name, envelope.idempotency_key)
            first = self._keys.setdefault(key, message_id)
            if first != message_id:
                return first
        self.envelopes.append(envelope)
        self._waiting.append((message_id, envelope))
        return message_id

    def run_all(self) -> int:
        """Run the handlers of all that waits, and of what they dispatch; return how many.

        Delays are not waited for. The first error ends the run; what follows keeps waiting.
        """
        count = 0
        while self._waiting:
            self._handle(*self._waiting.popleft())
            count += 1
        return count

    async def run_all_async(self) -> int:
        """Do what run_all() does, from async code."""
        count = 0
        while self._waiting:
            await self._handle_async(*self._waiting.popleft())
            count += 1
        return count
