"""A transport of symphony.toml: a queue and a priority, by way of another transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection, Transport


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
