"""Where dispatched messages go: to PostgreSQL, or to a transport of local.py.

Symphony(dsn)                                  # PostgreSQL
Symphony(transport=SyncTransport())            # the handler runs in dispatch(): development
Symphony(transport=InMemoryTransport())        # collected, to look at: tests
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.json import encode
from psycopg.types.json import Jsonb

from ..database.call import Call, call, column, jsonb, run, run_async
from ..database.connections import dsn_or_default
from ..database.foreign import async_client_of, client_of
from ..database.functions.messages import enqueue_batch
from ..database.lending import MAX_CONNECTIONS, Connections
from ..database.silence import CALL_TIMEOUT, answered_within
from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection

# What a message of a large batch adds to the time that the server has for all of them.
PER_MESSAGE = 0.001


def _is_plain(envelope: Envelope) -> bool:
    return envelope.plain is envelope.body and not (envelope.headers or envelope.retry)


class PostgresTransport:
    """Enqueues into PostgreSQL.

    At most `max_connections` are open at a time; who finds all of them in use waits. A call that
    is not answered for `call_timeout` seconds raises NoAnswer. Behind a pooler nothing is prepared,
    whatever prepare_threshold is.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        prepare_threshold: int | None = 5,
        max_connections: int = MAX_CONNECTIONS,
        call_timeout: float = CALL_TIMEOUT,
    ) -> None:
        if max_connections < 1:
            raise ValueError("max_connections is at least 1")
        self._dsn = dsn
        self._options: dict[str, Any] = {
            "most": max_connections,
            "prepare_threshold": prepare_threshold,
            "call_timeout": call_timeout,
        }
        self._bound = False
        self.lender = Connections(dsn, **self._options)

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:  # noqa: ARG002
        """Use the application's database, unless one was given here."""
        if not self._bound:
            self.move(dsn)
        self._bound = True

    def move(self, dsn: str | None) -> None:
        """Use another database from now on, unless one was given here."""
        if self._dsn is None:
            self.close()
            self.lender = Connections(dsn, **self._options)

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return dsn_or_default(self.lender.dsn) == dsn_or_default(dsn)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Enqueue in the caller's transaction, or in one of our own; return the message ids."""
        enqueue, seconds = self._call(envelopes, conn is None)
        if conn is None:
            with self.lender.lend(seconds) as own:
                return run(own.calls, enqueue)
        with answered_within(seconds):
            return client_of(conn).run(enqueue)

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        enqueue, seconds = self._call(envelopes, conn is None)
        if conn is None:
            async with self.lender.lend_async(seconds) as own:
                return await run_async(own.calls, enqueue)
        with answered_within(seconds):
            return await async_client_of(conn).run(enqueue)

    def _call(self, envelopes: Sequence[Envelope], is_own: bool) -> tuple[Call[list[int]], float]:
        """Return the call that enqueues them, and how long it may be silent.

        On a connection of our own, where text is UTF-8, msgspec writes what it may.
        """
        seconds = self.lender.call_timeout + PER_MESSAGE * (len(envelopes) - 1)
        if len(envelopes) == 1:
            given = envelopes[0].arguments()
            if is_own and envelopes[0].plain is envelopes[0].body:
                given["body"] = Jsonb(envelopes[0].body, encode)
            return call("enqueue", jsonb(given, "body", "headers", "retry"), column), seconds
        enqueue = enqueue_batch([each.arguments() for each in envelopes])
        if is_own and all(map(_is_plain, envelopes)):
            enqueue.arguments["messages"].dumps = encode
        return enqueue, seconds

    def close(self) -> None:
        """Close our connections."""
        self.lender.close()

    async def aclose(self) -> None:
        """Close our connections."""
        self.lender.close()
