"""A network between us and a broker that falls silent, or is cut: it is noticed, and nothing lost.

Nothing is closed when it falls silent, so nobody is told.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Client, Envelope, Symphony
from symphony_pg.brokers.broker import BrokerAway
from symphony_pg.brokers.opening import broker_of
from symphony_pg.handling.context import Context
from tests.brokers.bench import Bench
from tests.brokers.servers import Server
from tests.brokers.test_sqs import message
from tests.helpers import Connection, known, one
from tests.proxy import Proxy
from tests.worker.helpers import until

PATIENCE = 1.0
ACKNOWLEDGES = {"redis": "EVALSHA", "sqs": "ReceiptHandle"}  # what a client says then


@pytest.fixture
def proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(f"symphony_pg.brokers.{server.kind}.PATIENCE", PATIENCE)
    proxy = Proxy("127.0.0.1", server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def bench(server: Server, conn: Connection, dsn: str, app: Symphony, proxy: Proxy) -> Bench:
    """A transport that leads to a broker through a proxy."""
    through = server.dsn.replace(f":{server.port}", f":{proxy.port}")
    if server.kind == "rabbitmq":
        through += "?heartbeat=1"
    name = f"silent{proxy.port}{server.ending}"
    bench = Bench(server, Client(conn), app, dsn, name, through=through)
    bench.create()
    return bench


def enqueue(bench: Bench, count: int) -> list[int]:
    return bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(count)])


def count_effects(bench: Bench) -> None:
    bench.client.conn.execute("create table effect (id bigint)")

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        async with context.transaction() as tx:
            await tx.execute("insert into effect values (%s)", [context.message_id])


def effects(bench: Bench) -> Counter[int]:
    return Counter(id_ for (id_,) in bench.client.conn.execute("select id from effect"))


@pytest.mark.parametrize(("fault", "times"), [("silence", 1), ("cut", 3)])
async def test_what_falls_silent_or_is_cut_is_opened_again(
    bench: Bench, proxy: Proxy, fault: str, times: int
) -> None:
    """In the middle of the work of a relay and of a consumer; each effect takes place once."""
    count_effects(bench)
    ids: list[int] = []

    def is_done_but_for(rest: int) -> bool:
        return len(effects(bench)) >= len(ids) - rest

    async with bench.working():
        for _ in range(times):
            ids += enqueue(bench, 50)
            await until(lambda: is_done_but_for(40), "some")
            await asyncio.to_thread(getattr(proxy, fault))
        ids += enqueue(bench, 50)
        await until(lambda: is_done_but_for(0), "all")
    assert effects(bench) == Counter(ids)
    assert bench.client.failed_messages() == []


async def test_a_broker_that_is_silent_is_down_and_leases_are_kept(
    bench: Bench, proxy: Proxy, conn: Connection
) -> None:
    """No attempt is used, whoever waits for how long."""
    count_effects(bench)
    done = enqueue(bench, 5)
    async with bench.working() as worker:
        await until(lambda: len(effects(bench)) == 5, "the first")
        proxy.refuses_news = True
        await asyncio.to_thread(proxy.silence)
        late = enqueue(bench, 50)
        await until(lambda: bench.client.transport_status()[0].state == "down", "it is told")
        await until(lambda: worker.why_not_ready() == "the worker is not connected to its broker")
        assert "down since" in bench.client.why_not_running(late[-1])
        assert {known(conn, each).attempt for each in late} <= {0, 1}
        proxy.clear()
        await asyncio.to_thread(proxy.cut)
        await until(lambda: len(effects(bench)) == 55, "all")
        await until(lambda: bench.client.transport_status()[0].state == "up", "it is told")
    assert effects(bench) == Counter(done + late)
    assert one(conn, "select count(*) from symphony.attempt") == 0
    assert bench.client.failed_messages() == []


async def test_a_confirm_that_is_lost_is_asked_for_again(bench: Bench, proxy: Proxy) -> None:
    """The broker has the message, and the relay cannot know that: there may be a copy."""
    count_effects(bench)
    async with bench.broker():
        pass
    proxy.silence_at("confirm this", loses="answer")
    sent = bench.client.enqueue("Pay", "confirm this")
    async with bench.relaying() as relay:
        await until(lambda: relay.counts.done == 1, "the second confirm")
    assert proxy.has_triggered
    assert bench.status(sent) == "forwarded"
    async with bench.broker() as broker:
        copies = await broker.count()
    assert copies == (1 if bench.server.ending else 2)  # FIFO drops the second one
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == copies, "all copies")
    assert effects(bench) == Counter([sent])


@pytest.mark.parametrize("server", [*ACKNOWLEDGES, "sqs-fifo"], indirect=True)
@pytest.mark.parametrize("loses", ["request", "answer"])
async def test_an_ack_that_is_lost_is_sent_again(bench: Bench, proxy: Proxy, loses: str) -> None:
    count_effects(bench)
    sent = bench.client.enqueue("Pay", {})
    proxy.silence_at(ACKNOWLEDGES[bench.server.kind], loses=loses)
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the message")
        await until(lambda: proxy.has_triggered, "the ack")
    async with bench.broker() as broker:
        assert await broker.count() == 0
    assert effects(bench) == Counter([sent])


async def test_who_is_connected_to_nobody_stops_soon(bench: Bench, proxy: Proxy) -> None:
    """A process that waits for a silent broker can be ended."""
    bench.app.handler("Pay")(lambda body: None)
    async with bench.working() as worker:
        await until(lambda: worker.why_not_ready() is None, "it is ready")
        proxy.refuses_news = True
        await asyncio.to_thread(proxy.silence)
        enqueue(bench, 3)
        await asyncio.sleep(random.uniform(0, 2 * PATIENCE))
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 6 * PATIENCE + 4


async def test_a_call_is_not_waited_for_longer_than_patience(bench: Bench, proxy: Proxy) -> None:
    async with bench.broker() as broker:
        proxy.refuses_news = True
        await asyncio.to_thread(proxy.silence)
        started = asyncio.get_running_loop().time()
        with pytest.raises(BrokerAway):
            await broker.count()
        assert asyncio.get_running_loop().time() - started < 3 * PATIENCE


def connections_to(port: int) -> int:
    """Return how many connections of this machine to a loopback port nobody has closed."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[2].endswith(f":{port:04X}") and line[3] == "01")


