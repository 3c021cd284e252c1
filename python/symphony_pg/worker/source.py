"""Where messages come from, and who hears what became of them: PostgreSQL, or a broker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ..database import functions
from ..database.call import Call
from ..database.functions.messages import Nacked
from ..handling.failure import Failure
from .claim import Claim
from .link import Link


class Source(Protocol):
    """Hears what becomes of the messages of claims; LeaseLost says that they are not ours."""

    async def ack(self, claim: Claim, message_ids: list[int]) -> None:
        """Settle messages that are done."""

    async def settle(self, claim: Claim, failure: Failure) -> Nacked:
        """Settle a message that could not be done; return what becomes of it."""

    async def extend(self, claims: Sequence[Claim]) -> Collection[int]:
        """Begin the leases of claims anew; return the ids of those that we still hold."""

    async def release(self, claim: Claim, message_ids: list[int]) -> None:
        """Give messages back that were not started."""


class PostgresSource:
    """Claims of queues in the database, which settles them by the id of the claim."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ack(self, claim: Claim, message_ids: list[int]) -> None:
        """Settle messages that are done."""
        await self._link.run(functions.ack(claim.claim_id, message_ids))

    async def settle(self, claim: Claim, failure: Failure) -> Nacked:
        """Settle a message that could not be done; return what becomes of it."""
        return await self._link.run(_settling(claim.claim_id, failure))

    async def extend(self, claims: Sequence[Claim]) -> Collection[int]:
        """Begin the leases of claims anew; return the ids of those that we still hold."""
        return await self._link.run(functions.extend_lease([each.claim_id for each in claims]))

    async def release(self, claim: Claim, message_ids: list[int]) -> None:
        """Give messages back that were not started."""
        await self._link.run(functions.release(claim.claim_id, message_ids))


def _settling(claim_id: int, failure: Failure) -> Call[Nacked]:
    message_id = failure.message.message_id
    if failure.snooze is not None:
        return functions.snooze(
            claim_id, message_id, failure.snooze.delay, failure.snooze.until, failure.error
        )
    return functions.nack_with_backoff(
        claim_id,
        message_id,
        failure.error,
        failure.error_class,
        failure.retryable,
        failure.retry_after,
        failure.traceback,
        failure.error_bases,
    )
