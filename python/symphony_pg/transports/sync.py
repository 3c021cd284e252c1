"""The transport that runs the handler inside dispatch()."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from ..handling.failure import forget_traceback
from ..messages.envelope import Envelope
from ..results import refuse_unfinished
from ..sending.transport import AnyAsyncConnection, AnyConnection
from .local import MAX_ATTEMPTS, LocalTransport, Parcel

__all__ = ["SyncTransport"]


class SyncTransport(LocalTransport):
    """Runs the handler inside dispatch(), again if it fails, as often as a worker would.

    raises   True: what has failed for good raises its error in dispatch(), too
    sleep    called with the seconds before each retry: time.sleep, or None for no wait

    Delay, priority and idempotency key have no meaning here. A Snooze uses an attempt: nothing
    else would end it.
    """

    snoozes = False

    def __init__(
        self,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        raises: bool = False,
        sleep: Any = None,
    ) -> None:
        super().__init__(max_attempts=max_attempts)
        self._raises = raises
        self._sleep = sleep

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._parcels(envelope) for envelope in envelopes]
        for parcel in chain.from_iterable(groups):
            while True:
                ((_, error),) = self._handle([parcel], conn)
                if error is None or not self._again(parcel, error):
                    break
        return [group[0].message_id for group in groups]

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Run the handlers; return made-up message ids."""
        groups = [self._parcels(envelope) for envelope in envelopes]
        for parcel in chain.from_iterable(groups):
            while True:
                ((_, error),) = await self._handle_async([parcel], conn)
                if error is None or not self._again(parcel, error):
                    break
        return [group[0].message_id for group in groups]

    def _parcels(self, envelope: Envelope) -> list[Parcel]:
        now = datetime.now(timezone.utc)
        return [
            Parcel(now, number := self._next_id(), number, each, enqueued_at=now)
            for each in self._deliveries(envelope)
        ]

    def _again(self, parcel: Parcel, error: Exception) -> bool:
        wait = self._wait(parcel, error, datetime.now(timezone.utc))
        if wait is None and self._raises:
            raise error
        forget_traceback(error)
        if wait is None:
            return False
        if self._sleep is not None:
            refuse_unfinished(self._sleep(wait.total_seconds()), "sleep")
        return True
