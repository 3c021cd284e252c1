"""A server that is away, comes back, or lets nobody in."""

import asyncio
import time
from functools import partial
from operator import contains

import pytest
from psycopg.conninfo import make_conninfo

from symphony_pg import Client, ConnectionRefused, LoginRefused, Symphony, Worker
from tests.helpers import NOWHERE, Connection, Job, end_other_sessions
from tests.worker.helpers import running, until


async def test_lost_connections_are_opened_again(app: Symphony, conn: Connection) -> None:
    seen: list[int] = []
    app.handler(Job)(lambda job: seen.append(job.n))
    async with running(app) as worker:
        for n in range(3):
            app.dispatch(Job(n))
            await until(partial(contains, seen, n))
            end_other_sessions(conn)
        app.dispatch(Job(9))
        await until(lambda: 9 in seen)
        await until(lambda: Client(conn).queue_stats()[0].processing == 0)
    assert worker.counts.failed == 0


@pytest.mark.parametrize(("tell_again", "least", "most"), [(60.0, 1, 1), (0.1, 2, 9)])
def test_the_worker_waits_for_a_server_that_is_away(
    app: Symphony,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tell_again: float,
    least: int,
    most: int,
) -> None:
    monkeypatch.setattr("symphony_pg.worker.link.TELL_AGAIN", tell_again)
    started = time.monotonic()
    with pytest.raises(ConnectionRefused, match="port 1 failed"):
        asyncio.run(Worker(app, dsn=NOWHERE, time_limit=1).run())
    assert 1 <= time.monotonic() - started < 5
    assert least <= len(caplog.messages) <= most
    assert all("no connection" in each and "port 1 failed" in each for each in caplog.messages)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "nobody"}, 'authentication failed for user "nobody"'),
    ],
)
def test_a_login_that_is_refused_at_first_ends_the_worker(
    app: Symphony, dsn: str, wrong: dict[str, str], text: str
) -> None:
    with pytest.raises(LoginRefused, match=f"(?s){text}.*HINT: Compare user"):
        asyncio.run(asyncio.wait_for(Worker(app, dsn=make_conninfo(dsn, **wrong)).run(), 5))
