"""No message finds what another one left behind: contexts, tasks, cancellations."""

import asyncio
import decimal
import logging
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from symphony_pg import (
    BatchContext,
    InMemoryTransport,
    Next,
    Passage,
    Symphony,
    SyncTransport,
    Worker,
)
from symphony_pg.handling.isolation import Isolation
from tests.helpers import KINDS, Connection, Job, jobs, status
from tests.worker.helpers import run, running, until

TENANT: ContextVar[str] = ContextVar("TENANT", default="nobody")
SCOPE: ContextVar[dict[str, int] | None] = ContextVar("SCOPE", default=None)


def register(app: Symphony, kind: str, form: str, work: Any) -> None:
    """Register a handler that calls work(job), in one of its forms."""

    def sync(job: Any) -> None:
        work(job)

    async def async_(job: Any) -> None:
        work(job)
        await asyncio.sleep(0)

    handler = async_ if kind == "async" else sync
    if form == "batch":
        app.batch_handler(Job, size=1)(handler)
        return
    if form == "middleware":
        app.middleware(passing_async if kind == "async" else passing, phase="handle")
    app.handler(Job)(handler)


def passing(passage: Passage, next_: Next) -> Any:
    TENANT.set(TENANT.get() + "!")
    return next_(passage)


async def passing_async(passage: Passage, next_: Next) -> Any:
    TENANT.set(TENANT.get() + "!")
    return await next_(passage)


@KINDS
@pytest.mark.parametrize("form", ["handler", "batch", "middleware"])
def test_a_message_does_not_see_what_another_one_set(app: Symphony, kind: str, form: str) -> None:
    seen: list[Any] = []

    def work(job: Any) -> None:
        seen.append((TENANT.get().strip("!"), TENANT.get().count("!") <= 1, SCOPE.get()))
        seen.append(decimal.getcontext().prec)
        TENANT.set("somebody")
        SCOPE.set({"n": 1})
        decimal.getcontext().prec = 5

    register(app, kind, form, work)
    app.dispatch_many(jobs(6))
    token = TENANT.set("the worker's")
    decimal.getcontext().prec = 40  # from here on the context is there, and would be shared
    try:
        assert run(app, concurrency=2).done == 6
        assert decimal.getcontext().prec == 40
        assert TENANT.get() == "the worker's"
    finally:
        TENANT.reset(token)
        decimal.getcontext().prec = 28
    assert seen == [("the worker's", True, None), 40] * 6


@KINDS
@pytest.mark.parametrize("transport", [InMemoryTransport, SyncTransport])
def test_the_caller_does_not_see_it_either(kind: str, transport: Any) -> None:
    app = Symphony(transport=transport())
    seen = []

    def work(job: Any) -> None:
        seen.append((TENANT.get(), decimal.getcontext().prec))
        TENANT.set("somebody")
        decimal.getcontext().prec = 5

    register(app, kind, "handler", work)
    before = decimal.getcontext().prec
    app.dispatch_many(jobs(2))
    if isinstance(app.transport, InMemoryTransport):
        app.transport.run_all()
    assert seen == [("nobody", before)] * 2
    assert (TENANT.get(), decimal.getcontext().prec) == ("nobody", before)


async def test_it_is_so_in_async_code(app: Symphony) -> None:
    memory = InMemoryTransport()
    app = Symphony(transport=memory)
    register(app, "async", "handler", lambda job: TENANT.set("somebody"))
    app.dispatch(Job())
    await memory.run_all_async()
    assert TENANT.get() == "nobody"


def test_a_context_is_a_copy_all_the_way() -> None:
    isolation = Isolation().after(lambda: TENANT.set("prepared"))
    first, second = isolation.context(), isolation.context()
    assert first.run(TENANT.get) == "prepared"
    first.run(TENANT.set, "changed")
    assert second.run(TENANT.get) == "prepared"
    assert first.run(decimal.getcontext) is not second.run(decimal.getcontext)


