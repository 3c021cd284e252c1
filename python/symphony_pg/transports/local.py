"""Transports without a database: handlers run in this process, at once or when a test says so.

What fails is retried, and fails for good, as with a worker and a queue of the usual settings; a
test asks the database whether these are still its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ..database.foreign import psycopg_of, psycopg_of_async
from ..database.functions.messages import ClaimedMessage
from ..database.lending import Connections
from ..events import Failed, Retried
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure
from ..handling.handler import Handler, find_handler, handler_of
from ..handling.isolation import Isolation, Starter, outcome_of
from ..messages.envelope import Envelope
from ..outcomes import HandlerTimeout
from ..redaction import without_secrets
from ..sending.bus import Bus
from ..sending.outbox import Outbox
from ..sending.transport import AnyAsyncConnection, AnyConnection

__all__ = ["LocalTransport"]

log = logging.getLogger("symphony_pg.local")
MAX_ATTEMPTS = 4
RETRY_DELAY = timedelta(seconds=1)
RETRY_MULTIPLIER = 2
RETRY_MAX_DELAY = timedelta(seconds=30)
LONGEST_WAIT = timedelta(days=36525)


class _Here:
    """Holds messages inside this process: nobody can take them away, and there is no ack.

    context.transaction() uses the connection that was given to dispatch(), else one that is lent.
    """

    lost = lease_lost = False
    lease_until = datetime.max.replace(tzinfo=timezone.utc)

    def __init__(
        self, lender: Connections, conn: AnyConnection | AnyAsyncConnection | None
    ) -> None:
        self.dsn = lender.dsn
        self._lender = lender
        self._conn = conn

    def is_cancelled(self, message_id: int) -> bool:  # noqa: ARG002
        """Return False: what handlers do here always counts."""
        return False

    @contextmanager
    def transaction(
        self,
        message: ClaimedMessage,  # noqa: ARG002
        batch: Sequence[BatchItem] = (),  # noqa: ARG002
    ) -> Iterator[psycopg.Connection[Any]]:
        """Open the transaction of context.transaction()."""
        conn = psycopg_of(self._conn)
        if conn is None:
            with self._lender.transaction() as own:
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
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Open the transaction of context.transaction()."""
        conn = await psycopg_of_async(self._conn)
        if conn is None:
            async with self._lender.transaction_async() as own:
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


