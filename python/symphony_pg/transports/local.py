"""What transports without a database share: running a handler once, in this process."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ..database.foreign import psycopg_of, psycopg_of_async
from ..database.functions.messages import ClaimedMessage
from ..database.lending import Connections
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure
from ..handling.handler import Handler, find_handler, handler_of
from ..handling.isolation import Isolation, Starter, outcome_of
from ..messages.envelope import Envelope
from ..outcomes import HandlerTimeout
from ..results import finished
from ..sending.outbox import Outbox
from ..sending.transport import AnyAsyncConnection, AnyConnection

log = logging.getLogger("symphony_pg.local")
USUAL_PRIORITY = 5


class _Here:
    """Holds messages inside this process: nobody can take them away, and there is no ack.

    context.transaction() uses the connection that was given to dispatch(), else one that is lent.
    """

    lost = lease_lost = False
    worker = None
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
            return
        if _begins_by_itself(conn):
            conn.execute("")
        with conn.transaction():
            yield conn

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
            return
        if _begins_by_itself(conn):
            await conn.execute("")
        async with conn.transaction():
            yield conn


def _begins_by_itself(conn: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether the caller's transaction begins with the next statement, whatever that is.

    Before it does, conn.transaction() would begin and commit one, and not nest a savepoint.
    """
    return not conn.autocommit and conn.info.transaction_status == TransactionStatus.IDLE


class LocalTransport:
    """What the transports without a database have in common: they run handlers here."""

    def __init__(self) -> None:
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

    def _deliveries(self, envelope: Envelope) -> list[tuple[Envelope, int]]:
        """Return what each handler of the application gets, with ids that are made up."""
        first = self._handlers.get(envelope.message_type)
        headers = envelope.headers or {}
        copies = [envelope]
        if first is not None and len(first.all) > 1 and "handler" not in headers:
            copies = [replace(envelope, headers={**headers, "handler": name}) for name in first.all]
        before = self._last_id
        self._last_id += len(copies)
        return list(zip(copies, range(before + 1, self._last_id + 1), strict=True))

    def _claimed(self, envelope: Envelope, message_id: int, max_attempts: int) -> ClaimedMessage:
        return ClaimedMessage(
            claim_id=0,
            message_id=message_id,
            queue_name=envelope.queue_name or "default",
            message_type=envelope.message_type,
            body=json.dumps(envelope.body),  # as on the way through the database
            headers=dict(envelope.headers or {}),
            priority=USUAL_PRIORITY if envelope.priority is None else envelope.priority,
            attempt=1,
            max_attempts=max_attempts,
            group_key=envelope.group_key,
            enqueued_at=datetime.now(timezone.utc),
            lease_until=_Here.lease_until,
        )

    def _find_handler(self, message: ClaimedMessage | Envelope) -> Handler | None:
        return find_handler(self._handlers, message.message_type, message.headers or {})

    def _failure(self, item: BatchItem) -> Failure:
        """Describe why a message failed."""
        assert item.error is not None
        handler = self._find_handler(item.claimed)
        failure = Failure.of(item.claimed, item.error, handler)
        if handler is None:  # there is nobody else who might know it
            return failure._replace(retryable=False)
        return failure

    def _handle(
        self, messages: Sequence[ClaimedMessage], conn: AnyConnection | None = None
    ) -> list[BatchItem]:
        """Run a handler once; each message carries what it raised."""
        handler = self._find_handler(messages[0])
        if handler is not None and handler.is_async:
            refuse_event_loop(handler)
            return asyncio.run(self._handle_async(messages))
        items = [BatchItem(each, _Here(self._lender, conn)) for each in messages]
        try:
            self._run(items).send()
        except Exception as error:
            _failed(items, error)
        return items

    async def _handle_async(
        self, messages: Sequence[ClaimedMessage], conn: AnyAsyncConnection | None = None
    ) -> list[BatchItem]:
        handler = self._find_handler(messages[0])
        items = [BatchItem(each, _Here(self._lender, conn)) for each in messages]
        try:
            if handler is not None and handler.is_async:
                await _in_time(handler, self._run_async(handler, items))
            else:
                await self._run(items).send_async()
        except Exception as error:
            _failed(items, error)
        return items

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
                result = await handler.call(items[0].claimed, items[0].holder)
                await finished(result, handler.what)
        await outbox.send_async()


def refuse_event_loop(handler: Handler) -> None:
    """Raise RuntimeError where an async handler is to run inside of an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        f"the handler of {handler.name} is async and so is the caller: "
        "use the async method here, dispatch_async() or run_all_async()"
    )


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


def _failed(items: Sequence[BatchItem], error: Exception) -> None:
    for item in items:
        item.error = item.error or error
