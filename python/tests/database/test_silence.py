"""Calls of our own are answered in time, or their connection is given up."""

import asyncio
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from symphony_pg import Client, ConnectionRefused, Symphony
from symphony_pg.database.connections import connect
from symphony_pg.database.silence import Silence, answered_within
from symphony_pg.errors import NoAnswer
from tests.helpers import KINDS, Connection, Job, jobs
from tests.proxy import Proxy, proxy_to

LOSES = pytest.mark.parametrize("loses", ["request", "answer"])


@pytest.fixture
def proxy(dsn: str) -> Iterator[Proxy]:
    with proxy_to(dsn) as proxy:
        yield proxy


def pending(conn: Connection) -> int:
    return Client(conn).queue_stats()[0].pending


class Sender:
    """Dispatches in one of the two ways, the async one always on the same event loop."""

    def __init__(self, app: Symphony, kind: str) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop() if kind == "async" else None

    def __call__(self, *messages: Job) -> list[int]:
        if self.loop is None:
            return self.app.dispatch_many(messages)
        return self.loop.run_until_complete(self.app.dispatch_many_async(messages))

    def close(self) -> None:
        self.app.close()
        if self.loop is not None:
            self.loop.close()


@pytest.fixture
def sender(proxy: Proxy, kind: str) -> Iterator[Sender]:
    sender = Sender(Symphony(proxy.dsn, call_timeout=1), kind)
    yield sender
    sender.close()


@KINDS
@LOSES
def test_a_dispatch_that_is_not_answered_says_so(
    proxy: Proxy,
    sender: Sender,
    conn: Connection,
    loses: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender(Job(1))
    proxy.silence_at("symphony.enqueue(", loses=loses)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="HINT: Try again, with an idempotency_key"):
        sender(Job(2))
    assert 1 <= time.monotonic() - began < 3
    assert "PostgreSQL has not answered for 1 seconds" in caplog.text
    assert pending(conn) == (1 if loses == "request" else 2)
    sender(Job(3))
    assert pending(conn) == (2 if loses == "request" else 3)


@KINDS
def test_one_silent_connection_takes_the_others_that_are_kept_with_it(
    proxy: Proxy, sender: Sender, conn: Connection
) -> None:
    lender = sender.app.transport.lender  # type: ignore[attr-defined]

    async def keep_three() -> None:
        async with lender.lend_async():
            await asyncio.gather(*(sender.app.dispatch_async(Job(0)) for _ in range(2)))

    if sender.loop is None:
        with lender.lend():
            sender(Job(0))
            with lender.lend():
                sender(Job(0))
    else:
        sender.loop.run_until_complete(keep_three())
    proxy.silence()
    with pytest.raises(NoAnswer):
        sender(Job(1))
    began = time.monotonic()
    sender(Job(2))
    assert time.monotonic() - began < 0.9
    assert pending(conn) == 3


@KINDS
def test_a_login_that_is_not_answered_is_refused(proxy: Proxy, kind: str) -> None:
    proxy.refuses_news = True
    sender = Sender(Symphony(f"{proxy.dsn} connect_timeout=2"), kind)
    began = time.monotonic()
    with pytest.raises(ConnectionRefused, match="timeout expired"):
        sender(Job(1))
    assert 1.9 < time.monotonic() - began < 5
    proxy.refuses_news = False
    assert sender(Job(1))
    sender.close()


@KINDS
def test_large_batches_get_more_time(proxy: Proxy, conn: Connection, kind: str) -> None:
    """What has to wait for 1.2 s is too late for one message, and not for two thousand."""
    sender = Sender(Symphony(proxy.dsn, call_timeout=0.5), kind)
    sender(Job())
    with psycopg.connect(conn.info.dsn, password=conn.info.password) as other:
        other.execute("lock table symphony.message in share mode")
        with pytest.raises(NoAnswer):
            sender(Job())
        threading.Timer(1.2, other.commit).start()
        assert len(sender(*jobs(2000))) == 2000
    sender.close()


def test_nothing_limits_what_is_not_our_own(proxy: Proxy) -> None:
    with connect(proxy.dsn) as conn, answered_within(0.3):
        with answered_within(None):
            conn.execute("select pg_sleep(0.8)")
        with pytest.raises(Silence):
            conn.execute("select pg_sleep(0.8)")
        assert conn.closed


def test_an_answer_that_takes_its_time_is_no_silence(proxy: Proxy) -> None:
    """Each row comes within the limit, all of them do not."""
    with connect(proxy.dsn) as conn, answered_within(0.5):
        found = conn.execute(
            "select pg_sleep(0.01), repeat('x', 8000) from generate_series(1, 150)"
        ).fetchall()
    assert len(found) == 150
