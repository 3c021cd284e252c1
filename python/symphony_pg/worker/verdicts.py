"""What a claim is told of messages whose handler has ended."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..database.functions.messages import ClaimedMessage
from ..handling.batch import BatchHandler
from ..handling.context import BatchItem
from ..handling.failure import Failure, forget_traceback
from ..handling.handler import Handler
from ..outcomes import AlreadyDone
from ..redaction import without_secrets
from .claim import Claim
from .slot import claim_of

log = logging.getLogger("symphony_pg.worker")


class Verdicts:
    """Notes what handlers raised. `sanitize` takes out of log lines what the application hides."""

    def __init__(self, sanitize: Callable[[str], str] | None) -> None:
        self._sanitize = sanitize

    def failed(
        self, claim: Claim, message: ClaimedMessage, error: BaseException, handler: Handler | None
    ) -> bool:
        """Note what a handler raised; return whether it has failed, and was not done before."""
        if isinstance(error, AlreadyDone):
            claim.succeeded(message.message_id)
            return False
        self._note(claim, Failure.of(message, error, handler))
        forget_traceback(error)
        return True

    def _note(self, claim: Claim, failure: Failure) -> None:
        if claim.failed(failure):
            return
        if self._sanitize is not None:
            failure = failure.sanitized(self._sanitize)
        log.warning(
            "message %d: its handler failed after the message was settled or lost: %s",
            failure.message.message_id,
            without_secrets(failure.summary),
        )

    def of_batch(
        self, handler: BatchHandler, items: list[BatchItem], error: BaseException | None
    ) -> None:
        """Note what became of each message of a batch, whose handler raised the error."""
        described: dict[int, Failure] = {}  # often many messages have one and the same error
        for item in items:
            claim, message, cause = claim_of(item), item.claimed, item.error or error
            if cause is None:
                claim.succeeded(message.message_id)
                continue
            failure = described.get(id(cause)) or Failure.of(message, cause, handler)
            described[id(cause)] = failure
            self._note(claim, failure._replace(message=message))
        for failure in described.values():
            assert failure.exception is not None
            forget_traceback(failure.exception)


def not_done(items: list[BatchItem], known: AlreadyDone) -> list[BatchItem]:
    """Settle what had taken effect before; return the others, for another attempt without it."""
    left = []
    for item in items:
        if item.claimed.message_id in known.message_ids:
            claim_of(item).succeeded(item.claimed.message_id)
        else:
            left.append(item)
    return left if len(left) < len(items) else []
