"""What a handler can learn about the message it is working on, and the ways to end an attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Protocol

import psycopg

from .functions import ClaimedMessage

__all__ = ["Context", "Holder", "PermanentError", "RetryAfter", "Snooze", "Transaction"]


class PermanentError(Exception):
    """Raise this when no retry can help: the message goes to the failed ones at once."""


class RetryAfter(Exception):  # noqa: N818
    """Raise this to be retried after a wait of your own choice, in place of the backoff."""

    def __init__(self, wait: timedelta | float, reason: str = "") -> None:
        self.wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        super().__init__(reason or f"retry after {self.wait}")


class Snooze(Exception):  # noqa: N818
    """Raise this when the time has not come: no attempt is used, and it is no failure.

    `until` is a moment, or a wait from now, in seconds or as a timedelta. A message that is put off
    for longer than its queue's max_snooze is dead.
    """

    def __init__(self, until: datetime | timedelta | float, reason: str = "") -> None:
        self.until = until if isinstance(until, datetime) else None
        self.delay = timedelta(seconds=until) if isinstance(until, int | float) else None
        if isinstance(until, timedelta):
            self.delay = until
        self.reason = reason
        super().__init__(reason or f"snoozed until {self.until or self.delay}")


class Holder(Protocol):
    """What holds a message while its handler runs: a claim, or a transport in this process."""

    @property
    def lost(self) -> bool:
        """True when the message is no longer ours to work on."""

    @property
    def lease_until(self) -> datetime:
        """Until when it is held."""

    def transaction(
        self, message: ClaimedMessage
    ) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Open the transaction that settles the message."""

    def transaction_async(
        self, message: ClaimedMessage
    ) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        """Open the transaction that settles the message."""


class Context:
    """The message as the queue sees it: handlers that take two arguments get one of these."""

    __slots__ = ("_headers", "_holder", "_message")

    def __init__(self, message: ClaimedMessage, holder: Holder) -> None:
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
    def priority(self) -> int:
        """0 to 9; 9 goes first."""
        return self._message.priority

    @property
    def attempt(self) -> int:
        """Which delivery this is; the first one is 1."""
        return self._message.attempt

    @property
    def max_attempts(self) -> int:
        """Deliveries it gets before it is dead."""
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
        return self._holder.lost

    def transaction(self) -> Transaction:
        """Open a transaction that commits your writes and the ack of this message together.

        Use it once, as `with context.transaction() as conn:`, in an async handler `async with`.
        If the block raises, or the lease was lost, neither is kept.
        """
        return Transaction(self._message, self._holder)


class Transaction:
    """The connection of `context.transaction()`: a sync one for with, an async one for async."""

    def __init__(self, message: ClaimedMessage, holder: Holder) -> None:
        self._message = message
        self._holder = holder
        self._sync: AbstractContextManager[psycopg.Connection[Any]] | None = None
        self._async: AbstractAsyncContextManager[psycopg.AsyncConnection[Any]] | None = None

    def __enter__(self) -> psycopg.Connection[Any]:
        self._sync = self._holder.transaction(self._message)
        return self._sync.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._sync is not None
        return self._sync.__exit__(kind, error, trace)

    async def __aenter__(self) -> psycopg.AsyncConnection[Any]:
        self._async = self._holder.transaction_async(self._message)
        return await self._async.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._async is not None
        return await self._async.__aexit__(kind, error, trace)
