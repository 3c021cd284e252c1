"""The whole life of messages against a model: any sequence of calls, checked after every one.

A new verb is a new rule: call it, and do to `self.messages` what its contract says.
LIFE_EXAMPLES=1000 looks for longer.
"""

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from symphony_pg import LeaseLost, UnknownMessage
from tests.helpers import Connection
from tests.sessions.helpers import run_lives
from tests.sessions.model import LEASE, PRIORITIES, QUEUES, STATUS, Claim, Message, Model

EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "60"))
LARGEST = 8
REACHED = (
    *("claimed", "nothing to claim", "nacked: retry", "nacked: failed", "refused"),
    *("key in use", "key freed", "replayed", "removed", "recovered", "failed by a lease"),
    *("recovered a second time", "replayed into a lane for one"),
    *(f"a lease ended with {size} open" for size in ("one", "two", "more")),
    *("a lease ended of a claim that was settled in part", "released one", "released many"),
)
queues = st.sampled_from(sorted(QUEUES))
some_queues = st.lists(queues, min_size=1, max_size=3, unique=True)
elements = st.fixed_dictionaries(
    {"queue_name": queues},
    optional={
        "priority": st.sampled_from(PRIORITIES),
        "delay": st.sampled_from([0, 0.5, 5, 30]).map(lambda s: timedelta(seconds=s)),
        "idempotency_key": st.sampled_from(["k", "l"]),
    },
)