@pytest.fixture
def hung_up(proxy: Proxy) -> Iterator[Callable[[], Awaitable[None]]]:
    """Waits until no connection is left, without the help of a garbage collector."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("this system does not tell which connections there are")
    gc.disable()
    yield lambda: until(lambda: connections_to(proxy.port) == 0, "all are closed")
    gc.enable()


async def test_who_hangs_up_leaves_no_connection_of_others(
    bench: Bench, proxy: Proxy, hung_up: Callable[[], Awaitable[None]]
) -> None:
    """Tasks that publish meanwhile may be about to connect."""
    for turns in range(12):
        async with bench.broker() as broker:
            tasks = [asyncio.create_task(broker.publish([message(n)])) for n in range(1, 9)]
            for _ in range(turns * 3):
                await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        await hung_up()


async def test_who_gives_up_while_connecting_leaves_no_connection(
    bench: Bench, proxy: Proxy, hung_up: Callable[[], Awaitable[None]]
) -> None:
    async with bench.broker():
        pass
    for turns in range(60):
        broker = broker_of(bench.settings)
        task = asyncio.create_task(broker.open())
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            await broker.close()
            break
        del broker
        await hung_up()


async def test_who_connects_to_a_silent_broker_leaves_no_connection(
    bench: Bench, proxy: Proxy, hung_up: Callable[[], Awaitable[None]]
) -> None:
    proxy.refuses_news = True
    broker = broker_of(bench.settings)
    with pytest.raises(BrokerAway):
        await broker.open()
    await hung_up()


async def test_who_sends_directly_leaves_no_connection(
    bench: Bench, proxy: Proxy, hung_up: Callable[[], Awaitable[None]]
) -> None:
    """Also not when the network is cut, or silent, and many send, and some give up."""
    app = bench.direct_app(call_timeout=2 * PATIENCE)
    for fault in (proxy.cut, proxy.silence, proxy.cut):
        tasks = [asyncio.create_task(app.dispatch_async(Envelope("Pay", {}))) for _ in range(20)]
        await asyncio.sleep(0.01)
        await asyncio.to_thread(fault)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    tasks = [asyncio.create_task(app.dispatch_async(Envelope("Pay", {}))) for _ in range(20)]
    await asyncio.sleep(0.01)
    await app.aclose()
    await asyncio.gather(*tasks, return_exceptions=True)
    await hung_up()
