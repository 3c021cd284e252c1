"""Sending to a broker directly: what dispatch() returns from is confirmed, and nothing is lost."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import (
    BadArgument,
    Config,
    Context,
    Envelope,
    InvalidMessage,
    NeedsPython,
    NotConfirmed,
    RetryPolicy,
    Symphony,
    SymphonyError,
    message,
)
from symphony_pg.config.broker import BrokerSettings
from tests.brokers.bench import NAME, Bench
from tests.brokers.servers import free_port
from tests.helpers import Connection, one
from tests.worker.helpers import until


@message("Pay")
@dataclass
class Pay:
    n: Any
    text: str = ""


@pytest.fixture
def direct(bench: Bench) -> Iterator[Symphony]:
    """An application that publishes to the broker itself."""
    app = bench.direct_app()
    yield app
    app.close()


def stored(conn: Connection) -> int:
    """Return how many messages the database has."""
    return int(
        one(conn, "select count(*) + (select count(*) from symphony.delayed_message)"
                  " from symphony.message")
    )  # fmt: skip


async def test_what_is_dispatched_is_at_the_broker_and_not_stored(
    bench: Bench, direct: Symphony, conn: Connection
) -> None:
    seen: list[Any] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((context.message_id, body, context.attempt, context.group_key))
        seen.append((context.headers, context.priority))

    sent = await asyncio.to_thread(
        direct.dispatch, Pay(1.5, "ä☃"), headers={"a": {"b": [1]}}, group_key="k", priority=7
    )
    async with bench.broker() as broker:
        assert await broker.count() == 1
    again = await direct.dispatch_async(Pay(2))
    assert 0 < sent < again
    assert stored(conn) == 0
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 2, "both")
    assert seen[:2] == [
        (sent, {"n": 1.5, "text": "ä☃"}, 1, "k"),
        ({"a": {"b": [1]}}, 7),
    ]
    assert stored(conn) == 0


async def test_what_fails_comes_home_and_goes_out_again_by_a_relay(
    bench: Bench, direct: Symphony
) -> None:
    seen: list[tuple[int, int]] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((context.message_id, context.attempt))
        if context.attempt == 1 or body["n"] == 2:
            raise OSError("not now")

    once, never = await direct.dispatch_many_async([Pay(1), Pay(2)])
    async with bench.working() as worker:
        await until(lambda: worker.counts.done + worker.counts.failed == 2, "both")
    assert sorted(seen) == [(once, 1), (once, 2), (never, 1), (never, 2), (never, 3)]
    assert bench.status(once) == "forwarded"
    assert [each.message_id for each in bench.client.failed_messages()] == [never]


def test_what_needs_a_memory_goes_through_the_database(bench: Bench, direct: Symphony) -> None:
    options: list[dict[str, Any]] = [
        {"delay": 0},
        {"delay": 60},
        {"idempotency_key": "k"},
        {"expires": 60},
        {"retry": RetryPolicy(max_attempts=1)},
        {"queue": "outbox/orders"},
    ]
    ids = [direct.dispatch(Pay(1), **each) for each in options]
    assert [bench.status(each) for each in ids] == ["pending", "delayed", *["pending"] * 4]
    assert direct.dispatch(Pay(1), idempotency_key="k") == ids[2]


@pytest.mark.parametrize(
    ("body", "options"), [(1, {"priority": 10}), ("a\0b", {}), ("\ud800", {}), (float("nan"), {})]
)
def test_what_postgresql_refuses_is_refused(
    bench: Bench, direct: Symphony, body: Any, options: dict[str, Any]
) -> None:
    with pytest.raises((BadArgument, NeedsPython, InvalidMessage)):
        direct.dispatch(Pay(body), **options)
    envelope = Envelope("Pay", {"n": body}, **options)  # that is not checked in Python
    with pytest.raises((BadArgument, NeedsPython, UnicodeEncodeError)):
        direct.dispatch_many([envelope])


def test_sql_is_told_why_it_cannot(bench: Bench, direct: Symphony) -> None:
    with pytest.raises(NeedsPython) as error:
        bench.client.enqueue("Pay", {})
    assert "outbox/orders" in str(error.value)
    with pytest.raises(NeedsPython):  # nor can an application that was not told the file
        bench.app.dispatch(Pay(1))


async def test_the_order_of_one_call_is_kept(bench: Bench, direct: Symphony) -> None:
    if not bench.server.keeps_order:
        pytest.skip("this broker keeps no order")
    seen: list[int] = []

    @bench.app.handler("Pay")
    async def pay(body: Any) -> None:
        seen.append(body["n"])

    await direct.dispatch_many_async([Pay(n) for n in range(250)])
    for n in range(250, 260):
        await direct.dispatch_async(Pay(n))
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 260, "all")
    assert seen == [*range(260)]


async def test_a_priority_counts_in_the_outbox_and_not_at_the_broker(
    bench: Bench, direct: Symphony
) -> None:
    """What `config check` says of it; RabbitMQ 3.10 is told, and takes no notice."""
    if not bench.server.keeps_order:
        pytest.skip("this broker keeps no order")
    seen: list[int] = []

    @bench.app.handler("Pay")
    async def pay(body: Any) -> None:
        seen.append(body["n"])

    for n, priority in enumerate([0, 9]):
        await direct.dispatch_async(Pay(n), priority=priority)
    for n, priority in enumerate([0, 9], 2):
        bench.client.enqueue("Pay", {"n": n}, "outbox/orders", priority)
    async with bench.relaying() as relay:
        await until(lambda: relay.counts.done == 2, "both that were stored")
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 4, "all")
    assert seen == [0, 1, 3, 2]


async def test_a_part_of_the_deliveries_is_stored(
    bench: Bench, direct: Symphony, conn: Connection
) -> None:
    bench.client.create_queue("mail")
    bench.client.create_transport("mail", queue_name="mail", priority=3)
    bench.client.set_routes("Pay", [NAME, "mail"])
    sent = await direct.dispatch_async(Pay(1))
    assert one(conn, "select headers from symphony.pending_message where queue_name = 'mail'") == {
        "correlation_id": str(sent)
    }
    headers: list[Any] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        headers.append((context.message_id, context.headers))

    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 1, "the other one")
    assert headers == [(sent, {"correlation_id": str(sent)})]


async def test_each_handler_gets_a_delivery(bench: Bench, direct: Symphony) -> None:
    bench.client.sync_handlers("Pay", ["one", "two"])
    await direct.dispatch_async(Pay(1))
    seen: list[str] = []
    bench.app.handler("Pay", name="one")(lambda body: seen.append("one"))
    bench.app.handler("Pay", name="two")(lambda body: seen.append("two"))
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 2, "both")
    assert sorted(seen) == ["one", "two"]


async def test_a_broker_that_is_away_is_an_error_and_nothing_is_stored(
    bench: Bench, direct: Symphony, conn: Connection
) -> None:
    bench.client.create_queue("mail")
    bench.client.create_transport("mail", queue_name="mail")
    await direct.dispatch_async(Pay(0))
    bench.server.kill()
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(NotConfirmed) as error:
            await direct.dispatch_async(Pay(1))
    assert time.monotonic() - started < 10
    assert error.value.confirmed == []
    assert "transport orders has not confirmed" in str(error.value)
    bench.client.set_routes("Both", [NAME, "mail"])
    with pytest.raises(NotConfirmed):  # and the part for the queue is rolled back
        await direct.dispatch_async(_Both())
    assert stored(conn) == 0
    bench.server.ensure_up()
    assert await direct.dispatch_async(Pay(2)) > 0
    async with bench.broker() as broker:
        assert await broker.count() >= (2 if bench.server.kind != "sqs" else 1)


@message("Both")
@dataclass
class _Both:
    pass


async def test_a_broker_that_came_back_is_reached_by_the_next_call(
    bench: Bench, direct: Symphony
) -> None:
    await direct.dispatch_async(Pay(1))
    bench.server.stop()
    bench.server.ensure_up()
    await asyncio.gather(*(direct.dispatch_async(Pay(n)) for n in range(10)))


async def test_a_broker_that_says_nothing_is_given_up(bench: Bench, conn: Connection) -> None:
    with _Silent() as port:
        app = bench.direct_app(call_timeout=0.5)
        assert app.config is not None
        settings = app.config.brokers[NAME]
        scheme, _, rest = bench.server.dsn.partition("://")
        dsn = f"{scheme}://{rest}".replace(str(bench.server.port), str(port))
        app.config.brokers[NAME] = BrokerSettings(
            settings.name, settings.type, dsn, None, settings.settings
        )
        started = time.monotonic()
        with pytest.raises(NotConfirmed, match=r"has not answered for 0\.5 s"):
            await app.dispatch_async(Pay(1))
        assert time.monotonic() - started < 5
        await app.aclose()
    assert stored(conn) == 0


class _Silent:
    """A port that takes connections and never says a word."""

    def __enter__(self) -> int:
        import socket

        self._socket = socket.create_server(("127.0.0.1", free_port()))
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()


async def test_what_no_broker_takes_is_told_at_once(bench: Bench, direct: Symphony) -> None:
    if bench.server.kind == "redis":
        pytest.skip("it takes more than PostgreSQL does")
    with pytest.raises(BadArgument, match="will never take this"):
        await direct.dispatch_async(Pay("x" * (17 * 2**20)))


async def test_a_transaction_of_the_caller_takes_nothing_back(
    bench: Bench, direct: Symphony, conn: Connection
) -> None:
    import psycopg

    with psycopg.connect(bench.dsn) as own:
        await asyncio.to_thread(direct.dispatch, Pay(1), conn=own)
        own.rollback()
    async with bench.broker() as broker:
        assert await broker.count() == 1


async def test_a_transport_can_be_named(bench: Bench, direct: Symphony, conn: Connection) -> None:
    bench.client.set_routes("*", [])
    await direct.dispatch_async(Pay(1), transport=NAME)
    assert stored(conn) == 0
    later = await direct.dispatch_async(Pay(2), transport=NAME, delay=timedelta(minutes=1))
    assert (bench.status(later), bench.queue(later)) == ("delayed", "outbox/orders")
    bench.client.disable_transport(NAME)
    direct.move(bench.dsn)  # forgets what it knows of routes
    held = await direct.dispatch_async(Pay(3), transport=NAME)
    assert (bench.status(held), bench.queue(held)) == ("pending", "outbox/orders")
    async with bench.broker() as broker:
        assert await broker.count() == 1


async def test_the_database_decides_and_is_asked_now_and_then(
    bench: Bench, direct: Symphony, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_pg.transports.routed.ROUTES_LAST", 0.2)
    await direct.dispatch_async(Pay(1))
    bench.client.create_transport(NAME, bench.server.kind)
    await asyncio.sleep(0.3)
    assert bench.status(await direct.dispatch_async(Pay(2))) == "pending"


def test_threads_and_a_forked_child_send_with_ids_of_their_own(
    bench: Bench, direct: Symphony
) -> None:
    ids: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: ids.append(direct.dispatch(Pay(n)))) for n in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, str(direct.dispatch(Pay(9))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    ids.append(int(os.read(read, 100)))
    ids.append(direct.dispatch(Pay(10)))
    assert len(set(ids)) == 10


def test_a_file_that_does_not_know_the_transport_is_named(bench: Bench, direct: Symphony) -> None:
    assert direct.config is not None
    direct.config.brokers.clear()
    with pytest.raises(SymphonyError, match=r"\[transports.orders\]"):
        direct.dispatch(Pay(1))


def test_a_transport_with_an_outbox_can_be_named_too(bench: Bench) -> None:
    wanted = {"transports": {NAME: {"type": bench.server.kind}}}
    config = Config(Path("symphony.toml"), None, wanted, {}, {NAME: bench.settings})
    with Symphony(bench.dsn, config=config) as app:
        assert bench.queue(app.dispatch(Pay(1), transport=NAME)) == "outbox/orders"
