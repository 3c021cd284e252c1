"""A worker and thousands of messages that have expired, while a long snapshot is held."""

import asyncio
from typing import Any

import psycopg
import pytest

from symphony_pg import Client, Symphony
from tests.helpers import Connection, Job, one
from tests.worker.helpers import running, until

CALLS = "select sum(calls) from pg_stat_user_functions where funcname = 'claim_batch'"
LATE = """
    select count(symphony.enqueue('Job', '{"n": 0}', 'late', group_key => 'k' || n,
                                  expires_at => clock_timestamp()))
    from generate_series(1, 12000) as n
"""


@pytest.mark.parametrize("limits", [{}, {"rate": "100/1 s"}, {"ordered": True}])
async def test_it_comes_through_them_and_does_not_spin(
    app: Symphony, conn: Connection, dsn: str, limits: dict[str, Any]
) -> None:
    conn.execute("select set_config('track_functions', 'pl', false)")
    conn.execute(
        "do $$ begin execute format('alter database %I set track_functions = pl', "
        "current_database()); end $$"
    )
    client = Client(conn)
    client.create_queue("late", **limits)
    started: list[int] = []

    @app.handler(Job)
    async def handle(job: Job) -> None:
        started.append(job.n)

    with psycopg.connect(dsn) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from symphony.message")
        conn.execute(LATE)
        client.enqueue("Job", {"n": 1}, "late")
        async with running(app, queues=["late"]):
            await until(lambda: started)
            await asyncio.sleep(2)
            before = one(conn, CALLS)
            await asyncio.sleep(2)
            after = one(conn, CALLS)
    assert started == [1]
    assert one(conn, "select count(*) from symphony.failed_message") == 12000
    assert before < 200
    assert after - before <= 10, "it sleeps when they are settled"
    assert client.check() == []
