"""The processes of test_ordered.py: producers, claimers and an operator, killed at any moment.

Run as `python ordered.py producer|claimer|operator DSN SEED MESSAGES`. What a process knows of a
message it writes into the tables of the test, in the transaction that does it: so both happen, or
neither does.
"""

from __future__ import annotations

import json
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if __name__ == "__main__":  # started as a program, by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from tests.helpers import Connection

LEASE = 2.0
CUT_OFF = ("57P01", "57P02", "57P03")
DRAW = "update number set n = n + 1 where k = %s returning n"
DONE = "insert into done (k, n, claim_id) select * from unnest(%s::int[], %s::int[], %s::bigint[])"
GONE = "insert into gone (k, n, why) select (body ->> 'k')::int, (body ->> 'n')::int, %s from "


class Producer:
    """Draws the numbers of keys under a lock, so that a key's transactions do not overlap."""

    def __init__(self, rng: random.Random, messages: int) -> None:
        self.rng = rng
        self.messages = messages

    def work(self, conn: Connection) -> None:
        rng = self.rng
        total, keys = conn.execute("select sum(n), count(*) from number").fetchone() or (0, 0)
        if total >= self.messages:
            time.sleep(0.2)
            return
        conn.execute("begin")
        mine = sorted({rng.randrange(keys) for _ in range(rng.randint(1, 4))})
        for key in mine:
            conn.execute("select pg_advisory_xact_lock(77, %s)", [key])
        for _ in range(rng.randint(1, 4)):
            batch = []
            for _ in range(rng.randint(1, 12)):
                key = rng.choice(mine)
                (n,) = conn.execute(DRAW, [key]).fetchone() or (0,)
                batch.append(
                    {
                        "message_type": "T",
                        "queue_name": "q",
                        "group_key": f"k{key}",
                        "body": {"k": key, "n": n},
                    }
                )
            conn.execute("select symphony.enqueue_batch(%s)", [json.dumps(batch)])
            time.sleep(rng.choice([0, 0, 0, 0.01]) * rng.random())
        conn.execute("rollback" if rng.random() < 0.1 else "commit")


class Claimer:
    """Claims, works on the messages of each key in order, and settles in every way there is."""

    def __init__(self, rng: random.Random, messages: int) -> None:
        self.rng = rng
        self.claim_id = 0
        self.left: list[tuple[int, int, int]] = []  # message_id, k, n

    def work(self, conn: Connection) -> None:
        rng = self.rng
        if rng.random() < 0.1:
            conn.execute("select symphony.tick()")
        rows = conn.execute(
            "select claim_id, message_id, body from symphony.claim_batch('{q}', %s, 'stress', %s)",
            [rng.choice([1, 3, 10, 30, 100]), f"{LEASE} s"],
        ).fetchall()
        if not rows:
            time.sleep(0.01 * rng.random())
            return
        self.claim_id = rows[0][0]
        self.left = [(message_id, body["k"], body["n"]) for _, message_id, body in rows]
        try:
            while self.left:
                self.step(conn)
        except psycopg.Error as error:
            if error.sqlstate not in ("SY010", "SY013"):  # its lease ended: the machine was slow
                raise
            conn.execute("rollback")

    def step(self, conn: Connection) -> None:
        rng = self.rng
        way = rng.random()
        time.sleep(rng.choice([0, 0, 0, 0.005]) * rng.random())
        if way < 0.005:
            self.left = []  # forgotten: its lease ends
        elif way < 0.9:
            self.ack(conn, self.left[: rng.choice([1, 5, len(self.left)])])
        elif way < 0.94:
            self.put_off(
                conn,
                "nack_with_backoff(%s, %s, 'x', retryable => true, "
                f"retry_after => '{rng.choice([0, 0, 20, 200])} ms')",
            )
        elif way < 0.95:
            self.put_off(conn, "nack_with_backoff(%s, %s, 'x', retryable => false)")
        elif way < 0.98:
            self.put_off(conn, f"snooze(%s, %s, '{rng.choice([0, 20, 200])} ms')")
        else:
            ids = [message_id for message_id, _, _ in self.left[rng.randrange(len(self.left)) :]]
            conn.execute("select symphony.release(%s, %s)", [self.claim_id, ids])
            self.left = [each for each in self.left if each[0] not in ids]

    def ack(self, conn: Connection, done: list[tuple[int, int, int]]) -> None:
        ids = [message_id for message_id, _, _ in done]
        conn.execute("begin")
        conn.execute(
            DONE, [[k for _, k, _ in done], [n for _, _, n in done], [self.claim_id] * len(done)]
        )
        conn.execute("select symphony.ack(%s, %s)", [self.claim_id, ids])
        conn.execute("commit")
        self.left = self.left[len(done) :]

    def put_off(self, conn: Connection, call: str) -> None:
        """Settle the first message without success; what is returned must be what follows it."""
        head = self.left.pop(0)
        conn.execute("begin")
        outcome, returned = conn.execute(
            f"select outcome, returned from symphony.{call}".encode(), [self.claim_id, head[0]]
        ).fetchone() or ("", [])
        if outcome == "failed":
            conn.execute("insert into gone values (%s, %s, 'failed')", [head[1], head[2]])
        conn.execute("commit")
        followers = [each[0] for each in self.left if each[1] == head[1]]
        (ordered,) = conn.execute(
            "select ordered from symphony.queue where queue_name = 'q'"
        ).fetchone() or (0,)
        expected = followers if ordered and outcome != "failed" else []
        if returned != expected:
            raise AssertionError(f"{outcome}: returned {returned}, not {expected}")
        self.left = [each for each in self.left if each[0] not in returned]
        if returned and self.rng.random() < 0.2:  # which may not be settled
            with suppress(psycopg.Error):
                conn.execute("select symphony.ack(%s, %s)", [self.claim_id, returned])
                raise AssertionError("what was returned could be settled")


class Operator:
    """Cancels messages that wait, and ticks."""

    def __init__(self, rng: random.Random, messages: int) -> None:
        self.rng = rng

    def work(self, conn: Connection) -> None:
        conn.execute("select symphony.tick()")
        time.sleep(0.02)
        rows = conn.execute(
            "select message_id, body from symphony.message tablesample system (1)"
            " union all select message_id, body from symphony.delayed_message limit 3"
        ).fetchall()
        if not rows or self.rng.random() < 0.7:
            return
        message_id, body = self.rng.choice(rows)
        conn.execute("begin")
        with suppress(psycopg.Error):  # it is settled and purged meanwhile
            (is_gone,) = conn.execute("select symphony.cancel(%s)", [message_id]).fetchone() or (0,)
            if is_gone:
                conn.execute(
                    "insert into gone values (%s, %s, 'cancelled')", [body["k"], body["n"]]
                )
        conn.execute("commit")


ROLES: dict[str, type[Producer | Claimer | Operator]] = {
    "producer": Producer,
    "claimer": Claimer,
    "operator": Operator,
}


def main(role: str, dsn: str, seed: str, messages: str) -> None:
    actor = ROLES[role](random.Random(int(seed)), int(messages))
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    actor.work(conn)
        except psycopg.Error as error:
            is_deadlock = error.sqlstate == "40P01"
            if error.sqlstate is not None and error.sqlstate not in CUT_OFF and not is_deadlock:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
