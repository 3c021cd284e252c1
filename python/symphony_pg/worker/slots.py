"""Running handlers: one a slot at a time, async ones on the event loop, others in threads.

A slot works on a whole run of messages before it comes back to the event loop, so that a message
costs no thread hop and no lock of its own. Each message has a context of its own, and an async
handler a task of its own, so that no handler finds what another one left behind.

A handler that goes on after its time limit has a stuck slot: its message was settled without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import inf
from threading import get_ident
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure, forget_traceback
from ..handling.handler import Handler, each_handler, handler_of
from ..handling.isolation import Isolation, Starter
from ..handling.logged import in_hand
from ..outcomes import AlreadyDone, HandlerTimeout
from ..redaction import without_secrets
from ..results import finished
from ..sending.bus import Bus
from ..sending.outbox import Outbox
from .backlog import Backlog, BatchRun, LimitedRun, Run
from .claim import Claim
from .done import Done
from .pace import Pace
from .stacks import stack_of_task, stack_of_thread

__all__ = ["Slots"]

log = logging.getLogger("symphony_pg.worker")

PATIENCE = 1.0  # for an async handler that was cancelled
LOOK_INTERVAL = 0.2
Attempt = asyncio.Task[BaseException | None]
Work = tuple[ClaimedMessage, Handler, float]  # the float is since when


class _Slot:
    """One handler at a time."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None  # works off the backlog
        self.attempt: asyncio.Task[Any] | None = None  # runs an async handler
        self.thread: int | None = None
        self.claim: Claim | None = None
        self.work: Work | None = None  # replaced as a whole: another thread may look
        self.batch: list[BatchItem] = []
        self.is_cancelled = False
        self.timeout: HandlerTimeout | None = None
        self.is_stuck = False

    def held(self, work: Work | None) -> list[tuple[Claim, ClaimedMessage]]:
        """Return the messages in its hands, as it does that work."""
        if self.batch:
            return [(_claim_of(item), item.claimed) for item in self.batch]
        if self.claim is None or work is None:
            return []
        return [(self.claim, work[0])]

    def cancel(self) -> None:
        """End an async handler, whose message has another outcome."""
        if self.attempt is not None:
            self.is_cancelled = True
            self.attempt.cancel()

    def recover(self) -> None:
        """Be free again: a handler has ended long after its time limit."""
        if self.is_stuck and self.work is not None:
            message, handler, since = self.work
            seconds = time.monotonic() - since
            log.warning(
                "message %d: %s has ended after %.0f s; its slot is free again",
                message.message_id,
                handler.what,
                seconds,
            )
        self.is_stuck = False


