"""What symphony.toml asks for and does not get: no mistakes, but who wrote it may not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from .broker import FIFO, BrokerSettings
from .lines import Keys

USUAL_PRIORITY = 5
REFUSED = (
    f'every message would be refused: the queue "{{}}" is ordered and takes {USUAL_PRIORITY} only'
)
ONE_BY_ONE = "messages of a key go out in order; handlers keep it where one slot does it all"
LIMITED = "it limits what relays take; how many handlers run at a time, consumers say"
SQS_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}(\.fifo)?|[A-Za-z0-9_-]{1,80}")
LIMITS = ("concurrency", "key_concurrency", "rate", "key_rate")
PRIORITY = {
    "rabbitmq": "RabbitMQ is told it, and its quorum queues take no notice before version 4",
    "redis": "a stream of Redis has no priorities",
    "sqs": "SQS has no priorities",
}
Told = Iterator[tuple[str, str]]


def remarks(
    wanted: Mapping[str, Any], brokers: Mapping[str, BrokerSettings], environment: Mapping[str, str]
) -> Iterator[tuple[Keys, str]]:
    """Yield what transports do not get of what they ask for, and where they ask for it."""
    queues = wanted.get("queues", {})
    for name, given in wanted.get("transports", {}).items():
        broker = brokers.get(name)
        priority = given.get("priority", USUAL_PRIORITY)
        if broker is None:
            told = _of_queue(given.get("queue", "default"), priority, queues)
        else:
            told = chain(_priority(broker, priority), _order(broker), _place(broker, environment))
            for key in LIMITS:
                if queues.get(broker.outbox, {}).get(key):
                    yield ("queues", broker.outbox, key), LIMITED
        for key, text in told:
            yield ("transports", name, key), text


def _of_queue(queue: str, priority: int, queues: Mapping[str, Any]) -> Told:
    if queues.get(queue, {}).get("ordered") and priority != USUAL_PRIORITY:
        yield "priority", REFUSED.format(queue)


def _priority(broker: BrokerSettings, priority: int) -> Told:
    told = PRIORITY[broker.type]
    if priority == USUAL_PRIORITY:
        return
    if broker.settings.get("ordered"):
        yield "priority", REFUSED.format(broker.outbox)
    elif broker.is_direct:
        yield "priority", f"{priority} counts for what waits or is retried; {told}"
    else:
        yield "priority", f"{priority} counts in the outbox, until a relay took it; {told}"


def _order(broker: BrokerSettings) -> Told:
    is_fifo = broker.destination.endswith(FIFO)
    if not broker.settings.get("ordered"):
        if broker.type == "sqs" and is_fifo:
            yield "destination", "relays keep the order of a key only with ordered = true"
        return
    if broker.is_direct:
        yield "ordered", "it counts for what goes through the outbox, and not for what is published"
    if broker.type != "sqs":
        yield "ordered", ONE_BY_ONE
    elif not is_fifo:
        yield "ordered", f"a standard queue keeps no order; the name of a FIFO queue ends in {FIFO}"


def _place(broker: BrokerSettings, environment: Mapping[str, str]) -> Told:
    if broker.dsn is None and not environment.get(broker.variable):
        yield "dsn", f"it is not said where the broker is: write dsn, or set {broker.variable}"
    name = broker.destination
    if broker.type == "sqs" and not SQS_NAME.fullmatch(name):
        yield "destination", f'SQS will refuse the name "{name}": it takes letters, digits, - and _'
