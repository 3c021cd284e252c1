"""The processes of test_ordered.py: producers, claimers and an operator, killed at any moment.

Run as `python ordered.py producer|claimer|operator DSN SEED`. What a process knows it
writes into the tables of the test, in the transaction that does it: so both happen, or neither
does. `fate` has what became of a message, and `event` whatever else happened.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

if TYPE_CHECKING:  # what is killed all the time should start fast
    from tests.helpers import Connection

LEASE = 1.0
LOST = ("SY010", "SY013")  # a worker has lost the lease, or what it had was given back
PURGED = "SY003"
CUT_OFF = ("57P01", "57P02", "57P03")
DRAW = "update number set n = n + 1 where k = %s returning n"
FATE = "insert into fate (what, k, n) select %s, * from unnest(%s::int[], %s::int[])"
TICK = """
    insert into event select 'lease ended', recovered
    from symphony.tick() as t, cast(t ->> 'recovered' as integer) as recovered where recovered > 0
"""
WAYS = {"ack": 88, "retry": 4, "snooze": 4, "release": 3, "fail": 1, "forget": 0.3, "stall": 0.3}
# One message of each kind that may be cancelled; a random key or number chooses which one.
CHOOSE = {
    "parked": "select message_id, body from symphony.parked join symphony.message using "
    "(message_id) where parked.queue_name = 'q' and parked.group_key >= %(key)s "
    "order by parked.group_key, place, ordinal limit 1 offset %(number)s",
    "delayed": "select message_id, body from symphony.delayed_message "
    "order by random() limit 1",
    "pending": "select message_id, body from symphony.message as m where not exists "
    "(select from symphony.parked as p where p.message_id = m.message_id) and lane_id = "
    "(select lane_id from symphony.lane where queue_name = 'q' and priority = 5 and not alone) "
    "order by txid desc, message_id desc limit 1 offset %(number)s",
}  # fmt: skip


class Message(NamedTuple):
    """A message, the number of its key, and its number in the order of the key."""

    id: int
    k: int
    n: int


def row(conn: Connection, statement: str, *arguments: object) -> Any:
    return conn.execute(statement.encode(), arguments).fetchone()


def note(conn: Connection, event: str, messages: int = 1) -> None:
    if messages:
        conn.execute("insert into event values (%s, %s)", [event, messages])


def end(conn: Connection, fate: str, messages: list[Message]) -> None:
    conn.execute(FATE, [fate, [each.k for each in messages], [each.n for each in messages]])


class Actor:
    """One of the processes: it works on and on, over whatever connection there is."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.is_ordered = self.holds = False

    def begin(self, conn: Connection) -> None:
        self.is_ordered, self.holds = row(
            conn, "select ordered, on_failure = 'hold' from symphony.queue where queue_name = 'q'"
        )

    def work(self, conn: Connection) -> None:
        raise NotImplementedError


class Producer(Actor):
    """Draws the numbers of keys under a lock, so that a key's transactions do not overlap."""

    def work(self, conn: Connection) -> None:
        enough, keys = row(
            conn, "select sum(n) >= (select messages from goal), count(*) from number"
        )
        if enough:
            time.sleep(0.2)
            return
        is_undone = self.rng.random() < 0.1
        with conn.transaction(force_rollback=is_undone):
            mine = sorted({self.rng.randrange(keys) for _ in range(self.rng.randint(1, 4))})
            for key in mine:
                conn.execute("select pg_advisory_xact_lock(77, %s)", [key])
            for _ in range(self.rng.randint(1, 4)):
                self.enqueue(conn, [self.rng.choice(mine) for _ in range(self.rng.randint(1, 12))])
                time.sleep(self.rng.choice([0, 0, 0, 0.01]) * self.rng.random())
        if is_undone:
            note(conn, "transaction of a producer rolled back")

    def enqueue(self, conn: Connection, keys: list[int]) -> None:
        bodies = [{"k": key, "n": row(conn, DRAW, key)[0]} for key in keys]
        message = {"message_type": "T", "queue_name": "q"}
        batch = [{**message, "group_key": f"k{body['k']}", "body": body} for body in bodies]
        conn.execute("select symphony.enqueue_batch(%s)", [json.dumps(batch)])


