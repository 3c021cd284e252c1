"""A worker and thousands of messages that have expired, while a long snapshot is held."""

import asyncio
from typing import Any

import psycopg
import pytest

from symphony_pg import Client, Symphony
from tests.helpers import Connection, Job, one
from tests.worker.helpers import running, until

CALLS = "select sum(calls) from pg_stat_user_functions where funcname = 'claim_batch'"
SETTLED = "select count(*) from symphony.failed_message"
LATE = """
    select count(symphony.enqueue('Job', '{"n": 0}', 'late', group_key => 'k' || n,
                                  expires_at => clock_timestamp()))
    from generate_series(1, 12000) as n
"""


async def while_they_are_settled(conn: Connection, started: list[int]) -> None:
    """Wait until a message was started, however long it takes, as long as others are settled."""
    settled = -1

    def has_gone_on() -> bool:
        return bool(started) or one(conn, SETTLED) > settled

    while not started:
        await until(has_gone_on, "one that was settled")
        settled = one(conn, SETTLED)


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
            await while_they_are_settled(conn, started)
            await asyncio.sleep(2)
            before = one(conn, CALLS)
            await asyncio.sleep(2)
            after = one(conn, CALLS)
    assert started == [1]
    assert one(conn, SETTLED) == 12000
    assert before < 200
    assert after - before <= 10, "it sleeps when they are settled"
    assert client.check() == []
