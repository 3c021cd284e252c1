"""RabbitMQ: a quorum queue, publisher confirms, and consumers that acknowledge."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..waiting import within
from .amqp import connection_to
from .broker import Broker, BrokerAway, BrokerFull, Delivery, NeverSent
from .extras import needs
from .files import check_files, named_in
from .wire import Received, delivery_of, packed

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage


PATIENCE = 10.0
HEARTBEAT = 10  # seconds; after three, nothing was heard of the broker for too long
PREFIX = "symphony-"
FILES = ("cafile", "certfile", "keyfile")
DELIVERY_LIMIT = 20  # the net below our own attempts
CONSUMER_TIMEOUT = 1500.0  # RabbitMQ ends a channel that has not acknowledged for 30 minutes
T = TypeVar("T")
Outcome = Exception | None


class RabbitMQ(Broker):
    """A queue of RabbitMQ, by plain connections: who waits for a confirm hears of every loss."""

    lease = CONSUMER_TIMEOUT
    has_sessions = True
    most_bytes = 16 * 2**20

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings)
        self._pika = needs("aio_pika", "rabbitmq")
        self._conn: Any = None
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._tags: list[str] = []
        self._width = 0

    async def open(self) -> None:
        """Connect, and declare the queue."""
        dsn = self.settings.location
        check_files(named_in(dsn, FILES))
        if not [*named_in(dsn, ["heartbeat"])]:
            dsn += f"{'&' if '?' in dsn else '?'}heartbeat={HEARTBEAT}"
        try:
            await _answered(self._connect(dsn))
            await _answered(self._set_up())
        except BaseException:
            await self.close()
            raise

    async def _connect(self, dsn: str) -> None:
        """Connect. With aio_pika.connect() whoever gives up in its last moment leaves the rest."""
        self._conn = connection_to(dsn)
        await self._conn.connect()

    async def _set_up(self) -> None:
        self._lost = asyncio.get_running_loop().create_future()
        if self.settings.settings.get("declare", True):
            await self._declare()
        self._channel = await self._conn.channel(on_return_raises=True)
        self._channel.close_callbacks.add(self._on_close)
        exchange = self.settings.settings.get("exchange")
        self._exchange = (
            await self._channel.get_exchange(exchange, ensure=False)
            if exchange
            else self._channel.default_exchange
        )
        self._queue = await self._channel.get_queue(self.settings.destination, ensure=False)
        self._arrived = asyncio.Queue()
        self._tags, self._width = [], 0

    def _on_close(self, _: object, reason: BaseException | None) -> None:
        if not self._lost.done():
            self._lost.set_result(reason)

    async def _declare(self) -> None:
        """Make the queue, unless there is one of that name, whatever its settings."""
        name, known = self.settings.destination, self._pika.exceptions.ChannelNotFoundEntity
        async with await self._conn.channel() as channel:
            with suppress(known):
                await channel.declare_queue(name, passive=True)
                return
        async with await self._conn.channel() as channel:
            dead = f"{name}.dead"
            await channel.declare_queue(dead, durable=True, arguments={"x-queue-type": "quorum"})
            queue = await channel.declare_queue(
                name,
                durable=True,
                arguments={
                    "x-queue-type": "quorum",
                    "x-overflow": "reject-publish",
                    "x-delivery-limit": DELIVERY_LIMIT,
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": dead,
                },
            )
            if exchange := self.settings.settings.get("exchange"):
                await channel.declare_exchange(exchange, durable=True)
                await queue.bind(exchange, name)

    async def close(self) -> None:
        """Hang up."""
        conn, self._conn = self._conn, None
        if conn is not None:
            try:
                with suppress(Exception):
                    await within(2, conn.close())
            finally:
                conn.hang_up()

    async def publish(self, messages: Sequence[ClaimedMessage]) -> list[Outcome]:
        """Publish in order and await every confirm."""
        tasks = [asyncio.ensure_future(self._publish(message)) for message in messages]
        _, late = await asyncio.wait(tasks, timeout=PATIENCE)
        for task in late:
            task.cancel()
        return [
            BrokerAway("RabbitMQ does not confirm")
            if task in late
            else BrokerAway("RabbitMQ: the connection is lost")
            if task.cancelled()
            else task.result()
            for task in tasks
        ]

    async def _publish(self, message: ClaimedMessage) -> Outcome:
        pack, errors = packed(message, self.settings, self.origin), self._pika.exceptions
        body = pack.body.encode()
        if len(body) > self.most_bytes:
            return NeverSent(f"its body has {len(body)} bytes, RabbitMQ takes {self.most_bytes}")
        wire = self._pika.Message(
            body,
            message_id=str(message.message_id),
            type=message.message_type,
            content_type=pack.content_type,
            delivery_mode=2,
            priority=message.priority,
            headers={
                PREFIX + name: text
                for name, text in pack.beside.items()
                if name not in ("id", "type")
            },
        )
        try:
            await self._exchange.publish(wire, self.settings.destination, mandatory=True)
        except errors.PublishError as error:
            return BrokerAway(f"nothing takes what is sent to {self.settings.destination}: {error}")
        except errors.DeliveryError:
            return BrokerFull(f"the queue {self.settings.destination} takes no more")
        except Exception as error:
            return BrokerAway(_text(error))
        return None

    async def consume(self, width: int) -> None:
        """Let at most so many messages be on their way.

        Another consumer widens it. To end one would count as an attempt of what is on its way.
        """
        if not width:
            tags, self._tags, self._width = self._tags, [], 0
            for tag in tags:
                await _answered(self._queue.cancel(tag))
        elif width > self._width:
            await _answered(self._channel.set_qos(prefetch_count=width - self._width))
            self._width = width
            self._tags.append(await _answered(self._queue.consume(self._arrived.put)))

    async def receive(self, most: int, wait: float) -> list[Delivery]:
        """Return what is there, or wait for a first message."""
        if not self._tags and self._arrived.empty():
            return await self._fetch()
        if self._arrived.empty():
            first = asyncio.ensure_future(self._arrived.get())
            await asyncio.wait(
                [first, self._lost], timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )
            if not first.done():
                first.cancel()
                self._check()
                return []
            found = [first.result()]
        else:
            found = []
        self._check()
        while len(found) < most and not self._arrived.empty():
            found.append(self._arrived.get_nowait())
        return [self._delivery(each) for each in found]

    async def _fetch(self) -> list[Delivery]:
        self._check()
        found = await _answered(self._queue.get(fail=False))
        return [] if found is None else [self._delivery(found)]

    def _check(self) -> None:
        if self._conn is None or self._lost.done():
            raise BrokerAway("the connection to RabbitMQ is lost")

    def _delivery(self, message: AbstractIncomingMessage) -> Delivery:
        headers = {
            name: text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
            for name, text in message.headers.items()
        }
        metadata = {
            name[len(PREFIX) :]: str(text)
            for name, text in headers.items()
            if name.startswith(PREFIX)
        }
        if "attempt" in metadata:
            metadata["id"], metadata["type"] = str(message.message_id), str(message.type)
        count = headers.get("x-delivery-count", 0)
        received = Received(
            message.body,
            metadata,
            headers,
            message.message_id or f"{message.consumer_tag}/{message.delivery_tag}",
            message.type,
            max(count if isinstance(count, int) else 0, int(bool(message.redelivered))),
            message,
            message.content_type,
        )
        return delivery_of(received, self.settings, self.lease, self.origin)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Let the broker forget them."""
        self._check()
        await _answered(_each(each.token.ack() for each in deliveries))

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let the broker hand them out again."""
        self._check()
        await _answered(_each(each.token.nack(requeue=True) for each in deliveries))

    async def extend(self, deliveries: Sequence[Delivery]) -> None:  # noqa: ARG002
        """See whether the connection lasts: as long as it does, they are ours."""
        self._check()

    async def count(self) -> int:
        """Return how many messages wait there."""
        return await _answered(self._counted())

    async def _counted(self) -> int:
        async with await self._conn.channel() as channel:
            queue = await channel.declare_queue(self.settings.destination, passive=True)
            return int(queue.declaration_result.message_count or 0)


async def _each(steps: Iterable[Coroutine[Any, Any, Any]]) -> None:
    for step in steps:
        await step


async def _answered(work: Coroutine[Any, Any, T]) -> T:
    """Let everything that the connection does be BrokerAway, and not last longer than PATIENCE.

    It is a task of its own, since a connection that is lost cancels whatever waits for an answer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=PATIENCE)
    finally:
        is_late = not task.done()
        task.cancel()
    if is_late:
        raise BrokerAway("RabbitMQ does not answer")
    if task.cancelled():
        raise BrokerAway("RabbitMQ: the connection is lost")
    try:
        return task.result()
    except Exception as error:
        raise BrokerAway(_text(error)) from error


def _text(error: Exception) -> str:
    if isinstance(error, RuntimeError):  # whose text is the address of a channel that is closed
        return "RabbitMQ: the connection is lost"
    return f"RabbitMQ: {error}" if str(error) else f"RabbitMQ: {type(error).__name__}"
