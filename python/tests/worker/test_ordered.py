"""Ordered queues: the messages of a key run one after the other, whatever becomes of them."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest

from symphony_pg import BatchContext, Client, PermanentError, Snooze, Symphony
from tests.helpers import KINDS, Connection, Job
from tests.worker.helpers import run, running, until

KEYS = 5
AT_ONCE = timedelta(0)


class Watch:
    """Notes what runs beside what, and what succeeded; each message fails a few times at most."""

    def __init__(self, fail: Any = None) -> None:
        self.fail = fail
        self.attempts: Counter[int] = Counter()
        self.done: defaultdict[int, list[int]] = defaultdict(list)
        self.overlaps: list[int] = []
        self._running: set[int] = set()
        self._lock = threading.Lock()

    def begin(self, n: int) -> None:
        with self._lock:
            if n % KEYS in self._running:
                self.overlaps.append(n)
            self._running.add(n % KEYS)
            self.attempts[n] += 1

    def end(self, n: int) -> None:
        with self._lock:
            self._running.discard(n % KEYS)
        if self.fail is not None and (error := self.fail(n, self.attempts[n])):
            raise error
        self.done[n % KEYS].append(n)

    def is_right(self, messages: int, without: tuple[int, ...] = ()) -> bool:
        wanted = [n for n in range(messages) if n not in without]
        return not self.overlaps and all(
            self.done[key] == [n for n in wanted if n % KEYS == key] for key in range(KEYS)
        )


def handle(app: Symphony, kind: str, watch: Watch) -> None:
    if kind == "sync":

        @app.handler(Job)
        def sync_handler(job: Job) -> None:
            watch.begin(job.n)
            time.sleep(0.001)
            watch.end(job.n)

    else:

        @app.handler(Job)
        async def async_handler(job: Job) -> None:
            watch.begin(job.n)
            await asyncio.sleep(0.001)
            watch.end(job.n)


def fill(conn: Connection, messages: int, **settings: Any) -> None:
    client = Client(conn)
    settings = {"ordered": True, "retry_delay": AT_ONCE, **settings}
    client.create_queue("ordered", **settings)
    client.enqueue_batch(
        [
            {
                "message_type": "Job",
                "body": {"n": n},
                "queue_name": "ordered",
                "group_key": f"k{n % KEYS}",
            }
            for n in range(messages)
        ]
    )


@KINDS
def test_the_messages_of_a_key_run_one_after_the_other(
    app: Symphony, conn: Connection, kind: str
) -> None:
    watch = Watch()
    handle(app, kind, watch)
    fill(conn, 100)
    counts = run(app, queues=["ordered"], concurrency=8)
    assert watch.is_right(100), watch.done
    assert counts.done == 100


@KINDS
def test_a_retry_keeps_the_order(app: Symphony, conn: Connection, kind: str) -> None:
    watch = Watch(lambda n, attempt: ValueError("x") if n % 7 == 3 and attempt < 3 else None)
    handle(app, kind, watch)
    fill(conn, 60)
    counts = run(app, queues=["ordered"], concurrency=4)
    assert watch.is_right(60), watch.done
    assert (counts.done, counts.retried, counts.lost) == (60, 18, 0)
    assert set(watch.attempts.values()) == {1, 3}  # what was given back was not started


@KINDS
def test_a_snooze_and_a_failure_keep_the_order(app: Symphony, conn: Connection, kind: str) -> None:
    def fail(n: int, attempt: int) -> Exception | None:
        if n == 21 and attempt == 1:
            return Snooze(AT_ONCE)
        return PermanentError("no") if n == 22 else None

    watch = Watch(fail)
    handle(app, kind, watch)
    fill(conn, 50)
    counts = run(app, queues=["ordered"], concurrency=4)
    assert watch.is_right(50, without=(22,)), watch.done
    assert (counts.done, counts.failed, counts.snoozed, counts.lost) == (49, 1, 1, 0)


@KINDS
def test_a_batch_has_one_message_of_a_key(app: Symphony, conn: Connection, kind: str) -> None:
    watch = Watch(lambda n, attempt: ValueError("x") if n == 12 and attempt == 1 else None)
    batches: list[list[int]] = []

    def work(jobs: list[Job], context: BatchContext) -> None:
        batches.append([job.n for job in jobs])
        for job in jobs:
            watch.begin(job.n)
            try:
                watch.end(job.n)
            except ValueError as error:
                context.fail(job, error)

    async def work_async(jobs: list[Job], context: BatchContext) -> None:
        work(jobs, context)

    wait = timedelta(milliseconds=20)
    handler = work if kind == "sync" else work_async
    app.batch_handler(Job, size=10, max_wait=wait)(handler)
    fill(conn, 40)
    run(app, queues=["ordered"], concurrency=4)
    assert all(len({n % KEYS for n in batch}) == len(batch) for batch in batches)
    assert max(map(len, batches)) > 1
    assert watch.is_right(40), watch.done


async def test_two_workers_and_a_stop_keep_the_order(app: Symphony, conn: Connection) -> None:
    watch = Watch(lambda n, attempt: ValueError("x") if n % 11 == 5 and attempt == 1 else None)
    handle(app, "async", watch)
    fill(conn, 200)
    async with running(app, queues=["ordered"], concurrency=4):
        async with running(app, queues=["ordered"], concurrency=4):
            await until(lambda: sum(map(len, watch.done.values())) > 60)
        await until(lambda: sum(map(len, watch.done.values())) == 200)
    assert watch.is_right(200), watch.done


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_a_queue_with_a_limit_is_shared(
    app: Symphony, conn: Connection, concurrency: int
) -> None:
    watch = Watch()
    handle(app, "async", watch)
    fill(conn, 60, ordered=False, concurrency=concurrency)
    async with running(app, queues=["ordered"]), running(app, queues=["ordered"]):
        await until(lambda: sum(map(len, watch.done.values())) == 60)