class Claimer(Actor):
    """Claims, works on the messages of each key in order, and settles in every way there is."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.claim_id = 0
        self.left: list[Message] = []
        self.returned: list[int] = []

    def work(self, conn: Connection) -> None:
        if self.rng.random() < 0.1:
            conn.execute(TICK)
        if not self.left and not self.claim(conn):
            time.sleep(0.01 * self.rng.random())
        try:
            while self.left:
                self.settle(conn)
        except psycopg.Error as error:
            if error.sqlstate not in LOST:
                raise
            self.left = []
            note(conn, "settled too late")

    def claim(self, conn: Connection) -> bool:
        rows = conn.execute(
            "select claim_id, message_id, body from symphony.claim_batch('{q}', %s, 'stress', %s)",
            [self.rng.choice([1, 3, 10, 30, 100]), f"{LEASE} s"],
        ).fetchall()
        for self.claim_id, _, _ in rows[:1]:
            self.left = [Message(id_, body["k"], body["n"]) for _, id_, body in rows]
        return bool(rows)

    def settle(self, conn: Connection) -> None:
        """Settle some in some way; a few of these transactions are rolled back."""
        time.sleep(self.rng.choice([0, 0, 0, 0.005]) * self.rng.random())
        (way,) = self.rng.choices(list(WAYS), list(WAYS.values()))
        is_undone = self.rng.random() < 0.02
        self.returned = []
        with conn.transaction(force_rollback=is_undone):
            left: list[Message] = getattr(self, way)(conn)
        if is_undone:
            note(conn, "settlement rolled back")
            return
        self.left = left
        if self.returned and self.rng.random() < 0.2:
            self.expect_refusal(conn)

    def ack(self, conn: Connection) -> list[Message]:
        size = self.rng.choice([1, 5, len(self.left)])
        end(conn, "done", self.left[:size])
        ids = [each.id for each in self.left[:size]]
        conn.execute("select symphony.ack(%s, %s)", [self.claim_id, ids])
        return self.left[size:]

    def retry(self, conn: Connection) -> list[Message]:
        wait = self.rng.choice([0, 0, 20, 200])
        return self.put_off(conn, f"nack_with_backoff(%s, %s, 'x', retry_after => '{wait} ms')")

    def fail(self, conn: Connection) -> list[Message]:
        return self.put_off(conn, "nack_with_backoff(%s, %s, 'x', retryable => false)")

    def snooze(self, conn: Connection) -> list[Message]:
        return self.put_off(conn, f"snooze(%s, %s, '{self.rng.choice([0, 20, 200])} ms')")

    def put_off(self, conn: Connection, call: str) -> list[Message]:
        """Settle the first message of a key without success; what follows it must be returned."""
        key = self.rng.choice(self.left).k
        head, *others = [each for each in self.left if each.k == key]
        outcome, returned = row(
            conn, f"select outcome, returned from symphony.{call}", self.claim_id, head.id
        )
        is_over = outcome == "failed" and not self.holds
        followers = others if self.is_ordered and not is_over else []
        assert returned == [each.id for each in followers], (outcome, returned, followers)
        if is_over:
            end(conn, "failed", [head])
        note(conn, outcome)
        note(conn, "returned", len(returned))
        self.returned = returned
        return [each for each in self.left if each != head and each not in followers]

    def expect_refusal(self, conn: Connection) -> None:
        try:
            conn.execute("select symphony.ack(%s, %s)", [self.claim_id, self.returned])
        except psycopg.Error as error:
            if error.sqlstate not in LOST:
                raise
            note(conn, "returned, and refused")
        else:
            raise AssertionError("what was returned could be settled")

    def release(self, conn: Connection) -> list[Message]:
        """Give some back; in an ordered queue what follows them goes with them."""
        chosen = self.rng.sample(self.left, self.rng.randint(1, len(self.left)))
        first = {each.k: each.n for each in sorted(chosen, key=lambda each: -each.n)}
        kept = [
            each
            for each in self.left
            if each not in chosen
            and not (self.is_ordered and each.k in first and each.n > first[each.k])
        ]
        ids = [each.id for each in chosen]
        (released,) = row(conn, "select symphony.release(%s, %s)", self.claim_id, ids)
        assert released == len(self.left) - len(kept), (released, self.left, kept)
        note(conn, "released", released)
        return kept

    def forget(self, _: Connection) -> list[Message]:
        return []

    def stall(self, _: Connection) -> list[Message]:
        time.sleep(LEASE * 1.5)
        return self.left


class Operator(Actor):
    """Ticks and purges, cancels what has not started, and decides what becomes of what failed."""

    def work(self, conn: Connection) -> None:
        conn.execute(TICK)
        conn.execute("select symphony.purge()")
        time.sleep(0.02)
        choice = {"key": f"k{self.rng.randrange(100)}", "number": self.rng.randrange(4)}
        for state in CHOOSE if self.rng.random() < 0.3 else ():
            found = conn.execute(CHOOSE[state].encode(), choice).fetchone()
            if found is not None:
                self.cancel(conn, state, *found)
        failed = row(
            conn, "select message_id, body from symphony.failed_message order by random() limit 1"
        )
        if failed is not None and self.holds:
            self.decide(conn, *failed)

    def cancel(self, conn: Connection, state: str, id_: int, body: dict[str, int]) -> None:
        note(conn, f"to be cancelled, {state}")
        try:
            with conn.transaction():
                if row(conn, "select symphony.cancel(%s)", id_)[0]:
                    end(conn, f"cancelled, {state}", [Message(id_, body["k"], body["n"])])
        except psycopg.Error as error:
            if error.sqlstate != PURGED:
                raise

    def decide(self, conn: Connection, id_: int, body: dict[str, int]) -> None:
        """Bring the head of a key back that failed, or remove it."""
        with conn.transaction():
            if self.rng.random() < 0.5:
                conn.execute("select symphony.retry_failed(array[%s::bigint])", [id_])
                note(conn, "replayed")
            else:
                conn.execute("select symphony.remove_failed(array[%s::bigint])", [id_])
                end(conn, "removed", [Message(id_, body["k"], body["n"])])


def main(role: str, dsn: str, seed: str) -> None:
    roles = {"producer": Producer, "claimer": Claimer, "operator": Operator}
    actor = roles[role](random.Random(int(seed)))
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # a server that ends is no news
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                actor.begin(conn)
                while True:
                    actor.work(conn)
        except psycopg.Error as error:
            if error.sqlstate is not None and error.sqlstate not in CUT_OFF:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
