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
from ..handling.handler import Handler, handler_of
from ..handling.isolation import Isolation, Starter
from ..handling.logged import in_hand
from ..outcomes import AlreadyDone
from ..results import finished
from ..sending.bus import Bus
from ..sending.outbox import Outbox
from .backlog import Backlog, BatchRun, LimitedRun, Run
from .claim import Claim
from .done import Done
from .overtime import Overtime
from .pace import Pace
from .slot import Slot, claim_of
from .verdicts import Verdicts, not_done

log = logging.getLogger("symphony_pg.worker")

LOOK_INTERVAL = 0.2
Attempt = asyncio.Task[BaseException | None]


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
        self._verdicts = Verdicts(sanitize)
        self._backlog = backlog
        self._handlers = handlers
        self._pace = pace
        self._done = done
        self._progress = progress
        self._isolation = Isolation()
        self._starter = Starter()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="symphony-handler")
        self._slots = [Slot() for _ in range(count)]
        self._overtime = Overtime(self._slots, handlers, limit, progress, on_stuck)
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

    def _busy(self) -> dict[Slot, asyncio.Task[None]]:
        """Return the slots that may still come to an end."""
        return {
            slot: slot.task
            for slot in self._slots
            if slot.task is not None and not slot.task.done() and not slot.is_stuck
        }

    async def watch(self) -> None:
        """Hold handlers to their time limits; end at once if there are none."""
        await self._overtime.watch()

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
                return f"{work[1].what} (message {work[0].message_id})", self._overtime.limit_of(
                    work[1]
                )
        return "something that is not an async handler", inf

    def cancel(self, claim: Claim) -> None:
        """Cancel the async handlers that work on a claim."""
        for slot in self._slots:
            if slot.claim is claim:
                slot.cancel()

    async def _work(self, slot: Slot) -> None:
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

    def _run_in_thread(self, slot: Slot, run: Run, claim: Claim) -> int:
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
                has_failed = self._verdicts.failed(claim, message, error, handler)
            else:
                claim.succeeded(message.message_id)
            self._done.add(message, time.monotonic() - started, failed=has_failed)
            if slot.is_stuck:
                slot.recover()
        return count

    async def _run_async(self, slot: Slot, run: Run, claim: Claim) -> int:
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
                has_failed = self._verdicts.failed(claim, message, error, handler)
            if slot.is_stuck:
                slot.recover()
            seconds = time.monotonic() - started
            self._done.add(message, seconds, failed=has_failed)
            self._pace.observe(seconds, 1)
        return count

    async def _handled(
        self, slot: Slot, handler: Handler, message: ClaimedMessage, claim: Claim
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

    async def _ended(self, slot: Slot, attempt: Attempt) -> BaseException | None:
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

    async def _run_batch(self, slot: Slot, run: BatchRun) -> None:
        """Call a batch handler once; every message of the batch has an outcome then."""
        slot.batch = items = run.take()
        if not items:
            return
        handler, claims = run.handler, {claim_of(item) for item in items}
        started = time.monotonic()
        slot.work = (items[0].claimed, handler, started)
        error = await self._attempt_batch(slot, run, items)
        while isinstance(error, AlreadyDone) and items:
            slot.batch = items = not_done(items, error)
            error = await self._attempt_batch(slot, run, items) if items else None
        if slot.is_cancelled and isinstance(error, asyncio.CancelledError):
            log.info("%d messages: their batch handler was cancelled", len(items))
        else:
            self._verdicts.of_batch(handler, items, error)
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
        self, slot: Slot, run: BatchRun, items: list[BatchItem]
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
        self, slot: Slot, handler: BatchHandler, items: list[BatchItem]
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
        self, slot: Slot, handler: BatchHandler, items: list[BatchItem]
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
