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
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, overload

import psycopg
from psycopg.rows import tuple_row

from . import functions
from .call import Call, run, run_async

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P, T]):
    """A function that describes a call, as a method of a client, which runs it."""

    def __init__(self, function: Callable[P, Call[T]]) -> None:
        @wraps(function)
        def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            return self.run(function(*args, **kwargs))

        shown = inspect.signature(function)
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        method.__signature__ = shown.replace(  # type: ignore[attr-defined]
            parameters=[itself, *shown.parameters.values()],
            return_annotation=inspect.Signature.empty,
        )
        self._method = method

    @overload
    def __get__(self, client: Client, kind: object) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: AsyncClient, kind: object) -> Callable[P, Coroutine[Any, Any, T]]: ...

    @overload
    def __get__(self, client: None, kind: object) -> Callable[..., Any]: ...

    def __get__(self, client: Any, kind: object) -> Any:
        return self._method if client is None else MethodType(self._method, client)


class _Functions:
    """The SQL functions, by the names that they have there."""

    enqueue = _Method(functions.enqueue)
    enqueue_batch = _Method(functions.enqueue_batch)
    reserve_message_ids = _Method(functions.reserve_message_ids)
    claim_batch = _Method(functions.claim_batch)
    ack = _Method(functions.ack)
    nack_with_backoff = _Method(functions.nack_with_backoff)
    snooze = _Method(functions.snooze)
    extend_lease = _Method(functions.extend_lease)
    release = _Method(functions.release)
    release_unheard = _Method(functions.release_unheard)
    cancel = _Method(functions.cancel)
    message_status = _Method(functions.message_status)
    why_not_running = _Method(functions.why_not_running)
    message_history = _Method(functions.message_history)
    list_messages = _Method(functions.list_messages)

    failed_messages = _Method(functions.failed_messages)
    failed_stats = _Method(functions.failed_stats)
    recent_errors = _Method(functions.recent_errors)
    retry_failed = _Method(functions.retry_failed)
    retry_many_failed = _Method(functions.retry_many_failed)
    remove_failed = _Method(functions.remove_failed)
    remove_many_failed = _Method(functions.remove_many_failed)

    create_queue = _Method(functions.create_queue)
    configure_queue = _Method(functions.configure_queue)
    pause_queue = _Method(functions.pause_queue)
    resume_queue = _Method(functions.resume_queue)
    drop_queue = _Method(functions.drop_queue)
    purge_preview = _Method(functions.purge_preview)
    purge_queue = _Method(functions.purge_queue)
    blocked_keys = _Method(functions.blocked_keys)
    release_key = _Method(functions.release_key)
    queue_stats = _Method(functions.queue_stats)
    queue_figures = _Method(functions.queue_figures)
    queue_totals = _Method(functions.queue_totals)
    figures_by_minute = _Method(functions.figures_by_minute)
    type_figures = _Method(functions.type_figures)
    queue_settings = _Method(functions.queue_settings)
    queue_holds = _Method(functions.queue_holds)

    create_schedule = _Method(functions.create_schedule)
    pause_schedule = _Method(functions.pause_schedule)
    resume_schedule = _Method(functions.resume_schedule)
    remove_schedule = _Method(functions.remove_schedule)
    run_message_now = _Method(functions.run_message_now)
    run_schedule_now = _Method(functions.run_schedule_now)
    schedule_status = _Method(functions.schedule_status)
    schedule_runs = _Method(functions.schedule_runs)
    schedule_preview = _Method(functions.schedule_preview)
    schedule_diff = _Method(functions.schedule_diff)
    sync_schedules = _Method(functions.sync_schedules)
    tick_schedules = _Method(functions.tick_schedules)
    cron_next = _Method(functions.cron_next)
    cron_upcoming = _Method(functions.cron_upcoming)
    clock_changes = _Method(functions.clock_changes)
    install_pg_cron = _Method(functions.install_pg_cron)
    uninstall_pg_cron = _Method(functions.uninstall_pg_cron)

    create_transport = _Method(functions.create_transport)
    enable_transport = _Method(functions.enable_transport)
    disable_transport = _Method(functions.disable_transport)
    remove_transport = _Method(functions.remove_transport)
    set_routes = _Method(functions.set_routes)
    route_of = _Method(functions.route_of)
    sync_handlers = _Method(functions.sync_handlers)
    remove_handler = _Method(functions.remove_handler)
    set_retry_policy = _Method(functions.set_retry_policy)
    remove_retry_policy = _Method(functions.remove_retry_policy)
    retry_policy_of = _Method(functions.retry_policy_of)
    list_transports = _Method(functions.list_transports)
    list_routes = _Method(functions.list_routes)
    list_retry_policies = _Method(functions.list_retry_policies)
    apply_config = _Method(functions.apply_config)

    return_delivery = _Method(functions.return_delivery)
    first_receipt = _Method(functions.first_receipt)
    transport_status = _Method(functions.transport_status)

    tick = _Method(functions.tick)
    purge = _Method(functions.purge)
    heartbeat = _Method(functions.heartbeat)
    stop_worker = _Method(functions.stop_worker)
    list_queues = _Method(functions.list_queues)
    waiting_types = _Method(functions.waiting_types)
    worker_activity = _Method(functions.worker_activity)
    request_workers = _Method(functions.request_workers)
    idle = _Method(functions.idle)
    busy = _Method(functions.busy)

    health = _Method(functions.health)
    audit = _Method(functions.audit)
    note = _Method(functions.note)
    grant_access = _Method(functions.grant_access)
    revoke_access = _Method(functions.revoke_access)
    list_access = _Method(functions.list_access)
    restore_access = _Method(functions.restore_access)
    rebase = _Method(functions.rebase)
    check = _Method(functions.check)
    obstacles = _Method(functions.obstacles)
    metrics = _Method(functions.metrics)
    origin = _Method(functions.origin)
    version = _Method(functions.version)


class Client(_Functions):
    """The SQL functions over one psycopg connection, in whatever transaction it is."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        with psycopg.Cursor(self.conn, row_factory=tuple_row) as cursor:
            return run(cursor, call)


class AsyncClient(_Functions):
    """The SQL functions over one psycopg AsyncConnection, in whatever transaction it is."""

    def __init__(self, conn: psycopg.AsyncConnection[Any]) -> None:
        self.conn = conn

    async def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        async with psycopg.AsyncCursor(self.conn, row_factory=tuple_row) as cursor:
            return await run_async(cursor, call)
