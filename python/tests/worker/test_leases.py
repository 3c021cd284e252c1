"""Leases are extended, and whoever has lost one is told."""

import asyncio
import threading
import time
from datetime import timedelta

from symphony_pg import Client, Context, LeaseLost, Symphony
from tests.helpers import Connection, Job, known, status
from tests.worker.helpers import running, until


async def test_leases_are_extended_while_a_handler_runs(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.3))
    extended: list[timedelta] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        before = context.lease_until
        time.sleep(1)
        extended.append(context.lease_until - before)
        assert not context.lease_lost

    message_id = app.dispatch(Job())
    async with running(app) as worker:
        await until(lambda: worker.counts.done == 1)
    found = known(conn, message_id)
    assert (found.status, found.attempt) == ("completed", 1)
    assert extended[0] > timedelta(seconds=0.5)


def end_leases(conn: Connection) -> None:
    """Let the time of every open claim be over, as if the worker had stalled."""
    conn.execute(
        "update symphony.claim set lease_until = clock_timestamp() - interval '1 second' "
        "where open_ids <> '{}'"
    )
    Client(conn).tick()


async def test_a_lost_lease_cancels_an_async_handler(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    first, outcomes = asyncio.Event(), []

    @app.handler(Job)
    async def work(job: Job, context: Context) -> None:
        if context.attempt > 1:
            outcomes.append("second attempt")
            return
        first.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            outcomes.append("cancelled" if context.lease_lost else "cancelled without being told")
            raise

    message_id = app.dispatch(Job())
    async with running(app) as worker:
        await first.wait()
        end_leases(conn)
        await until(lambda: outcomes == ["cancelled", "second attempt"], str(outcomes))
        await until(lambda: worker.counts.done == 1)
    assert worker.counts.retried == worker.counts.failed == 0
    assert status(conn, message_id) == "completed"


async def test_a_lost_lease_tells_a_sync_handler(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    started = threading.Event()
    outcomes: list[object] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        if context.attempt > 1:
            outcomes.append("second attempt")
            return
        started.set()
        deadline = time.monotonic() + 10
        while not context.lease_lost and time.monotonic() < deadline:
            time.sleep(0.01)
        outcomes.append(context.lease_lost)
        try:
            with context.transaction() as own:
                own.execute("create table must_not_exist ()")
        except LeaseLost:
            outcomes.append("refused")
            raise

    app.dispatch(Job())
    async with running(app) as worker:
        await until(started.is_set)
        end_leases(conn)
        await until(lambda: len(outcomes) == 3, str(outcomes))
        await until(lambda: worker.counts.done == 1)
    assert outcomes == [True, "refused", "second attempt"]
    assert conn.execute("select to_regclass('must_not_exist')").fetchone() == (None,)


async def test_a_lease_that_nobody_can_extend_is_lost_in_time(
    app: Symphony, conn: Connection
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.6))
    started = threading.Event()
    told: list[bool] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        started.set()
        deadline = time.monotonic() + 3
        while not context.lease_lost and time.monotonic() < deadline:
            time.sleep(0.01)
        told.append(context.lease_lost)

    app.dispatch(Job())
    async with running(app, limit=1):
        await until(started.is_set)
        with conn.transaction():
            conn.execute("lock table symphony.claim")  # no word of the server comes through
            await until(lambda: told)
    assert told == [True]
