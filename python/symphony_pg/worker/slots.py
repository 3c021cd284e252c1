"""Running handlers: one a slot at a time, async ones on the event loop, others in threads.

A slot works on a whole run of messages before it comes back to the event loop, so that a message
costs no task, no thread hop and no lock of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure
from ..handling.handler import Handler, handler_of
from ..handling.logged import in_hand
from ..redaction import without_secrets
from ..sending.bus import Bus
from ..sending.outbox import Outbox
from .backlog import Backlog, BatchRun, Run
from .claim import Claim
from .pace import Pace

__all__ = ["Slots"]

log = logging.getLogger("symphony_pg.worker")


class _Slot:
    """One handler at a time."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.claim: Claim | None = None
        self.message: ClaimedMessage | None = None
        self.since = 0.0
        self.batch: list[BatchItem] = []
        self.is_async = False
        self.is_cancelled = False


class Slots:
    """The slots of a worker. `progress` hears of a claim whenever something became of it."""

    def __init__(
        self,
        count: int,
        backlog: Backlog,
        handlers: Mapping[str, Handler],
        pace: Pace,
        progress: Callable[[Claim], None],
        bus: Bus,
        sanitize: Callable[[str], str] | None = None,
    ) -> None:
        self._bus = bus
        self._sanitize = sanitize
        self._backlog = backlog
        self._handlers = handlers
        self._pace = pace
        self._progress = progress
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
        tasks = [slot.task for slot in self._slots if slot.task is not None]
        _, late = await asyncio.wait(tasks, timeout=max(timeout, 0))
        running = []
        for slot in self._slots:
            if slot.task in late and slot.batch:
                running += [(_claim_of(item), item.claimed) for item in slot.batch]
                self._cancel(slot)
            elif slot.task in late and slot.claim is not None and slot.message is not None:
                running.append((slot.claim, slot.message))
                self._cancel(slot)
        if late:
            _, late = await asyncio.wait(late, timeout=1)
        self.are_stuck = bool(late)
        self._threads.shutdown(wait=not late)
        return running

    def running(self, most: int) -> list[tuple[ClaimedMessage, float]]:
        """Return the messages that handlers work on, and for how many seconds: the oldest few."""
        now = time.monotonic()
        running = [(message, now - slot.since) for slot in self._slots if (message := slot.message)]
        return sorted(running, key=lambda each: -each[1])[:most]

    def cancel(self, claim: Claim) -> None:
        """Cancel the async handlers that work on a claim."""
        for slot in self._slots:
            if slot.claim is claim:
                self._cancel(slot)

    def _cancel(self, slot: _Slot) -> None:
        if slot.is_async and slot.task is not None:
            slot.is_cancelled = True
            slot.task.cancel()

    async def _work(self, slot: _Slot) -> None:
        loop = asyncio.get_running_loop()
        while run := await self._backlog.next():
            slot.claim, slot.is_async = run.claim, run.is_async
            if isinstance(run, BatchRun):
                await self._run_batch(slot, run)
                continue
            assert run.claim is not None
            if run.is_async:
                await self._run_async(slot, run, run.claim)
            else:
                started = time.perf_counter()
                count = await loop.run_in_executor(
                    self._threads, self._run_in_thread, slot, run, run.claim
                )
                self._pace.observe(time.perf_counter() - started, count)
            slot.claim = slot.message = None
            self._progress(run.claim)

    def _run_in_thread(self, slot: _Slot, run: Run, claim: Claim) -> int:
        """Call handlers until nothing of the run is left; return how many were called."""
        waiting, handlers = run.waiting, self._handlers
        count = 0
        with Outbox(self._bus.sender, of_thread=True).in_use() as outbox:
            while not claim.lost:
                try:
                    slot.message = message = waiting.popleft()
                except IndexError:
                    break
                slot.since = time.monotonic()
                in_hand.set(message)
                count += 1
                handler = None
                try:
                    handler = handler_of(handlers, message.message_type, message.headers)
                    handler.call(message, claim)
                    if outbox.is_touched:
                        if not claim.lost:
                            outbox.send()  # before the ack
                        outbox.renew()
                except BaseException as error:
                    outbox.renew()
                    self._failed(claim, message, error, handler)
                else:
                    claim.succeeded(message.message_id)
        slot.message = None
        in_hand.set(None)
        return count

    async def _run_async(self, slot: _Slot, run: Run, claim: Claim) -> None:
        waiting = run.waiting
        while waiting and not claim.lost:
            slot.message = message = waiting.popleft()
            in_hand.set(message)
            handler = handler_of(self._handlers, message.message_type, message.headers)
            slot.since = started = time.monotonic()
            outbox = Outbox(self._bus.sender)
            outbox.enter()
            try:
                await handler.call(message, claim)
                if outbox.shut() and not claim.lost:
                    await outbox.send_async()  # before the ack
            except BaseException as error:
                outbox.shut()
                if slot.is_cancelled and isinstance(error, asyncio.CancelledError):
                    log.info("message %d: its handler was cancelled", message.message_id)
                else:
                    self._failed(claim, message, error, handler)
            else:
                claim.succeeded(message.message_id)
            slot.message = None
            in_hand.set(None)
            if slot.is_cancelled:
                _uncancel(slot)
            self._pace.observe(time.monotonic() - started, 1)
            if claim.is_complete:
                self._progress(claim)

    async def _run_batch(self, slot: _Slot, run: BatchRun) -> None:
        """Call a batch handler once; every message of the batch has an outcome then."""
        slot.batch = items = run.take()
        if not items:
            return
        handler, claims = run.handler, {_claim_of(item) for item in items}
        started = time.perf_counter()
        try:
            if run.is_async:
                with Outbox(self._bus.sender).in_use() as outbox:
                    in_hand.set([item.claimed for item in items])
                    try:
                        await handler.run_async(items)
                    finally:
                        in_hand.set(None)
                        outbox.close()
            else:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._threads, self._run_batch_in_thread, handler, items)
        except BaseException as error:
            if slot.is_cancelled and isinstance(error, asyncio.CancelledError):
                log.info("%d messages: their batch handler was cancelled", len(items))
                slot.batch = []
                return
            for item in items:
                item.error = item.error or error
        for item in items:
            claim, message = _claim_of(item), item.claimed
            if item.error is None:
                claim.succeeded(message.message_id)
            else:
                self._failed(claim, message, item.error, handler)
        slot.batch = []
        self._pace.observe(time.perf_counter() - started, len(items))
        for claim in claims:
            self._progress(claim)

    def _run_batch_in_thread(self, handler: BatchHandler, items: list[BatchItem]) -> None:
        in_hand.set([item.claimed for item in items])
        try:
            with Outbox(self._bus.sender, of_thread=True).in_use():
                handler.run(items)
        finally:
            in_hand.set(None)

    def _failed(
        self, claim: Claim, message: ClaimedMessage, error: BaseException, handler: Handler | None
    ) -> None:
        failure = Failure.of(message, error, handler)
        if message.message_id not in claim.elsewhere:
            claim.failures.append(failure)
            return
        if self._sanitize is not None:
            failure = failure.sanitized(self._sanitize)
        log.warning(
            "message %d: its handler failed after the message was settled or lost: %s",
            message.message_id,
            without_secrets(failure.summary),
        )


def _claim_of(item: BatchItem) -> Claim:
    assert isinstance(item.holder, Claim)
    return item.holder


def _uncancel(slot: _Slot) -> None:
    """Let the slot go on after it was cancelled for the sake of one handler."""
    slot.is_cancelled = False
    if sys.version_info >= (3, 11) and slot.task is not None:  # 3.10 counts no cancellations
        while slot.task.cancelling():
            slot.task.uncancel()
