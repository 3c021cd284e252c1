"""What a worker takes on: every message once, in order, as many at a time and as long as it may."""

import asyncio
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from symphony_pg import Client, Context, Symphony
from tests.helpers import KINDS, Connection, Job, jobs, status
from tests.worker.helpers import run, running, until


@pytest.mark.parametrize("concurrency", [1, 4])
@KINDS
def test_every_message_is_handled_once(
    app: Symphony, conn: Connection, kind: str, concurrency: int
) -> None:
    seen: list[int] = []

    def sync_handler(job: Job) -> None:
        seen.append(job.n)

    async def async_handler(job: Job, context: Context) -> None:
        await asyncio.sleep(0)
        seen.append(job.n)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.dispatch_many(jobs(500))
    counts = run(app, concurrency=concurrency)
    assert sorted(seen) == list(range(500))
    assert (counts.claimed, counts.done, counts.failed) == (500, 500, 0)
    if concurrency == 1:
        assert seen == list(range(500))
    assert Client(conn).queue_stats()[0].finished_last_hour == 500


def test_sync_and_async_handlers_share_a_batch_in_order(app: Symphony) -> None:
    seen: list[object] = []

    @app.handler(Job)
    def work(job: Job) -> None:
        seen.append(job.n)

    @dataclass
    class Other:
        n: int

    @app.handler(Other)
    async def work_async(other: Other) -> None:
        seen.append(other.n)

    app.dispatch_many([Job(n) if n % 3 else Other(n) for n in range(60)])
    run(app)
    assert seen == list(range(60))


def test_no_more_handlers_run_at_a_time_than_allowed(app: Symphony) -> None:
    running_now, most, lock = 0, 0, threading.Lock()

    @app.handler(Job)
    def work(job: Job) -> None:
        nonlocal running_now, most
        with lock:
            running_now += 1
            most = max(most, running_now)
        time.sleep(0.02)
        with lock:
            running_now -= 1

    app.dispatch_many(jobs(24))
    run(app, concurrency=3)
    assert most == 3


async def test_partial_acks_are_sent_while_the_rest_runs(app: Symphony, conn: Connection) -> None:
    last_started = asyncio.Event()
    go_on = asyncio.Event()

    @app.handler(Job)
    async def work(job: Job) -> None:
        if job.n == 2:
            last_started.set()
            await go_on.wait()

    ids = app.dispatch_many(jobs(3))
    async with running(app, concurrency=3) as worker:
        await last_started.wait()
        await until(lambda: worker.counts.done == 2)
        assert [status(conn, each) for each in ids] == ["completed", "completed", "processing"]
        go_on.set()
        await until(lambda: worker.counts.done == 3)


async def test_slow_handlers_do_not_hoard(app: Symphony, conn: Connection) -> None:
    started = 0

    @app.handler(Job)
    async def work(job: Job) -> None:
        nonlocal started
        started += 1
        await asyncio.sleep(0.25)

    app.dispatch_many(jobs(100))
    async with running(app, concurrency=2, grace=5) as worker:
        await until(lambda: started >= 8)
        assert worker.counts.claimed - started <= 10
    assert worker.counts.released + worker.counts.done == worker.counts.claimed


def test_earlier_queues_go_first(app: Symphony, conn: Connection) -> None:
    for queue in ("urgent", "bulk"):
        Client(conn).create_queue(queue)
    seen: list[str] = []
    app.handler(Job)(lambda job, context: seen.append(context.queue_name))
    app.dispatch_many(jobs(3), queue="bulk")
    app.dispatch_many(jobs(3), queue="urgent")
    run(app, queues=["urgent", "bulk"])
    assert seen == ["urgent"] * 3 + ["bulk"] * 3


def test_limit(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    app.dispatch_many(jobs(10))
    assert run(app, drain=False, limit=7, batch_size=3).done == 7
    assert Client(conn).queue_stats()[0].pending == 3


def test_time_limit(app: Symphony) -> None:
    app.handler(Job)(lambda job: None)
    started = time.monotonic()
    run(app, drain=False, time_limit=0.5)
    assert 0.4 < time.monotonic() - started < 5


def test_drain_waits_for_what_handlers_dispatch(app: Symphony) -> None:
    @app.handler(Job)
    def work(job: Job) -> None:
        if job.n:
            time.sleep(0.05)
            app.dispatch(Job(job.n - 1))

    app.dispatch(Job(5))
    assert run(app, concurrency=2).done == 6


def test_no_tick_leaves_delays_alone(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    message_id = app.dispatch(Job(), delay=0.01)
    time.sleep(0.02)
    assert run(app, tick=False).done == 0
    assert status(conn, message_id) == "delayed"
    assert run(app).done == 1


async def test_the_worker_reports_itself(app: Symphony, conn: Connection) -> None:
    def workers() -> list[Any]:
        return conn.execute("select worker, queues, details from symphony.worker").fetchall()

    async with running(app, name="me", concurrency=2):
        await until(workers)
        ((name, queues, details),) = workers()
        assert (name, queues, details["concurrency"]) == ("me", ["default"], 2)
    assert workers() == []


def test_what_a_handler_settles_itself_leaves_the_rest_alone(
    app: Symphony, conn: Connection
) -> None:
    seen: list[int] = []

    @app.handler(Job)
    def work(job: Job, context: Context) -> None:
        seen.append(job.n)
        if job.n == 3:
            Client(conn).ack(context.claim_id, [context.message_id])

    ids = app.dispatch_many(jobs(10))
    counts = run(app)
    assert (counts.claimed, counts.done, counts.lost) == (10, 9, 1)
    assert seen == list(range(10))
    assert {status(conn, each) for each in ids} == {"completed"}


def test_bodies_are_any_json(app: Symphony, conn: Connection) -> None:
    seen: list[object] = []
    app.handler("Raw")(seen.append)
    bodies = [[1, 2.5], "text", {"a": {"b": None}}, 7, True]
    for body in bodies:
        Client(conn).enqueue("Raw", body)
    run(app)
    assert seen == json.loads(json.dumps(bodies))
