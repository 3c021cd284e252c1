"""Handlers that take longer than they may: cancelled or given up, and never waited for."""

import asyncio
import json
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import (
    BatchContext,
    Client,
    Context,
    HandlerTimeout,
    InMemoryTransport,
    LeaseLost,
    Symphony,
    SyncTransport,
    Worker,
    WorkerStuck,
)
from tests.helpers import KINDS, Connection, Job, jobs, known, one, status
from tests.worker.helpers import Process, run, running, until

SHORT = 0.2


@pytest.fixture
def go_on() -> Any:
    """What lets handlers that hang come to an end."""
    event = threading.Event()
    yield event
    event.set()


def history(conn: Connection, message_id: int) -> Any:
    (event,) = Client(conn).message_history(message_id)
    return event


@pytest.mark.parametrize("where", ["handler", "worker", "both"])
async def test_an_async_handler_is_cancelled_and_retried(
    app: Symphony, conn: Connection, where: str
) -> None:
    seen: list[Any] = []

    async def handle(job: Job, context: Context) -> None:
        try:
            await asyncio.sleep(0 if job.n else 60)
        finally:
            seen.append(job.n)

    app.handler(Job, timeout=None if where == "worker" else SHORT)(handle)
    default = {"worker": SHORT, "both": 60.0, "handler": None}[where]
    first, second = app.dispatch_many(jobs(2))
    started = time.monotonic()
    async with running(app, handler_timeout=default) as worker:
        await until(lambda: worker.counts.retried == 1 and worker.counts.done == 1)
    assert time.monotonic() - started < 5
    assert seen == [0, 1]
    assert (status(conn, first), status(conn, second)) == ("delayed", "completed")
    event = history(conn, first)
    assert event.error_class == "symphony_pg.HandlerTimeout"
    assert "handle took longer than its limit of 0.2 s" in event.error
    assert "await asyncio.sleep" in event.traceback


@pytest.mark.parametrize("takes", [1, 2])
async def test_a_sync_handler_is_given_up(
    app: Symphony, conn: Connection, go_on: threading.Event, takes: int
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))
    contexts: list[Context] = []
    refused: list[bool] = []

    def hang(job: Job, context: Context) -> None:
        if job.n or context.attempt > 1:
            return
        contexts.append(context)
        go_on.wait(20)
        try:
            with context.transaction() as own:
                own.execute("create table must_not_exist ()")
        except LeaseLost:
            refused.append(True)
        app.dispatch(Job(9), queue="other")

    app.handler(Job, timeout=timedelta(seconds=SHORT))(hang)
    Client(conn).create_queue("other")
    first, *others = app.dispatch_many(jobs(5))
    async with running(app, concurrency=2) as worker:
        await until(lambda: worker.counts.retried == 1 and worker.counts.done >= 4)
        assert contexts[0].cancelled
        event = history(conn, first)
        assert event.error_class == "symphony_pg.HandlerTimeout"
        assert "go_on.wait(20)" in event.traceback
        assert "slots.py" not in event.traceback
        # The message is done by the other slot while this one still hangs.
        await until(lambda: worker.counts.done == 5, str(worker.counts))
        assert one(conn, "select count(*) from symphony.claim where open_ids <> '{}'") == 0
        worker._heartbeat.beat()
        await until(lambda: told_of_stuck(conn) == [(first, "Job")], "the stuck handler")
        go_on.set()
        await until(lambda: not told_of_stuck(conn, worker), "the end of the handler")
        app.dispatch(Job(7))
        await until(lambda: worker.counts.done == 6, str(worker.counts))
    assert refused == [True]
    assert conn.execute("select to_regclass('must_not_exist')").fetchone() == (None,)
    assert Client(conn).claim_batch(["other"]) == []
    assert worker.counts.lost == 0
    assert {status(conn, each) for each in (first, *others)} == {"completed"}


def told_of_stuck(conn: Connection, worker: Worker | None = None) -> list[Any]:
    if worker is not None:
        worker._heartbeat.beat()
    (activity,) = Client(conn).worker_activity()
    return [
        (each["message_id"], each["message_type"]) for each in activity.details.get("stuck", [])
    ]


@KINDS
async def test_a_batch_is_given_up_as_a_whole(
    app: Symphony, conn: Connection, go_on: threading.Event, kind: str
) -> None:
    told: list[bool] = []

    def hang(batch: list[Job], context: BatchContext) -> None:
        go_on.wait(20)
        told.append(context.cancelled)

    async def hang_async(batch: list[Job]) -> None:
        await asyncio.sleep(60)

    handler: Any = hang if kind == "sync" else hang_async
    app.batch_handler(Job, size=3, timeout=SHORT)(handler)
    app.handler("Quick")(lambda body: None)
    ids = app.dispatch_many(jobs(3))
    async with running(app, concurrency=2) as worker:
        await until(lambda: worker.counts.retried == 3, str(worker.counts))
        Client(conn).enqueue("Quick")
        await until(lambda: worker.counts.done == 1)
        go_on.set()
        await until(lambda: kind == "async" or told == [True])
    for each in ids:
        assert history(conn, each).error_class == "symphony_pg.HandlerTimeout"


