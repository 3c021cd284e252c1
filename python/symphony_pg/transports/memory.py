"""The transport that collects messages for tests, and runs each of them once."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple, TypeVar

from ..database.functions.messages import ClaimedMessage
from ..errors import BadArgument
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure, forget_traceback
from ..messages.envelope import Envelope
from ..messages.types import message_type_of
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .local import LocalTransport, refuse_event_loop

M = TypeVar("M")
AT_ONCE = datetime.min.replace(tzinfo=timezone.utc)


class Run(NamedTuple):
    """One run of a message, and what came of it.

    outcome   "acked"; "retry" or "snoozed", as the handler asked; "failed" after any other error;
              "expired", without a run, if it was too late
    failure   what the handler raised, and what a worker would tell the database of it; else None
    """

    envelope: Envelope
    message: ClaimedMessage
    outcome: Literal["acked", "retry", "snoozed", "failed", "expired"]
    failure: Failure | None = None


class _Waiting(NamedTuple):
    """A message that was not run: what is not delayed first, then by priority, then in order."""

    due_at: datetime
    after: int
    message_id: int
    envelope: Envelope
    message: ClaimedMessage
    expires_at: datetime | None


class InMemoryTransport(LocalTransport):
    """Collects what is dispatched, for tests: look at it, assert on it, or run it.

    `envelopes` holds everything that was dispatched, in order, and `runs` what was run. Each
    message is run once, whatever becomes of it: retries, waits and time are the database's.
    A transaction that is rolled back does not take back what was dispatched in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []
        self.runs: list[Run] = []
        self._waiting: list[_Waiting] = []
        self._keys: dict[tuple[str | None, str | None], int] = {}

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
        """What was not run yet, the next one first and what is delayed last."""
        return [each.envelope for each in sorted(self._waiting)]

    @property
    def failed(self) -> list[Failure]:
        """What was raised by those runs that failed."""
        return [run.failure for run in self.runs if run.failure and run.outcome == "failed"]

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

    # Collecting

    def clear(self) -> None:
        """Forget everything."""
        for each in (self.envelopes, self.runs, self._waiting, self._keys):
            each.clear()

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
        key = (envelope.queue_name, envelope.idempotency_key)
        if envelope.idempotency_key is not None and key in self._keys:
            first_id = self._keys[key]
            if envelope.on_duplicate != "replace":
                return first_id
            self._refuse_deliveries(envelope)
            if first := self._delayed(first_id):
                return self._replace(first, envelope)
        self.envelopes.append(envelope)
        deliveries = self._deliveries(envelope)
        for each, message_id in deliveries:
            message = self._claimed(each, message_id, max_attempts=1)
            due_at, expires_at = _times(each)
            entry = _Waiting(due_at, -message.priority, message_id, each, message, expires_at)
            heapq.heappush(self._waiting, entry)
        first_id = deliveries[0][1]
        self._keys[key] = first_id
        return first_id

    def _refuse_deliveries(self, envelope: Envelope) -> None:
        """Raise what the database raises where one of several deliveries would be replaced."""
        first = self._handlers.get(envelope.message_type)
        if first is not None and len(first.all) > 1:
            raise BadArgument(
                "a message with several deliveries cannot be replaced",
                detail="Its type has several handlers, each with a message of its own.",
                hint="Leave on_duplicate out.",
            )

    def _delayed(self, message_id: int) -> _Waiting | None:
        """Return a message that waits for its time."""
        return next(
            (w for w in self._waiting if w.message_id == message_id and w.due_at > AT_ONCE), None
        )

    def _replace(self, first: _Waiting, envelope: Envelope) -> int:
        """Give a message that waits another content and time; its place stays."""
        envelope = replace(
            envelope, priority=first.envelope.priority, group_key=first.envelope.group_key
        )
        self.envelopes = [each for each in self.envelopes if each is not first.envelope]
        self.envelopes.append(envelope)
        message = self._claimed(envelope, first.message_id, max_attempts=1)
        due_at, expires_at = _times(envelope)
        self._waiting.remove(first)
        self._waiting.append(
            first._replace(due_at=due_at, envelope=envelope, message=message, expires_at=expires_at)
        )
        heapq.heapify(self._waiting)
        return first.message_id

    # Running

    def run_all(self, *, delayed: bool = False, raises: bool = True) -> int:
        """Run what waits, and what that dispatches, each message once; return how many.

        What is delayed waits on, unless `delayed` is True: then it is run when nothing else is
        left. The error of a run that failed is raised; with raises=False the others are run.
        """
        count = 0
        while taken := self._take(delayed, in_async_code=False):
            count += len(taken)
            if taken := self._in_time(taken):
                self._note(taken, self._handle([each.message for each in taken]), raises)
        return count

    async def run_all_async(self, *, delayed: bool = False, raises: bool = True) -> int:
        """Do what run_all() does, from async code."""
        count = 0
        while taken := self._take(delayed, in_async_code=True):
            count += len(taken)
            if taken := self._in_time(taken):
                items = await self._handle_async([each.message for each in taken])
                self._note(taken, items, raises)
        return count

    def _take(self, delayed: bool, *, in_async_code: bool) -> list[_Waiting]:
        """Take the next message, and those that make a batch with it."""
        if not self._waiting or (self._waiting[0].due_at > AT_ONCE and not delayed):
            return []
        handler = self._find_handler(self._waiting[0].envelope)
        if handler is not None and handler.is_async and not in_async_code:
            refuse_event_loop(handler)
        first = heapq.heappop(self._waiting)
        if not isinstance(handler, BatchHandler):
            return [first]
        others = [
            each
            for each in sorted(self._waiting)
            if each.due_at == first.due_at and self._find_handler(each.envelope) is handler
        ][: handler.size - 1]
        self._waiting = [each for each in self._waiting if each not in others]
        heapq.heapify(self._waiting)
        return [first, *others]

    def _in_time(self, taken: Sequence[_Waiting]) -> list[_Waiting]:
        """Return what has not expired, and note what has."""
        now = datetime.now(timezone.utc)
        late = [each for each in taken if each.expires_at is not None and each.expires_at <= now]
        self.runs.extend(Run(each.envelope, each.message, "expired") for each in late)
        return [each for each in taken if each not in late]

    def _note(self, taken: Sequence[_Waiting], items: Sequence[BatchItem], raises: bool) -> None:
        first: BaseException | None = None
        for each, item in zip(taken, items, strict=True):
            run = Run(each.envelope, each.message, "acked")
            if item.error is not None:
                failure = self._failure(item)._replace(traces=())
                run = run._replace(outcome=_outcome(failure), failure=failure)
                if raises and run.outcome == "failed":
                    first = first or item.error
                else:
                    forget_traceback(item.error)
            self.runs.append(run)
        if first is not None:
            raise first


def _outcome(failure: Failure) -> Literal["retry", "snoozed", "failed"]:
    if failure.snooze is not None:
        return "snoozed"
    return "failed" if failure.retry_after is None else "retry"


def _times(envelope: Envelope) -> tuple[datetime, datetime | None]:
    """Return when a message is due, and when it expires."""
    now = datetime.now(timezone.utc)
    due_at = max(envelope.available_at or now + (envelope.delay or timedelta(0)), now)
    expires_at = envelope.expires_at
    if envelope.expires_in is not None:
        expires_at = due_at + envelope.expires_in
    return due_at if due_at > now else AT_ONCE, expires_at
