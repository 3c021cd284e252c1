"""The time limits of handlers: who goes on after one is ended, or has a stuck slot."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf

from ..handling.failure import Failure
from ..handling.handler import Handler, each_handler
from ..outcomes import HandlerTimeout
from .claim import Claim
from .slot import Slot
from .stacks import stack_of_task, stack_of_thread

log = logging.getLogger("symphony_pg.worker")

PATIENCE = 1.0  # for an async handler that was cancelled


class Overtime:
    """Holds the handlers of slots to their time limits.

    `limit` is that of handlers that have none of their own. `progress` hears of the claim of a
    message that was settled without its handler; `on_stuck` is called when the last slot is stuck.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        handlers: Mapping[str, Handler],
        limit: float | None,
        progress: Callable[[Claim], None],
        on_stuck: Callable[[str], None],
    ) -> None:
        self._slots = slots
        self._handlers = handlers
        self._limit = limit
        self._progress = progress
        self._on_stuck = on_stuck

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

    def _deadline(self, slot: Slot) -> float:
        work = slot.work
        if work is None or slot.is_stuck:
            return inf
        return work[2] + self.limit_of(work[1]) + (PATIENCE if slot.timeout else 0)

    def _end(self, slot: Slot) -> None:
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
