"""Redis: several groups of one stream, each of which gets everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from symphony_pg import Context, Symphony, Worker
from symphony_pg.brokers.broker import Broker
from symphony_pg.brokers.opening import broker_of
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.worker.relay import Relay
from tests.brokers.bench import Bench
from tests.brokers.test_sqs import message
from tests.worker.helpers import at_work, until

pytestmark = pytest.mark.parametrize("server", ["redis"], indirect=True)


@pytest.fixture
def mail(bench: Bench) -> BrokerSettings:
    """Another transport that reads the same stream, in a group of its own."""
    settings = {**bench.settings.settings, "group": "mail"}
    bench.client.create_transport("mail", "redis", config=settings)
    return replace(bench.settings, name="mail", settings=settings)


def counting(dsn: str, counts: Counter[int], *, fails_once: bool = False) -> Symphony:
    """Return an application that counts effects, each in a transaction."""
    app = Symphony(dsn)

    @app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        async with context.transaction():
            if fails_once and context.attempt == 1 and body % 10 == 0:
                raise OSError("not now")
        counts[context.message_id] += 1

    return app


async def test_each_group_gets_everything_once(bench: Bench, mail: BrokerSettings) -> None:
    """Also when one is slower, and when what failed in one goes out again, which both see."""
    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(200)])
    quick, slow = Counter[int](), Counter[int]()
    broker = broker_of(mail)
    await broker.open()  # there is a second group from now on
    one = Worker(counting(bench.dsn, quick), transport=bench.settings)
    other = Worker(counting(bench.dsn, slow, fails_once=True), transport=mail)
    async with bench.relaying(), at_work(Relay(mail, bench.dsn)), at_work(one):
        await until(lambda: len(quick) == 200, "all, in one group")
        assert await broker.count() == 200  # nothing is gone that the other has not read
        async with at_work(other):
            await until(lambda: len(slow) == 200, "all, in the other one")
            await until(lambda: one.counts.done == 220, "the copies of what was tried again")
    assert quick == slow == Counter(ids)
    assert other.counts.retried == 20
    assert await broker.count() == 0
    async with bench.broker() as mine:
        assert await mine.count() == 0
    assert await length(broker) == 0
    await broker.close()


async def length(broker: Broker) -> int:
    return int(await broker._conn.xlen(broker.settings.destination))  # type: ignore[attr-defined]


async def test_nothing_is_trimmed_that_a_group_has_open_or_has_not_read(
    bench: Bench, mail: BrokerSettings
) -> None:
    first = broker_of(bench.settings)
    await first.open()
    await first.publish([message(n) for n in range(1, 11)])
    taken = await first.receive(4, 0)
    await first.ack(taken[:2])
    assert await length(first) == 8  # it had the stream to itself until now
    second = broker_of(mail)
    await second.open()
    await first.ack(taken[2:])
    assert await length(first) == 8
    theirs = await second.receive(5, 0)
    assert [each.message.message_id for each in theirs] == [3, 4, 5, 6, 7]
    await second.ack(theirs[1:])
    assert await length(first) == 8  # entry 3 is open in the second group
    await second.ack(theirs[:1])
    assert await length(first) == 6  # entry 5 is the first that the first group has not read
    assert (await first.count(), await second.count()) == (6, 3)
    await first.ack(await first.receive(100, 0))
    assert await length(first) == 3
    await second.ack(await second.receive(100, 0))
    assert await length(first) == 0
    for each in (first, second):
        await each.close()


async def test_a_stream_does_not_grow(bench: Bench, mail: BrokerSettings) -> None:
    """What two groups have done leaves nothing behind."""
    brokers = [broker_of(each) for each in (bench.settings, mail)]
    for each in brokers:
        await each.open()
    sizes = []
    for turn in range(40):
        await brokers[0].publish([message(turn * 100 + n) for n in range(100)])
        for each in brokers:
            await each.ack(await each.receive(100, 0))
        conn = brokers[0]._conn  # type: ignore[attr-defined]
        sizes.append(await conn.memory_usage(brokers[0].settings.destination))
    assert await length(brokers[0]) == 0
    assert sizes[-1] <= sizes[0]
    for each in brokers:
        await each.close()


async def test_what_was_removed_at_redis_is_acknowledged_in_vain(bench: Bench) -> None:
    async with bench.broker() as broker:
        conn = broker._conn  # type: ignore[attr-defined]
        await broker.publish([message(1), message(2)])
        first, second = await broker.receive(2, 0)
        await conn.xgroup_destroy(broker.settings.destination, "symphony")
        await broker.ack([first])
        await conn.delete(broker.settings.destination)
        await broker.ack([second])
