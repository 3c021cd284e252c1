"""The transport that runs the handler inside dispatch()."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..events import Failed, Retried
from ..handling.context import BatchItem
from ..handling.failure import Failure, forget_traceback
from ..messages.envelope import Envelope
from ..redaction import without_secrets
from ..results import refuse_unfinished
from ..sending.bus import Bus
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .local import LocalTransport

log = logging.getLogger("symphony_pg.local")
MAX_ATTEMPTS = 4
RETRY_DELAY = timedelta(seconds=1)
RETRY_MULTIPLIER = 2
RETRY_MAX_DELAY = timedelta(seconds=30)
LONGEST_WAIT = timedelta(days=36525)


class SyncTransport(LocalTransport):
    """Runs the handler inside dispatch(), again if it fails, as often as a worker would.

    raises   True: what has failed for good raises its error in dispatch(), too
    sleep    called with the seconds before each retry: time.sleep, or None for no wait

    Delay, priority, idempotency key and expiry have no meaning here. A Snooze uses an attempt:
    nothing else would end it. `failed` holds the messages that failed for good, with their errors.
    Attempts and waits are those of a new queue; a test asks the database whether they still are.
    """

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        raises: bool = False,
        sleep: Any = None,
    ) -> None:
        super().__init__()
        self.bus: Bus | None = None
        self.sanitize: Callable[[str], str] | None = None
        self.failed: list[Failure] = []
        self._max_attempts = max_attempts
        self._raises = raises
        self._sleep = sleep

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._deliveries(envelope) for envelope in envelopes]
        for envelope, message_id in (each for group in groups for each in group):
            message = self._claimed(envelope, message_id, self._max_attempts)
            while self._is_left(self._handle([message], conn)):
                message = message._replace(attempt=message.attempt + 1)
        return [group[0][1] for group in groups]

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._deliveries(envelope) for envelope in envelopes]
        for envelope, message_id in (each for group in groups for each in group):
            message = self._claimed(envelope, message_id, self._max_attempts)
            while self._is_left(await self._handle_async([message], conn)):
                message = message._replace(attempt=message.attempt + 1)
        return [group[0][1] for group in groups]

    def _is_left(self, items: Sequence[BatchItem]) -> bool:
        """Tell whether the message is to be tried again; wait until then."""
        (item,) = items
        if item.error is None:
            return False
        wait = self._settled(item.claimed, self._failure(item), item.error)
        if wait is None and self._raises:
            raise item.error
        forget_traceback(item.error)
        if wait is not None and self._sleep is not None:
            refuse_unfinished(self._sleep(wait.total_seconds()), "sleep")
        return wait is not None

    def _settled(
        self, message: ClaimedMessage, failure: Failure, error: BaseException
    ) -> timedelta | None:
        """Say how long a message waits for its next attempt; None: it has failed for good."""
        now = datetime.now(timezone.utc)
        wait = given = None
        try:
            given = _asked_for(failure, now)
        except Exception as refusal:
            failure = failure.plain(f"Its wait was refused: {refusal}")
        if failure.retryable is not False and message.attempt < self._max_attempts:
            usual = RETRY_DELAY * RETRY_MULTIPLIER ** min(message.attempt - 1, 50)
            wait = min(usual, RETRY_MAX_DELAY) if given is None else given
        else:
            self.failed.append(failure.told())
        if self.sanitize is not None:
            failure = failure.sanitized(self.sanitize)
        text = without_secrets(failure.error)
        log.warning(
            "message %d (%s) attempt %d of %d: %s; %s",
            message.message_id,
            message.message_type,
            message.attempt,
            message.max_attempts,
            failure._replace(error=text).summary,
            "failed for good" if wait is None else f"retry after {wait}",
        )
        if self.bus is not None:
            what = (message, text, failure.error_class)
            self.bus.events.emit(
                Failed(*what, error) if wait is None else Retried(*what, now + wait, error)
            )
        return wait


def _asked_for(failure: Failure, now: datetime) -> timedelta | None:
    """Return the wait that an error asks for; raise ValueError for one that no queue would take."""
    wait = failure.retry_after
    if failure.snooze is not None:
        wait = failure.snooze.delay
        if failure.snooze.until is not None:
            wait = min(max(failure.snooze.until - now, timedelta(0)), LONGEST_WAIT)
    if wait is not None and not timedelta(0) <= wait <= LONGEST_WAIT:
        raise ValueError(f"it must be between 0 and 100 years, not {wait}")
    return wait
