"""Rates: workers hand out what they allow, no more in any time, and sleep until they allow more.

RATE_SECONDS=60 looks for a minute.
"""

import asyncio
import os
import time
from itertools import cycle, pairwise
from typing import Any

from symphony_pg import Client, Symphony
from tests.helpers import Connection, Job, fullest
from tests.worker.helpers import running, until

SECONDS = float(os.environ.get("RATE_SECONDS", "3"))
CLAIMS = """
    select extract(epoch from c.claimed_at)::float, c.size, c.keys
    from symphony.claim as c join symphony.lane as l using (lane_id)
    where l.queue_name = 'paced' and c.size > 0 order by c.claimed_at
"""
CALLS = "select sum(calls) from pg_stat_user_functions where funcname = 'claim_batch'"


def fill(conn: Connection, messages: int, *keys: str, **settings: Any) -> None:
    client = Client(conn)
    client.create_queue("paced", **settings)
    each = {"message_type": "Job", "queue_name": "paced"}
    client.enqueue_batch(
        [
            {**each, "body": {"n": n}, "group_key": key}
            for n, key in zip(range(messages), cycle(keys))
        ]
    )


def within(conn: Connection, rate: float, burst: int, key: str | None = None) -> int:
    """Return how many were handed out; no time between two claims had more than it may have."""
    handed_out = [
        (at, size if key is None else keys.count(key))
        for at, size, keys in conn.execute(CLAIMS).fetchall()
    ]
    assert fullest(handed_out, rate) <= burst + 0.01
    return sum(size for _, size in handed_out)


async def test_two_workers_keep_the_rates_and_reach_them(app: Symphony, conn: Connection) -> None:
    """One key has half of the messages, and no more of them are handed out than of the others."""
    rate, burst, key_rate = 50, 5, 10
    keys = ("flood", "a", "flood", "b", "flood", "c", "flood", "d")
    rates = {"rate": f"{rate}/1 s", "burst": burst, "key_rate": f"{key_rate}/1 s"}
    fill(conn, int(rate * SECONDS * 2), *keys, **rates)

    @app.handler(Job)
    async def handle(job: Job) -> None:
        pass

    async with running(app, queues=["paced"]), running(app, queues=["paced"]):
        await asyncio.sleep(SECONDS)
    assert within(conn, rate, burst) >= 0.6 * rate * SECONDS
    for key in set(keys):
        assert within(conn, key_rate, key_rate, key) >= 0.6 * key_rate * SECONDS


async def test_a_worker_sleeps_until_the_next_one_is_allowed(
    app: Symphony, conn: Connection, dsn: str
) -> None:
    conn.execute("select set_config('track_functions', 'pl', false)")
    conn.execute(
        "do $$ begin execute format('alter database %I set track_functions = pl', "
        "current_database()); end $$"
    )
    fill(conn, 10, "k", rate="5/1 s", burst=1)
    started: list[float] = []

    @app.handler(Job)
    async def handle(job: Job) -> None:
        started.append(time.monotonic())

    async with running(app, queues=["paced"]):
        await until(lambda: len(started) == 10)
    assert within(conn, 5, 1) == 10
    gaps = [after - before for before, after in pairwise(started)]
    assert max(gaps) < 0.5, "it does not wait for the next tick of a second"
    (calls,) = conn.execute(CALLS).fetchone() or (0,)
    # Two for each message, and 40 in the two seconds in which some may not know that it sleeps.
    assert calls <= 60


async def test_the_flood_of_one_key_delays_no_other(app: Symphony, conn: Connection) -> None:
    fill(conn, 2000, "flood", key_rate="5/1 s")
    started: list[int] = []

    @app.handler(Job)
    async def handle(job: Job) -> None:
        started.append(job.n)

    async with running(app, queues=["paced"]):
        await until(lambda: len(started) >= 6)
        begun = time.monotonic()
        Client(conn).enqueue("Job", {"n": -1}, "paced", group_key="other")
        await until(lambda: -1 in started)
        assert time.monotonic() - begun < 1
        await until(lambda: len(started) >= 12)
    assert within(conn, 5, 7) < 25