class Slots:
    """The slots of a worker. `progress` hears of a claim whenever something became of it.

    `limit` is the time limit in seconds of handlers that have none of their own; `on_stuck` is
    called when the last slot is stuck.
    """

    def __init__(
        self,
        count: int,
        backlog: Backlog,
        handlers: Mapping[str, Handler],
        pace: Pace,
        done: Done,
        progress: Callable[[Claim], None],
        bus: Bus,
        sanitize: Callable[[str], str] | None = None,
        limit: float | None = None,
        on_stuck: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._bus = bus
        self._sanitize = sanitize
        self._backlog = backlog
        self._handlers = handlers
        self._pace = pace
        self._done = done
        self._progress = progress
        self._limit = limit
        self._on_stuck = on_stuck
        self._isolation = Isolation()
        self._starter = Starter()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="symphony-handler")
        self._slots = [_Slot() for _ in range(count)]
        self.are_stuck = False  # after finish(): handlers are running that cannot be ended

    def start(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        """Begin to work on the backlog, in tasks made by `spawn`."""
        for slot in self._slots:
            slot.task = spawn(self._work(slot))

    async def finish(self, timeout: float) -> list[tuple[Claim, ClaimedMessage]]:
        """Wait for the slots after the backlog was closed; return what is still running then.

        Async handlers are cancelled at the end of the timeout. A thread cannot be.
        """
        deadline = time.monotonic() + timeout
        while late := self._busy():
            left = deadline - time.monotonic()
            await asyncio.wait(late.values(), timeout=min(max(left, 0), LOOK_INTERVAL))
            if left <= 0:
                break
        running = []
        for slot in (late := self._busy()):
            for claim, message in slot.held(slot.work):
                claim.cancelled.add(message.message_id)
                running.append((claim, message))
            slot.cancel()
        if late:
            await asyncio.wait(late.values(), timeout=1)
        self.are_stuck = any(slot.task and not slot.task.done() for slot in self._slots)
        self._threads.shutdown(wait=not self.are_stuck)
        return running

    def _busy(self) -> dict[_Slot, asyncio.Task[None]]:
        """Return the slots that may still come to an end."""
        return {
            slot: slot.task
            for slot in self._slots
            if slot.task is not None and not slot.task.done() and not slot.is_stuck
        }

    def busy(self) -> float | None:
        """Return for how many seconds all slots have been taken; None if one is free."""
        begun = [work[2] for slot in self._slots if (work := slot.work) is not None]
        return time.monotonic() - max(begun) if len(begun) == len(self._slots) else None

    def by_state(self) -> dict[str, int]:
        """Return how many slots are idle, busy with a handler, or stuck in one."""
        states = {"idle": 0, "busy": 0, "stuck": 0}
        for slot in self._slots:
            states["stuck" if slot.is_stuck else "idle" if slot.work is None else "busy"] += 1
        return states

    def running(self, most: int) -> list[tuple[ClaimedMessage, float]]:
        """Return the messages that handlers work on, and for how many seconds: the oldest few."""
        return self._doing(most, stuck=False)

    def stuck(self, most: int) -> list[tuple[ClaimedMessage, float]]:
        """Return the same of those that are over their time limit and cannot be ended."""
        return self._doing(most, stuck=True)

    def _doing(self, most: int, *, stuck: bool) -> list[tuple[ClaimedMessage, float]]:
        now, doing = time.monotonic(), []
        for slot in self._slots:
            work = slot.work
            if work is not None and slot.is_stuck == stuck:
                doing += [(message, now - work[2]) for _, message in slot.held(work)]
        return sorted(doing, key=lambda each: -each[1])[:most]

    def of_task(self, task: asyncio.Task[Any] | None) -> tuple[str, float]:
        """Return what the handler is called that a task runs, and its time limit."""
        for slot in self._slots:
            work = slot.work
            if work is not None and slot.attempt is not None and slot.attempt is task:
                return f"{work[1].what} (message {work[0].message_id})", self.limit_of(work[1])
        return "something that is not an async handler", inf

    def cancel(self, claim: Claim) -> None:
        """Cancel the async handlers that work on a claim."""
        for slot in self._slots:
            if slot.claim is claim:
                slot.cancel()

    async def _work(self, slot: _Slot) -> None:
        loop = asyncio.get_running_loop()
        while run := await self._backlog.next():
            slot.claim = run.claim
            if isinstance(run, BatchRun):
                await self._run_batch(slot, run)
                continue
            assert run.claim is not None
            if run.is_async:
                count = await self._run_async(slot, run, run.claim)
            else:
                started = time.perf_counter()
                count = await loop.run_in_executor(
                    self._threads, self._run_in_thread, slot, run, run.claim
                )
                self._pace.observe(time.perf_counter() - started, count)
            slot.claim = slot.work = slot.attempt = None
            if count and isinstance(run, LimitedRun):
                self._backlog.limited.ended(run.handler)
            self._progress(run.claim)

    def _run_in_thread(self, slot: _Slot, run: Run, claim: Claim) -> int:
        """Call handlers until nothing of the run is left; return how many were called."""
        waiting, handlers = run.waiting, self._handlers
        count, slot.thread = 0, get_ident()
        outbox = Outbox(self._bus.sender, of_thread=True)
        new_context = self._isolation.after(outbox.enter).context
        while not claim.lost:
            try:
                message = waiting.popleft()
            except IndexError:
                break
            count += 1
            handler, started, has_failed = None, time.monotonic(), False
            try:
                handler = handler_of(handlers, message.message_type, message.headers)
                slot.work = (message, handler, started)
                context = new_context()
                context.run(in_hand.set, message)
                context.run(handler.call, message, claim)
                if outbox.is_touched:
                    if not claim.is_cancelled(message.message_id):
                        context.run(outbox.send)  # before the ack
                    outbox.renew()
            except BaseException as error:
                outbox.renew()
                has_failed = self._failed(claim, message, error, handler)
            else:
                claim.succeeded(message.message_id)
            self._done.add(message, time.monotonic() - started, failed=has_failed)
            if slot.is_stuck:
                slot.recover()
        return count

    async def _run_async(self, slot: _Slot, run: Run, claim: Claim) -> int:
        """Call async handlers, as _run_in_thread() does."""
        waiting, count = run.waiting, 0
        while waiting and not claim.lost:
            message = waiting.popleft()
            count += 1
            handler = handler_of(self._handlers, message.message_type, message.headers)
            started = time.monotonic()
            slot.work = (message, handler, started)
            slot.is_cancelled, slot.timeout = False, None
            work = self._handled(slot, handler, message, claim)
            attempt = self._starter.start(work, self._isolation.context())
            is_over = attempt.done() and not attempt.cancelled()
            error = attempt.result() if is_over else await self._ended(slot, attempt)
            has_failed = error is not None
            if error is None:
                claim.succeeded(message.message_id)
            elif slot.is_cancelled and isinstance(error, asyncio.CancelledError):
                log.info("message %d: its handler was cancelled", message.message_id)
            else:
                has_failed = self._failed(claim, message, error, handler)
            if slot.is_stuck:
                slot.recover()
            seconds = time.monotonic() - started
            self._done.add(message, seconds, failed=has_failed)
            self._pace.observe(seconds, 1)
        return count

    async def _handled(
        self, slot: _Slot, handler: Handler, message: ClaimedMessage, claim: Claim
    ) -> BaseException | None:
        """Call an async handler; return what it raises, since an exit would end the event loop."""
        slot.attempt = asyncio.current_task()
        outbox = Outbox(self._bus.sender)
        outbox.enter()
        in_hand.set(message)
        try:
            result = await handler.call(message, claim)
            if result is not None:
                await finished(result, handler.what)
            if outbox.shut() and not claim.is_cancelled(message.message_id):
                await outbox.send_async()  # before the ack
        except BaseException as error:
            outbox.shut()
            return error
        return None

    async def _ended(self, slot: _Slot, attempt: Attempt) -> BaseException | None:
        """Wait for an async handler; return what it raised."""
        slot.attempt = attempt  # as it says itself at its first step, which may still have to come
        try:
            error = await attempt
        except asyncio.CancelledError as cancelled:  # before its first step, or after its last one
            error = cancelled
        slot.attempt = None
        if slot.timeout is None or not isinstance(error, asyncio.CancelledError):
            return error
        slot.timeout.__cause__ = error
        return slot.timeout

    async def _run_batch(self, slot: _Slot, run: BatchRun) -> None:
        """Call a batch handler once; every message of the batch has an outcome then."""
        slot.batch = items = run.take()
        if not items:
            return
        handler, claims = run.handler, {_claim_of(item) for item in items}
        started = time.monotonic()
        slot.work = (items[0].claimed, handler, started)
        error = await self._attempt_batch(slot, run, items)
        while isinstance(error, AlreadyDone) and items:
            slot.batch = items = _not_done(items, error)
            error = await self._attempt_batch(slot, run, items) if items else None
        if slot.is_cancelled and isinstance(error, asyncio.CancelledError):
            log.info("%d messages: their batch handler was cancelled", len(items))
        else:
            self._settle_batch(handler, items, error)
            seconds = time.monotonic() - started
            for item in items:
                self._done.add(item.claimed, seconds / len(items), failed=bool(item.error or error))
            self._pace.observe(seconds, len(items))
        if slot.is_stuck:
            slot.recover()
        slot.batch, slot.work = [], None
        for claim in claims:
            self._progress(claim)

    async def _attempt_batch(
        self, slot: _Slot, run: BatchRun, items: list[BatchItem]
    ) -> BaseException | None:
        if run.is_async:
            slot.is_cancelled, slot.timeout = False, None
            work = self._handled_batch(slot, run.handler, items)
            return await self._ended(slot, self._starter.start(work, self._isolation.context()))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._run_batch_in_thread, slot, run.handler, items
        )

    async def _handled_batch(
        self, slot: _Slot, handler: BatchHandler, items: list[BatchItem]
    ) -> BaseException | None:
        slot.attempt = asyncio.current_task()
        outbox = Outbox(self._bus.sender)
        outbox.enter()
        in_hand.set([item.claimed for item in items])
        try:
            await handler.run_async(items)
        except BaseException as error:
            return error
        finally:
            outbox.close()
        return None

    def _run_batch_in_thread(
        self, slot: _Slot, handler: BatchHandler, items: list[BatchItem]
    ) -> BaseException | None:
        slot.thread = get_ident()
        outbox = Outbox(self._bus.sender, of_thread=True)
        context = self._isolation.after(outbox.enter).context()
        context.run(in_hand.set, [item.claimed for item in items])
        try:
            context.run(handler.run, items)
        except BaseException as error:
            return error
        return None

    def _settle_batch(
        self, handler: BatchHandler, items: list[BatchItem], error: BaseException | None
    ) -> None:
        described: dict[int, Failure] = {}  # often many messages have one and the same error
        for item in items:
            claim, message, cause = _claim_of(item), item.claimed, item.error or error
            if cause is None:
                claim.succeeded(message.message_id)
                continue
            failure = described.get(id(cause)) or Failure.of(message, cause, handler)
            described[id(cause)] = failure
            self._note_failure(claim, failure._replace(message=message))
        for failure in described.values():
            assert failure.exception is not None
            forget_traceback(failure.exception)

    def _failed(
        self, claim: Claim, message: ClaimedMessage, error: BaseException, handler: Handler | None
    ) -> bool:
        """Note what a handler raised; return whether it has failed, and was not done before."""
        if isinstance(error, AlreadyDone):
            claim.succeeded(message.message_id)
            return False
        self._note_failure(claim, Failure.of(message, error, handler))
        forget_traceback(error)
        return True

    def _note_failure(self, claim: Claim, failure: Failure) -> None:
        if claim.failed(failure):
            return
        if self._sanitize is not None:
            failure = failure.sanitized(self._sanitize)
        log.warning(
            "message %d: its handler failed after the message was settled or lost: %s",
            failure.message.message_id,
            without_secrets(failure.summary),
        )

    # Time limits

    def limit_of(self, handler: Handler) -> float:
        """Return the time limit of a handler in seconds; infinity if there is none."""
        limit = self._limit if handler.timeout is None else handler.timeout
        return inf if limit is None else limit

    async def watch(self) -> None:
        """Hold handlers to their time limits; end at once if there are none."""
        shortest = min(map(self.limit_of, each_handler(self._handlers)), default=inf)
        while shortest < inf:
            now = time.monotonic()
            next_look = now + shortest  # nothing that begins later is over its limit before that
            for slot in self._slots:
                deadline = self._deadline(slot)
                if deadline <= now:
                    self._end(slot)
                    deadline = self._deadline(slot)
                next_look = min(next_look, deadline)
            await asyncio.sleep(max(next_look - time.monotonic(), 0))

    def _deadline(self, slot: _Slot) -> float:
        work = slot.work
        if work is None or slot.is_stuck:
            return inf
        return work[2] + self.limit_of(work[1]) + (PATIENCE if slot.timeout else 0)

    def _end(self, slot: _Slot) -> None:
        """End a handler that is over its time limit; if that cannot be, go on without it."""
        work = slot.work
        if work is None:
            return
        message, handler, _ = work
        timeout = HandlerTimeout(
            f"{handler.what} took longer than its limit of {self.limit_of(handler):g} s"
        )
        if slot.attempt is not None and slot.timeout is None:
            slot.timeout = timeout
            slot.attempt.cancel()
            return
        attempt = slot.attempt
        stack = stack_of_thread(slot.thread) if attempt is None else stack_of_task(attempt)
        failure = Failure.of(message, timeout, handler)
        failure = failure._replace(traceback=f"{stack}{failure.traceback or failure.error}")
        slot.is_stuck = True  # before the outcome is taken from the handler, which may end just now
        taken = []
        for claim, each in slot.held(work):
            claim.cancelled.add(each.message_id)
            if claim.failed(failure._replace(message=each)):
                taken.append(claim)
        if not taken:
            slot.is_stuck = False
            return
        log.error(
            "message %d: %s goes on after its limit of %g s; its slot is stuck until it ends",
            message.message_id,
            handler.what,
            self.limit_of(handler),
        )
        for claim in taken:
            self._progress(claim)
        if all(slot.is_stuck for slot in self._slots):
            self._on_stuck(handler.what)


def _not_done(items: list[BatchItem], known: AlreadyDone) -> list[BatchItem]:
    """Settle what had taken effect before; return the others, for another attempt without it."""
    left = []
    for item in items:
        if item.claimed.message_id in known.message_ids:
            _claim_of(item).succeeded(item.claimed.message_id)
        else:
            left.append(item)
    return left if len(left) < len(items) else []


def _claim_of(item: BatchItem) -> Claim:
    assert isinstance(item.holder, Claim)
    return item.holder
