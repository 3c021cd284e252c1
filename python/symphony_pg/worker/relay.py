"""The relay: a worker whose handler hands messages to a broker, and awaits every confirm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from ..app import Symphony
from ..brokers.broker import BrokerAway, NeverSent
from ..brokers.opening import broker_of
from ..brokers.reach import BrokerGone, Reach
from ..config.broker import BrokerSettings
from ..database import functions
from ..database.functions.messages import ClaimedMessage
from ..errors import LeaseLost, UnknownQueue, UnknownTransport
from ..handling.batch import BatchHandler
from ..handling.classification import USUAL
from ..handling.context import BatchItem, Holder
from ..handling.handler import Handler
from ..outcomes import PermanentError
from .claim import Claim
from .done import Done
from .link import LAST_WORDS, Link
from .settler import Counts
from .signals import Signals
from .source import PostgresSource, Source
from .worker import Worker

BATCH_SIZE = 100
GiveBack = Callable[[dict[Claim, list[int]]], Coroutine[Any, Any, None]]


class Relay(Worker):
    """Forwards the outbox of a transport to its broker.

    As long as the broker is away it keeps what it has, extends its lease, and publishes the same
    again: no attempt is used, and the order stays.
    """

    def __init__(self, settings: BrokerSettings, dsn: str | None = None, **options: Any) -> None:
        app = Symphony(dsn)
        self._reached = Reach(broker_of(settings), self._beat_soon)
        size = int(settings.settings.get("batch_size", BATCH_SIZE))
        self._forwarder = _Forwarder(app, self._reached, size, self._release)
        app.handlers = _Everything(self._forwarder)
        self._forwards = settings
        super().__init__(app, (settings.outbox,), batch_size=size, schedules=False, **options)

    def _source(self) -> Source:
        return _OutboxSource(self._link)

    def _done(self) -> Done:
        return _Uncounted()

    def _describe(self) -> dict[str, Any]:
        told = {"transport": self._forwards.name, **self._reached.describe()}
        return {**super()._describe(), "relay": told}

    async def run(self, *, signals: bool | Signals = False) -> Counts:
        """Forward until stop(); raise UnknownTransport if the database does not know it."""
        try:
            return await super().run(signals=signals)
        except UnknownQueue as error:
            name = self._forwards.name
            raise UnknownTransport(
                f"the database does not know the transport {name}",
                detail=f"There is no queue {self._forwards.outbox}, which would be its outbox.",
                hint="Let it learn what symphony.toml says: symphony-pg config apply.",
            ) from error

    def stop(self, within: float | None = None) -> None:
        """Do what a worker does, within so many seconds if that is said."""
        if within is not None:
            self._grace = within
        super().stop()

    async def _give_up(self, running: Sequence[tuple[Claim, ClaimedMessage]]) -> None:
        """Give back what is not confirmed: it uses no attempt, and may go out twice."""
        await self._link.finish([self._spawn(self._release(_taken(running)))], LAST_WORDS)

    async def _release(self, taken: dict[Claim, list[int]]) -> None:
        await self._settler.release(taken)

    async def _work(self) -> None:
        """Look for the broker at once, so that everybody sees whether it is there."""
        self._reached.broker.origin = await self._link.run(functions.origin())
        looking = asyncio.create_task(self._forwarder.look())
        try:
            await super()._work()
        finally:
            looking.cancel()
            self._reached.stop()
            await self._reached.hang_up()

    async def _finish(self, settling: asyncio.Task[None]) -> None:
        self._reached.stop()
        await super()._finish(settling)


class _Uncounted(Done):
    """Counts nothing: what is forwarded was not handled yet."""

    def add(self, message: ClaimedMessage, seconds: float, *, failed: bool) -> None:
        """Leave it to the consumer."""


class _OutboxSource(PostgresSource):
    """Settles what is forwarded, also when a consumer was faster and has brought a part home."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._link = link

    async def ack(self, claim: Claim, message_ids: list[int]) -> None:
        """Settle messages that the broker has confirmed."""
        try:
            await super().ack(claim, message_ids)
        except LeaseLost:
            if not claim.is_complete or not await self.extend([claim]):
                raise
            await self._link.run(functions.ack(claim.claim_id))  # all that are left


class _Everything(dict[str, Handler]):
    """One handler for whatever there is."""

    def __init__(self, handler: Handler) -> None:
        super().__init__({"*": handler})

    def __missing__(self, _: str) -> Handler:
        return self["*"]

    def get(self, _: str, default: Any = None) -> Any:  # noqa: ARG002
        return self["*"]


class _Forwarder(BatchHandler):
    """Publishes batches until each message is confirmed or refused for good."""

    __slots__ = ("_give_back", "_reach")
    kind = "relay"

    def __init__(self, app: Symphony, reach: Reach, size: int, give_back: GiveBack) -> None:
        self._reach = reach
        self._give_back = give_back
        self.name = self.handler_name = "default"
        self.what = f"the relay of {reach.broker.settings.name}"
        self.message_type = None
        self.bus = app.bus
        self.errors = USUAL
        self.timeout = self.concurrency = None
        self.is_async = True
        self.size = size
        self.max_wait = timedelta(0)
        self.all = _Everything(self)
        self.call = self._forward_one

    def compile(self) -> None:
        """Learn nothing: there is nothing around it."""

    @property
    def is_declared(self) -> bool:
        """False: the database need not know it."""
        return False

    def gathers(self, message: ClaimedMessage) -> bool:  # noqa: ARG002
        """Tell that every message waits for others."""
        return True

    async def look(self) -> None:
        """Connect, and wait until that is done."""
        with suppress(BrokerGone):
            await self._reach.run(lambda broker: asyncio.sleep(0, broker))

    async def _forward_one(self, message: ClaimedMessage, holder: Holder) -> None:
        item = BatchItem(message, holder)
        await self.run_async([item])
        if item.error is not None:
            raise item.error

    async def run_async(self, items: Sequence[BatchItem]) -> None:
        """Publish messages, and those that are not confirmed again, in their order."""
        waiting = list(items)
        try:
            while waiting:
                waiting = await self._publish([each for each in waiting if not _is_lost(each)])
        except BrokerGone:
            await self._give_back(_taken((each.holder, each.claimed) for each in waiting))

    async def _publish(self, items: list[BatchItem]) -> list[BatchItem]:
        """Publish once; return what is not confirmed, after a wait."""
        try:
            await self._reach.open()
            results = await self._reach.broker.publish([each.claimed for each in items])
        except BrokerAway as error:
            await self._reach.lost(error)
            return items
        left, trouble = [], None
        for each, result in zip(items, results, strict=True):
            if isinstance(result, NeverSent):
                each.error = PermanentError(str(result))
            elif result is not None:
                left.append(each)
                trouble = result
        if isinstance(trouble, BrokerAway):
            await self._reach.lost(trouble)
        else:
            self._reach.found()
        return left


def _taken(held: Iterable[tuple[Holder, ClaimedMessage]]) -> dict[Claim, list[int]]:
    """Take messages out of their claims; return those that nobody else has taken."""
    taken: dict[Claim, list[int]] = {}
    for claim, message in held:
        if isinstance(claim, Claim) and claim.take(message.message_id):
            taken.setdefault(claim, []).append(message.message_id)
    return taken


def _is_lost(item: BatchItem) -> bool:
    return item.holder.is_cancelled(item.claimed.message_id)
