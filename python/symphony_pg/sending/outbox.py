"""What a handler dispatches waits here, and is sent when the handler has succeeded.

It is sent before the message is acked, so a crash in between repeats the handler and loses nothing.
Inside context.transaction() it is sent on that connection, and commits together with the ack.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, get_ident

from ..messages.envelope import Envelope
from .sender import Sender
from .transport import AnyAsyncConnection, AnyConnection, Transport

current_outbox: ContextVar[Outbox | None] = ContextVar("symphony_outbox", default=None)
_lock = Lock()  # held for a few instructions; an async handler may dispatch from threads


class Outbox:
    """Messages that wait for the end of a handler.

    One that is bound to its thread serves the sync handlers that run there one after the other.
    One for an async handler is for that one alone: a task that the handler left behind finds it
    closed, and sends at once.
    """

    __slots__ = ("_is_open", "_items", "_sender", "_thread", "is_touched")

    def __init__(self, sender: Sender, *, of_thread: bool = False) -> None:
        self._sender = sender
        self._thread = get_ident() if of_thread else None
        self._items: list[tuple[Transport, Envelope]] = []
        self._is_open = True
        self.is_touched = False

    @contextmanager
    def in_use(self) -> Iterator[Outbox]:
        """Let dispatch() find it, for the length of a with block."""
        token = current_outbox.set(self)
        try:
            yield self
        finally:
            current_outbox.reset(token)

    def is_for(self, sender: Sender | None) -> bool:
        """Tell whether a dispatch of that application, here and now, belongs into it."""
        return (
            self._is_open
            and sender in (None, self._sender)
            and (self._thread is None or self._thread == get_ident())
        )

    def add(self, transport: Transport, envelopes: Sequence[Envelope]) -> bool:
        """Keep messages for later; return False if it was closed."""
        with _lock:
            if self._is_open:
                self._items.extend((transport, envelope) for envelope in envelopes)
                self.is_touched = True
            return self._is_open

    def __len__(self) -> int:
        return len(self._items)

    def forget(self, after: int = 0) -> None:
        """Drop what was dispatched, or what was after so many: it was not to be."""
        with _lock:
            del self._items[after:]

    def enter(self) -> None:
        """Let dispatch() find it, here and in what begins here; in_use() without the end."""
        current_outbox.set(self)

    def shut(self) -> bool:
        """Take no more; tell whether something is to be sent."""
        with _lock:
            self._is_open = False
        return bool(self._items)

    def renew(self) -> None:
        """Be empty and open, for the next handler."""
        self._items, self._is_open, self.is_touched = [], True, False

    def close(self) -> list[tuple[Transport, list[Envelope]]]:
        """Take no more, and return what is to be sent, by transport."""
        with _lock:
            self._is_open, self.is_touched = False, True
        return self._take()

    def _take(self) -> list[tuple[Transport, list[Envelope]]]:
        with _lock:
            items, self._items = self._items, []
        return _by_transport(items)

    def send(self) -> None:
        """Send everything, and close."""
        for transport, envelopes in self.close():
            self._sender.send(transport, envelopes, None)

    async def send_async(self) -> None:
        """Send everything, and close."""
        for transport, envelopes in self.close():
            await self._sender.send_async(transport, envelopes, None)

    def send_in(self, conn: AnyConnection, dsn: str | None) -> None:
        """Send everything in a transaction, where the transport writes to the same database."""
        for transport, envelopes in self._take():
            self._sender.send(transport, envelopes, conn if _joins(transport, dsn) else None)

    async def send_in_async(self, conn: AnyAsyncConnection, dsn: str | None) -> None:
        """Send everything in a transaction, where the transport writes to the same database."""
        for transport, envelopes in self._take():
            await self._sender.send_async(
                transport, envelopes, conn if _joins(transport, dsn) else None
            )


if hasattr(os, "register_at_fork"):
    # Nobody sends what a child of a handler puts into its copy: what it dispatches goes at once.
    os.register_at_fork(after_in_child=lambda: current_outbox.set(None))


def _by_transport(
    items: Sequence[tuple[Transport, Envelope]],
) -> list[tuple[Transport, list[Envelope]]]:
    groups: dict[int, tuple[Transport, list[Envelope]]] = {}
    for transport, envelope in items:
        groups.setdefault(id(transport), (transport, []))[1].append(envelope)
    return list(groups.values())


def _joins(transport: Transport, dsn: str | None) -> bool:
    joins = getattr(transport, "joins", None)
    return joins is not None and bool(joins(dsn))


def outbox_here(sender: Sender | None = None) -> Outbox | None:
    """Return the outbox of the handler that is running here, if it takes messages."""
    outbox = current_outbox.get()
    return outbox if outbox is not None and outbox.is_for(sender) else None
