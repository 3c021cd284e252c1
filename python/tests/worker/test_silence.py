"""A network that falls silent: nothing is closed, and nothing comes through any more."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from symphony_pg import Client, Context, Snooze, Symphony
from symphony_pg.errors import NoAnswer
from tests.helpers import KINDS, Connection, Job, SendEmail, jobs, known
from tests.proxy import Proxy, proxy_to
from tests.worker.helpers import running, until, until_taken_back

SHORT = 1.0
LOSES = pytest.mark.parametrize("loses", ["request", "answer"])


@pytest.fixture
def proxy(dsn: str) -> Iterator[Proxy]:
    with proxy_to(dsn) as proxy:
        yield proxy


def app_behind(proxy: Proxy, seen: "Counter[int]", **options: object) -> Symphony:
    """Return an application on the other side of the proxy that counts what it has seen."""
    app = Symphony(proxy.dsn, call_timeout=SHORT, **options)  # type: ignore[arg-type]

    @app.handler(Job)
    def handle(job: Job) -> None:
        seen[job.n] += 1

    return app


def is_settled(conn: Connection) -> bool:
    """Tell whether nothing is left to do."""
    stats = Client(conn).queue_stats()[0]
    return stats.pending + stats.processing + stats.delayed == 0


@LOSES
@pytest.mark.parametrize("call", ["claim_batch", "ack", "heartbeat", "tick", "idle", "busy"])
async def test_a_call_that_is_not_answered_is_made_again(
    proxy: Proxy, conn: Connection, caplog: pytest.LogCaptureFixture, call: str, loses: str
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=2))
    seen: Counter[int] = Counter()
    app = app_behind(proxy, seen)
    proxy.silence_at(f"symphony.{call}(", loses=loses)
    async with running(app):
        if call in ("idle", "busy"):
            await until(lambda: Client(conn).queue_stats()[0].idle_workers)
        if call == "busy":  # a worker that is paused is not to be notified
            Client(conn).request_workers("pause")
            await until(lambda: proxy.has_triggered)
            Client(conn).request_workers("resume")
        app.dispatch(Job(1), conn=conn)
        await until(lambda: proxy.has_triggered)
        await until(lambda: seen[1] and is_settled(conn))
        app.dispatch(Job(2), conn=conn)
        await until(lambda: seen[2] and is_settled(conn))
    assert any("has not answered for 1 seconds" in each for each in caplog.messages)


@pytest.mark.parametrize("alone", [False, True])
async def test_a_claim_whose_answer_was_lost_is_given_back(
    proxy: Proxy, conn: Connection, caplog: pytest.LogCaptureFixture, alone: bool
) -> None:
    """Its lease would last for half a minute, and its messages would be suspects."""
    seen: Counter[int] = Counter()
    app = app_behind(proxy, seen)
    ids = app.dispatch_many(jobs(10), conn=conn)
    if alone:
        Client(conn).claim_batch(batch_size=3, lease=timedelta(seconds=0.1))
        until_taken_back(conn, ids[0])
    proxy.silence_at("symphony.claim_batch(", loses="answer")
    began = time.monotonic()
    with caplog.at_level(logging.INFO):
        async with running(app):
            await until(lambda: proxy.has_triggered)
            await until(lambda: len(seen) == 10 and is_settled(conn))
    assert time.monotonic() - began < 10
    assert set(seen.values()) == {1}
    assert "messages are given back: the answer to their claim was lost" in caplog.text
    attempts = [known(conn, each).attempt for each in ids]
    assert attempts == ([2] * 3 + [1] * 7 if alone else [1] * 10)


async def test_what_another_worker_holds_is_left_to_it(proxy: Proxy, conn: Connection) -> None:
    """Be it of the same name, which then was given to both."""
    seen: Counter[int] = Counter()
    app = app_behind(proxy, seen)
    app.dispatch_many(jobs(2), conn=conn)
    proxy.silence_at("symphony.claim_batch(", loses="request")
    async with running(app, name="pod") as worker:
        await until(lambda: proxy.has_triggered)
        (held,) = Client(conn).claim_batch(batch_size=1, worker=worker.name)
        await until(lambda: seen)
        await asyncio.sleep(0.2)
        assert Client(conn).ack(held.claim_id) == 1
    assert sum(seen.values()) == 1


@LOSES
@pytest.mark.parametrize("call", ["extend_lease", "nack_with_backoff", "snooze"])
async def test_what_is_said_of_a_message_in_hand_is_said_again(
    proxy: Proxy, conn: Connection, call: str, loses: str
) -> None:
    """A claim whose settlement got no answer is settled; its message does not run again for it."""
    Client(conn).configure_queue("default", lease=timedelta(seconds=6), retry_delay=timedelta(0))
    seen: Counter[int] = Counter()
    app = Symphony(proxy.dsn, call_timeout=SHORT)

    @app.handler(Job)
    async def handle(job: Job) -> None:
        seen[job.n] += 1
        if call == "extend_lease":
            await asyncio.sleep(2.5)
        elif call == "nack_with_backoff" and seen[job.n] == 1:
            raise RuntimeError
        elif call == "snooze" and seen[job.n] == 1:
            raise Snooze(0.1)

    count = 1 if call == "extend_lease" else 3
    app.dispatch_many(jobs(count), conn=conn)
    proxy.silence_at(f"symphony.{call}(", loses=loses)
    async with running(app):
        await until(lambda: proxy.has_triggered)
        await until(lambda: len(seen) == count and is_settled(conn))
    times = 2 if call in ("nack_with_backoff", "snooze") else 1
    assert seen == dict.fromkeys(range(count), times)


@LOSES
async def test_what_a_worker_gives_back_when_it_stops_is_given_back(
    proxy: Proxy, conn: Connection, loses: str
) -> None:
    app = Symphony(proxy.dsn, call_timeout=SHORT)
    app.batch_handler(Job, max_wait=timedelta(minutes=1))(lambda batch: None)
    app.dispatch_many(jobs(3), conn=conn)
    proxy.silence_at("symphony.release(", loses=loses)
    async with running(app):
        await until(lambda: Client(conn).queue_stats()[0].processing == 3)
    assert proxy.has_triggered
    assert Client(conn).queue_stats()[0].pending == 3


@pytest.mark.parametrize("poll_interval", [0.5, 60])
async def test_a_worker_that_waits_to_be_notified_finds_out(
    proxy: Proxy, conn: Connection, monkeypatch: pytest.MonkeyPatch, poll_interval: float
) -> None:
    monkeypatch.setattr("symphony_pg.worker.idling.PROBE_INTERVAL", 1.0)
    seen: Counter[int] = Counter()
    app = app_behind(proxy, seen)
    async with running(app, poll_interval=poll_interval):
        for n in range(2):
            await until(lambda: Client(conn).queue_stats()[0].idle_workers)
            await asyncio.sleep(1)
            proxy.silence()
            app.dispatch(Job(n), conn=conn)
            await until(lambda n=n: seen[n])  # type: ignore[misc]
    assert seen == {0: 1, 1: 1}


@pytest.mark.parametrize("text", ['listen "symphony:default"', "set_config", "symphony.version()"])
@LOSES
async def test_a_connection_that_is_being_prepared_is_given_up(
    proxy: Proxy, conn: Connection, text: str, loses: str
) -> None:
    seen: Counter[int] = Counter()
    app = app_behind(proxy, seen)
    proxy.silence_at(text, loses=loses)
    app.dispatch(Job(1), conn=conn)
    async with running(app):
        await until(lambda: proxy.has_triggered and seen[1])


async def test_a_login_that_is_not_answered_is_given_up(
    proxy: Proxy, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    seen: Counter[int] = Counter()
    proxy.refuses_news = True
    proxy.dsn += " connect_timeout=2"
    app = app_behind(proxy, seen)
    app.dispatch(Job(1), conn=conn)
    async with running(app):
        await until(lambda: "connection timeout expired" in caplog.text)
        proxy.refuses_news = False
        await until(lambda: seen[1])


ACK = "idle_in_transaction_session_timeout"  # which is set by the ack that comes before a commit


@pytest.fixture
def notes(conn: Connection) -> Connection:
    conn.execute("create table note (n int)")
    return conn


@LOSES
@pytest.mark.parametrize("text", ["BEGIN", "symphony.enqueue(", ACK, "COMMIT\0"])
@KINDS
async def test_a_transaction_of_a_handler_is_kept_or_made_again(
    proxy: Proxy, notes: Connection, kind: str, text: str, loses: str
) -> None:
    """Whatever is lost: writes, dispatch and ack of a message are there together, and once."""
    Client(notes).configure_queue("default", retry_delay=timedelta(seconds=0.1))
    Client(notes).create_queue("mail")
    app = Symphony(proxy.dsn, call_timeout=SHORT)
    errors: list[BaseException] = []

    def in_sync(job: Job, context: Context) -> None:
        try:
            with context.transaction() as conn:
                conn.execute("insert into note values (%s)", [job.n])
                app.dispatch(SendEmail(str(job.n)), queue="mail")
        except BaseException as error:
            errors.append(error)
            raise

    async def in_async(job: Job, context: Context) -> None:
        try:
            async with context.transaction() as conn:
                await conn.execute("insert into note values (%s)", [job.n])
                await app.dispatch_async(SendEmail(str(job.n)), queue="mail")
        except BaseException as error:
            errors.append(error)
            raise

    app.handler(Job)(in_sync if kind == "sync" else in_async)
    proxy.silence_at(text, loses=loses)
    began = time.monotonic()
    async with running(app):
        app.dispatch_many(jobs(3), conn=notes)
        await until(lambda: proxy.has_triggered and is_settled(notes))
    print(f"settled after {time.monotonic() - began:.1f} s")
    assert [type(error) for error in errors] == [NoAnswer]
    assert notes.execute("select n from note order by n").fetchall() == [(0,), (1,), (2,)]
    mails = Client(notes).claim_batch(["mail"])
    assert sorted(each.body["to"] for each in mails) == ["0", "1", "2"]


async def test_with_the_usual_limits_a_worker_is_back_within_20_seconds(
    proxy: Proxy, conn: Connection
) -> None:
    seen: Counter[int] = Counter()
    app = Symphony(proxy.dsn)
    app.handler(Job)(lambda job: seen.update([job.n]))
    async with running(app):
        app.dispatch(Job(1), conn=conn)
        await until(lambda: seen[1])
        # Not in the midst of a claim, whose messages are handed out again when its lease ends.
        await until(lambda: Client(conn).queue_stats()[0].idle_workers)
        await asyncio.sleep(0.5)
        proxy.silence()
        began = time.monotonic()
        app.dispatch(Job(2), conn=conn)
        await until(lambda: seen[2])
        took = time.monotonic() - began
        print(f"back after {took:.1f} s")
        assert 9 < took < 20
