"""What a transport is: whatever takes envelopes to where they are handled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..database.foreign import AnyAsyncConnection, AnyConnection
from ..messages.envelope import Envelope

__all__ = ["AnyAsyncConnection", "AnyConnection", "Transport"]

Handlers = Mapping[str, Any]  # by wire name; Handler is in a room above this one


class Transport(Protocol):
    """Takes envelopes to where they are handled."""

    def bind(self, handlers: Handlers, dsn: str | None) -> None:
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
