"""Relays and consumers beside the bare libraries of their brokers, in turns.

What is published is the same on both sides: the wire form of a message with a body of 200 bytes.
The brokers are those of the tests, on this machine, with what they confirm on its disk.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from symphony_pg import Client, Config, Envelope, Symphony, Worker
from symphony_pg.brokers.opening import broker_of
from symphony_pg.brokers.wire import packed
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.database.functions.messages import ClaimedMessage
from symphony_pg.worker.relay import Relay

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from tests.brokers import servers

ROOT = Path(__file__).parents[1]
BATCH = 500
PREFETCH = 500
BODY = '{"n": 1, "s": "' + "x" * 180 + '"}'
NOW = datetime.now(timezone.utc)
MESSAGE = ClaimedMessage(
    claim_id=1,
    message_id=1,
    queue_name="outbox/bench",
    message_type="Bench",
    body=BODY,
    headers="{}",
    priority=5,
    attempt=1,
    max_attempts=4,
    group_key=None,
    enqueued_at=NOW,
    lease_until=NOW,
)
_numbers = itertools.count(1)


class Bare(ABC):
    """What a program does with the library alone."""

    server: ClassVar[type[servers.Server]]
    least: ClassVar[float]  # what a relay should reach of its rate
    share: ClassVar[float] = 1.0  # of the messages of others, for who is slow

    def __init__(self, settings: BrokerSettings) -> None:
        self.settings = settings
        self.metadata = packed(MESSAGE, settings, "").beside

    @abstractmethod
    async def publish(self, count: int) -> float:
        """Publish messages in batches, and await every confirm; return the messages a second."""

    @abstractmethod
    async def consume(self, count: int) -> float:
        """Take messages and acknowledge them; return the messages a second."""


class BareRedis(Bare):
    """redis-py: a pipeline of XADD; XREADGROUP, and a pipeline of XACK and XDEL."""

    server = servers.Redis
    least = 0.6

    async def publish(self, count: int) -> float:
        from redis.asyncio import Redis

        async with Redis.from_url(self.settings.location) as conn:
            await conn.ping()
            begun = time.perf_counter()
            for _ in range(count // BATCH):
                pipeline = conn.pipeline(transaction=False)
                for _ in range(BATCH):
                    fields: dict[Any, Any] = {**self.metadata, "body": BODY}
                    pipeline.xadd(self.settings.destination, fields)
                await pipeline.execute()
            return count / (time.perf_counter() - begun)

    async def consume(self, count: int) -> float:
        from redis.asyncio import Redis

        group, stream, left = "symphony", self.settings.destination, count
        async with Redis.from_url(self.settings.location) as conn:
            begun = time.perf_counter()
            while left:
                answer: Any = await conn.xreadgroup(group, "bare", {stream: ">"}, count=PREFETCH)
                entries = [entry for entry, _ in answer[0][1]]
                pipeline = conn.pipeline(transaction=True)
                pipeline.xack(stream, group, *entries)
                pipeline.xdel(stream, *entries)
                await pipeline.execute()
                left -= len(entries)
            return count / (time.perf_counter() - begun)


class BareRabbitMQ(Bare):
    """aio-pika: publishes are gathered; a consumer acknowledges each message."""

    server = servers.RabbitMQ
    least = 0.75

    async def publish(self, count: int) -> float:
        import aio_pika

        headers = {f"symphony-{name}": text for name, text in self.metadata.items()}
        async with await aio_pika.connect(self.settings.location) as conn:
            exchange = (await conn.channel(on_return_raises=True)).default_exchange

            async def publish() -> None:
                message = aio_pika.Message(
                    BODY.encode(),
                    message_id="1",
                    type="Bench",
                    content_type="application/json",
                    delivery_mode=2,
                    priority=5,
                    headers={**headers},
                )
                await exchange.publish(message, self.settings.destination, mandatory=True)

            begun = time.perf_counter()
            for _ in range(count // BATCH):
                await asyncio.gather(*(publish() for _ in range(BATCH)))
            return count / (time.perf_counter() - begun)

    async def consume(self, count: int) -> float:
        import aio_pika

        async with await aio_pika.connect(self.settings.location) as conn:
            channel = await conn.channel()
            await channel.set_qos(prefetch_count=PREFETCH)
            queue = await channel.get_queue(self.settings.destination, ensure=False)
            left, over = count, asyncio.Event()

            async def take(message: Any) -> None:
                nonlocal left
                await message.ack()
                left -= 1
                if not left:
                    over.set()

            begun = time.perf_counter()
            tag = await queue.consume(take)
            await over.wait()
            rate = count / (time.perf_counter() - begun)
            await queue.cancel(tag)
            return rate


class BareSQS(Bare):
    """boto3 in eight threads, by ten messages a request; moto plays SQS, in this process."""

    server = servers.SQS
    least = 0.85
    share = 0.05

    async def publish(self, count: int) -> float:
        entry = {
            "MessageBody": BODY,
            "MessageAttributes": {
                "symphony": {"DataType": "String", "StringValue": json.dumps(self.metadata)}
            },
        }

        def send(client: Any, url: str) -> None:
            entries = [{"Id": str(place), **entry} for place in range(10)]
            client.send_message_batch(QueueUrl=url, Entries=entries)

        return self._in_threads(send, count)

    async def consume(self, count: int) -> float:
        def take(client: Any, url: str) -> None:
            found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            entries = [
                {"Id": str(place), "ReceiptHandle": each["ReceiptHandle"]}
                for place, each in enumerate(found)
            ]
            client.delete_message_batch(QueueUrl=url, Entries=entries)

        return self._in_threads(take, count)

    def _in_threads(self, work: Callable[[Any, str], None], count: int) -> float:
        """Do something for ten messages each time; return the messages a second."""
        import boto3  # type: ignore[import-untyped]

        endpoint = self.settings.location.partition("endpoint=")[2]
        client = boto3.client("sqs", region_name="eu-west-1", endpoint_url=endpoint)
        with closing(client), ThreadPoolExecutor(8) as threads:
            url = client.get_queue_url(QueueName=self.settings.destination)["QueueUrl"]
            begun = time.perf_counter()
            for each in [threads.submit(work, client, url) for _ in range(count // 10)]:
                each.result()
            return count / (time.perf_counter() - begun)


BARE: tuple[type[Bare], ...] = (BareRedis, BareRabbitMQ, BareSQS)


@contextmanager
def brokers(dsn: str) -> Iterator[Iterator[Bare]]:
    """Start each broker in turn, with a transport `bench` that leads to it."""
    with tempfile.TemporaryDirectory(prefix="symphony-bench-") as folder:
        Path(folder).chmod(0o755)

        def each() -> Iterator[Bare]:
            for kind in BARE:
                os.environ.update(kind.server.credentials)
                if kind.server is not servers.SQS and servers.obtained(kind.server.kind) is None:
                    print(f"{kind.server.kind}: {servers.REFUSES}")
                    continue
                home = Path(folder) / kind.server.kind
                home.mkdir()
                server = kind.server(home)
                server.start()
                try:
                    yield kind(_transport(dsn, server))
                finally:
                    server.close()

        yield each()


def _transport(dsn: str, server: servers.Server) -> BrokerSettings:
    given = {"destination": f"bench{next(_numbers)}", "batch_size": BATCH}
    settings = BrokerSettings("bench", server.kind, server.dsn, None, given)
    with psycopg.connect(dsn, autocommit=True) as conn:
        client = Client(conn)
        client.create_transport("bench", server.kind, config=given)
        client.create_transport("direct", server.kind, config={**given, "outbox": False})
        client.set_routes("Bench", ["bench"])
        client.set_routes("Direct", ["direct"])
    asyncio.run(_declare(settings))
    return settings


async def _declare(settings: BrokerSettings) -> None:
    broker = broker_of(settings)
    await broker.open()
    await broker.close()


def fill(dsn: str, count: int) -> None:
    """Enqueue messages for the transport."""
    batch = [{"message_type": "Bench", "body": json.loads(BODY)}] * 1000
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(count // 1000):
            Client(conn).enqueue_batch(batch)


async def relayed(settings: BrokerSettings, dsn: str, count: int) -> float:
    """Let a relay forward what is enqueued; return the messages a second once it has begun."""
    return await _rate(Relay(settings, dsn), count)


async def sent_directly(settings: BrokerSettings, dsn: str, count: int) -> float:
    """Publish from an application; return the messages a second once it has begun."""
    given = {**settings.settings, "outbox": False}
    brokers = {"direct": replace(settings, name="direct", settings=given)}
    wanted = {"transports": {"direct": {"type": settings.type}}}
    app = Symphony(dsn, config=Config(Path("symphony.toml"), None, wanted, {}, brokers))
    batch = [Envelope("Direct", json.loads(BODY)) for _ in range(BATCH)]
    await app.dispatch_many_async(batch[:1])
    begun = time.perf_counter()
    for _ in range(count // BATCH):
        await app.dispatch_many_async(batch)
    rate = count / (time.perf_counter() - begun)
    await app.aclose()
    return rate


async def consumed(settings: BrokerSettings, dsn: str, count: int) -> float:
    """Let a worker consume what is there; return the messages a second once it has begun."""
    with Symphony(dsn) as app:

        @app.handler("Bench")
        async def handle(body: Any) -> None:
            pass

        return await _rate(Worker(app, transport=settings, batch_size=PREFETCH), count)


async def _rate(worker: Worker, count: int) -> float:
    task = asyncio.create_task(worker.run())
    counts = worker.counts
    try:
        while not counts.done and not task.done():
            await asyncio.sleep(0.001)
        first, begun = counts.done, time.perf_counter()
        while counts.done < count and not task.done():
            await asyncio.sleep(0.001)
        return (count - first) / (time.perf_counter() - begun)
    finally:
        worker.stop()
        await task


def in_turns(bare: Bare, dsn: str, count: int, rounds: int) -> tuple[list[float], ...]:
    """Return, for each round, relay, consumer and direct sending beside the bare library."""
    relays, consumers, direct = list[float](), list[float](), list[float]()
    settings = bare.settings
    for _ in range(rounds):
        published = asyncio.run(bare.publish(count))
        taken = asyncio.run(bare.consume(count))
        fill(dsn, count)
        relays.append(asyncio.run(relayed(settings, dsn, count)) / published)
        consumers.append(asyncio.run(consumed(settings, dsn, count)) / taken)
        direct.append(asyncio.run(sent_directly(settings, dsn, count)) / published)
        asyncio.run(bare.consume(count))
    return relays, consumers, direct


def memory(settings: BrokerSettings, dsn: str, count: int) -> tuple[float, float]:
    """Relay and consume messages; return how relay and stream have grown since the first fifth.

    As many go before: until some 80,000 a relay of RabbitMQ takes 15 MB more, and then no more.
    """
    program = str(ROOT / "python/tests/brokers/program.py")
    told = json.dumps([asdict(settings)])
    command = [sys.executable, program, "relay", dsn, os.devnull, told]
    with subprocess.Popen(command) as relay:
        try:
            sizes = []
            for _ in range(10):
                fill(dsn, count // 5)
                asyncio.run(consumed(settings, dsn, count // 5))
                resident = int(Path(f"/proc/{relay.pid}/statm").read_text().split()[1])
                sizes.append((resident, stream_bytes(settings)))
        finally:
            relay.kill()
    (relay_first, stream_first), (relay_last, stream_last) = sizes[5], sizes[-1]
    return relay_last / relay_first, stream_last / stream_first


def stream_bytes(settings: BrokerSettings) -> int:
    """Return what a stream of Redis takes; 1 for any other broker."""
    if settings.type != "redis":
        return 1
    import redis

    with redis.Redis.from_url(settings.location) as conn:
        return int(conn.memory_usage(settings.destination) or 1)


def rows(dsn: str, *, quick: bool) -> Iterator[tuple[str, float, str, float, bool, str]]:
    """Yield name, figure, unit, target, whether that is the most, and what it stands beside."""
    count, rounds, long = (5000, 3, 20_000) if quick else (20_000, 5, 100_000)
    with brokers(dsn) as each:
        for bare in each:
            kind = bare.settings.type
            for what, ratios, least in zip(
                ("relay", "consumer", "sending directly"),
                in_turns(bare, dsn, max(1000, int(count * bare.share)), rounds),
                (bare.least, 0.6, 0.5),
                strict=True,
            ):
                beside = " ".join(f"{ratio:.2f}" for ratio in ratios)
                name = f"{what} / bare {bare.server.library}, batches of {BATCH}"
                yield name, statistics.median(ratios), "x", least, False, beside
            if kind == "sqs":
                continue  # what moto takes is taken by this process
            relay, stream = memory(bare.settings, dsn, long)
            title = f"{kind}, {long:,} messages after as many, last / first fifth:"
            yield f"{title} memory of the relay", relay, "x", 1.1, True, ""
            if kind == "redis":
                yield f"{title} memory of the stream", stream, "x", 1.1, True, ""
