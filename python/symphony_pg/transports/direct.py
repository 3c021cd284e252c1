"""A transport of symphony.toml that leads to a broker directly, taken by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..handling.handler import Handler
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .routed import RoutedTransport


class DirectTransport:
    """Takes envelopes to the broker of one transport; the database says what is published."""

    def __init__(self, way: RoutedTransport, name: str) -> None:
        self._way = way
        self._name = name

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Do nothing: the other one is bound."""

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return self._way.joins(dsn)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Publish what a broker can carry, and store the rest; return the message ids."""
        return self._way.send(envelopes, conn, self._name)

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code."""
        return await self._way.send_async(envelopes, conn, self._name)

    def close(self) -> None:
        """Do nothing: the other one is closed by whoever has it."""

    async def aclose(self) -> None:
        """Do nothing: the other one is closed by whoever has it."""
