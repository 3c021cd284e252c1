"""A plain model of queues: what every message, claim and key must be like by the contract."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from symphony_pg import Client, LeaseLost
from tests.helpers import Connection
from tests.sessions.helpers import pass_time

QUEUES: dict[str, dict[str, Any]] = {
    "a": {"max_attempts": 2, "retry_delay": timedelta(seconds=1), "retry_jitter": 0.5},
    "b": {"max_attempts": 4, "retry_max_delay": timedelta(seconds=3), "retry_jitter": 0},
    "c": {"max_attempts": 1, "retention": timedelta(0)},
}
LEASE = timedelta(seconds=10)
WINDOW = timedelta(seconds=60)
PRIORITIES = [9, 5, 1]
STATUS = """
    select asked.id, s.queue_name, s.status, s.attempt, s.priority, s.available_at
    from unnest(%s::bigint[]) as asked (id)
    left join lateral symphony.message_status(asked.id) as s on true
"""


@dataclass
class Message:
    message_id: int
    queue: str
    priority: int
    state: str = "pending"
    attempt: int = 0
    alone: bool = False
    order: tuple[int, int] = (0, 0)
    due: datetime | None = None
    ended: datetime | None = None
    took_its_worker_down: bool = False


@dataclass
class Claim:
    claim_id: int
    until: datetime
    open: list[int] = field(default_factory=list)
    size: int = 0


class Model(RuleBasedStateMachine):
    """What has been called so far, and what must be true after every step."""

    def __init__(self, conn: Connection, seen: Counter[str]) -> None:
        super().__init__()
        self.conn = conn
        self.seen = seen
        self.client = Client(conn)
        self.messages: dict[int, Message] = {}
        self.claims: dict[int, Claim] = {}
        self.keys: dict[tuple[str, str], tuple[int, datetime]] = {}
        self.paused: set[str] = set()
        self.transactions = 0
        for queue, given in QUEUES.items():
            self.client.drop_queue(queue, force=True)
            self.client.create_queue(queue, lease=LEASE, idempotency_window=WINDOW, **given)
        self.now = self.pass_time(timedelta(seconds=1))

    # What the model knows

    def pass_time(self, by: timedelta) -> datetime:
        """Let no two steps happen at the same time, as on a real clock."""
        self.transactions += 1
        self.now = pass_time(self.conn, by)
        return self.now

    def step(self) -> None:
        self.seen["steps"] += 1
        self.pass_time(timedelta(milliseconds=1))

    def ids(self, *states: str) -> list[int]:
        return [each.message_id for each in self.messages.values() if each.state in states]

    def put_into_log(self, messages: Iterable[Message]) -> None:
        for each in messages:
            each.state = "pending"
            each.order = (self.transactions, each.message_id)

    def next_batch(self, wanted: Sequence[str], size: int) -> list[int]:
        for queue in wanted:
            if queue in self.paused:
                continue
            for priority in PRIORITIES:
                for alone in (True, False):
                    lane = [
                        each
                        for each in self.messages.values()
                        if (each.queue, each.priority, each.alone, each.state)
                        == (queue, priority, alone, "pending")
                    ]
                    if lane:
                        lane.sort(key=lambda each: each.order)
                        return [each.message_id for each in lane[: 1 if alone else size]]
        return []

    def some_claim(self, data: st.DataObject) -> Claim:
        """Draw one of the newest claims, which may have ended, or, mostly, one that has not."""
        held = [each for each, claim in self.claims.items() if self.is_held(claim)]
        latest = sorted(self.claims)[-3:]
        return self.claims[data.draw(st.sampled_from(held * 3 + latest))]

    def is_held(self, claim: Claim) -> bool:
        return bool(claim.open) and claim.until > self.now

    @contextmanager
    def refused_unless(self, held: bool) -> Any:
        if held:
            yield
        else:
            self.seen["refused"] += 1
            with pytest.raises(LeaseLost):
                yield

    def settle(self, claim: Claim, message_ids: Sequence[int], state: str) -> None:
        for message_id in message_ids:
            claim.open.remove(message_id)
            self.messages[message_id].state = state
            self.messages[message_id].ended = self.now

    def enqueued(self, message_id: int, given: dict[str, Any]) -> None:
        """Note what enqueue() answered."""
        queue, key = given["queue_name"], given.get("idempotency_key")
        if key is not None:
            first, expires = self.keys.get((queue, key), (0, self.now))
            if expires > self.now:
                self.seen["key in use"] += 1
                assert message_id == first
                return
            self.keys[queue, key] = (message_id, self.now + WINDOW)
        assert message_id > max(self.messages, default=0)
        message = Message(message_id, queue, given.get("priority", 5))
        self.messages[message_id] = message
        if delay := given.get("delay"):
            message.state, message.due = "delayed", self.now + delay
        else:
            self.put_into_log([message])

    def free_key(self, message: Message) -> None:
        """Note that nobody will work on a message."""
        for key, (message_id, expires) in list(self.keys.items()):
            if message_id == message.message_id:
                del self.keys[key]
                self.seen["key freed"] += expires > self.now

    # What must be true after every step

    def may_be_gone(self, message: Message) -> bool:
        retention = QUEUES[message.queue].get("retention", timedelta(days=1))
        return (
            message.state in ("completed", "removed")
            and message.ended is not None
            and message.ended + retention < self.now
        )

    @invariant()
    def nothing_is_broken(self) -> None:
        assert self.client.check() == []

    @invariant()
    def each_message_is_where_it_should_be(self) -> None:
        rows = self.conn.execute(STATUS, [sorted(self.messages)]).fetchall()
        assert len(rows) == len(self.messages)
        for message_id, queue, state, attempt, priority, due in rows:
            message = self.messages[message_id]
            if state is None:
                self.seen["purged"] += message.state != "cancelled"
                assert message.state == "cancelled" or self.may_be_gone(message), message
                message.state = "cancelled"
                continue
            delivered = message.state in ("processing", "completed")
            assert (queue, state, attempt, priority) == (
                message.queue,
                message.state,
                message.attempt + delivered,
                message.priority,
            ), message
            assert state != "delayed" or due == message.due

    @invariant()
    def the_counts_agree(self) -> None:
        counts = Counter((each.queue, each.state) for each in self.messages.values())
        for stats in self.client.queue_stats():
            if stats.queue_name in QUEUES:
                for state in ("pending", "delayed", "processing", "failed"):
                    seen = getattr(stats, state)
                    assert seen == counts[stats.queue_name, state], (stats, state)
                assert stats.paused == (stats.queue_name in self.paused)
