"""The transport that collects messages for tests."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from ..handling.batch import BatchHandler
from ..handling.failure import forget_traceback
from ..messages.envelope import Envelope
from ..messages.types import message_type_of
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .local import MAX_ATTEMPTS, LocalTransport, Parcel

__all__ = ["InMemoryTransport"]

M = TypeVar("M")


class InMemoryTransport(LocalTransport):
    """Collects what is dispatched, for tests: look at it, assert on it, or run it.

    `envelopes` holds everything that was dispatched, in order. `now` is the time in here: it stands
    still until travel() or travel_to(), and what is delayed is due when it has come.
    A transaction that is rolled back does not take back what was dispatched in it.
    """

    def __init__(self, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        super().__init__(max_attempts=max_attempts)
        self.envelopes: list[Envelope] = []
        self.now = datetime.now(timezone.utc)
        self._waiting: list[Parcel] = []
        self._keys: dict[tuple[str | None, str], int] = {}

    # Looking

    def messages(self, kind: type[M]) -> list[M]:
        """Return the dispatched messages of one class, in order."""
        type_ = message_type_of(kind)
        return [
            type_.decode(json.dumps(envelope.body), envelope.headers or {})
            for envelope in self.envelopes
            if envelope.message_type == type_.name
        ]

    @property
    def waiting(self) -> list[Envelope]:
        """What was not handled yet, the next one first; it may be due later."""
        return [parcel.envelope for parcel in sorted(self._waiting)]

    def assert_dispatched(
        self, message: object, *, count: int | None = None, **envelope: Any
    ) -> None:
        """Assert that a message was dispatched: an equal one, or any one of a class.

        `envelope` names what the envelope must say, as in queue_name="mail".
        """
        found = self._found(message, envelope)
        if (count is None and not found) or (count is not None and len(found) != count):
            wanted = "at least one" if count is None else str(count)
            sent_lines = "\n".join(f"  {each}" for each in self.envelopes) or "  nothing"
            raise AssertionError(
                f"{wanted} of {message!r} {envelope or ''} should have been dispatched, "
                f"and {len(found)} were; dispatched:\n{sent_lines}"
            )

    def assert_not_dispatched(self, message: object, **envelope: Any) -> None:
        """Assert that no such message was dispatched."""
        self.assert_dispatched(message, count=0, **envelope)

    def assert_nothing_dispatched(self) -> None:
        """Assert that nothing was dispatched."""
        if self.envelopes:
            raise AssertionError(f"nothing should have been dispatched: {self.envelopes}")

    def _found(self, message: object, envelope: Mapping[str, Any]) -> list[Envelope]:
        is_class = isinstance(message, type)
        type_ = message_type_of(message if isinstance(message, type) else type(message))
        body = None if is_class else type_.codec.encode(message)
        return [
            sent
            for sent in self.envelopes
            if sent.message_type == type_.name
            and (is_class or sent.body == body)
            and all(getattr(sent, key) == value for key, value in envelope.items())
        ]

    # Taking in

    def clear(self) -> None:
        """Forget everything but the time."""
        self.envelopes.clear()
        self.failed.clear()
        self._waiting.clear()
        self._keys.clear()

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:  # noqa: ARG002
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    async def send_async(
        self,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,  # noqa: ARG002
    ) -> list[int]:
        """Collect; return made-up message ids, for a known idempotency key the first one's."""
        return [self._collect(envelope) for envelope in envelopes]

    def _collect(self, envelope: Envelope) -> int:
        message_id = self._next_id()
        if envelope.idempotency_key is not None:
            key = (envelope.queue_name, envelope.idempotency_key)
            first = self._keys.setdefault(key, message_id)
            if first != message_id:
                return first
        self.envelopes.append(envelope)
        due_at = envelope.available_at or self.now + (envelope.delay or timedelta(0))
        for number, each in enumerate(self._deliveries(envelope)):
            own_id = message_id if number == 0 else self._next_id()
            parcel = Parcel(max(due_at, self.now), own_id, own_id, each, enqueued_at=self.now)
            heapq.heappush(self._waiting, parcel)
        return message_id

    # Time and handling

    def travel(self, time: timedelta) -> None:
        """Let time pass; run_all() handles what is due by then."""
        self.travel_to(self.now + time)

    def travel_to(self, moment: datetime) -> None:
        """Let it be a later time."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        if moment < self.now:
            raise ValueError(f"there is no way back from {self.now} to {moment}")
        self.now = moment

    def run_all(self, *, raises: bool = True) -> int:
        """Run the handlers of all that is due, and of what they dispatch; return how many.

        The first error ends the run, and its message waits for its retry, or has failed. With
        raises=False the run goes on, as a worker would.
        """
        count = 0
        while parcels := self._next_due():
            count += len(parcels)
            try:
                outcomes = self._handle(parcels)
            except BaseException:
                self._put_back(parcels)
                raise
            self._settle(outcomes, raises)
        return count

    async def run_all_async(self, *, raises: bool = True) -> int:
        """Do what run_all() does, from async code."""
        count = 0
        while parcels := self._next_due():
            count += len(parcels)
            try:
                outcomes = await self._handle_async(parcels)
            except BaseException:
                self._put_back(parcels)
                raise
            self._settle(outcomes, raises)
        return count

    def _next_due(self) -> list[Parcel]:
        """Take the next message that is due, and those that make a batch with it."""
        if not self._waiting or self._waiting[0].due_at > self.now:
            return []
        first = heapq.heappop(self._waiting)
        handler = self._find_handler(first)
        if not isinstance(handler, BatchHandler) or first.attempt > 1:
            return [first]
        others = [
            each
            for each in sorted(self._waiting)
            if each.due_at <= self.now and each.attempt == 1 and self._find_handler(each) is handler
        ][: handler.size - 1]
        for each in others:
            self._waiting.remove(each)
        heapq.heapify(self._waiting)
        return [first, *others]

    def _put_back(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            heapq.heappush(self._waiting, parcel)

    def _settle(self, outcomes: Sequence[tuple[Parcel, Exception | None]], raises: bool) -> None:
        first: Exception | None = None
        for parcel, error in outcomes:
            if error is not None:
                first = first or error
                wait = self._wait(parcel, error, self.now)
                if wait is not None:
                    parcel.due_at = self.now + wait
                    heapq.heappush(self._waiting, parcel)
                if not raises:
                    forget_traceback(error)
        if raises and first is not None:
            raise first
