"""A slot: what one handler has in its hands at present."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..handling.context import BatchItem
from ..handling.handler import Handler
from ..outcomes import HandlerTimeout
from .claim import Claim

log = logging.getLogger("symphony_pg.worker")

Work = tuple[ClaimedMessage, Handler, float]  # the float is since when


class Slot:
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
            return [(claim_of(item), item.claimed) for item in self.batch]
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


def claim_of(item: BatchItem) -> Claim:
    """Return the claim that holds a message of a batch."""
    assert isinstance(item.holder, Claim)
    return item.holder
