"""How soon a worker that has nothing to do begins with what comes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel

from symphony_pg import Client, Symphony
from symphony_pg.database.functions.messages import ClaimedMessage
from tests.helpers import Connection, Job
from tests.worker.helpers import running, until


async def test_a_delayed_message_starts_in_time(app: Symphony) -> None:
    late: list[float] = []
    due: dict[int, float] = {}

    @app.handler(Job)
    def work(job: Job) -> None:
        late.append(time.monotonic() - due[job.n])

    async with running(app):
        for n, delay in enumerate((1.5, 0.4, 1.1)):
            due[n] = time.monotonic() + delay
            app.dispatch(Job(n), delay=delay)
            await asyncio.sleep(0.3)
        await until(lambda: len(late) == 3)
    assert max(late) < 0.1
    assert min(late) > -0.05


@pytest.mark.parametrize("listen", [True, False])
async def test_an_idle_worker_wakes_up(app: Symphony, conn: Connection, listen: bool) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    client = Client(conn)
    async with running(app, listen=listen, poll_interval=5 if listen else 0.2):
        if listen:
            await until(lambda: client.queue_stats()[0].idle_workers == 1)
        await asyncio.sleep(0.5)
        sent = time.monotonic()
        app.dispatch(Job())
        await until(lambda: seen)
        assert seen[0] - sent < 1
        await until(lambda: client.queue_stats()[0].idle_workers == (1 if listen else 0))
        if not listen:
            rows = conn.execute("select * from pg_listening_channels()").fetchall()
            assert rows == []
    assert client.queue_stats()[0].idle_workers == 0


async def test_a_message_of_a_long_transaction_arrives_when_it_commits(
    app: Symphony, dsn: str
) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    async with running(app):
        with psycopg.connect(dsn) as long:
            app.dispatch(Job(), conn=long)
            await asyncio.sleep(0.7)
            assert not seen
            long.commit()
            committed = time.monotonic()
        await until(lambda: seen)
    assert seen[0] - committed < 0.5


async def asleep(conn: Connection, count: int) -> None:
    """Wait until so many workers sleep, and rely on being notified."""
    await until(lambda: Client(conn).queue_stats()[0].idle_workers == count, "their sleep")
    await asyncio.sleep(0.3)


async def waited(app: Symphony, seen: list[float]) -> float:
    """Send a message; return how long it waits for its handler, which notes when that was."""
    sent, before = time.monotonic(), len(seen)
    app.dispatch(Job())
    await until(lambda: len(seen) > before)
    return seen[before] - sent


@asynccontextmanager
async def sixteen(app: Symphony, conn: Connection) -> AsyncIterator[list[str]]:
    """Run sixteen workers that sleep for long; return the names of those that claim, in order."""
    claims: list[str] = []
    async with AsyncExitStack() as stack:
        for n in range(16):
            worker = await stack.enter_async_context(
                running(app, name=f"w{n}", tick=False, poll_interval=60)
            )
            await asyncio.sleep(0)  # it begins
            claimer = worker._claimer
            claimer._claim = partial(_noted, claims, claimer.worker, claimer._claim)  # type: ignore[method-assign]
        await asleep(conn, 16)
        claims.clear()
        yield claims


async def _noted(
    claims: list[str], name: str, claim: Callable[[int], Awaitable[list[ClaimedMessage]]], size: int
) -> list[ClaimedMessage]:
    claims.append(name)
    return await claim(size)


async def test_one_of_many_workers_wakes_up(app: Symphony, conn: Connection) -> None:
    """Each message wakes one worker, and another one looks whether that came."""
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    async with sixteen(app, conn) as claims:
        await waited(app, seen)  # which of them is called is not known before one has claimed
        await asyncio.sleep(0.3)
        claims.clear()
        waits = []
        for _ in range(5):
            waits.append(await waited(app, seen))
            await asyncio.sleep(0.1)
    first = max(claims, key=claims.count)
    assert claims.count(first) == 5
    assert len(claims) <= 10
    assert max(waits) < 0.3


async def test_a_worker_that_does_not_come_is_replaced(app: Symphony, conn: Connection) -> None:
    """A message waits a moment for one that was stopped, and the next one does not."""
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    client = Client(conn)
    client.enqueue("Other")
    (claimed,) = client.claim_batch(worker="stopped")
    client.ack(claimed.claim_id)
    client.idle("stopped", ["default"])
    async with running(app, poll_interval=60):
        await asleep(conn, 2)
        waits = [await waited(app, seen) for _ in range(4)]
    assert max(waits) < 0.3
    assert max(waits[1:]) < 0.05


async def test_a_worker_at_work_is_no_obstacle(app: Symphony, conn: Connection) -> None:
    """Others wake up for what comes while a worker is busy."""
    seen: list[float] = []

    @app.handler(Job)
    async def work(job: Job) -> None:
        seen.append(time.monotonic())
        await asyncio.sleep(0.5)

    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(running(app, poll_interval=60))
        await asleep(conn, 4)
        waits = [await waited(app, seen) for _ in range(4)]
    assert max(waits) < 0.3


async def test_a_forgotten_worker_says_again_that_it_sleeps(
    app: Symphony, conn: Connection
) -> None:
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    client = Client(conn)
    async with running(app, poll_interval=0.3) as worker:
        await asleep(conn, 1)
        client.busy(worker.name)
        app.dispatch(Job(1))
        await until(lambda: seen)
        await until(lambda: client.queue_stats()[0].idle_workers == 1)


async def test_a_worker_is_awake_while_many_messages_come(app: Symphony, conn: Connection) -> None:
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    client, sent = Client(conn), 0
    async with running(app, poll_interval=60):
        await asleep(conn, 1)
        while client.queue_stats()[0].idle_workers:
            app.dispatch(Job(sent))
            sent += 1
            await asyncio.sleep(0.002)
            assert sent < 1000
        await until(lambda: len(seen) == sent)
        await asleep(conn, 1)


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
async def test_a_producer_with_an_old_snapshot_wakes_a_worker(
    app: Symphony, conn: Connection, dsn: str, level: IsolationLevel
) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    with psycopg.connect(dsn) as producer:
        producer.isolation_level = level
        producer.execute("select symphony.version()")
        async with running(app, poll_interval=60), running(app, poll_interval=60):
            await asleep(conn, 2)
            app.dispatch(Job(), conn=producer)
            await asyncio.sleep(0.1)
            sent = time.monotonic()
            producer.commit()
            await until(lambda: seen)
    assert seen[0] - sent < 0.3


async def test_a_worker_that_polls_looks_on_for_a_moment(app: Symphony) -> None:
    seen: list[float] = []
    app.handler(Job)(lambda job: seen.append(time.monotonic()))
    async with running(app, listen=False, poll_interval=0.5):
        await waited(app, seen)
        waits = []
        for _ in range(10):
            await asyncio.sleep(0.05)
            waits.append(await waited(app, seen))
    assert max(waits) < 0.1
