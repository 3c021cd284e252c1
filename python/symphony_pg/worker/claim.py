"""What the worker holds: claims, their messages that have not started, and how many to take.

Handlers run in threads while the event loop looks on, so what both touch are deques, lists that
only grow, sets and flags; their single operations need no lock.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import psycopg

from ..client import AsyncClient, Client
from ..codec import InvalidMessage
from ..connections import AsyncConnections, Connections
from ..context import PermanentError, RetryAfter, Snooze
from ..errors import LeaseLost
from ..functions import ClaimedMessage
from ..handlers import Handler, handler_of

__all__ = ["Backlog", "Claim", "Failure", "Pace", "Run"]

log = logging.getLogger("symphony_pg.worker")

ERROR_BYTES = 8000
PACKAGE = str(Path(__file__).parents[1])


class Failure(NamedTuple):
    """A message whose handler raised, in the words of nack_with_backoff()."""

    message: ClaimedMessage
    error: str
    error_class: str
    retryable: bool
    retry_after: timedelta | None
    traceback: str | None = None
    snooze: Snooze | None = None

    @classmethod
    def of(
        cls, message: ClaimedMessage, error: BaseException, handler: Handler | None = None
    ) -> Failure:
        """Describe an error: its text, class and traceback, and whether a retry can help."""
        permanent: tuple[type[BaseException], ...] = (PermanentError, InvalidMessage)
        kind = type(error)
        module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
        if isinstance(error, Snooze):
            return cls(message, _capped(error.reason), kind.__qualname__, True, None, snooze=error)
        trace = "".join(traceback.format_exception(kind, error, _of_handler(error)))
        return cls(
            message,
            error=_capped("".join(traceback.format_exception_only(kind, error)).strip()),
            error_class=module + kind.__qualname__,
            retryable=not isinstance(error, permanent + (handler.permanent if handler else ())),
            retry_after=error.wait if isinstance(error, RetryAfter) else None,
            traceback=_capped(trace),
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
            log.exception("message %d: the sanitizer failed", self.message.message_id)
            withheld = f"{self.error_class}: (text withheld: the sanitizer raised {kind})"
            return self._replace(error=withheld, traceback=None)

    @property
    def summary(self) -> str:
        """The last line of the error that says something."""
        return self.error.strip().rsplit("\n", 1)[-1]


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
        self.extend_at = time.monotonic() + lease / 3
        self.lost = False
        self.done: list[int] = []
        self.failures: list[Failure] = []
        # Settled by context.transaction() in their handler, or found there to be lost.
        self.elsewhere: set[int] = set()
        self.done_by_handler: list[int] = []
        self.returned = 0
        self.acked = 0
        self.nacked = 0
        self._lender = lender
        self._async_lender = async_lender

    @property
    def is_complete(self) -> bool:
        """True when every message has an outcome."""
        outcomes = len(self.done) + len(self.failures) + len(self.elsewhere) + self.returned
        return outcomes >= self.size

    def extended(self) -> None:
        """Note that the lease begins anew now."""
        passed = self.lease / 3 + time.monotonic() - self.extend_at
        self.lease_until += timedelta(seconds=passed)
        self.extend_at = time.monotonic() + self.lease / 3

    def succeeded(self, message_id: int) -> None:
        """Note that a handler returned."""
        if message_id not in self.elsewhere:
            self.done.append(message_id)

    def _done_by_handler(self, message_id: int) -> None:
        self.done_by_handler.append(message_id)
        self.elsewhere.add(message_id)

    @contextmanager
    def transaction(self, message: ClaimedMessage) -> Iterator[psycopg.Connection[Any]]:
        """Open the transaction that ends with the ack of the message."""
        with self._lender.lend() as conn:
            with conn.transaction():
                yield conn
                try:
                    Client(conn).ack(self.claim_id, [message.message_id])
                except LeaseLost:
                    self.elsewhere.add(message.message_id)
                    raise
            self._done_by_handler(message.message_id)

    @asynccontextmanager
    async def transaction_async(
        self, message: ClaimedMessage
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Open the transaction that ends with the ack of the message."""
        async with self._async_lender.lend() as conn:
            async with conn.transaction():
                yield conn
                try:
                    await AsyncClient(conn).ack(self.claim_id, [message.message_id])
                except LeaseLost:
                    self.elsewhere.add(message.message_id)
                    raise
            self._done_by_handler(message.message_id)


class Run:
    """Messages of one claim that follow each other and whose handlers are all sync or all async."""

    __slots__ = ("claim", "is_async", "waiting")

    def __init__(self, claim: Claim, is_async: bool, messages: Iterator[ClaimedMessage]) -> None:
        self.claim = claim
        self.is_async = is_async
        self.waiting = deque(messages)


class Backlog:
    """The messages that were claimed and not yet started, in order.

    `changed` is set whenever a slot comes for more.
    """

    def __init__(self, handlers: Mapping[str, Handler], changed: asyncio.Event) -> None:
        self._handlers = handlers
        self._has_async = any(
            handler.is_async for first in handlers.values() for handler in first.all.values()
        )
        self._runs: deque[Run] = deque()
        self._filled = asyncio.Event()
        self._closed = False
        self._changed = changed
        self.free_slots = 0

    def add(self, claim: Claim, messages: Sequence[ClaimedMessage]) -> None:
        """Put the messages of a claim at the end."""
        if self._has_async:
            kinds = groupby(messages, self._is_async)
            self._runs.extend(Run(claim, is_async, run) for is_async, run in kinds)
        else:
            self._runs.append(Run(claim, False, iter(messages)))
        self._filled.set()

    def _is_async(self, message: ClaimedMessage) -> bool:
        try:
            return handler_of(self._handlers, message).is_async
        except PermanentError:  # there is none, which the slot will say
            return False

    async def next(self) -> Run | None:
        """Return the first run with messages that wait, when there is one; None after close().

        The run stays: several slots work on it together.
        """
        while True:
            while self._runs and not self._runs[0].waiting:
                self._runs.popleft()
            if self._runs:
                self._changed.set()
                return self._runs[0]
            if self._closed:
                return None
            self._filled.clear()
            self.free_slots += 1
            self._changed.set()
            await self._filled.wait()
            self.free_slots -= 1

    @property
    def size(self) -> int:
        """How many messages wait."""
        return sum(len(run.waiting) for run in self._runs)

    @property
    def is_in_hand(self) -> bool:
        """True when slots are working on the last run already."""
        return len(self._runs) <= 1

    def take_back(self, lost: Claim | None = None) -> dict[Claim, list[int]]:
        """Remove what waits, of one claim or of all; return the message ids by claim."""
        taken: dict[Claim, list[int]] = {}
        for run in self._runs:
            if lost is None or run.claim is lost:
                while run.waiting:
                    try:
                        message_id = run.waiting.popleft().message_id
                    except IndexError:  # a thread was faster
                        break
                    taken.setdefault(run.claim, []).append(message_id)
        return taken

    def close(self) -> None:
        """Send the slots home when they have nothing to do."""
        self._closed = True
        self._filled.set()


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
