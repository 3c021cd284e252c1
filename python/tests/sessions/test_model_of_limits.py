"""The lives of messages in queues with order and limits: any sequence of calls, against a model.

The model knows for each key which message is the next, what is in hands, how many a rate allows,
and what has expired. A claim may take nothing that must wait or is late. Once claims find nothing
more, nothing is left that need not wait. LIFE_EXAMPLES=1000 looks for longer.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from symphony_pg import Client
from tests.helpers import Connection
from tests.sessions.helpers import pass_time, run_lives

EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "60"))
LEASE = timedelta(seconds=10)
LATEST = datetime.max.replace(tzinfo=timezone.utc)
QUEUES: dict[str, dict[str, Any]] = {
    "ordered": {"ordered": True},
    "held": {"ordered": True, "on_failure": "hold", "concurrency": 4},
    "key": {"key_concurrency": 2},
    "all": {"concurrency": 3},
    "rate": {"rate": "2/1 s", "burst": 3},
    "key rate": {"key_rate": "2/1 s"},
    "both": {"ordered": True, "key_rate": "2/1 s", "rate": "4/1 s"},
}
NAMES = {queue: queue.replace(" ", "_") for queue in QUEUES}
REACHED = (
    *("claimed", "nothing to claim", "returned", "waiting", "lease ended", "released", "cancelled"),
    *("nacked: retry", "nacked: failed", "snoozed", "replayed", "removed", "limit changed"),
    *("a rate was used up", "a key's rate was used up", "a limit was reached"),
    *("expired: failed", "expired: dropped", "late before its turn", "replaced", "run now"),
)
queues = st.sampled_from(sorted(QUEUES))
keys = st.sampled_from(["a", "a", "b", None])
expiries = st.sampled_from([None, None, 0.05, 1, 5])  # in seconds


@dataclass
class Message:
    message_id: int
    queue: str
    key: str | None
    state: str = "ready"  # pending, or waiting for its key
    due: datetime | None = None
    expires_at: datetime | None = None
    drops: bool = False
    is_debounced: bool = False


@dataclass
class Bucket:
    """How many messages may be handed out, at a rate a second."""

    rate: float
    size: int
    tokens: float
    at: datetime

    def fill(self, now: datetime) -> float:
        self.tokens = min(self.size, self.tokens + self.rate * (now - self.at).total_seconds())
        self.at = now
        return self.tokens

    def take(self, now: datetime, messages: int) -> None:
        self.tokens = self.fill(now) - messages
        assert self.tokens > -0.001, "more than the rate allows"


@dataclass
class Claim:
    claim_id: int
    until: datetime
    open: list[int] = field(default_factory=list)


class LimitedLife(RuleBasedStateMachine):
    """Calls in any order, of queues with each kind of limit."""

    def __init__(self, conn: Connection, seen: Counter[str]) -> None:
        super().__init__()
        self.conn, self.seen, self.client = conn, seen, Client(conn)
        self.messages: dict[int, Message] = {}
        self.order: dict[tuple[str, str], list[int]] = {}  # of each key, what is not over
        self.claims: list[Claim] = []
        self.limits = {queue: dict(given) for queue, given in QUEUES.items()}
        self.buckets: dict[tuple[str, str | None], Bucket] = {}
        self.now = self.pass_time(timedelta(seconds=1))
        for queue, given in QUEUES.items():
            self.client.drop_queue(NAMES[queue], force=True)
            self.client.create_queue(
                NAMES[queue], lease=LEASE, retention=timedelta(0), max_attempts=1000, **given
            )

    # What the model knows

    def pass_time(self, by: timedelta) -> datetime:
        self.now = pass_time(self.conn, by)
        return self.now

    def step(self) -> None:
        self.pass_time(timedelta(milliseconds=1))

    def those(self, queue: str, state: str) -> list[Message]:
        found = self.messages.values()
        return [each for each in found if (each.queue, each.state) == (queue, state)]

    def in_hands(self, queue: str, key: str | None) -> int:
        return sum(each.key == key for each in self.those(queue, "processing"))

    def bucket(self, queue: str, key: str | None) -> Bucket | None:
        """Return the bucket of a queue, or of one of its keys."""
        given = self.limits[queue].get("key_rate" if key else "rate")
        if given is None:
            return None
        messages = int(given.split("/")[0])
        size = messages if key else self.limits[queue].get("burst", messages)
        full = Bucket(messages, size, size, self.now)
        return self.buckets.setdefault((queue, key), full)

    def may_go(self, message: Message) -> bool:
        """Tell whether a claim that has room must take it, since nothing holds it up."""
        queue, key, limit = message.queue, message.key, self.limits[message.queue]
        if len(self.those(queue, "processing")) >= limit.get("concurrency", 1000):
            self.seen["a limit was reached"] += 1
            return False
        bucket = self.bucket(queue, None)
        if bucket is not None and bucket.fill(self.now) < 1:
            self.seen["a rate was used up"] += 1
            return False
        if key is None:
            return True
        bucket = self.bucket(queue, key)
        if bucket is not None and bucket.fill(self.now) < 1:
            self.seen["a key's rate was used up"] += 1
            return False
        if limit.get("ordered"):
            is_first = self.order[queue, key][0] == message.message_id
            return is_first and self.in_hands(queue, key) == 0
        return self.in_hands(queue, key) < int(limit.get("key_concurrency", 1000))

    def over(self, message: Message, state: str) -> None:
        message.state = state
        if message.key is not None:
            self.order[message.queue, message.key].remove(message.message_id)

    def followers(self, claim: Claim, message: Message) -> list[int]:
        """Return what an ordered queue gives back with a message of a claim."""
        if message.key is None or not self.limits[message.queue].get("ordered"):
            return []
        behind = claim.open[claim.open.index(message.message_id) + 1 :]
        return [each for each in behind if self.messages[each].key == message.key]

    def give_back(self, claim: Claim, ids: list[int]) -> None:
        for each in ids:
            claim.open.remove(each)
            self.messages[each].state = "ready"

    def held(self) -> list[Claim]:
        return [each for each in self.claims if each.open and each.until > self.now]

    # Producers and consumers

    @initialize(of=st.lists(keys, min_size=3, max_size=8), late=st.sets(queues))
    def begin(self, of: list[str | None], late: set[str]) -> None:
        for queue in QUEUES:
            if queue in late:  # while nothing else of the key is there
                self.come_late(queue, "a", 5, drops=False)
            self.enqueue(queue, [(key, None) for key in of], drops=False)

    @rule(
        queue=queues,
        of=st.lists(st.tuples(keys, expiries), min_size=2, max_size=6),
        drops=st.booleans(),
    )
    def enqueue(
        self, queue: str, of: list[tuple[str | None, float | None]], *, drops: bool
    ) -> None:
        self.step()
        for key, seconds in of:
            expires_in = None if seconds is None else timedelta(seconds=seconds)
            message_id = self.client.enqueue(
                "A",
                queue_name=NAMES[queue],
                group_key=key,
                expires_in=expires_in,
                on_expiry="drop" if drops and expires_in else None,
            )
            expires_at = None if expires_in is None else self.now + expires_in
            self.messages[message_id] = Message(
                message_id, queue, key, expires_at=expires_at, drops=drops
            )
            if key is not None:
                self.order.setdefault((queue, key), []).append(message_id)

    @rule(queue=queues, key=keys, drops=st.booleans(), size=st.integers(1, 5))
    def come_late(self, queue: str, key: str | None, size: int, *, drops: bool) -> None:
        """What is behind a message of its key is late when they are claimed."""
        self.enqueue(queue, [(key, None), (key, 0.05)], drops=drops)
        self.pass_time(timedelta(seconds=0.1))
        self.claim_now(queue, size)

    @rule(queue=st.sampled_from(["ordered", "held", "both"]), key=st.sampled_from("ab"))
    def come_together(self, queue: str, key: str) -> None:
        """Several of a key come into one hand, if the key is free."""
        self.enqueue(queue, [(key, None)] * 3, drops=False)
        self.claim_now(queue, 9)

    @rule(queue=queues)
    def debounce(self, queue: str) -> None:
        """The last one counts, as long as the first one waits for its time."""
        self.step()
        waits = [each for each in self.those(queue, "delayed") if each.is_debounced]
        message_id = self.client.enqueue(
            "A",
            queue_name=NAMES[queue],
            delay=timedelta(seconds=1),
            idempotency_key=f"debounced {queue}",
            on_duplicate="replace",
        )
        if waits:
            assert [message_id] == [each.message_id for each in waits]
            self.seen["replaced"] += 1
        else:
            assert message_id not in self.messages
            for each in self.messages.values():
                each.is_debounced &= each.queue != queue  # the key is that of the new one
        self.messages[message_id] = Message(
            message_id,
            queue,
            None,
            state="delayed",
            due=self.now + timedelta(seconds=1),
            is_debounced=True,
        )

    @rule(data=st.data(), queue=queues)
    def run_now(self, data: st.DataObject, queue: str) -> None:
        self.step()
        if waits := self.those(queue, "delayed"):
            message = data.draw(st.sampled_from(waits))
            self.client.run_message_now(message.message_id)
            self.seen["run now"] += 1
            message.state = "ready"

    def filled(self) -> list[str]:
        found = {each.queue for each in self.messages.values() if each.state == "ready"}
        return sorted(found)

    @precondition(lambda self: self.filled())
    @rule(data=st.data(), size=st.integers(1, 5))
    def claim(self, data: st.DataObject, size: int) -> None:
        self.step()
        self.claim_now(data.draw(st.sampled_from(self.filled())), size)

    def claim_now(self, queue: str, size: int) -> int:
        claimed = self.client.claim_batch([NAMES[queue]], size, "w")
        self.seen["claimed" if claimed else "nothing to claim"] += 1
        self.settle_late(queue, {each.message_id for each in claimed})
        if not claimed:
            return 0
        claim = Claim(claimed[0].claim_id, self.now + LEASE)
        limit = self.limits[queue]
        before = {key: self.in_hands(queue, key) for key in ("a", "b")}
        for each in claimed:
            message = self.messages[each.message_id]
            assert message.state == "ready"
            if message.key is not None and limit.get("ordered"):
                of_key = self.order[queue, message.key]
                mine = sum(self.messages[one].key == message.key for one in claim.open)
                assert before[message.key] == 0, "the key is in other hands"
                assert of_key[mine] == message.message_id, "it is not its turn"
            claim.open.append(message.message_id)
            message.state = "processing"
            for key in {None, message.key}:
                if (bucket := self.bucket(queue, key)) is not None:
                    bucket.take(self.now, 1)
            if "key_concurrency" in limit and message.key is not None:
                assert self.in_hands(queue, message.key) <= limit["key_concurrency"]
        assert len(self.those(queue, "processing")) <= limit.get("concurrency", 1000)
        self.claims.append(claim)
        return len(claimed)

    def settle_late(self, queue: str, claimed: set[int]) -> None:
        """Follow a claim in what it did not hand out, since it came too late."""
        assert not any(self.is_late(self.messages[each]) for each in claimed)
        settled = []
        for message in filter(self.is_late, self.those(queue, "ready")):
            found = self.client.message_status(message.message_id)
            if found is None or found.status in ("failed", "removed"):
                settled.append(message)
            elif message.key and claimed.intersection(self.order[queue, message.key]):
                self.seen["late before its turn"] += 1
        done = {each.message_id for each in settled}
        for message in settled:
            if message.key is not None and self.limits[queue].get("ordered"):
                of_key = self.order[queue, message.key]
                before = of_key[: of_key.index(message.message_id)]
                known = done | claimed if message.drops else done
                assert set(before) <= known, "it was not its turn"
        for message in settled:
            if message.drops:
                self.over(message, "dropped")
            elif self.limits[queue].get("on_failure") == "hold":
                message.state = "failed"
            else:
                self.over(message, "failed")
            self.seen[f"expired: {message.state}"] += 1

    def is_late(self, message: Message) -> bool:
        return message.expires_at is not None and message.expires_at <= self.now

    @precondition(lambda self: self.filled())
    @rule(data=st.data(), size=st.integers(2, 9))
    def claim_all(self, data: st.DataObject, size: int) -> None:
        """Once a claim finds nothing, nothing is left that need not wait."""
        self.step()
        queue = data.draw(st.sampled_from(self.filled()))
        while self.claim_now(queue, size):
            pass
        left = [each for each in self.those(queue, "ready") if self.may_go(each)]
        assert left == []
        waiting = self.conn.execute("select count(*) from symphony.parked").fetchone() or (0,)
        self.seen["waiting"] += waiting[0]

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        self.step()
        if not (held := self.held()):
            return
        claim = data.draw(st.sampled_from(held))
        ids = claim.open[: data.draw(st.integers(1, len(claim.open)))]
        assert self.client.ack(claim.claim_id, ids) == len(ids)
        for each in ids:
            claim.open.remove(each)
            self.over(self.messages[each], "completed")

    @precondition(lambda self: self.held())
    @rule(
        data=st.data(), way=st.sampled_from(["retry", "failed", "snooze"]), wait=st.integers(0, 2)
    )
    def put_off(self, data: st.DataObject, way: str, wait: int) -> None:
        self.step()
        if not (held := self.held()):
            return
        choices = [(claim, self.messages[each]) for claim in held for each in claim.open]
        choices += 3 * [each for each in choices if self.followers(*each)]
        claim, message = data.draw(st.sampled_from(choices))
        first = next(each for each in claim.open if self.messages[each].key == message.key)
        message = self.messages[first if message.key else message.message_id]
        for_how_long = timedelta(seconds=wait)
        if way == "snooze":
            done: Any = self.client.snooze(claim.claim_id, message.message_id, for_how_long)
            self.seen["snoozed"] += 1
        else:
            done = self.client.nack_with_backoff(
                claim.claim_id, message.message_id, "no", "E", way == "retry", for_how_long
            )
            assert done.outcome == way
            self.seen[f"nacked: {way}"] += 1
        holds = way != "failed" or self.limits[message.queue].get("on_failure") == "hold"
        returned = self.followers(claim, message) if holds else []
        assert done.returned == returned
        self.seen["returned"] += len(returned)
        self.give_back(claim, returned)
        claim.open.remove(message.message_id)
        message.due = min(self.now + for_how_long, message.expires_at or LATEST)
        message.state = "ready" if message.due <= self.now else "delayed"
        if way == "failed":
            message.state = "failed"
        if not holds and message.key is not None:
            self.order[message.queue, message.key].remove(message.message_id)

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.step()
        if not (held := self.held()):
            return
        claim = data.draw(st.sampled_from(held))
        ids = claim.open[data.draw(st.integers(0, len(claim.open) - 1)) :]
        assert self.client.release(claim.claim_id, ids) == len(ids)
        self.seen["released"] += len(ids)
        self.give_back(claim, ids)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.step()
        able = [each for each in self.messages.values() if each.state in ("ready", "delayed")]
        if not able:
            return
        message = data.draw(st.sampled_from(able))
        assert self.client.cancel(message.message_id) is True
        self.seen["cancelled"] += 1
        self.over(message, "cancelled")

    # Time

    @rule(seconds=st.sampled_from([0.1, 0.5, 2]))
    def wait(self, seconds: float) -> None:
        self.pass_time(timedelta(seconds=seconds))
        self.tick()

    @rule()
    def let_leases_end(self) -> None:
        self.pass_time(LEASE)
        self.tick()

    def tick(self) -> None:
        self.step()
        self.client.tick()
        for message in self.messages.values():
            if message.state == "delayed" and (message.due or self.now) <= self.now:
                message.state = "ready"
        for claim in self.claims:
            if claim.until <= self.now:
                self.seen["lease ended"] += len(claim.open)
                self.give_back(claim, claim.open[:])

    # Operators

    @rule(removes=st.booleans())
    def settle_failed(self, removes: bool) -> None:
        self.step()
        for queue in QUEUES:
            self.settle_failed_of(queue, removes)

    def teardown(self) -> None:
        for queue in QUEUES:  # what has failed until now has seldom met settle_failed()
            self.settle_failed_of(queue, len(self.messages) % 2 == 0)

    def settle_failed_of(self, queue: str, removes: bool) -> None:
        holds = QUEUES[queue].get("on_failure") == "hold"
        call = self.client.remove_failed if removes else self.client.retry_failed
        for message in self.those(queue, "failed"):
            assert call([message.message_id])[0].messages == 1
            self.seen["removed" if removes else "replayed"] += 1
            if message.key is not None and holds:
                if removes:
                    self.order[queue, message.key].remove(message.message_id)
            elif message.key is not None and not removes:
                self.order[queue, message.key].append(message.message_id)
            message.state, message.expires_at = ("cancelled" if removes else "ready"), None

    @rule(
        change=st.sampled_from(
            [
                ("key", {"key_concurrency": 1}),
                ("key", {"key_concurrency": 3}),
                ("all", {"concurrency": 2}),
                ("all", {"concurrency": 5}),
                ("held", {"concurrency": 2}),
            ]
        )
    )
    def change_a_limit(self, change: tuple[str, dict[str, int]]) -> None:
        self.step()
        queue, given = change
        self.client.configure_queue(NAMES[queue], **given)  # type: ignore[arg-type]
        self.limits[queue].update(given)
        self.seen["limit changed"] += 1

    # What must be true after every step

    @invariant()
    def nothing_is_broken(self) -> None:
        assert self.client.check() == []

    @invariant()
    def the_counts_agree(self) -> None:
        for stats in self.client.queue_stats():
            for queue, name in NAMES.items():
                if name == stats.queue_name:
                    counts = (stats.pending + stats.waiting, stats.delayed, stats.processing)
                    states = ("ready", "delayed", "processing")
                    assert counts == tuple(len(self.those(queue, state)) for state in states), name


def test_every_life_with_limits_is_that_of_the_model(conn: Connection) -> None:
    run_lives(conn, LimitedLife, EXAMPLES, REACHED)