def _begins_by_itself(conn: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether the caller's transaction begins with the next statement.

    There is nothing to nest a savepoint in yet, and conn.transaction() would commit.
    """
    return not conn.autocommit and conn.info.transaction_status == TransactionStatus.IDLE


@dataclass(order=True)
class Parcel:
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
        self._lender = Connections(None, keep=0)
        self._last_id = 0

    def bind(self, handlers: Mapping[str, Handler], dsn: str | None) -> None:
        """Learn the application's handlers and its database."""
        self._handlers = handlers
        if dsn != self._lender.dsn:
            self._lender = Connections(dsn, keep=0)

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

    def _claimed(self, parcel: Parcel) -> ClaimedMessage:
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

    def _find_handler(self, parcel: Parcel) -> Handler | None:
        envelope = parcel.envelope
        return find_handler(self._handlers, envelope.message_type, envelope.headers or {})

    def _handler(self, parcel: Parcel, *, in_async_code: bool) -> Handler | None:
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
        self, parcels: Sequence[Parcel], conn: AnyConnection | None = None
    ) -> list[tuple[Parcel, Exception | None]]:
        """Run a handler once; return what it raised for each message."""
        handler = self._handler(parcels[0], in_async_code=False)
        if handler is not None and handler.is_async:
            return asyncio.run(self._handle_async(parcels))
        items = [BatchItem(self._claimed(each), _Here(self._lender, conn)) for each in parcels]
        try:
            self._run(items).send()
        except Exception as error:
            _failed(items, error)
        return self._outcomes(parcels, items)

    async def _handle_async(
        self, parcels: Sequence[Parcel], conn: AnyAsyncConnection | None = None
    ) -> list[tuple[Parcel, Exception | None]]:
        handler = self._handler(parcels[0], in_async_code=True)
        items = [BatchItem(self._claimed(each), _Here(self._lender, conn)) for each in parcels]
        try:
            if handler is not None and handler.is_async:
                await _in_time(handler, self._run_async(handler, items))
            else:
                await self._run(items).send_async()
        except Exception as error:
            _failed(items, error)
        return self._outcomes(parcels, items)

    def _run(self, items: Sequence[BatchItem]) -> Outbox:
        """Call a sync handler; return what it dispatched."""
        first = items[0].claimed
        handler = handler_of(self._handlers, first.message_type, first.headers)
        outbox = Outbox(handler.bus.sender, of_thread=True)
        context = Isolation().after(outbox.enter).context()
        started = time.monotonic()
        if isinstance(handler, BatchHandler):
            context.run(handler.run, items)
        else:
            context.run(handler.call, first, items[0].holder)
        seconds = time.monotonic() - started
        if handler.timeout is not None and seconds > handler.timeout:
            log.warning(
                "%s took %.3g s, and a worker would have given it up after %g s",
                handler.what,
                seconds,
                handler.timeout,
            )
        return outbox

    async def _run_async(self, handler: Handler, items: Sequence[BatchItem]) -> None:
        with Outbox(handler.bus.sender).in_use() as outbox:
            if isinstance(handler, BatchHandler):
                await handler.run_async(items)
            else:
                await handler.call(items[0].claimed, items[0].holder)
        await outbox.send_async()

    def _outcomes(
        self, parcels: Sequence[Parcel], items: Sequence[BatchItem]
    ) -> list[tuple[Parcel, Exception | None]]:
        errors = [item.error if isinstance(item.error, Exception) else None for item in items]
        return list(zip(parcels, errors, strict=True))

    def _wait(self, parcel: Parcel, error: Exception, now: datetime) -> timedelta | None:
        """Say how long a message waits for its next attempt; None: it has failed for good."""
        message = self._claimed(parcel)
        handler = self._find_handler(parcel)
        failure = Failure.of(message, error, handler)
        if handler is None:
            failure = failure._replace(retryable=False)  # there is nobody else who might know it
        wait = given = None
        try:
            given = _asked_for(failure, now)
        except Exception as refusal:
            failure = failure.plain(f"Its wait was refused: {refusal}")
        if failure.snooze is not None and self.snoozes:
            return given
        if failure.retryable is not False and parcel.attempt < self._max_attempts:
            usual = RETRY_DELAY * RETRY_MULTIPLIER ** min(parcel.attempt - 1, 50)
            wait = min(usual, RETRY_MAX_DELAY) if given is None else given
        else:
            self.failed.append(failure.told())
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
            self.bus.events.emit(
                Failed(*what, error) if wait is None else Retried(*what, now + wait, error)
            )
        return wait


async def _in_time(handler: Handler, work: Coroutine[Any, Any, None]) -> None:
    """Await an async handler in a task of its own, and end it when its time limit is over."""
    task = Starter().start(outcome_of(work), Isolation().context())
    try:
        done, _ = await asyncio.wait([task], timeout=handler.timeout)
    except asyncio.CancelledError:  # it is the caller who is cancelled
        task.cancel()
        await asyncio.wait([task])
        raise
    if not done:
        task.cancel()
        await asyncio.wait([task])
    error = asyncio.CancelledError() if task.cancelled() else task.result()
    if not done and isinstance(error, asyncio.CancelledError):
        limit = f"its limit of {handler.timeout:g} s"
        raise HandlerTimeout(f"{handler.what} took longer than {limit}") from error
    if isinstance(error, asyncio.CancelledError):
        raise RuntimeError(f"{handler.what} has cancelled itself") from error
    if error is not None:
        raise error


def _asked_for(failure: Failure, now: datetime) -> timedelta | None:
    """Return the wait that an error asks for; raise ValueError for one that no queue would take."""
    wait = failure.retry_after
    if failure.snooze is not None:
        wait = failure.snooze.delay
        if failure.snooze.until is not None:
            wait = min(max(failure.snooze.until - now, timedelta(0)), LONGEST_WAIT)
    if wait is not None and not timedelta(0) <= wait <= LONGEST_WAIT:
        raise ValueError(f"it must be between 0 and 100 years, not {wait}")
    return wait


def _failed(items: Sequence[BatchItem], error: Exception) -> None:
    for item in items:
        item.error = item.error or error
