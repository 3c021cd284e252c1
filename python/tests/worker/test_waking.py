"""How soon a worker that has nothing to do begins with what comes."""

import asyncio
import time

import psycopg
import pytest

from symphony_pg import Client, Symphony
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
