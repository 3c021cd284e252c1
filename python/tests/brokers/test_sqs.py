"""SQS at moto's server: what is sent comes, is extended, given back, counted and forgotten."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import Any

import pytest

from symphony_pg.brokers.broker import Broker, BrokerAway, NeverSent
from symphony_pg.brokers.opening import broker_of
from symphony_pg.brokers.sqs import _is_gone
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.database.functions.messages import ClaimedMessage
from tests.brokers.servers import Server, free_port, moto_turn

pytestmark = pytest.mark.parametrize("server", ["sqs", "sqs-fifo"], indirect=True)
_numbers = itertools.count(1)


@pytest.fixture
async def broker(server: Server) -> AsyncIterator[Broker]:
    name = f"alone{next(_numbers)}{server.ending}"
    broker = broker_of(BrokerSettings("orders", "sqs", server.dsn, None, {"destination": name}))
    await broker.open()
    yield broker
    await broker.close()


def message(number: int, body: str = "{}", key: str | None = None, **other: Any) -> ClaimedMessage:
    now = datetime.now(timezone.utc)
    given: dict[str, Any] = {
        "claim_id": 1,
        "message_id": number,
        "queue_name": "outbox/orders",
        "message_type": "Pay",
        "body": body,
        "headers": '{"a": {"b": [1]}}',
        "priority": 5,
        "attempt": 1,
        "max_attempts": 4,
        "group_key": key,
        "enqueued_at": now,
        "lease_until": now,
        **other,
    }
    return ClaimedMessage(**given)


async def received(broker: Broker, most: int = 100) -> list[Any]:
    found: list[Any] = []
    while len(found) < most and (more := await broker.receive(10, 0)):
        found += more
    return found


async def test_what_is_sent_comes_as_it_was(broker: Broker) -> None:
    bodies = ['{"s": "ä"}', '"\uffff is not XML"', '"' + "x" * 5000 + '"']
    sent = [message(n, body, "k") for n, body in enumerate(bodies, 1)]
    assert await broker.publish(sent) == [None] * 3
    assert await broker.count() == 3
    found = []
    for _ in sent:  # a group of a FIFO queue has one batch in hand at a time
        found += (deliveries := await received(broker))
        if deliveries:
            await broker.ack(deliveries)
    back = {each.message.message_id: each.message for each in found}
    assert [back[n].body for n in (1, 2, 3)] == bodies
    assert {(each.group_key, each.attempt, each.headers) for each in back.values()} == {
        ("k", 1, '{"a": {"b": [1]}}')
    }
    assert await broker.count() == 0


async def test_what_is_too_large_is_never_sent_and_the_rest_is(broker: Broker) -> None:
    large = message(2, '"' + "x" * broker.most_bytes + '"')
    half = '"' + "x" * (broker.most_bytes // 2) + '"'
    outcomes = await broker.publish([message(1, half), large, message(3, half), message(4)])
    assert isinstance(outcomes[1], NeverSent)
    assert "takes" in str(outcomes[1])
    assert [outcomes[n] for n in (0, 2, 3)] == [None] * 3
    assert {each.message.message_id for each in await received(broker)} == {1, 3, 4}


async def test_more_than_a_batch_comes_in_the_order_of_its_key(broker: Broker) -> None:
    sent = [message(n, key=f"k {n % 4}") for n in range(1, 26)]
    assert await broker.publish(sent) == [None] * 25
    found: list[Any] = []
    while len(found) < 25:
        found += (more := await broker.receive(10, 0))
        await broker.ack(more)
    ids = [each.message.message_id for each in found]
    assert sorted(ids) == [*range(1, 26)]
    if broker.settings.destination.endswith(".fifo"):
        for key in range(4):
            of_key = [each for each in ids if each % 4 == key]
            assert of_key == sorted(of_key)


async def test_the_same_claim_goes_out_once_and_a_later_one_again(broker: Broker) -> None:
    if not broker.settings.destination.endswith(".fifo"):
        pytest.skip("a standard queue knows no duplicates")
    assert await broker.publish([message(1)]) == [None]
    assert await broker.publish([message(1)]) == [None]
    assert await broker.count() == 1
    assert await broker.publish([message(1, claim_id=2)]) == [None]
    assert await broker.count() == 2


async def test_what_is_given_back_comes_again_and_that_is_counted(broker: Broker) -> None:
    await broker.publish([message(1)])
    (first,) = await received(broker)
    await broker.extend([first])
    assert await received(broker) == []
    await broker.give_back([first])
    (second,) = await received(broker)
    assert (first.message.attempt, second.message.attempt) == (1, 2)
    await broker.ack([second])
    await broker.ack([second])
    assert await broker.count() == 0


def test_what_is_ours_no_more_is_gone_and_all_else_is_told(server: Server) -> None:
    text = "Value AQEB for parameter {} is invalid. Reason: {}"
    expired = text.format("ReceiptHandle", "The receipt handle has expired.")
    beyond = text.format("VisibilityTimeout", "Total VisibilityTimeout is beyond the limit")
    assert _is_gone({"Code": "ReceiptHandleIsInvalid"})
    assert _is_gone({"Code": "AWS.SimpleQueueService.MessageNotInflight"})
    assert _is_gone({"Code": "InvalidParameterValue", "Message": expired})
    assert not _is_gone({"Code": "InvalidParameterValue", "Message": beyond})
    assert not _is_gone({"Code": "InternalError"})


async def test_what_does_not_answer_is_away(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long poll has its time and PATIENCE, and everything else has PATIENCE alone."""
    monkeypatch.setattr("symphony_pg.brokers.sqs.PATIENCE", 0.5)
    assert await broker.receive(1, 1) == []
    with moto_turn, pytest.raises(BrokerAway, match="does not answer"):
        await broker.count()


async def test_a_server_that_is_not_there_is_away(server: Server) -> None:
    dsn = f"sqs://eu-west-1?endpoint=http://127.0.0.1:{free_port()}"
    broker = broker_of(BrokerSettings("orders", server.kind, dsn, None, {}))
    with pytest.raises(BrokerAway, match="SQS"):
        await broker.open()
    with pytest.raises(BrokerAway):
        await broker.count()