async def test_an_async_handler_that_does_not_obey_is_given_up(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = asyncio.Event()

    @app.handler(Job, timeout=SHORT)
    async def hang(job: Job) -> None:
        while job.n == 0 and not go_on.is_set():
            with suppress(asyncio.CancelledError):
                await go_on.wait()

    first, _ = app.dispatch_many(jobs(2))
    try:
        async with running(app, concurrency=2) as worker:
            await until(lambda: worker.counts.retried == 1 and worker.counts.done == 1)
            assert "await go_on.wait()" in history(conn, first).traceback
            go_on.set()
            await until(lambda: "its slot is free again" in caplog.text)
    finally:
        go_on.set()


async def test_an_error_in_time_is_what_it_is(app: Symphony, conn: Connection) -> None:
    """A handler that answers its cancellation with another error or an end has the last word."""

    @app.handler(Job, timeout=SHORT)
    async def handle(job: Job) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if job.n:
                raise ValueError("cleaned up") from None

    first, second = app.dispatch_many(jobs(2))
    async with running(app) as worker:
        await until(lambda: worker.counts.retried == 1 and worker.counts.done == 1)
    assert status(conn, first) == "completed"
    assert history(conn, second).error_class == "ValueError"


async def test_a_handler_without_a_limit_has_none(app: Symphony) -> None:
    @app.handler(Job, timeout=float("inf"))
    async def handle(job: Job) -> None:
        await asyncio.sleep(0.3)

    app.dispatch(Job())
    assert (await Worker(app, drain=True, handler_timeout=0.05).run()).done == 1


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_a_worker_whose_slots_are_all_stuck_ends(
    app: Symphony, conn: Connection, go_on: threading.Event, concurrency: int
) -> None:
    @app.handler(Job, timeout=SHORT)
    def hang(job: Job) -> None:
        go_on.wait(20)

    ids = app.dispatch_many(jobs(concurrency + 3))
    started = time.monotonic()
    with pytest.raises(WorkerStuck, match=f"all {concurrency} slots are stuck"):
        await Worker(app, concurrency=concurrency, batch_size=10).run()
    assert time.monotonic() - started < 5  # and not the grace of 30 s
    found = [known(conn, each) for each in ids]
    assert [each.status for each in found] == ["delayed"] * concurrency + ["pending"] * 3
    assert [each.attempt for each in found] == [1] * concurrency + [0] * 3


async def test_a_stuck_slot_does_not_use_up_the_grace(
    app: Symphony, conn: Connection, go_on: threading.Event
) -> None:
    @app.handler(Job, timeout=SHORT)
    def hang(job: Job) -> None:
        if job.n == 0:
            go_on.wait(20)

    app.dispatch_many(jobs(2))
    started = time.monotonic()
    counts = await Worker(app, concurrency=2, drain=True).run()
    assert time.monotonic() - started < 5
    assert (counts.done, counts.retried) == (1, 1)


HANGING = """
import time
from symphony_pg import Symphony

app = Symphony()

@app.handler("Job")
def job(seconds):
    time.sleep(seconds)
"""


def test_the_exit_code_says_that_it_should_be_started_again(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    message_id = Client(conn).enqueue("Job", 60)
    (tmp_path / "symphony.toml").write_text('[worker]\nhandler_timeout = "200ms"\n')
    with Process(tmp_path, HANGING, dsn) as worker:
        assert worker.wait() == 75
        assert "Error: all 1 slots are stuck, the last one in the handler job" in str(worker)
    assert status(conn, message_id) == "delayed"


def test_the_option_goes_before_the_file(dsn: str, conn: Connection, tmp_path: Path) -> None:
    Client(conn).enqueue("Job", 0.5)
    (tmp_path / "symphony.toml").write_text('[worker]\nhandler_timeout = "200ms"\n')
    with Process(tmp_path, HANGING, dsn, "--handler-timeout", "10s", "--drain") as worker:
        assert worker.wait() == 0
        assert json.loads(worker.log.read_text().splitlines()[-1])["done"] == 1


@pytest.mark.parametrize("limit", [0, -1, timedelta(0), float("nan")])
def test_a_limit_lets_something_be_done(app: Symphony, limit: Any) -> None:
    for refuse in (
        lambda: app.handler(Job, timeout=limit)(lambda job: None),
        lambda: app.batch_handler(Job, timeout=limit)(lambda batch: None),
        lambda: Worker(app, handler_timeout=limit),
    ):
        with pytest.raises(ValueError, match="a time limit is more than 0 seconds"):
            refuse()


@pytest.mark.parametrize("transport", [InMemoryTransport, SyncTransport])
async def test_without_a_worker_async_handlers_are_held_to_it(transport: Any) -> None:
    app = Symphony(transport=(local := transport()))

    @app.handler(Job, timeout=0.01)
    async def handle(job: Job) -> None:
        await asyncio.sleep(60)

    await app.dispatch_async(Job())
    if isinstance(local, InMemoryTransport):
        with pytest.raises(HandlerTimeout):
            await local.run_all_async()
    assert [each.error_class for each in local.failed] == ["symphony_pg.HandlerTimeout"]


async def test_whoever_is_cancelled_cancels_the_handler() -> None:
    app = Symphony(transport=SyncTransport())
    ended = []

    @app.handler(Job, timeout=60)
    async def handle(job: Job) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(app.dispatch_async(Job()), 0.05)
    assert ended == [True]


def test_without_a_worker_a_sync_handler_that_is_too_slow_is_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Symphony(transport=SyncTransport())
    app.handler(Job, timeout=0.01)(lambda job: time.sleep(0.02))
    app.dispatch(Job())
    assert "a worker would have given it up after 0.01 s" in caplog.text


def test_the_history_of_many_is_kept(app: Symphony, conn: Connection) -> None:
    """A message that is always too slow fails for good in the end, as after other errors."""
    Client(conn).configure_queue("default", max_attempts=2, retry_delay=timedelta(0))

    @app.handler(Job, timeout=0.05)
    async def handle(job: Job) -> None:
        await asyncio.sleep(60)

    message_id = app.dispatch(Job())
    counts = run(app)
    while status(conn, message_id) != "failed":
        counts = run(app)
    assert counts.failed == 1
    assert len(Client(conn).message_history(message_id)) == 2
