"""What a handler gets as its second argument: the message as the queue sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, TypeVar

import psycopg

from ..database.functions.messages import ClaimedMessage
from ..outcomes import RetryAfter
from ..sending.outbox import Outbox, outbox_here


class Holder(Protocol):
    """What holds a message while its handler runs: a claim, or a transport in this process."""

    @property
    def lost(self) -> bool:
        """True when the message is known to be no longer ours: nothing of it counts."""

    @property
    def lease_lost(self) -> bool:
        """True also when its lease has ended for all we know, which nobody confirmed."""

    @property
    def lease_until(self) -> datetime:
        """Until when it is held."""

    @property
    def worker(self) -> str | None:
        """What the worker calls itself; None: there is none."""

    @property
    def dsn(self) -> str | None:
        """The database that its transactions are in."""

    def is_cancelled(self, message_id: int) -> bool:
        """Tell whether what the handler of a message does counts no longer, for all we know."""

    def transaction(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Open the transaction that settles the message, or what has not failed of a batch."""

    def transaction_async(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        """Open the transaction that settles the message, or what has not failed of a batch."""


class Context:
    """The message as the queue sees it: handlers that take two arguments get one of these."""

    __slots__ = ("_headers", "_holder", "_message", "conn")

    def __init__(self, message: ClaimedMessage, holder: Holder) -> None:
        self.conn: Any = None  # the connection of transaction(), while it is open
        self._message = message
        self._holder = holder
        self._headers: Mapping[str, Any] | None = None

    @property
    def message_id(self) -> int:
        """The same for the whole life of the message, over all attempts."""
        return self._message.message_id

    @property
    def message_type(self) -> str:
        """The wire name of its type."""
        return self._message.message_type

    @property
    def claim_id(self) -> int:
        """The claim it was handed out with."""
        return self._message.claim_id

    @property
    def queue_name(self) -> str:
        """The queue it came from."""
        return self._message.queue_name

    @property
    def worker(self) -> str | None:
        """The worker that has it in its hands; None in dispatch(), or in a test."""
        return self._holder.worker

    @property
    def priority(self) -> int:
        """0 to 9; 9 goes first."""
        return self._message.priority

    @property
    def attempt(self) -> int:
        """Which delivery this is; the first one is 1."""
        return self._message.attempt

    @property
    def max_attempts(self) -> int:
        """Deliveries it gets before it fails for good."""
        return self._message.max_attempts

    @property
    def group_key(self) -> str | None:
        """What it belongs to."""
        return self._message.group_key

    @property
    def headers(self) -> Mapping[str, Any]:
        """The metadata that its producer gave."""
        if self._headers is None:
            found = self._message.headers
            self._headers = json.loads(found) if isinstance(found, str) else found
        return self._headers

    @property
    def body_size(self) -> int:
        """How many bytes the JSON of its body has, as it came from the database."""
        return len(self._message.body.encode())

    @property
    def enqueued_at(self) -> datetime:
        """When it was enqueued."""
        return self._message.enqueued_at

    @property
    def lease_until(self) -> datetime:
        """Until when the message is held; the worker moves this on while the handler runs."""
        return self._holder.lease_until

    @property
    def lease_lost(self) -> bool:
        """True once the message may be in other hands: stop, what you do will not count."""
        return self._holder.lease_lost

    @property
    def cancelled(self) -> bool:
        """True once what the handler does no longer counts: it should end.

        Its time limit is over, its lease was lost, or the worker was stopped and its grace is over.
        """
        return self._holder.is_cancelled(self._message.message_id) or self._holder.lease_lost

    def transaction(self) -> Transaction:
        """Open a transaction that commits your writes and the ack of this message together.

        Use it as `with context.transaction() as conn:`, in an async handler `async with`.
        If the block raises, or the lease was lost, neither is kept. What is dispatched in the
        block is sent in the same transaction.

        Inside one that is open, as a middleware or an inbox opens it, the block is a part of that:
        a savepoint. If it raises, its own writes and messages are not kept.
        """
        if self.conn is not None:
            return Savepoint(self, self._message, self._holder)
        return Transaction(self, self._message, self._holder)


class Transaction:
    """The connection of `context.transaction()`: a sync one for with, an async one for async."""

    def __init__(
        self,
        context: Context | BatchContext,
        message: ClaimedMessage,
        holder: Holder,
        batch: Sequence[BatchItem] = (),
    ) -> None:
        self._context = context
        self._batch = batch
        self._message = message
        self._holder = holder
        self._outbox: Outbox | None = None
        self._before = 0
        self._sync: AbstractContextManager[Any] | None = None
        self._async: AbstractAsyncContextManager[Any] | None = None

    def __enter__(self) -> psycopg.Connection[Any]:
        self._sync = self._holder.transaction(self._message, self._batch)
        return self._begin(self._sync.__enter__())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._sync is not None
        if error is None and self._outbox:
            try:
                self._outbox.send_in(self._context.conn, self._holder.dsn)
            except BaseException as not_sent:
                kind, error, trace = type(not_sent), not_sent, not_sent.__traceback__
                self._end(error)
                self._sync.__exit__(kind, error, trace)
                raise
        self._end(error)
        handled = self._sync.__exit__(kind, error, trace)
        if self._outbox is not None and error is None:
            self._outbox.send()  # nothing repeats the handler now: what follows is sent at once
        return handled

    async def __aenter__(self) -> psycopg.AsyncConnection[Any]:
        self._async = self._holder.transaction_async(self._message, self._batch)
        return self._begin(await self._async.__aenter__())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._async is not None
        if error is None and self._outbox:
            try:
                await self._outbox.send_in_async(self._context.conn, self._holder.dsn)
            except BaseException as not_sent:
                kind, error, trace = type(not_sent), not_sent, not_sent.__traceback__
                self._end(error)
                await self._async.__aexit__(kind, error, trace)
                raise
        self._end(error)
        handled = await self._async.__aexit__(kind, error, trace)
        if self._outbox is not None and error is None:
            await self._outbox.send_async()
        return handled

    def _begin(self, conn: T) -> T:
        self._context.conn = conn
        self._outbox = outbox_here()
        self._before = 0 if self._outbox is None else len(self._outbox)
        return conn

    def _end(self, error: BaseException | None) -> None:
        self._context.conn = None
        self._forget_if(error)

    def _forget_if(self, error: BaseException | None) -> None:
        if self._outbox is not None and error is not None:
            self._outbox.forget(after=self._before)  # rolled back with the rest


class Savepoint(Transaction):
    """A block inside a transaction that is open: what commits, and when, that one decides."""

    def __enter__(self) -> psycopg.Connection[Any]:
        conn = self._context.conn
        if isinstance(conn, psycopg.AsyncConnection):
            raise TypeError("the transaction that is open is async: write async with")
        self._sync = conn.transaction()
        self._sync.__enter__()
        return self._begin(conn)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._sync is not None
        self._forget_if(error)
        return self._sync.__exit__(kind, error, trace)

    async def __aenter__(self) -> psycopg.AsyncConnection[Any]:
        conn = self._context.conn
        if isinstance(conn, psycopg.Connection):
            raise TypeError("the transaction that is open is not async: write with")
        self._async = conn.transaction()
        await self._async.__aenter__()
        return self._begin(conn)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._async is not None
        self._forget_if(error)
        return await self._async.__aexit__(kind, error, trace)


@dataclass(eq=False, slots=True)
class BatchItem:
    """One message of a batch: who holds it, what it says, and why it failed if it did."""

    claimed: ClaimedMessage
    holder: Holder
    message: Any = None
    error: BaseException | None = None


class BatchContext:
    """What a batch handler gets as its second argument: a word about each single message."""

    def __init__(self, items: Sequence[BatchItem]) -> None:
        self.conn: Any = None  # the connection of transaction(), while it is open
        self._items = items
        self._by_message = {id(item.message): item for item in items}

    @property
    def queue_name(self) -> str:
        """The queue that the first message came from."""
        return self._items[0].claimed.queue_name

    def _item(self, message: Any) -> BatchItem:
        item = self._by_message.get(id(message))
        if item is None:
            raise ValueError(f"{message!r} is not an object of this batch")
        return item

    def of(self, message: Any) -> Context:
        """Return the context of one message: its id, headers, attempt, …."""
        item = self._item(message)
        return Context(item.claimed, item.holder)

    @property
    def cancelled(self) -> bool:
        """True once what the handler does counts for no message of the batch: it should end."""
        return all(Context(each.claimed, each.holder).cancelled for each in self._items)

    def fail(self, message: Any, error: BaseException) -> None:
        """Let one message fail as if its handler had raised the error; the others go on."""
        if not isinstance(error, BaseException):
            raise TypeError(f"fail() takes an exception, and not {error!r}")
        self._item(message).error = error

    def retry(self, message: Any, after: timedelta | float, reason: str = "") -> None:
        """Let one message come back after a wait."""
        self.fail(message, RetryAfter(after, reason))

    def transaction(self) -> Transaction:
        """Open a transaction that commits your writes and the acks of the batch together.

        The acks are of the messages that have not failed singly when the block ends. Inside one
        that is open it is a savepoint.
        """
        first = self._items[0]
        if self.conn is not None:
            return Savepoint(self, first.claimed, first.holder)
        return Transaction(self, first.claimed, first.holder, self._items)


T = TypeVar("T")
