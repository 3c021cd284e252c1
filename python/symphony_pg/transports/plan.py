"""What is to be done with an envelope where SQL cannot obey all of its routes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from ..database.functions.messages import ClaimedMessage, MessageStatus
from ..database.functions.routing import Delivery
from ..messages.envelope import Envelope

DISPATCH = "dispatch_id"
LONGEST_NAME = 200
CARRIED = ("message_type", "body", "headers", "priority", "group_key")


class Plan:
    """What is to be done with an envelope: store it, run handlers here, publish it, or all of that.

    What is both stored and run here and has an idempotency key carries a header that no other
    message has. The message that enqueue() returns the id of tells by it whether it is this one,
    or one that was first.
    """

    def __init__(self, envelope: Envelope, deliveries: Sequence[Delivery], to: str | None) -> None:
        self.message_id = 0
        body = _body_to_publish(envelope) if any(each.direct for each in deliveries) else None
        run_here = [each for each in deliveries if each.transport_type == "sync"]
        self._body = body or ""
        self.direct = [each for each in deliveries if each.direct and body is not None]
        self._kept = [each for each in deliveries if each not in (*self.direct, *run_here)]
        is_stored = bool(self._kept) or not deliveries
        self.may_be_known = is_stored and bool(run_here) and envelope.idempotency_key is not None
        if self.may_be_known:
            envelope = _with(envelope, {DISPATCH: uuid.uuid4().hex})
        self._envelope = envelope
        self.here = [_to_handler(envelope, each) for each in run_here]
        if self.direct or (to is not None and deliveries):  # the database would take its routes
            self.stored = [_led(envelope, each) for each in self._kept]
        else:
            self.stored = [envelope] if is_stored else []
        self.published: list[ClaimedMessage] = []

    def address(self, ids: Iterator[int]) -> None:
        """Give what is published its ids. Where there are several deliveries all tell the first."""
        if not self.direct:
            return
        numbers = [next(ids) for _ in self.direct]
        self.message_id, envelope = numbers[0], self._envelope
        if len(self.direct) + len(self._kept) > 1 or self.direct[0].handler_name is not None:
            correlation = {"correlation_id": str(self.message_id)}
            envelope = replace(envelope, headers={**correlation, **(envelope.headers or {})})
        self.stored = [_led(_to_handler(envelope, each), each) for each in self._kept]
        self.published = [
            self._message(number, _to_handler(envelope, each), each)
            for number, each in zip(numbers, self.direct, strict=True)
        ]

    def _message(self, message_id: int, envelope: Envelope, delivery: Delivery) -> ClaimedMessage:
        now = datetime.now(timezone.utc)
        return ClaimedMessage(
            claim_id=0,
            message_id=message_id,
            queue_name=str(delivery.queue_name),
            message_type=envelope.message_type,
            body=self._body,
            headers=dict(envelope.headers or {}),
            priority=int((delivery if envelope.priority is None else envelope).priority or 0),
            attempt=1,
            max_attempts=delivery.max_attempts or 1,
            group_key=envelope.group_key,
            enqueued_at=now,
            lease_until=now,
        )

    def settle(self, ids: Iterator[int]) -> None:
        """Learn the ids of what was stored."""
        numbers = [next(ids) for _ in self.stored]
        self.message_id = self.message_id or (numbers[0] if numbers else 0)

    def is_first(self, stored: MessageStatus | None) -> bool:
        """Tell whether the message that was enqueued, or was there, is this one."""
        mine = (self._envelope.headers or {})[DISPATCH]
        headers = {} if stored is None else stored.headers
        if isinstance(headers, str):  # Django and asyncpg leave jsonb as it came
            headers = json.loads(headers)
        return bool(headers.get(DISPATCH) == mine)


def letters(plans: Iterable[Plan]) -> dict[str, list[ClaimedMessage]]:
    """Return what is to be published, by transport, in order."""
    found: dict[str, list[ClaimedMessage]] = {}
    for plan in plans:
        for delivery, message in zip(plan.direct, plan.published, strict=True):
            found.setdefault(str(delivery.transport_name), []).append(message)
    return found


def _body_to_publish(envelope: Envelope) -> str | None:
    """Return the text of a body that can be published, and None for what goes to the database.

    That is what a broker cannot carry, such as a delay, and what PostgreSQL refuses: it says why.
    """
    priority = 5 if envelope.priority is None else envelope.priority
    if (
        envelope.arguments().keys() - CARRIED
        or envelope.body is None
        or not 1 <= len(envelope.message_type) <= LONGEST_NAME
        or priority not in range(10)
    ):
        return None
    try:
        body = json.dumps(envelope.body, ensure_ascii=False, allow_nan=False)
        texts = f"{body} {json.dumps(envelope.headers, ensure_ascii=False, allow_nan=False)}"
        texts.encode()
    except (ValueError, TypeError, RecursionError):
        return None
    return None if r"\u0000" in texts else body


def _with(envelope: Envelope, headers: Mapping[str, str]) -> Envelope:
    return replace(envelope, headers={**(envelope.headers or {}), **headers})


def _to_handler(envelope: Envelope, delivery: Delivery) -> Envelope:
    name = delivery.handler_name
    return envelope if name is None else _with(envelope, {"handler": name})


def _led(envelope: Envelope, delivery: Delivery) -> Envelope:
    """Return an envelope that goes into the queue of a delivery and takes no route."""
    priority = delivery.priority if envelope.priority is None else envelope.priority
    return replace(envelope, queue_name=delivery.queue_name, priority=priority)
