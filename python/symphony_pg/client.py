"""Every SQL function as a method: `Client` for psycopg connections, `AsyncClient` for async ones.

The methods work in the caller's transaction and never commit it. Their arguments are those of the
SQL functions, and are documented in `functions.py`; errors are those of `errors.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.rows import tuple_row

from . import functions
from .errors import translated
from .functions import Call

__all__ = ["AsyncClient", "Client"]

P = ParamSpec("P")
T = TypeVar("T")


def _method(
    function: Callable[P, Call[T]],
) -> Callable[Concatenate[Client, P], T]:
    @wraps(function)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(function(*args, **kwargs))

    return _signed(method, function)


def _async_method(
    function: Callable[P, Call[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    @wraps(function)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(function(*args, **kwargs))

    return _signed(method, function)


M = TypeVar("M", bound=Callable[..., Any])


def _signed(method: M, function: Callable[..., Any]) -> M:
    """Let help() show the arguments of `function` after self."""
    shown = inspect.signature(function)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = shown.replace(  # type: ignore[attr-defined]
        parameters=[itself, *shown.parameters.values()], return_annotation=inspect.Signature.empty
    )
    return method


class Client:
    """The SQL functions over one psycopg connection, in whatever transaction it is."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        with translated(), self.conn.cursor(row_factory=tuple_row) as cursor:
            return call.read(cursor.execute(call.statement, call.arguments).fetchall())

    enqueue = _method(functions.enqueue)
    enqueue_batch = _method(functions.enqueue_batch)
    claim_batch = _method(functions.claim_batch)
    ack = _method(functions.ack)
    nack_with_backoff = _method(functions.nack_with_backoff)
    extend_lease = _method(functions.extend_lease)
    release = _method(functions.release)
    cancel = _method(functions.cancel)
    message_status = _method(functions.message_status)
    why_not_running = _method(functions.why_not_running)

    create_queue = _method(functions.create_queue)
    configure_queue = _method(functions.configure_queue)
    pause_queue = _method(functions.pause_queue)
    resume_queue = _method(functions.resume_queue)
    drop_queue = _method(functions.drop_queue)
    purge_queue = _method(functions.purge_queue)
    queue_stats = _method(functions.queue_stats)

    tick = _method(functions.tick)
    heartbeat = _method(functions.heartbeat)
    stop_worker = _method(functions.stop_worker)
    list_queues = _method(functions.list_queues)
    worker_activity = _method(functions.worker_activity)
    request_workers = _method(functions.request_workers)
    idle = _method(functions.idle)
    busy = _method(functions.busy)

    grant_access = _method(functions.grant_access)
    revoke_access = _method(functions.revoke_access)
    check = _method(functions.check)
    version = _method(functions.version)


class AsyncClient:
    """The SQL functions over one psycopg AsyncConnection, in whatever transaction it is."""

    def __init__(self, conn: psycopg.AsyncConnection[Any]) -> None:
        self.conn = conn

    async def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        with translated():
            async with self.conn.cursor(row_factory=tuple_row) as cursor:
                await cursor.execute(call.statement, call.arguments)
                return call.read(await cursor.fetchall())

    enqueue = _async_method(functions.enqueue)
    enqueue_batch = _async_method(functions.enqueue_batch)
    claim_batch = _async_method(functions.claim_batch)
    ack = _async_method(functions.ack)
    nack_with_backoff = _async_method(functions.nack_with_backoff)
    extend_lease = _async_method(functions.extend_lease)
    release = _async_method(functions.release)
    cancel = _async_method(functions.cancel)
    message_status = _async_method(functions.message_status)
    why_not_running = _async_method(functions.why_not_running)

    create_queue = _async_method(functions.create_queue)
    configure_queue = _async_method(functions.configure_queue)
    pause_queue = _async_method(functions.pause_queue)
    resume_queue = _async_method(functions.resume_queue)
    drop_queue = _async_method(functions.drop_queue)
    purge_queue = _async_method(functions.purge_queue)
    queue_stats = _async_method(functions.queue_stats)

    tick = _async_method(functions.tick)
    heartbeat = _async_method(functions.heartbeat)
    stop_worker = _async_method(functions.stop_worker)
    list_queues = _async_method(functions.list_queues)
    worker_activity = _async_method(functions.worker_activity)
    request_workers = _async_method(functions.request_workers)
    idle = _async_method(functions.idle)
    busy = _async_method(functions.busy)

    grant_access = _async_method(functions.grant_access)
    revoke_access = _async_method(functions.revoke_access)
    check = _async_method(functions.check)
    version = _async_method(functions.version)
