"""Transports without a database: handlers run in this process, at once or when a test says so.

What fails is retried, and fails for good, as with a worker and a queue of the usual settings; a
test asks the database whether these are still its own.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from .batch import BatchHandler, BatchItem
from .bus import Bus
from .connections import AsyncConnections, Connections
from .events import Failed, Retried
from .functions import ClaimedMessage
from .handlers import Handler, find_handler, handler_of
from .message import message_type_of
from .outbox import Outbox
from .redaction import without_secrets
from .transports import AnyAsyncConnection, AnyConnection, Envelope
from .worker.claim import Failure

__all__ = ["InMemoryTransport", "LocalTransport", "SyncTransport"]

M = TypeVar("M")
log = logging.getLogger("symphony_pg.local")

MAX_ATTEMPTS = 4
RETRY_DELAY = timedelta(seconds=1)
RETRY_MULTIPLIER = 2
RETRY_MAX_DELAY = timedelta(seconds=30)


class _Here:
    """Holds messages inside this process: nobody can take them away, and there is no ack.

    context.transaction() uses the connection that was given to dispatch(), else one of our own.
    """

    lost = lease_lost = False
    lease_until = datetime.max.replace(tzinfo=timezone.utc)

    def __init__(self, dsn: str | None, conn: AnyConnection | AnyAsyncConnection | None) -> None:
        self.dsn = dsn
        self._conn = conn

    @contextmanager
    def transaction(
        self,
        message: ClaimedMessage,  # noqa: ARG002
        batch: Sequence[BatchItem] = (),  # noqa: ARG002
    ) -> Iterator[AnyConnection]:
        """Open the transaction of context.transaction()."""
        conn = self._conn
        if not isinstance(conn, psycopg.Connection):
            with Connections(self.dsn, keep=0).lend() as own, own.transaction():
                yield own
        elif not _begins_by_itself(conn):
            with conn.transaction():
                yield conn
        else:
            try:
                yield conn
            except BaseException:
                conn.rollback()
                raise

    @asynccontextmanager
    async def transaction_async(
        self,
        message: ClaimedMessage,  # noqa: ARG002
        batch: Sequence[BatchItem] = (),  # noqa: ARG002
    ) -> AsyncIterator[AnyAsyncConnection]:
        """Open the transaction of context.transaction()."""
        conn = self._conn
        if not isinstance(conn, psycopg.AsyncConnection):
            async with AsyncConnections(self.dsn, keep=0).lend() as own, own.transaction():
                yield own
        elif not _begins_by_itself(conn):
            async with conn.transaction():
                yield conn
        else:
            try:
                yield conn
            except BaseException:
                await conn.rollback()
                raise


def _begins_by_itself(conn: AnyConnection | AnyAsyncConnection) -> bool:
    """Tell whether the caller's transaction begins with the next statement.

    There is nothing to nest a savepoint in yet, and conn.transaction() would commit.
    """
    return not conn.autocommit and conn.info.transaction_status == TransactionStatus.IDLE


@dataclass(order=True)
class _Parcel:
    """A message on its way, and when it is due."""

    due_at: datetime
    number: int
    message_id: int = field(compare=False)
    envelope: Envelope = field(compare=False)
    attempt: int = field(default=1, compare=False)
    enqueued_at: datetime = field(default=datetime.min, compare=False)


class LocalTransport:
    """What the transports without a database have in common: they run handlers here.

    `failed` holds the messages that failed for good, with their errors.
    """

    snoozes = True

    def __init__(self, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self.failed: list[Failure] = []
        self.bus: Bus | None = None
        self.sanitize: Callable[[str], str] | None = None
        self._max_attempts = max_attempts
        self._handlers: Mapping[str, Handler] = {}
        self._dsn: str | None = None
        self._last_id = 0

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._handlers = handlers
        self._dsn = dsn

    def joins(self, dsn: str | None) -> bool:  # noqa: ARG002
        """Tell that a connection may be passed on to handlers, of whatever database it is."""
        return True

    def close(self) -> None:
        """Do nothing: nothing is open."""

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _deliveries(self, envelope: Envelope) -> list[Envelope]:
        """Return one for each handler, as enqueue() makes them where handlers have names."""
        first = self._handlers.get(envelope.message_type)
        headers = envelope.headers or {}
        if first is None or len(first.all) == 1 or "handler" in headers:
            return [envelope]
        return [replace(envelope, headers={**headers, "handler": name}) for name in first.all]

    def _claimed(self, parcel: _Parcel) -> ClaimedMessage:
        envelope = parcel.envelope
        return ClaimedMessage(
            claim_id=0,
            message_id=parcel.message_id,
            queue_name=envelope.queue_name or "default",
            message_type=envelope.message_type,
            body=json.dumps(envelope.body),  # as on the way through the database
            headers=dict(envelope.headers or {}),
            priority=5 if envelope.priority is None else envelope.priority,
            attempt=parcel.attempt,
            max_attempts=self._max_attempts,
            group_key=envelope.group_key,
            enqueued_at=parcel.enqueued_at,
            lease_until=_Here.lease_until,
        )

    def _find_handler(self, parcel: _Parcel) -> Handler | None:
        envelope = parcel.envelope
        return find_handler(self._handlers, envelope.message_type, envelope.headers or {})

    def _handler(self, parcel: _Parcel, *, in_async_code: bool) -> Handler | None:
        handler = self._find_handler(parcel)
        if handler is not None and handler.is_async and not in_async_code:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return handler
            raise RuntimeError(
                f"the handler of {handler.name} is async and so is the caller: "
                "use the async method here, dispatch_async() or run_all_async()"
            )
        return handler

    def _handle(
        self, parcels: Sequence[_Parcel], conn: AnyConnection | None = None
    ) -> list[tuple[_Parcel, Exception | None]]:
        """Run a handler once; return what it raised for each message."""
        handler = self._handler(parcels[0], in_async_code=False)
        if handler is not None and handler.is_async:
            return asyncio.run(self._handle_async(parcels))
        items = [BatchItem(self._claimed(each), _Here(self._dsn, conn)) for each in parcels]
        try:
            handler = handler_of(
                self._handlers, items[0].claimed.message_type, items[0].claimed.headers
            )
            with Outbox(handler.bus, of_thread=True).in_use() as outbox:
                if isinstance(handler, BatchHandler):
                    handler.run(items)
                else:
                    handler.call(items[0].claimed, items[0].holder)
            outbox.send()
        except Exception as error:
            _failed(items, error)
        return self._outcomes(parcels, items)

    async def _handle_async(
        self, parcels: Sequence[_Parcel], conn: AnyAsyncConnection | None = None
    ) -> list[tuple[_Parcel, Exception | None]]:
        handler = self._handler(parcels[0], in_async_code=True)
        items = [BatchItem(self._claimed(each), _Here(self._dsn, conn)) for each in parcels]
        try:
            handler = handler_of(
                self._handlers, items[0].claimed.message_type, items[0].claimed.headers
            )
            with Outbox(handler.bus, of_thread=not handler.is_async).in_use() as outbox:
                if isinstance(handler, BatchHandler):
                    await handler.run_async(items) if handler.is_async else handler.run(items)
                else:
                    result = handler.call(items[0].claimed, items[0].holder)
                    if handler.is_async:
                        await result
            await outbox.send_async()
        except Exception as error:
            _failed(items, error)
        return self._outcomes(parcels, items)

    def _outcomes(
        self, parcels: Sequence[_Parcel], items: Sequence[BatchItem]
    ) -> list[tuple[_Parcel, Exception | None]]:
        errors = [item.error if isinstance(item.error, Exception) else None for item in items]
        return list(zip(parcels, errors, strict=True))

    def _wait(self, parcel: _Parcel, error: Exception, now: datetime) -> timedelta | None:
        """Say how long a message waits for its next attempt; None: it has failed for good."""
        message = self._claimed(parcel)
        handler = self._find_handler(parcel)
        failure = Failure.of(message, error, handler)
        wait, given = None, failure.retry_after
        if failure.snooze is not None:
            until = failure.snooze.until or now + (failure.snooze.delay or timedelta(0))
            given = max(until - now, timedelta(0))
            if self.snoozes:
                return given
        if failure.retryable is not False and parcel.attempt < self._max_attempts:
            usual = RETRY_DELAY * RETRY_MULTIPLIER ** min(parcel.attempt - 1, 50)
            wait = min(usual, RETRY_MAX_DELAY) if given is None else given
        else:
            self.failed.append(failure)
        parcel.attempt += 1
        if self.sanitize is not None:
            failure = failure.sanitized(self.sanitize)
        failure = failure._replace(error=without_secrets(failure.error))
        log.warning(
            "message %d (%s) attempt %d of %d: %s; %s",
            message.message_id,
            message.message_type,
            message.attempt,
            message.max_attempts,
            failure.summary,
            "failed for good" if wait is None else f"retry after {wait}",
        )
        if self.bus is not None:
            what = (message, failure.error, failure.error_class)
            self.bus.events.emit(Failed(*what) if wait is None else Retried(*what, now + wait))
        return wait


def _failed(items: Sequence[BatchItem], error: Exception) -> None:
    for item in items:
        item.error = item.error or error


class SyncTransport(LocalTransport):
    """Runs the handler inside dispatch(), again if it fails, as often as a worker would.

    raises   True: what has failed for good raises its error in dispatch(), too
    sleep    called with the seconds before each retry: time.sleep, or None for no wait

    Delay, priority and idempotency key have no meaning here. A Snooze uses an attempt: nothing
    else would end it.
    """

    snoozes = False

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        raises: bool = False,
        sleep: Any = None,
    ) -> None:
        super().__init__(max_attempts=max_attempts)
        self._raises = raises
        self._sleep = sleep

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._parcels(envelope) for envelope in envelopes]
        for parcel in chain.from_iterable(groups):
            while True:
                ((_, error),) = self._handle([parcel], conn)
                if error is None or not self._again(parcel, error):
                    break
        return [group[0].message_id for group in groups]

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._parcels(envelope) for envelope in envelopes]
        for parcel in chain.from_iterable(groups):
            while True:
                ((_, error),) = await self._handle_async([parcel], conn)
                if error is None or not self._again(parcel, error):
                    break
        return [group[0].message_id for group in groups]

    def _parcels(self, envelope: Envelope) -> list[_Parcel]:
        now = datetime.now(timezone.utc)
        return [
            _Parcel(now, number := self._next_id(), number, each, enqueued_at=now)
            for each in self._deliveries(envelope)
        ]

    def _again(self, parcel: _Parcel, error: Exception) -> bool:
        wait = self._wait(parcel, error, datetime.now(timezone.utc))
        if wait is None:
            if self._raises:
                raise error
            return False
        if self._sleep is not None:
            self._sleep(wait.total_seconds())
        return True


class InMemoryTransport(LocalTransport):
    """Collects what is dispatched, for tests: look at it, assert on it, or run it.

    `envelopes` holds everything that was dispatched, in order. `now` is the time in here: it stands
    still until travel() or travel_to(), and what is delayed is due when it has come.
    A transaction that is rolled back does not take back what was dispatched in it.
    """

    def __init__(self, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        super().__init__(max_attempts=max_attempts)
        self.envelopes: list[Envelope] = []
        self.now = datetime.now(timezone.utc)
        self._waiting: list[_Parcel] = []
        self._keys: dict[tuple[str | None, str], int] = {}

    # Looking

    def messages(self, kind: type[M]) -> list[M]:
        """Return the dispatched messages of one class, in order."""
        type_ = message_type_of(kind)
        return [
            type_.decode(json.dumps(envelope.body), envelope.headers or {})
            for envelope in self.envelopes
            if envelope.message_type == type_.name
        ]

    @property
    def waiting(self) -> list[Envelope]:
        """What was not handled yet, the next one first; it may be due later."""
        return [parcel.envelope for parcel in sorted(self._waiting)]

    def assert_dispatched(
        self, message: object, *, count: int | None = None, **envelope: Any
    ) -> None:
        """Assert that a message was dispatched: an equal one, or any one of a class.

        `envelope` names what the envelope must say, as in queue_name="mail".
        """
        found = self._found(message, envelope)
        if (count is None and not found) or (count is not None and len(found) != count):
            wanted = "at least one" if count is None else str(count)
            sent_lines = "\n".join(f"  {each}" for each in self.envelopes) or "  nothing"
            raise AssertionError(
                f"{wanted} of {message!r} {envelope or ''} should have been dispatched, "
                f"and {len(found)} were; dispatched:\n{sent_lines}"
            )

    def assert_not_dispatched(self, message: object, **envelope: Any) -> None:
        """Assert that no such message was dispatched."""
        self.assert_dispatched(message, count=0, **envelope)

    def assert_nothing_dispatched(self) -> None:
        """Assert that nothing was dispatched."""
        if self.envelopes:
            raise AssertionError(f"nothing should have been dispatched: {self.envelopes}")

    def _found(self, message: object, envelope: Mapping[str, Any]) -> list[Envelope]:
        is_class = isinstance(message, type)
        type_ = message_type_of(message if isinstance(message, type) else type(message))
        body = None if is_class else type_.codec.encode(message)
        return [
            sent
            for sent in self.envelopes
            if sent.message_type == type_.name
            and (is_class or sent.body == body)
            and all(getattr(sent, key) == value for key, value in envelope.items())
        ]

    # Taking in

    def clear(self) -> None:
        """Forget everything but the time."""
        self.envelopes.clear()
        self.failed.clear()
        self._waiting.clear()
        self._keys.clear()

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:  # noqa: ARG002
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    async def send_async(
        self,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,  # noqa: ARG002
    ) -> list[int]:
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    def _collect(self, envelope: Envelope) -> int:
        message_id = self._next_id()
        if envelope.idempotency_key is not None:
            key = (envelope.queue_name, envelope.idempotency_key)
            first = self._keys.setdefault(key, message_id)
            if first != message_id:
                return first
        self.envelopes.append(envelope)
        due_at = envelope.available_at or self.now + (envelope.delay or timedelta(0))
        for number, each in enumerate(self._deliveries(envelope)):
            own_id = message_id if number == 0 else self._next_id()
            parcel = _Parcel(max(due_at, self.now), own_id, own_id, each, enqueued_at=self.now)
            heapq.heappush(self._waiting, parcel)
        return message_id

    # Time and handling

    def travel(self, time: timedelta) -> None:
        """Let time pass; run_all() handles what is due by then."""
        self.travel_to(self.now + time)

    def travel_to(self, moment: datetime) -> None:
        """Let it be a later time."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        if moment < self.now:
            raise ValueError(f"there is no way back from {self.now} to {moment}")
        self.now = moment

    def run_all(self, *, raises: bool = True) -> int:
        """Run the handlers of all that is due, and of what they dispatch; return how many.

        The first error ends the run, and its message waits for its retry, or has failed. With
        raises=False the run goes on, as a worker would.
        """
        count = 0
        while parcels := self._next_due():
            count += len(parcels)
            try:
                outcomes = self._handle(parcels)
            except BaseException:
                self._put_back(parcels)
                raise
            self._settle(outcomes, raises)
        return count

    async def run_all_async(self, *, raises: bool = True) -> int:
        """Do what run_all() does, from async code."""
        count = 0
        while parcels := self._next_due():
            count += len(parcels)
            try:
                outcomes = await self._handle_async(parcels)
            except BaseException:
                self._put_back(parcels)
                raise
            self._settle(outcomes, raises)
        return count

    def _next_due(self) -> list[_Parcel]:
        """Take the next message that is due, and those that make a batch with it."""
        if not self._waiting or self._waiting[0].due_at > self.now:
            return []
        first = heapq.heappop(self._waiting)
        handler = self._find_handler(first)
        if not isinstance(handler, BatchHandler) or first.attempt > 1:
            return [first]
        others = [
            each
            for each in sorted(self._waiting)
            if each.due_at <= self.now and each.attempt == 1 and self._find_handler(each) is handler
        ][: handler.size - 1]
        for each in others:
            self._waiting.remove(each)
        heapq.heapify(self._waiting)
        return [first, *others]

    def _put_back(self, parcels: Sequence[_Parcel]) -> None:
        for parcel in parcels:
            heapq.heappush(self._waiting, parcel)

    def _settle(self, outcomes: Sequence[tuple[_Parcel, Exception | None]], raises: bool) -> None:
        first: Exception | None = None
        for parcel, error in outcomes:
            if error is not None:
                first = first or error
                wait = self._wait(parcel, error, self.now)
                if wait is not None:
                    parcel.due_at = self.now + wait
                    heapq.heappush(self._waiting, parcel)
        if raises and first is not None:
            raise first