class Life(Model):
    """Calls in any order."""

    # Producers

    @initialize(batch=st.lists(elements, min_size=4, max_size=12))
    def begin(self, batch: list[dict[str, Any]]) -> None:
        self.enqueue_batch(batch)

    @rule(given=elements)
    def enqueue(self, given: dict[str, Any]) -> None:
        self.step()
        self.enqueued(self.client.enqueue("A", **given), given)

    @rule(batch=st.lists(elements, max_size=6))
    def enqueue_batch(self, batch: list[dict[str, Any]]) -> None:
        self.step()
        wire = [
            {name: str(v) if name == "delay" else v for name, v in each.items()} for each in batch
        ]
        ids = self.client.enqueue_batch([{"message_type": "A", **each} for each in wire])
        assert len(ids) == len(batch)
        for message_id, given in zip(ids, batch, strict=True):
            self.enqueued(message_id, given)

    @rule(given=elements)
    def enqueue_and_roll_back(self, given: dict[str, Any]) -> None:
        self.step()
        with self.conn.transaction(force_rollback=True):
            self.client.enqueue("A", **given)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.step()
        message = self.messages[data.draw(st.sampled_from(sorted(self.messages)))]
        if message.state == "cancelled":
            with pytest.raises(UnknownMessage):
                self.client.cancel(message.message_id)
        elif message.state in ("pending", "delayed"):
            assert self.client.cancel(message.message_id) is True
            message.state = "cancelled"
            self.free_key(message)
        elif self.may_be_gone(message):
            try:
                assert self.client.cancel(message.message_id) is False
            except UnknownMessage:
                message.state = "cancelled"
        else:
            assert self.client.cancel(message.message_id) is False

    # Consumers

    @rule(wanted=st.permutations(sorted(QUEUES)), size=st.integers(1, 5))
    def claim_from_any(self, wanted: list[str], size: int) -> None:
        self.claim(wanted, size)

    @rule(wanted=some_queues, size=st.integers(1, 5))
    def claim_from_some(self, wanted: list[str], size: int) -> None:
        self.claim(wanted, size)

    def claim(self, wanted: list[str], size: int) -> Claim | None:
        self.step()
        expected = self.next_batch(wanted, size)
        claimed = self.client.claim_batch(wanted, size, "w")
        assert [each.message_id for each in claimed] == expected
        self.seen["claimed" if claimed else "nothing to claim"] += 1
        if claimed:
            assert claimed[0].lease_until == self.now + LEASE
            self.claims[claimed[0].claim_id] = Claim(
                claimed[0].claim_id, self.now + LEASE, expected[:], len(expected)
            )
        for each in claimed:
            message = self.messages[each.message_id]
            assert each.attempt == message.attempt + 1
            message.state = "processing"
        return self.claims[claimed[0].claim_id] if claimed else None

    @rule(
        data=st.data(),
        queue=queues,
        priority=st.sampled_from(PRIORITIES),
        size=st.integers(1, LARGEST),
        is_first=st.booleans(),
        begins=st.sampled_from(["", "", "ack", "release"]),
        nack=st.sampled_from([None, None, True, False]),
        ends=st.sampled_from(["silence", "silence", "release"]),
    )
    def work_a_little(
        self,
        data: st.DataObject,
        queue: str,
        priority: int,
        size: int,
        is_first: bool,
        begins: str,
        nack: bool | None,
        ends: str,
    ) -> None:
        """A worker claims, settles some of it or nothing, and vanishes or gives the rest back."""
        if queue in self.paused or is_first:
            self.resume(queue)
            self.purge_queue(queue)
        self.enqueue_batch([{"queue_name": queue, "priority": priority}] * size)
        claim = self.claim([queue], size)
        assert claim is not None
        if begins and ends == "silence":
            self.step()
            (self.ack_these if begins == "ack" else self.release_these)(claim, data)
        if claim.open and nack is not None:
            self.step()
            self.nack_one(claim, claim.open[len(claim.open) // 2], nack, None)
        self.nothing_is_broken()
        self.each_message_is_where_it_should_be()
        if ends == "release":
            self.step()
            self.release_these(claim, data)
        else:
            self.pass_time(LEASE)
            self.tick()

    def suspects(self) -> list[str]:
        """Return the queues where messages wait whose worker has vanished."""
        waiting = (self.messages[each] for each in self.ids("pending"))
        return sorted({each.queue for each in waiting if each.alone} - self.paused)

    @precondition(lambda self: self.suspects())
    @rule(data=st.data())
    def take_another_worker_down(self, data: st.DataObject) -> None:
        self.claim([data.draw(st.sampled_from(self.suspects()))], LARGEST)
        self.pass_time(LEASE)
        self.tick()

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        self.step()
        self.ack_these(self.some_claim(data), data)

    def ack_these(self, claim: Claim, data: st.DataObject) -> None:
        ids = data.draw(st.none() | st.lists(st.sampled_from(claim.open or [0]), unique=True))
        with self.refused_unless(self.is_held(claim) and ids != []):
            assert self.client.ack(claim.claim_id, ids) == len(claim.open if ids is None else ids)
            self.settle(claim, claim.open[:] if ids is None else ids, "completed")

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        retryable=st.sampled_from([True, True, False]),
        wait=st.sampled_from([None, 0, 5]),
    )
    def nack(self, data: st.DataObject, retryable: bool, wait: float | None) -> None:
        self.step()
        claim = self.some_claim(data)
        message_id = data.draw(st.sampled_from(claim.open or [0]))
        self.nack_one(claim, message_id, retryable, wait)

    def nack_one(self, claim: Claim, message_id: int, retryable: bool, wait: float | None) -> None:
        retry_after = None if wait is None else timedelta(seconds=wait)
        with self.refused_unless(self.is_held(claim)):
            nacked = self.client.nack_with_backoff(
                claim.claim_id, message_id, "no", "E", retryable, retry_after
            )
            message = self.messages[message_id]
            message.attempt += 1
            retried = retryable and message.attempt < QUEUES[message.queue]["max_attempts"]
            self.seen[f"nacked: {nacked.outcome}"] += 1
            assert nacked.outcome == ("retry" if retried else "failed")
            self.settle(claim, [message_id], "delayed" if retried else "failed")
            message.due = nacked.available_at
            message.took_its_worker_down = False
            if message.due is not None:
                self.check_wait(message, message.due - self.now, retry_after)
                if message.due <= self.now:
                    self.put_into_log([message])  # no tick has to find it

    @staticmethod
    def check_wait(message: Message, waits: timedelta, retry_after: timedelta | None) -> None:
        given = QUEUES[message.queue]
        if retry_after is not None:
            assert waits == retry_after
            return
        most: timedelta = given.get("retry_max_delay", timedelta(seconds=30))
        mean = min(timedelta(seconds=2 ** (message.attempt - 1)), most)
        near = timedelta(microseconds=2)
        spread = mean * given["retry_jitter"] + near
        assert mean - spread <= waits <= mean + spread

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.step()
        self.release_these(self.some_claim(data), data)

    def release_these(self, claim: Claim, data: st.DataObject) -> None:
        ids = data.draw(st.none() | st.lists(st.sampled_from(claim.open or [0]), unique=True))
        with self.refused_unless(self.is_held(claim) and ids != []):
            self.client.release(claim.claim_id, ids)
            back = claim.open[:] if ids is None else ids
            self.seen["released one" if len(back) == 1 else "released many"] += 1
            self.settle(claim, back, "pending")
            self.put_into_log(self.messages[each] for each in back)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def settle_what_is_not_held(self, data: st.DataObject) -> None:
        """A message of another claim, or of no claim, in the name of a claim."""
        self.step()
        claim = self.some_claim(data)
        foreign = [each for each in self.messages if each not in claim.open] or [0]
        ids = [*claim.open, data.draw(st.sampled_from(foreign))]
        with pytest.raises(LeaseLost):
            self.client.ack(claim.claim_id, ids)
        with pytest.raises(LeaseLost):
            self.client.release(claim.claim_id, ids)
        with pytest.raises(LeaseLost):
            self.client.nack_with_backoff(claim.claim_id, ids[-1], "no")

    @precondition(lambda self: self.claims)
    @rule(seconds=st.sampled_from([0.5, 20]))
    def extend_leases(self, seconds: float) -> None:
        self.step()
        lease = timedelta(seconds=seconds)
        held = [each for each in self.claims.values() if self.is_held(each)]
        extended = self.client.extend_lease(sorted(self.claims), lease)
        assert sorted(extended) == sorted(each.claim_id for each in held)
        for claim in held:
            claim.until = self.now + lease

    # Time

    @rule(seconds=st.sampled_from([0.4, 2, 11, 70]))
    def wait(self, seconds: float) -> None:
        self.pass_time(timedelta(seconds=seconds))

    @rule()
    def tick(self) -> None:
        self.step()
        report = self.client.tick()
        due = [
            self.messages[each]
            for each in self.ids("delayed")
            if (self.messages[each].due or self.now) <= self.now
        ]
        assert (report["ran"], report["promoted"]) == (True, len(due))
        self.put_into_log(due)
        recovered = failed = 0
        for claim in self.claims.values():
            if claim.open and claim.until <= self.now:
                size = {1: "one", 2: "two"}.get(len(claim.open), "more")
                self.seen[f"a lease ended with {size} open"] += 1
                if len(claim.open) < claim.size:
                    self.seen["a lease ended of a claim that was settled in part"] += 1
            for message_id in claim.open if claim.until <= self.now else []:
                message = self.messages[message_id]
                message.attempt += 1
                if message.attempt >= QUEUES[message.queue]["max_attempts"]:
                    message.state = "failed"
                    message.took_its_worker_down = True
                    failed += 1
                else:
                    self.seen["recovered a second time"] += message.alone
                    message.alone = True
                    self.put_into_log([message])
                    recovered += 1
            if claim.until <= self.now:
                claim.open.clear()
        assert (report["recovered"], report["failed"]) == (recovered, failed)
        self.seen["recovered"] += recovered
        self.seen["failed by a lease"] += failed

    # Operators

    @rule(queue=st.sampled_from([None, None, *sorted(QUEUES)]))
    def pause_or_resume(self, queue: str | None) -> None:
        self.step()
        if queue is None:  # a paused queue makes dull lives
            for each in sorted(self.paused):
                assert self.client.resume_queue(each)
            self.paused.clear()
            return
        if queue in self.paused:
            self.resume(queue)
        else:
            assert self.client.pause_queue(queue)
            self.paused.add(queue)

    def resume(self, queue: str) -> None:
        assert self.client.resume_queue(queue) == (queue in self.paused)
        self.paused.discard(queue)

    @precondition(lambda self: self.transactions % 4 == 0)
    @rule(queue=queues)
    def purge_queue(self, queue: str) -> None:
        self.step()
        self.client.purge_queue(queue)
        for message_id in self.ids("pending"):
            message = self.messages[message_id]
            if message.queue == queue:
                message.state, message.ended = "removed", self.now
                self.free_key(message)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), per_second=st.sampled_from([None, None, 0.5]))
    def replay(self, data: st.DataObject, per_second: float | None) -> None:
        """Some that have failed, and perhaps one that has not."""
        self.step()
        ids = self.some_failed(data)
        outcomes = self.client.retry_failed(ids, per_second=per_second)
        back = [each for each in ids if self.messages[each].state == "failed"]
        assert [each.message_id for each in outcomes if each.messages] == back
        for message in (self.messages[each] for each in back):
            self.seen["replayed"] += 1
            self.seen["replayed into a lane for one"] += message.took_its_worker_down
            message.attempt = 0
            message.alone = message.took_its_worker_down
            message.state = "delayed"
        if per_second is None:
            self.put_into_log(self.messages[each] for each in back)
        else:
            for message_id, _, state, _, _, due in self.conn.execute(STATUS, [back]).fetchall():
                assert state == "delayed"
                self.messages[message_id].due = due

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.step()
        ids = self.some_failed(data)
        outcomes = self.client.remove_failed(ids)
        gone = [each for each in ids if self.messages[each].state == "failed"]
        assert [each.message_id for each in outcomes if each.messages] == gone
        for each in gone:
            self.seen["removed"] += 1
            self.messages[each].state = "cancelled"
            self.free_key(self.messages[each])

    @rule(queue=queues, removes=st.booleans())
    def settle_all_failed(self, queue: str, removes: bool) -> None:
        """By a filter, after a dry run that says how many."""
        self.step()
        failed = [each for each in self.ids("failed") if self.messages[each].queue == queue]
        call = self.client.remove_failed if removes else self.client.retry_failed
        assert call(queue_name=queue, dry_run=True)[0].messages == len(failed)
        assert call(queue_name=queue)[0].messages == len(failed)
        for message in (self.messages[each] for each in failed):
            message.attempt = 0
            message.alone = message.took_its_worker_down
            message.state = "cancelled"
            if removes:
                self.free_key(message)
            else:
                self.put_into_log([message])

    def some_failed(self, data: st.DataObject) -> list[int]:
        others = sorted(self.messages)[-2:]
        return sorted(data.draw(st.sets(st.sampled_from(self.ids("failed") * 3 + others))))


def test_every_life_is_that_of_the_model(conn: Connection) -> None:
    run_lives(conn, Life, EXAMPLES, REACHED)
