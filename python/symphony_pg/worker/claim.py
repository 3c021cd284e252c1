"""What the worker holds: claims, what became of their messages, and how many to take.

Handlers run in threads while the event loop looks on, so what both touch are deques, lists that
only grow, sets and flags; their single operations need no lock.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

from ..database.call import Call
from ..database.client import AsyncClient, Client
from ..database.functions.messages import ClaimedMessage, ack
from ..database.lending import Connections
from ..errors import LeaseLost
from ..handling.context import BatchItem
from ..handling.failure import Failure
from .order import Order

T = TypeVar("T")
COMMIT_FOLLOWS = b", pg_catalog.set_config('idle_in_transaction_session_timeout', '5s', true)"


class Claim:
    """A batch of messages in our hands, and what has become of them so far."""

    def __init__(
        self,
        messages: Sequence[ClaimedMessage],
        lease: float,
        lender: Connections,
        worker: str | None = None,
    ) -> None:
        self.claim_id = messages[0].claim_id
        self.queue_name = messages[0].queue_name
        self.size = len(messages)
        self.lease = lease
        self.lease_until = messages[0].lease_until
        self._held_since = time.monotonic()
        self.lost = False
        # Messages without an outcome. Whoever takes one out of here reports it, and nobody else.
        self._open = {message.message_id for message in messages}
        self.order = Order(messages) if messages[0].ordered else None
        self.cancelled: set[int] = set()  # what their handlers do no longer counts
        self.done: list[int] = []
        self.failures: list[Failure] = []
        # Settled by context.transaction() in their handler, or found there to be lost.
        self.elsewhere: set[int] = set()
        self.done_by_handler: list[int] = []
        self.returned = 0
        self.acked = 0
        self.nacked = 0
        self.worker = worker
        self.dsn = lender.dsn
        self._lender = lender

    @property
    def is_complete(self) -> bool:
        """True when every message has an outcome."""
        outcomes = len(self.done) + len(self.failures) + len(self.elsewhere) + self.returned
        return outcomes >= self.size

    def open_ids(self) -> set[int]:
        """Return the messages without an outcome."""
        return set(self._open)

    def untold_ids(self) -> set[int]:
        """Return the messages of whose outcome nobody has heard yet."""
        failed = (each.message.message_id for each in self.failures[self.nacked :])
        return {*self._open, *failed, *self.done[self.acked :]}

    @property
    def in_hand(self) -> int:
        """How many messages have no outcome."""
        return len(self._open)

    @property
    def is_settled(self) -> bool:
        """True when the database knows every outcome."""
        is_told = self.acked >= len(self.done) and self.nacked >= len(self.failures)
        return self.is_complete and is_told

    def take(self, message_id: int) -> bool:
        """Tell whether the outcome of a message is the caller's to report; once it is."""
        try:
            self._open.remove(message_id)
        except KeyError:
            return False
        return True

    def is_cancelled(self, message_id: int) -> bool:
        """Tell whether what the handler of a message does counts no longer."""
        return self.lost or message_id in self.cancelled

    @property
    def extend_at(self) -> float:
        """When to extend the lease."""
        return self._held_since + self.lease / 3

    @property
    def lease_lost(self) -> bool:
        """True when the lease was lost, or has ended for all we know: the server may be away."""
        return self.lost or time.monotonic() >= self._held_since + self.lease

    def extended(self) -> None:
        """Note that the lease begins anew now."""
        now = time.monotonic()
        self.lease_until += timedelta(seconds=now - self._held_since)
        self._held_since = now

    def succeeded(self, message_id: int) -> None:
        """Note that a handler returned."""
        try:
            self._open.remove(message_id)  # as take() does
        except KeyError:
            return
        self.done.append(message_id)

    def failed(self, failure: Failure) -> bool:
        """Note that a handler raised; return False if the message has another outcome already."""
        message_id = failure.message.message_id
        if self.order is not None and message_id in self._open:
            self.order.failing(message_id)  # before it has an outcome
        if is_news := self.take(message_id):
            self.failures.append(failure)
        return is_news

    def answered(self, message_id: int, returned: list[int] | None) -> int:
        """Note what was given back with a message of an ordered queue; return how many those are.

        None: nobody knows what became of the message, so all that follow it are not started.
        """
        gone = [] if self.order is None else self.order.answered(message_id, returned)
        for each in gone:
            self.take(each)
        self.returned += len(gone)
        return len(gone)

    def next_in_order(self) -> list[ClaimedMessage]:
        """Return messages that may start now, since the one before them of their key is done."""
        return [] if self.order is None else self.order.next(self._open)

    def settled_elsewhere(self, message_ids: Iterable[int]) -> list[int]:
        """Note that messages were settled in a transaction, or lost; return the news."""
        news = [message_id for message_id in message_ids if self.take(message_id)]
        self.elsewhere.update(news)
        return news

    @contextmanager
    def transaction(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> Iterator[psycopg.Connection[Any]]:
        """Open the transaction that ends with the ack of the message, or of a batch."""
        with self._lender.transaction() as conn:
            yield conn
            parts = self._parts(message, batch)
            with self._lender.answered():
                for claim, message_ids in parts:
                    with claim.settling(message_ids):
                        Client(conn).run(_last(ack(claim.claim_id, message_ids)))
        _done_by_handler(parts)

    @asynccontextmanager
    async def transaction_async(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Open the transaction that ends with the ack of the message, or of a batch."""
        async with self._lender.transaction_async() as conn:
            yield conn
            parts = self._parts(message, batch)
            with self._lender.answered():
                for claim, message_ids in parts:
                    with claim.settling(message_ids):
                        await AsyncClient(conn).run(_last(ack(claim.claim_id, message_ids)))
        _done_by_handler(parts)

    def _parts(
        self, message: ClaimedMessage, batch: Sequence[BatchItem]
    ) -> list[tuple[Claim, list[int]]]:
        """Return what a transaction settles: claims, in the order of their locks."""
        if not batch:
            return [(self, [message.message_id])]
        parts: dict[Claim, list[int]] = {}
        for item in batch:
            if item.error is None and isinstance(item.holder, Claim):
                parts.setdefault(item.holder, []).append(item.claimed.message_id)
        return sorted(parts.items(), key=lambda part: part[0].claim_id)

    @contextmanager
    def settling(self, message_ids: list[int]) -> Iterator[None]:
        """Note that messages were lost, if that is what their ack says."""
        try:
            yield
        except LeaseLost:
            self.settled_elsewhere(message_ids)
            raise


def _last(call: Call[T]) -> Call[T]:
    """Let a call be the last one before the commit.

    If that never comes, the server ends the session, and with it the lock on the claim, before
    others wait for that too long.
    """
    return replace(call, statement=call.statement + COMMIT_FOLLOWS)


def _done_by_handler(parts: list[tuple[Claim, list[int]]]) -> None:
    for claim, message_ids in parts:
        claim.done_by_handler.extend(claim.settled_elsewhere(message_ids))
