"""Where dispatched messages go: to PostgreSQL, or to a transport of local.py.

Symphony(dsn)                                  # PostgreSQL
Symphony(transport=SyncTransport())            # the handler runs in dispatch(): development
Symphony(transport=InMemoryTransport())        # collected, to look at: tests
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..database.connections import AsyncConnections, Connections, dsn_or_default
from ..database.foreign import async_client_of, client_of
from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection

__all__ = ["PostgresTransport"]


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
        client = client_of(conn)
        if len(envelopes) == 1:
            return [client.enqueue(**envelopes[0].arguments())]
        return client.enqueue_batch([envelope.element() for envelope in envelopes])

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        if conn is None:
            async with self._async_lender.lend() as conn:
                return await self.send_async(envelopes, conn)
        client = async_client_of(conn)
        if len(envelopes) == 1:
            return [await client.enqueue(**envelopes[0].arguments())]
        return await client.enqueue_batch([each.element() for each in envelopes])

    def close(self) -> None:
        """Close our connections."""
        self._lender.close()
        self._async_lender.abandon()

    async def aclose(self) -> None:
        """Close our connections."""
        self._lender.close()
        await self._async_lender.close()
