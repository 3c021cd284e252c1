"""Clocks that are wrong, on this machine and on the server's."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from symphony_pg import Client, Context, Symphony
from symphony_pg.worker import clock
from tests.helpers import Connection, one
from tests.worker.helpers import run, running, until


@dataclass
class Note:
    text: str
    more: Any = None


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_wrong_changes_nothing(
    app: Symphony, conn: Connection, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=hours)

    right = time.time
    monkeypatch.setattr("time.time", lambda: right() + 3600 * hours)
    # All that ask for the time.
    for module in ("worker.clock", "transports.local", "transports.sync", "transports.memory"):
        monkeypatch.setattr(f"symphony_pg.{module}.datetime", Shifted)

    client = Client(conn)
    client.configure_queue(
        "default", lease=timedelta(seconds=0.5), retry_delay=timedelta(seconds=0.2)
    )
    lives: list[str] = []

    @app.handler(Note)
    def handle(note: Note, context: Context) -> None:
        lives.append(f"{note.text} {context.attempt}")
        if note.text == "slow":
            time.sleep(1.5)  # three leases
        if note.text == "again" and context.attempt == 1:
            raise OSError

    started = time.monotonic()
    app.dispatch_many(
        [
            Note("slow"),
            app.envelope(Note("later"), delay=timedelta(seconds=0.7)),
            app.envelope(Note("never"), delay=timedelta(minutes=30)),
            Note("again"),
        ]
    )
    counts = run(app, drain=False, limit=4, concurrency=2)
    assert time.monotonic() - started < 10
    assert sorted(lives) == ["again 1", "again 2", "later 1", "slow 1"]
    assert (counts.done, counts.retried, counts.lost) == (3, 1, 0)
    assert client.queue_stats()[0].delayed == 1


@pytest.mark.parametrize("moved", ["1 hour", "-1 minute"])
async def test_a_server_clock_that_is_set_spoils_no_lease(
    app: Symphony, conn: Connection, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    # The whole server's: what asks for the time of PostgreSQL itself is told ours.
    conn.execute("create schema faked")
    conn.execute("create table faked.clock as select interval '0' as moved")
    for name in ("faked.clock_timestamp", "symphony._now"):
        conn.execute(
            f"create or replace function {name}() returns timestamptz language sql volatile "
            "as 'select pg_catalog.clock_timestamp() + moved from faked.clock'"
        )
    faked = clock.AND_THE_TIME.replace(b"pg_catalog.", b"faked.")
    monkeypatch.setattr(clock, "AND_THE_TIME", faked)
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))
    attempts: list[int] = []

    @app.handler(Note)
    def handle(note: Note, context: Context) -> None:
        attempts.append(context.attempt)
        time.sleep(1.5)  # three leases

    async with running(app) as worker:
        app.dispatch(Note("before"))
        await until(lambda: worker.counts.done == 1)
        conn.execute("update faked.clock set moved = %s", [moved])
        app.dispatch(Note("after"))
        app.dispatch(Note("later"), delay=30)
        await until(lambda: worker.counts.done + worker.counts.lost == 2)
        used, ticks = time.process_time(), count_ticks(conn)
        await asyncio.sleep(1)
        assert time.process_time() - used < 0.5
        assert count_ticks(conn) - ticks < 10
    assert attempts == [1, 1]
    assert (worker.counts.done, worker.counts.lost) == (2, 0)


def count_ticks(conn: Connection) -> int:
    return int(one(conn, "select count(*) from symphony.tick"))
