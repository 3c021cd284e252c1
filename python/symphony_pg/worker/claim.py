"""What the worker holds: claims, what became of their messages, and how many to take.

Handlers run in threads while the event loop looks on, so what both touch are deques, lists that
only grow, sets and flags; their single operations need no lock.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import psycopg

from ..batch import BatchItem
from ..classification import USUAL
from ..client import AsyncClient, Client
from ..connections import AsyncConnections, Connections
from ..context import Snooze
from ..errors import LeaseLost
from ..functions import ClaimedMessage
from ..handlers import Handler
from ..redaction import trace_without_secrets

__all__ = ["Claim", "Failure", "Pace"]

log = logging.getLogger("symphony_pg.worker")

ERROR_BYTES = 8000
PACKAGE = str(Path(__file__).parents[1])


class Failure(NamedTuple):
    """A message whose handler raised, in the words of nack_with_backoff()."""

    message: ClaimedMessage
    error: str
    error_class: str
    retryable: bool | None
    retry_after: timedelta | None
    traceback: str | None = None
    snooze: Snooze | None = None
    error_bases: Sequence[str] | None = None

    @classmethod
    def of(
        cls, message: ClaimedMessage, error: BaseException, handler: Handler | None = None
    ) -> Failure:
        """Describe an error: its text, class and traceback, and whether a retry can help."""
        kind = type(error)
        verdict = (handler.errors if handler else USUAL).of(error)
        if isinstance(error, Snooze):
            return cls(message, _capped(error.reason), _name(kind), True, None, snooze=error)
        text = _capped("".join(traceback.format_exception_only(kind, error)).strip())
        if verdict.snooze is not None:
            return cls(message, text, _name(kind), True, None, snooze=Snooze(verdict.snooze))
        trace = "".join(traceback.format_exception(kind, error, _of_handler(error)))
        return cls(
            message,
            error=text,
            error_class=_name(kind),
            retryable=verdict.retryable,
            retry_after=verdict.retry_after,
            traceback=_capped(trace),
            error_bases=[_name(base) for base in kind.__mro__[1:] if base is not object],
        )

    def sanitized(self, sanitize: Callable[[str], str]) -> Failure:
        """Return it with the texts that the application's hook makes of these.

        If the hook raises, the texts are withheld: they may hold what it was to take out.
        """
        try:
            return self._replace(
                error=_text(sanitize(self.error)),
                traceback=None if self.traceback is None else _text(sanitize(self.traceback)),
            )
        except Exception as error:
            kind = type(error).__qualname__
            log.error(
                "message %d: the sanitizer failed: %s",
                self.message.message_id,
                trace_without_secrets(error),
            )
            withheld = f"{self.error_class}: (text withheld: the sanitizer raised {kind})"
            return self._replace(error=withheld, traceback=None)

    @property
    def summary(self) -> str:
        """The line of the error that says what went wrong; details, hints and notes follow it."""
        lines, kind = self.error.strip().split("\n"), self.error_class.rpartition(".")[2]
        named = (line for line in lines if line.partition(":")[0].endswith(kind))
        return next(named, lines[-1]) or self.error_class


def _name(kind: type) -> str:
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    return module + kind.__qualname__


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a sanitizer returns the text, not {value!r}")
    return _capped(value)


def _of_handler(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frames of this package that led to the handler."""
    trace = error.__traceback__
    while trace and trace.tb_next and trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
        trace = trace.tb_next
    return trace


def _capped(text: str) -> str:
    """Keep the end of a traceback, which says most, and only what PostgreSQL can store."""
    data = text.replace("\x00", "\\x00").encode(errors="backslashreplace")
    if len(data) <= ERROR_BYTES:
        return data.decode()
    return "[...]\n" + data[-(ERROR_BYTES - 6) :].decode(errors="ignore")


class Claim:
    """A batch of messages in our hands, and what has become of them so far."""

    def __init__(
        self,
        messages: Sequence[ClaimedMessage],
        lease: float,
        lender: Connections,
        async_lender: AsyncConnections,
    ) -> None:
        self.claim_id = messages[0].claim_id
        self.size = len(messages)
        self.lease = lease
        self.lease_until = messages[0].lease_until
        self._held_since = time.monotonic()
        self.lost = False
        self.done: list[int] = []
        self.failures: list[Failure] = []
        # Settled by context.transaction() in their handler, or found there to be lost.
        self.elsewhere: set[int] = set()
        self.done_by_handler: list[int] = []
        self.returned = 0
        self.acked = 0
        self.nacked = 0
        self.dsn = lender.dsn
        self._lender = lender
        self._async_lender = async_lender

    @property
    def is_complete(self) -> bool:
        """True when every message has an outcome."""
        outcomes = len(self.done) + len(self.failures) + len(self.elsewhere) + self.returned
        return outcomes >= self.size

    def has_outcome(self, message_id: int) -> bool:
        """Tell whether something became of a message, though perhaps nobody knows it yet."""
        failed = (failure.message.message_id for failure in self.failures)
        return message_id in {*self.elsewhere, *self.done, *failed}

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
        if message_id not in self.elsewhere:
            self.done.append(message_id)

    @contextmanager
    def transaction(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> Iterator[psycopg.Connection[Any]]:
        """Open the transaction that ends with the ack of the message, or of a batch."""
        with self._lender.lend() as conn:
            with conn.transaction():
                yield conn
                parts = self._parts(message, batch)
                for claim, message_ids in parts:
                    with claim.settling(message_ids):
                        Client(conn).ack(claim.claim_id, message_ids)
            _done_by_handler(parts)

    @asynccontextmanager
    async def transaction_async(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Open the transaction that ends with the ack of the message, or of a batch."""
        async with self._async_lender.lend() as conn:
            async with conn.transaction():
                yield conn
                parts = self._parts(message, batch)
                for claim, message_ids in parts:
                    with claim.settling(message_ids):
                        await AsyncClient(conn).ack(claim.claim_id, message_ids)
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
            self.elsewhere.update(message_ids)
            raise


def _done_by_handler(parts: list[tuple[Claim, list[int]]]) -> None:
    for claim, message_ids in parts:
        claim.done_by_handler.extend(message_ids)
        claim.elsewhere.update(message_ids)


class Pace:
    """How many messages to hold: what can be worked off in about a second."""

    HORIZON = 1.0
    SOON = 0.02

    def __init__(self, slots: int, batch_size: int) -> None:
        self._slots = slots
        self._batch_size = batch_size
        self._seconds: float | None = None

    def observe(self, seconds: float, messages: int) -> None:
        """Learn how long handlers took: a moving average that forgets quickly."""
        if messages:
            latest = seconds / messages
            self._seconds = latest if self._seconds is None else self._seconds * 0.7 + latest * 0.3

    def batch_size(self, free_slots: int) -> int:
        """Return how many to claim: at least what can start at once."""
        wanted = free_slots
        if self._seconds is not None:
            wanted = int(self.HORIZON * self._slots / max(self._seconds, 1e-6))
        return max(1, min(self._batch_size, max(free_slots, wanted)))

    def is_nearly_through(self, messages: int) -> bool:
        """Tell whether so many messages are worked off before the next claim could be here."""
        return self._seconds is not None and messages * self._seconds < self.SOON * self._slots