async def test_each_async_message_has_a_task_of_its_own(app: Symphony) -> None:
    tasks: list[Any] = []

    @app.handler(Job)
    async def handle(job: Job) -> None:
        tasks.append(asyncio.current_task())

    app.dispatch_many(jobs(5))
    await Worker(app, drain=True).run()
    assert len(set(tasks)) == 5
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize("is_batch", [False, True])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_handler_that_cancels_itself_has_failed(
    app: Symphony, conn: Connection, is_batch: bool, waits: bool
) -> None:
    async def handle(job: Any) -> None:
        if (job[0] if is_batch else job).n == 0:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            if waits:
                await asyncio.sleep(0)

    if is_batch:
        app.batch_handler(Job, size=1)(handle)
    else:
        app.handler(Job)(handle)
    first, *others = app.dispatch_many(jobs(4))
    async with running(app) as worker:
        await until(lambda: worker.counts.done == 3, str(worker.counts))
        await until(lambda: worker.counts.retried == 1, str(worker.counts))
        assert worker.counts.lost == 0
    assert status(conn, first) == "delayed"
    assert [status(conn, each) for each in others] == ["completed"] * 3


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
async def test_an_exit_in_an_async_handler_ends_nothing_else(
    app: Symphony, error: BaseException
) -> None:
    @app.handler(Job)
    async def handle(job: Job) -> None:
        if job.n == 0:
            raise error

    app.dispatch_many(jobs(3))
    counts = await Worker(app, drain=True).run()
    assert (counts.done, counts.retried) == (2, 1)


async def test_without_a_worker_it_is_an_error_as_well() -> None:
    memory = InMemoryTransport()
    app = Symphony(transport=memory)

    @app.handler(Job)
    async def handle(job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    app.dispatch(Job())
    with pytest.raises(RuntimeError, match="has cancelled itself"):
        await memory.run_all_async()
    assert [each.error_class for each in memory.failed] == ["RuntimeError"]


NAMES = ["Settler.run", "Settler.keep_leases", "Ticker.run", "Queues.served", "Slots._work"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_task_that_somebody_cancels_ends_the_worker(
    app: Symphony, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Each of them does something without which a worker would only seem to work."""

    @app.handler(Job)
    async def handle(job: Job) -> None:
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", None) == name:
                task.cancel()
        await asyncio.sleep(60)

    app.dispatch(Job())
    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError, match="was cancelled"):
        await asyncio.wait_for(Worker(app, grace=0.2, concurrency=2).run(), 10)
    assert "has cancelled" in caplog.text


async def test_a_slot_outlives_its_cancellation(app: Symphony) -> None:
    """What cancels the task of a slot cancels the handler that it waits for."""

    @app.handler(Job)
    async def handle(job: Job) -> None:
        if job.n:
            return
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", None) == "Slots._work":
                task.cancel()
        await asyncio.sleep(60)

    app.dispatch_many(jobs(2))
    counts = await asyncio.wait_for(Worker(app, drain=True).run(), 10)
    assert (counts.done, counts.retried) == (1, 1)


def test_a_batch_is_told_that_it_is_cancelled_only_as_a_whole(app: Symphony) -> None:
    found = []

    @app.batch_handler(Job, size=2)
    def handle(batch: list[Job], context: BatchContext) -> None:
        found.append((context.cancelled, context.of(batch[0]).cancelled))

    app.dispatch_many(jobs(2))
    assert run(app).done == 2
    assert found == [(False, False)]


def test_threads_of_handlers_do_not_share_a_decimal_context(app: Symphony) -> None:
    together = threading.Barrier(2)
    seen = []

    @app.handler(Job)
    def handle(job: Job) -> None:
        decimal.getcontext().prec = 10 + job.n
        together.wait(10)
        seen.append(decimal.getcontext().prec - job.n)

    decimal.getcontext()
    app.dispatch_many(jobs(2))
    assert run(app, concurrency=2).done == 2
    assert seen == [10, 10]
