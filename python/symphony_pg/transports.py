"""Where dispatched messages go: to PostgreSQL, or to a transport of local.py.

Symphony(dsn)                                  # PostgreSQL
Symphony(transport=SyncTransport())            # the handler runs in dispatch(): development
Symphony(transport=InMemoryTransport())        # collected, to look at: tests
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg

from .client import AsyncClient, Client
from .connections import AsyncConnections, Connections, dsn_or_default
from .handlers import Handler

__all__ = ["Envelope", "PostgresTransport", "QueueTransport", "Transport"]

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
    message: Any = field(default=None, repr=False, compare=False)  # before it was encoded

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as keyword arguments of enqueue()."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "message"}
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
    """Enqueues into PostgreSQL. Behind a pooler nothing is prepared, whatever prepare_threshold."""

    def __init__(self, dsn: str | None = None, *, prepare_threshold: int | None = 5) -> None:
        self._dsn = dsn
        self._prepare_threshold = prepare_threshold
        self._bound = False
        self._open(dsn)

    def _open(self, dsn: str | None) -> None:
        self._lender = Connections(dsn, prepare_threshold=self._prepare_threshold)
        self._async_lender = AsyncConnections(dsn, prepare_threshold=self._prepare_threshold)
        self.lend = self._lender.lend
        self.lend_async = self._async_lender.lend

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:  # noqa: ARG002
        """Use the application's database, unless one was given here."""
        if not self._bound:
            self.move(dsn)
        self._bound = True

    def move(self, dsn: str | None) -> None:
        """Use another database from now on, unless one was given here."""
        if self._dsn is None:
            self.close()
            self._open(dsn)

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return dsn_or_default(self._lender.dsn) == dsn_or_default(dsn)

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


class QueueTransport:
    """Takes envelopes to the queue of a transport of symphony.toml, by way of another one.

    The queue and the priority that dispatch() is given go before.
    """

    def __init__(self, way: Transport, queue_name: str, priority: int | None) -> None:
        self._way = way
        self._queue_name = queue_name
        self._priority = priority

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Do nothing: the other one is bound."""

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        joins = getattr(self._way, "joins", None)
        return joins is not None and bool(joins(dsn))

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Send in the caller's transaction, or in one of our own; return the message ids."""
        return self._way.send(self._directed(envelopes), conn)

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        return await self._way.send_async(self._directed(envelopes), conn)

    def _directed(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        return [
            replace(
                each,
                queue_name=each.queue_name or self._queue_name,
                priority=self._priority if each.priority is None else each.priority,
            )
            for each in envelopes
        ]

    def close(self) -> None:
        """Do nothing: the other one is closed by whoever has it."""

    async def aclose(self) -> None:
        """Do nothing: the other one is closed by whoever has it."""
