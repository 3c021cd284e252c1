"""Every SQL function as a method: `Client` for psycopg connections, `AsyncClient` for async ones.

The methods work in the caller's transaction and never commit it. Their arguments are those of the
SQL functions, and are documented in `functions.py`; errors are those of `errors.py`.
JSON that Python cannot hold, nested too deeply or with a number of thousands of digits, is returned
as `RawJson`: its text.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.rows import tuple_row

from . import functions
from .call import Call
from .limits import read_again
from .translation import translated

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
        with translated(call.arguments), psycopg.Cursor(self.conn, row_factory=tuple_row) as cursor:
            cursor.execute(call.statement_in_binary, call.arguments, binary=True)
            try:
                rows = cursor.fetchall()
            except (RecursionError, ValueError):
                rows = read_again(cursor)
            return call.read(rows)

    enqueue = _method(functions.enqueue)
    enqueue_batch = _method(functions.enqueue_batch)
    claim_batch = _method(functions.claim_batch)
    ack = _method(functions.ack)
    nack_with_backoff = _method(functions.nack_with_backoff)
    snooze = _method(functions.snooze)
    extend_lease = _method(functions.extend_lease)
    release = _method(functions.release)
    cancel = _method(functions.cancel)
    message_status = _method(functions.message_status)
    why_not_running = _method(functions.why_not_running)
    message_history = _method(functions.message_history)
    list_messages = _method(functions.list_messages)

    failed_messages = _method(functions.failed_messages)
    failed_stats = _method(functions.failed_stats)
    recent_errors = _method(functions.recent_errors)
    retry_failed = _method(functions.retry_failed)
    retry_many_failed = _method(functions.retry_many_failed)
    remove_failed = _method(functions.remove_failed)
    remove_many_failed = _method(functions.remove_many_failed)

    create_queue = _method(functions.create_queue)
    configure_queue = _method(functions.configure_queue)
    pause_queue = _method(functions.pause_queue)
    resume_queue = _method(functions.resume_queue)
    drop_queue = _method(functions.drop_queue)
    purge_queue = _method(functions.purge_queue)
    queue_stats = _method(functions.queue_stats)
    queue_settings = _method(functions.queue_settings)
    queue_holds = _method(functions.queue_holds)

    create_schedule = _method(functions.create_schedule)
    pause_schedule = _method(functions.pause_schedule)
    resume_schedule = _method(functions.resume_schedule)
    remove_schedule = _method(functions.remove_schedule)
    run_schedule_now = _method(functions.run_schedule_now)
    schedule_status = _method(functions.schedule_status)
    schedule_runs = _method(functions.schedule_runs)
    schedule_preview = _method(functions.schedule_preview)
    schedule_diff = _method(functions.schedule_diff)
    sync_schedules = _method(functions.sync_schedules)
    tick_schedules = _method(functions.tick_schedules)
    cron_next = _method(functions.cron_next)
    cron_upcoming = _method(functions.cron_upcoming)
    clock_changes = _method(functions.clock_changes)
    install_pg_cron = _method(functions.install_pg_cron)
    uninstall_pg_cron = _method(functions.uninstall_pg_cron)

    create_transport = _method(functions.create_transport)
    enable_transport = _method(functions.enable_transport)
    disable_transport = _method(functions.disable_transport)
    remove_transport = _method(functions.remove_transport)
    set_routes = _method(functions.set_routes)
    route_of = _method(functions.route_of)
    sync_handlers = _method(functions.sync_handlers)
    remove_handler = _method(functions.remove_handler)
    set_retry_policy = _method(functions.set_retry_policy)
    remove_retry_policy = _method(functions.remove_retry_policy)
    retry_policy_of = _method(functions.retry_policy_of)
    list_transports = _method(functions.list_transports)
    list_routes = _method(functions.list_routes)
    list_retry_policies = _method(functions.list_retry_policies)
    apply_config = _method(functions.apply_config)

    tick = _method(functions.tick)
    purge = _method(functions.purge)
    heartbeat = _method(functions.heartbeat)
    stop_worker = _method(functions.stop_worker)
    list_queues = _method(functions.list_queues)
    waiting_types = _method(functions.waiting_types)
    worker_activity = _method(functions.worker_activity)
    request_workers = _method(functions.request_workers)
    idle = _method(functions.idle)
    busy = _method(functions.busy)

    audit = _method(functions.audit)
    note = _method(functions.note)
    grant_access = _method(functions.grant_access)
    revoke_access = _method(functions.revoke_access)
    list_access = _method(functions.list_access)
    restore_access = _method(functions.restore_access)
    rebase = _method(functions.rebase)
    check = _method(functions.check)
    obstacles = _method(functions.obstacles)
    version = _method(functions.version)


class AsyncClient:
    """The SQL functions over one psycopg AsyncConnection, in whatever transaction it is."""

    def __init__(self, conn: psycopg.AsyncConnection[Any]) -> None:
        self.conn = conn

    async def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        with translated(call.arguments):
            async with psycopg.AsyncCursor(self.conn, row_factory=tuple_row) as cursor:
                await cursor.execute(call.statement_in_binary, call.arguments, binary=True)
                try:
                    rows = await cursor.fetchall()
                except (RecursionError, ValueError):
                    rows = read_again(cursor)
                return call.read(rows)

    enqueue = _async_method(functions.enqueue)
    enqueue_batch = _async_method(functions.enqueue_batch)
    claim_batch = _async_method(functions.claim_batch)
    ack = _async_method(functions.ack)
    nack_with_backoff = _async_method(functions.nack_with_backoff)
    snooze = _async_method(functions.snooze)
    extend_lease = _async_method(functions.extend_lease)
    release = _async_method(functions.release)
    cancel = _async_method(functions.cancel)
    message_status = _async_method(functions.message_status)
    why_not_running = _async_method(functions.why_not_running)
    message_history = _async_method(functions.message_history)
    list_messages = _async_method(functions.list_messages)

    failed_messages = _async_method(functions.failed_messages)
    failed_stats = _async_method(functions.failed_stats)
    recent_errors = _async_method(functions.recent_errors)
    retry_failed = _async_method(functions.retry_failed)
    retry_many_failed = _async_method(functions.retry_many_failed)
    remove_failed = _async_method(functions.remove_failed)
    remove_many_failed = _async_method(functions.remove_many_failed)

    create_queue = _async_method(functions.create_queue)
    configure_queue = _async_method(functions.configure_queue)
    pause_queue = _async_method(functions.pause_queue)
    resume_queue = _async_method(functions.resume_queue)
    drop_queue = _async_method(functions.drop_queue)
    purge_queue = _async_method(functions.purge_queue)
    queue_stats = _async_method(functions.queue_stats)
    queue_settings = _async_method(functions.queue_settings)
    queue_holds = _async_method(functions.queue_holds)

    create_schedule = _async_method(functions.create_schedule)
    pause_schedule = _async_method(functions.pause_schedule)
    resume_schedule = _async_method(functions.resume_schedule)
    remove_schedule = _async_method(functions.remove_schedule)
    run_schedule_now = _async_method(functions.run_schedule_now)
    schedule_status = _async_method(functions.schedule_status)
    schedule_runs = _async_method(functions.schedule_runs)
    schedule_preview = _async_method(functions.schedule_preview)
    schedule_diff = _async_method(functions.schedule_diff)
    sync_schedules = _async_method(functions.sync_schedules)
    tick_schedules = _async_method(functions.tick_schedules)
    cron_next = _async_method(functions.cron_next)
    cron_upcoming = _async_method(functions.cron_upcoming)
    clock_changes = _async_method(functions.clock_changes)
    install_pg_cron = _async_method(functions.install_pg_cron)
    uninstall_pg_cron = _async_method(functions.uninstall_pg_cron)

    create_transport = _async_method(functions.create_transport)
    enable_transport = _async_method(functions.enable_transport)
    disable_transport = _async_method(functions.disable_transport)
    remove_transport = _async_method(functions.remove_transport)
    set_routes = _async_method(functions.set_routes)
    route_of = _async_method(functions.route_of)
    sync_handlers = _async_method(functions.sync_handlers)
    remove_handler = _async_method(functions.remove_handler)
    set_retry_policy = _async_method(functions.set_retry_policy)
    remove_retry_policy = _async_method(functions.remove_retry_policy)
    retry_policy_of = _async_method(functions.retry_policy_of)
    list_transports = _async_method(functions.list_transports)
    list_routes = _async_method(functions.list_routes)
    list_retry_policies = _async_method(functions.list_retry_policies)
    apply_config = _async_method(functions.apply_config)

    tick = _async_method(functions.tick)
    purge = _async_method(functions.purge)
    heartbeat = _async_method(functions.heartbeat)
    stop_worker = _async_method(functions.stop_worker)
    list_queues = _async_method(functions.list_queues)
    waiting_types = _async_method(functions.waiting_types)
    worker_activity = _async_method(functions.worker_activity)
    request_workers = _async_method(functions.request_workers)
    idle = _async_method(functions.idle)
    busy = _async_method(functions.busy)

    audit = _async_method(functions.audit)
    note = _async_method(functions.note)
    grant_access = _async_method(functions.grant_access)
    revoke_access = _async_method(functions.revoke_access)
    list_access = _async_method(functions.list_access)
    restore_access = _async_method(functions.restore_access)
    rebase = _async_method(functions.rebase)
    check = _async_method(functions.check)
    obstacles = _async_method(functions.obstacles)
    version = _async_method(functions.version)
