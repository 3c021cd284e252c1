"""Consuming from a broker: what it hands out becomes claims, and what failed comes home."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any, TypeVar

import psycopg

from ..brokers.broker import Broker, BrokerAway, Delivery
from ..brokers.reach import BrokerGone, Reach
from ..database import functions
from ..database.call import Call
from ..database.client import AsyncClient, Client
from ..database.functions.messages import ClaimedMessage, Nacked
from ..database.lending import Connections
from ..database.limits import RawJson
from ..errors import BadArgument, LeaseLost
from ..handling.context import BatchItem
from ..handling.failure import Failure
from ..outcomes import AlreadyDone
from ..waiting import Flag, within
from .backlog import Backlog
from .claim import Claim
from .claimer import Limits
from .link import Link
from .pace import Pace
from .settler import Counts, Settler

WAIT = 0.2
QUIET = 1.0  # for so long nothing comes from a queue that is drained
LOOK = 0.02
_numbers = count(1)
T = TypeVar("T")


class DeliveredClaim(Claim):
    """What a broker has handed out at a time. Its transactions leave a receipt in the inbox."""

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        lease: float,
        session: int,
        lender: Connections,
        transport: str,
        worker: str | None = None,
    ) -> None:
        number = next(_numbers)
        messages = [each.message._replace(claim_id=number) for each in deliveries]
        super().__init__(messages, lease, lender, worker)
        self.messages = messages
        self.session = session
        self.deliveries = {each.message.message_id: each for each in deliveries}
        self._transport = transport

    @contextmanager
    def transaction(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction that takes effect once, however often the message is handed out."""
        with self._lender.transaction() as conn:
            client = Client(conn)

            def leave(receipts: Sequence[tuple[DeliveredClaim, int]]) -> None:
                with self._lender.answered():
                    _refuse_known(
                        [id_ for claim, id_ in receipts if not client.run(claim.receipt(id_))]
                    )

            if not batch:
                leave([(self, message.message_id)])
            yield conn
            leave(parts := _parts(batch))
        _committed(parts or [(self, message.message_id)])

    @asynccontextmanager
    async def transaction_async(
        self, message: ClaimedMessage, batch: Sequence[BatchItem] = ()
    ) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Do what transaction() does, in async code."""
        async with self._lender.transaction_async() as conn:
            client = AsyncClient(conn)

            async def leave(receipts: Sequence[tuple[DeliveredClaim, int]]) -> None:
                with self._lender.answered():
                    _refuse_known(
                        [id_ for claim, id_ in receipts if not await client.run(claim.receipt(id_))]
                    )

            if not batch:
                await leave([(self, message.message_id)])
            yield conn
            await leave(parts := _parts(batch))
        _committed(parts or [(self, message.message_id)])

    def receipt(self, message_id: int) -> Call[bool]:
        """Return the call that leaves a receipt for a message."""
        return functions.first_receipt(self._transport, self.deliveries[message_id].key)


def _parts(batch: Sequence[BatchItem]) -> list[tuple[DeliveredClaim, int]]:
    """Return what has not failed of a batch, in the order in which receipts are locked."""
    parts = [
        (item.holder, item.claimed.message_id)
        for item in batch
        if item.error is None and isinstance(item.holder, DeliveredClaim)
    ]
    return sorted(parts, key=lambda part: part[0].deliveries[part[1]].key)


def _refuse_known(message_ids: list[int]) -> None:
    if message_ids:
        raise AlreadyDone(message_ids)


def _committed(parts: Sequence[tuple[DeliveredClaim, int]]) -> None:
    for claim, message_id in parts:
        claim.succeeded(message_id)


class BrokerSource:
    """Lets the broker forget what is done; what failed comes home first."""

    def __init__(self, reach: Reach, link: Link, transport: str, worker: str) -> None:
        self._reach = reach
        self._link = link
        self._transport = transport
        self._worker = worker

    async def ack(self, claim: Claim, message_ids: list[int]) -> None:
        """Let the broker forget messages that are done."""
        await self._at_broker(claim, message_ids, lambda broker: broker.ack)

    async def release(self, claim: Claim, message_ids: list[int]) -> None:
        """Let the broker hand out messages again that were not started."""
        await self._at_broker(claim, message_ids, lambda broker: broker.give_back)

    async def extend(self, claims: Sequence[Claim]) -> Collection[int]:
        """Begin the leases anew; return the claims that are still ours."""
        held = []
        for claim in claims:
            with suppress(LeaseLost):
                await self._at_broker(claim, claim.untold_ids(), lambda broker: broker.extend)
                held.append(claim.claim_id)
        return held

    async def settle(self, claim: Claim, failure: Failure) -> Nacked:
        """Bring a message home, and then let the broker forget it."""
        assert isinstance(claim, DeliveredClaim)
        delivery = claim.deliveries[failure.message.message_id]
        message = delivery.message
        try:
            home = await self._link.run(self._returned(delivery, failure, message))
        except BadArgument as error:
            if not failure.is_plain:
                raise
            text = f"{failure.error}\nIt cannot be stored as it is: {error.message}"
            failure = failure._replace(error=text, retryable=False)
            home = await self._link.run(self._returned(delivery, failure, _as_texts(message)))
        with suppress(LeaseLost):  # then it comes once more, and is known
            await self.ack(claim, [failure.message.message_id])
        return Nacked(home.outcome, home.available_at, home.last_error, [])

    def _returned(
        self, delivery: Delivery, failure: Failure, message: ClaimedMessage
    ) -> Call[functions.ReturnedDelivery]:
        snooze, wait = failure.snooze, failure.retry_after
        if snooze is not None:
            wait = snooze.delay
            if snooze.until is not None:
                wait = max(snooze.until - datetime.now(timezone.utc), timedelta(0))
        return functions.return_delivery(
            self._transport,
            delivery.key,
            message.message_type,
            RawJson(message.body),
            RawJson(message.headers),
            message.attempt,
            failure.error,
            None if delivery.is_foreign else message.message_id,
            failure.error_class,
            failure.retryable,
            wait,
            failure.traceback,
            failure.error_bases,
            snoozed=snooze is not None,
            group_key=message.group_key,
            priority=message.priority,
            enqueued_at=message.enqueued_at,
            worker=self._worker,
        )

    async def _at_broker(
        self,
        claim: Claim,
        message_ids: Collection[int],
        verb: Callable[[Broker], Callable[[Sequence[Delivery]], Awaitable[None]]],
    ) -> None:
        assert isinstance(claim, DeliveredClaim)
        deliveries = [claim.deliveries[each] for each in message_ids]

        async def work(broker: Broker) -> None:
            if broker.has_sessions and claim.session != self._reach.sessions:
                raise LeaseLost("the connection that it came by is lost")
            await verb(broker)(deliveries)

        try:
            await self._reach.run(work)
        except BrokerGone:
            raise LeaseLost("the broker is away, and hands it out again") from None


def _as_texts(message: ClaimedMessage) -> ClaimedMessage:
    """Return a message with the texts of its body and headers as the body, so it can be stored."""
    texts = {"raw": message.body}
    if message.headers != "{}":
        texts["headers"] = message.headers
    shown = {name: text.encode(errors="backslashreplace").decode() for name, text in texts.items()}
    return message._replace(body=json.dumps(shown), headers="{}")


@dataclass(eq=False)
class Receiver:
    """Fills the backlog from a broker, as Claimer does from the database.

    It fetches one message after the other at first, as long as they were handed out before: what
    took down the worker that had it does so alone. Then as many are on their way as there are
    slots, and more if they are worked off in about a second.
    """

    limits: Limits
    prefetch: int
    reach: Reach
    pace: Pace
    backlog: Backlog
    settler: Settler
    counts: Counts
    changed: Flag
    hold: Callable[[Sequence[Delivery], float, int], DeliveredClaim]
    on_memory_limit: Callable[[], None]
    is_stopping: bool = field(default=False, init=False)
    is_paused: bool = field(default=False, init=False)
    _is_careful: bool = field(default=True, init=False)
    _session: int = field(default=0, init=False)
    _width: int = field(default=0, init=False)  # 0: they are fetched one by one
    _quiet_since: float | None = field(default=None, init=False)

    def stop(self) -> None:
        """Take no more."""
        self.is_stopping = True
        self.changed.set()

    async def run(self) -> None:
        """Take messages until nothing more is to be taken."""
        with suppress(BrokerGone):
            while not self.is_stopping and self._left() > 0:
                if self.is_paused:
                    await self._at_broker(self._rest)
                    await self._until_changed(self.limits.poll_interval)
                elif self._room() <= 0 or self.settler.is_behind:
                    await self._until_changed(LOOK)
                elif self.limits.is_memory_used_up():
                    self.on_memory_limit()
                else:
                    self._accept(await self._at_broker(self._receive))
                    if self.limits.drain and await self._is_drained():
                        return

    async def _at_broker(self, work: Callable[[Broker], Awaitable[T]]) -> T:
        return await self.reach.run(work, lambda: self.is_stopping)

    async def _rest(self, broker: Broker) -> None:
        if self._width:
            self._width = 0
            await broker.consume(0)

    async def _receive(self, broker: Broker) -> list[Delivery]:
        if self._session != self.reach.sessions:
            self._session, self._width, self._is_careful = self.reach.sessions, 0, True
            for claim in list(self.settler.open.values()):
                if broker.has_sessions and isinstance(claim, DeliveredClaim):
                    self.settler.lose(claim)
        if self._is_careful:
            found = await broker.receive(1, 0)
            self._is_careful = bool(found) and found[0].redelivered > 0
            return found
        if (wanted := self._wanted()) >= max(1, 2 * self._width):
            await broker.consume(wanted)
            self._width = wanted
        return await broker.receive(max(1, min(self._room(), self._left())), WAIT)

    def _wanted(self) -> int:
        """Return how many messages to have in hand."""
        slots = self.limits.concurrency
        quick = min(self.prefetch, self.pace.batch_size(slots))
        return max(1, min(max(slots, quick), self._left()))

    def _room(self) -> int:
        in_hand = sum(claim.in_hand for claim in self.settler.open.values())
        return (1 if self._is_careful else max(self._wanted(), self._width)) - in_hand

    def _left(self) -> int:
        most = self.limits.messages
        return 10**9 if most is None else most - self.counts.claimed

    async def _is_drained(self) -> bool:
        """Tell whether nothing has come for a while, nothing is in hand, and nothing waits."""
        if self.settler.open or self.backlog.batches.flush():
            self._quiet_since = None
            return False
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now
        if now - self._quiet_since < QUIET:
            return False
        return await self._at_broker(lambda broker: broker.count()) == 0

    def _accept(self, deliveries: Sequence[Delivery]) -> None:
        """Make claims of deliveries. Of two copies of a message each is in a claim of its own."""
        parts: list[dict[int, Delivery]] = []
        for each in deliveries:
            number = each.message.message_id
            part = next((part for part in parts if number not in part), None)
            if part is None:
                parts.append(part := {})
            part[number] = each
        for part in parts:
            self._hold([*part.values()])

    def _hold(self, deliveries: Sequence[Delivery]) -> None:
        claim = self.hold(deliveries, self.reach.broker.lease, self._session)
        self._quiet_since = None
        self.counts.claimed += claim.size
        self.settler.add(claim)
        failures = [
            failure
            for each, message in zip(deliveries, claim.messages, strict=True)
            if (failure := _unfit(each, message)) is not None
        ]
        for failure in failures:
            claim.failed(failure)
        unfit = {failure.message.message_id for failure in failures}
        if good := [each for each in claim.messages if each.message_id not in unfit]:
            self.backlog.add(claim, good)
        self.settler.progress(claim)

    async def _until_changed(self, seconds: float) -> None:
        self.changed.clear()
        await self.changed.wait(seconds)

    async def finish(self, deadline: float) -> None:
        """Work off what was taken: to give it back would count as an attempt at some brokers."""
        broker = self.reach.broker
        with suppress(BrokerAway, BrokerGone, asyncio.TimeoutError):
            if self.reach.sessions == self._session and self._width:
                await within(1, self._rest(broker))
                self._accept(await broker.receive(self.prefetch, 0))
        self.backlog.batches.flush()
        while self.backlog.size and time.monotonic() < deadline:
            await asyncio.sleep(LOOK)


def _unfit(delivery: Delivery, message: ClaimedMessage) -> Failure | None:
    """Return why a delivery does not get to its handler."""
    if delivery.problem is not None:
        return Failure(message, delivery.problem, "UndecodableMessage", False, None)
    if message.attempt > message.max_attempts:
        text = f"whoever had it was gone, {delivery.redelivered} times"
        return Failure(message, text, "WorkerVanished", None, None)
    return None
