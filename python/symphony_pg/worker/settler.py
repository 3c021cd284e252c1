"""Settling: acks in groups, nacks, leases extended in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from ..database.functions.messages import ClaimedMessage, Nacked
from ..errors import LeaseLost, SymphonyError
from ..events import Event, Events, Failed, Lost, Retried
from ..handling.failure import Failure
from ..waiting import Flag
from .claim import Claim
from .link import Stopped
from .source import Source
from .strangers import Strangers

log = logging.getLogger("symphony_pg.worker")
FLUSH_INTERVAL = 0.1
LONGEST_LEASE_CHECK = 0.5
MOST_UNSETTLED = 4


@dataclass(slots=True)
class Counts:
    """What a worker has done so far, in messages."""

    claimed: int = 0
    done: int = 0
    retried: int = 0
    failed: int = 0
    snoozed: int = 0
    lost: int = 0
    released: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


class Settler:
    """Keeps the open claims, and tells the database what became of their messages.

    `changed` is set when a claim is settled or lost; `on_lost` hears of a claim whose lease was
    lost, `on_retry` when a message will be due again, `on_failure` after each failed attempt,
    and `on_answer` of a claim when it is known what became of a failed message of it.
    `strangers` tells of messages that were put off because nobody here knows them.
    `sanitize` is the application's hook.
    """

    def __init__(
        self,
        source: Source,
        counts: Counts,
        changed: Flag,
        on_lost: Callable[[Claim], None],
        on_retry: Callable[[datetime], None],
        on_failure: Callable[[], None],
        on_answer: Callable[[Claim], None],
        events: Events,
        strangers: Strangers,
        sanitize: Callable[[str], str] | None = None,
    ) -> None:
        self._events = events
        self._strangers = strangers
        self._source = source
        self._sanitize = sanitize
        self._counts = counts
        self._on_lost = on_lost
        self._on_retry = on_retry
        self._on_failure = on_failure
        self._on_answer = on_answer
        self._complete: deque[Claim] = deque()
        self._wake = Flag()
        self._closed = False
        self._lease_check = LONGEST_LEASE_CHECK
        self._lease_is_short = Flag()
        self._has_leases = Flag()
        self._flush: asyncio.TimerHandle | None = None
        self._changed = changed
        self.open: dict[int, Claim] = {}

    @property
    def is_behind(self) -> bool:
        """True when so much waits to be settled that no more should be claimed."""
        return len(self._complete) >= MOST_UNSETTLED

    def shortest_lease(self) -> float | None:
        """Return the seconds of the shortest lease that is held."""
        return min((claim.lease for claim in list(self.open.values())), default=None)

    def add(self, claim: Claim) -> None:
        """Watch over a new claim."""
        self._has_leases.set()
        self._flush_soon()
        self.open[claim.claim_id] = claim
        if claim.lease / 6 < self._lease_check:
            self._lease_check = claim.lease / 6
            self._lease_is_short.set()

    def progress(self, claim: Claim) -> None:
        """Settle a claim at once if all its messages have an outcome; the rest can wait."""
        if claim.is_complete and not claim.lost and claim not in self._complete:
            self._complete.append(claim)
            self._wake.set()

    async def run(self) -> None:
        """Settle until close(), and then what is left."""
        flush_at = 0.0
        while self.open or not self._closed:
            await self._wake.wait()
            self._wake.clear()
            while self._complete:
                claim = self._complete[0]
                await self._settle(claim)
                self._complete.popleft()
                self._forget(claim)
            if self._closed or time.monotonic() >= flush_at:
                for claim in list(self.open.values()):
                    await self._settle(claim)
                    if claim.is_settled:  # more may have ended meanwhile
                        self._forget(claim)
                flush_at = time.monotonic() + FLUSH_INTERVAL
            if self.open:
                self._flush_soon()

    def _flush_soon(self) -> None:
        """See to it that run() comes by, though no claim may be complete."""
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(FLUSH_INTERVAL, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        if self.open:
            self._wake.set()

    def close(self) -> None:
        """Let run() end when everything is settled."""
        self._closed = True
        self._wake.set()

    def _forget(self, claim: Claim) -> None:
        if self.open.pop(claim.claim_id, None):
            self._counts.done += len(claim.done_by_handler)
        self._changed.set()

    async def _settle(self, claim: Claim) -> None:
        if claim.order is not None:  # what came before a message that failed is done
            await self._ack_done(claim)
        while claim.nacked < len(claim.failures) and not claim.lost:
            failure = claim.failures[claim.nacked]
            await self._nack(claim, failure)
            claim.failures[claim.nacked] = failure.told()
            claim.nacked += 1
        self._strangers.tell()
        await self._ack_done(claim)

    async def _ack_done(self, claim: Claim) -> None:
        message_ids = claim.done[claim.acked :]
        if message_ids and not claim.lost:
            await self._ack(claim, message_ids)
            claim.acked += len(message_ids)

    async def _ack(self, claim: Claim, message_ids: list[int]) -> None:
        # By id, even when it is all of the claim: after a crash of the server that forgot the claim
        # "all that is left" might be what another worker has.
        try:
            await self._source.ack(claim, message_ids)
        except LeaseLost as error:
            if len(message_ids) == 1 or not await self._holds(claim):
                await self._refused(claim, len(message_ids), error)
                return
            for message_id in message_ids:  # one that was settled elsewhere refuses them all
                if not claim.lost:
                    await self._ack(claim, [message_id])
        else:
            self._counts.done += len(message_ids)

    async def _nack(self, claim: Claim, failure: Failure) -> None:
        message = failure.message
        returned: list[int] | None = None
        if self._sanitize is not None:
            failure = failure.sanitized(self._sanitize)
        try:
            nacked = await self._settled(claim, failure)
        except LeaseLost as error:
            await self._refused(claim, 1, error)
        except SymphonyError as error:
            # The lease will end, and the message come back.
            log.error("message %d: %s", message.message_id, error)
        else:
            # From here on with what is left of the text, without secrets.
            self._tell(message, failure._replace(error=nacked.last_error or ""), nacked)
            returned = nacked.returned
        self._counts.released += claim.answered(message.message_id, returned)
        self._on_answer(claim)

    async def _settled(self, claim: Claim, failure: Failure) -> Nacked:
        """Nack as the failure says; plainly, if it asks for a wait that cannot be."""
        try:
            return await self._source.settle(claim, failure)
        except (LeaseLost, Stopped):
            raise
        except Exception as error:
            if failure.is_plain:
                raise
            refusal = error.message if isinstance(error, SymphonyError) else repr(error)
            plain = failure.plain(
                f"It is retried as usual, because its wait was refused: {refusal}"
            )
            return await self._source.settle(claim, plain)

    def _tell(self, message: ClaimedMessage, failure: Failure, nacked: Nacked) -> None:
        if nacked.outcome == "known":
            return
        if nacked.outcome == "snoozed":
            assert nacked.available_at is not None
            self._counts.snoozed += 1
            self._on_retry(nacked.available_at)
            if self._strangers.meet(failure):
                return
            log.info(
                "message %d is snoozed until %s: %s",
                message.message_id,
                nacked.available_at,
                failure.summary,
            )
            return
        if nacked.available_at is not None:
            self._counts.retried += 1
            self._on_retry(nacked.available_at)
            fate = f"retry at {nacked.available_at:%H:%M:%S}"
            event: Event = Retried(
                message,
                failure.error,
                failure.error_class,
                nacked.available_at,
                failure.exception,
            )
        else:
            self._counts.failed += 1
            fate = "failed for good"
            event = Failed(message, failure.error, failure.error_class, failure.exception)
        log.warning(
            "message %d (%s) attempt %d of %d: %s; %s",
            message.message_id,
            message.message_type,
            message.attempt,
            message.max_attempts,
            failure.summary,
            fate,
        )
        with failure.traced():
            self._events.emit(event)
        self._on_failure()

    async def _refused(self, claim: Claim, results: int, error: LeaseLost) -> None:
        """Find out whether the claim is lost, or these messages of it were settled before."""
        log.warning("claim %d: %d results were refused: %s", claim.claim_id, results, error.message)
        self._counts.lost += results
        if not await self._holds(claim):
            self.lose(claim)

    async def _holds(self, claim: Claim) -> bool:
        return claim.claim_id in await self._source.extend([claim])

    def lose(self, claim: Claim) -> None:
        """Note that a claim is no longer ours."""
        if not claim.lost and claim.claim_id in self.open:
            claim.lost = True
            self._forget(claim)
            if not claim.is_complete:
                log.warning("claim %d: its lease was lost while handlers ran", claim.claim_id)
                self._events.emit(Lost(claim.queue_name, claim.claim_id))
            self._on_lost(claim)

    async def release(self, taken: dict[Claim, list[int]]) -> None:
        """Give back messages that were not started."""
        for claim, message_ids in taken.items():
            claim.returned += len(message_ids)
            if not claim.lost:
                try:
                    await self._source.release(claim, message_ids)
                except LeaseLost as error:
                    await self._refused(claim, len(message_ids), error)
                else:
                    self._counts.released += len(message_ids)
            self.progress(claim)

    def give_up(self, running: Iterable[tuple[Claim, ClaimedMessage]], reason: str) -> None:
        """Report messages whose handlers did not come to an end."""
        for claim, message in running:
            error = f"{reason}; the handler had not finished"
            claim.failed(Failure(message, error, "WorkerStopped", True, None))
            self.progress(claim)

    async def keep_leases(self) -> None:
        """Extend the leases of the open claims, each at a third of its time."""
        while True:
            if not self.open:
                self._has_leases.clear()
                await self._has_leases.wait()
            await self._lease_is_short.wait(self._lease_check)
            self._lease_is_short.clear()
            now = time.monotonic()
            due = [claim for claim in self.open.values() if claim.extend_at <= now]
            if due:
                held = await self._source.extend(due)
                for claim in due:
                    if claim.claim_id in held:
                        claim.extended()
                    else:
                        self.lose(claim)
