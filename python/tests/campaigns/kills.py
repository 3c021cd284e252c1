"""The processes of test_kills.py: producers and claimers that are killed at any moment.

Run as `python kills.py producer|claimer DSN SEED FILE`. Each line of FILE is a word, message ids
and perhaps their claim. "committing" and "acking" are written before the server is asked, every
other word after it answered: so a kill leaves no message without a witness.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import psycopg

if TYPE_CHECKING:  # what is killed all the time should start fast
    from tests.helpers import Connection

QUEUES = ["chaos", "default"]
LEASE = 0.5
# Leases stand still while nobody ticks for 5 seconds, and begin anew at the first tick afterwards.
STOOD_STILL = """
    select exists (select from symphony.claim where claim_id = %s and renewed_at is not null)
        or not exists (select from symphony.tick
                       where ticked_at between now() - interval '5 s' and now() - interval '1 s')
"""


def connections(dsn: str) -> Iterator[Connection]:
    """Yield a connection, and a new one whenever the last was lost."""
    while True:
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(dsn, autocommit=True, connect_timeout=5) as conn,
        ):
            while not conn.closed:
                yield conn
        time.sleep(0.05)


def close_if_lost(conn: Connection, error: psycopg.Error) -> None:
    """Close a connection that was cut off; raise any other error, a deadlock say."""
    if not conn.closed and error.sqlstate is not None and not error.sqlstate.startswith("57P"):
        raise error
    conn.close()


class Log:
    """What a process has done, told line by line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def tell(self, word: str, ids: list[int], claim_id: int | None = None) -> None:
        self._file.write(json.dumps([word, ids, claim_id]) + "\n")
        self._file.flush()


class Producer:
    """Enqueues in transactions of any length; some are rolled back, whole or in part."""

    def __init__(self, rng: random.Random, log: Log) -> None:
        self.rng = rng
        self.log = log

    def enqueue(self, conn: Connection, queue: str) -> list[int]:
        rng = self.rng
        if rng.random() < 0.3:
            batch = [
                {
                    "message_type": "Chaos",
                    "queue_name": queue,
                    "priority": rng.choice([0, 5, 9]),
                    **({"delay": f"{rng.random():.2f} s"} if rng.random() < 0.1 else {}),
                }
                for _ in range(rng.randint(1, 60))
            ]
            rows = conn.execute("select symphony.enqueue_batch(%s)", [json.dumps(batch)])
            return [message_id for (message_id,) in rows]
        delay = f"{rng.random():.2f} s" if rng.random() < 0.2 else None
        rows = conn.execute(
            "select symphony.enqueue('Chaos', queue_name => %s, priority => %s, delay => %s)",
            [queue, rng.choice([0, 5, 5, 5, 9]), delay],
        )
        return [message_id for (message_id,) in rows]

    def work(self, conn: Connection) -> None:
        rng = self.rng
        queue = rng.choice(QUEUES)
        kept: list[int] = []
        undone: list[int] = []
        end = "rollback" if rng.random() < 0.1 else "commit"
        outcome = "rolledback"
        try:
            conn.execute("begin")
            for _ in range(rng.randint(1, 5)):
                conn.execute("savepoint step")
                ids = self.enqueue(conn, queue)
                if rng.random() < 0.1:
                    conn.execute("rollback to step")
                    undone += ids
                else:
                    kept += ids
                time.sleep(rng.choice([0, 0, 0.002, 0.02, 0.2]) * rng.random())
            if rng.random() < 0.03:
                time.sleep(2 * rng.random())
            if end == "commit":
                self.log.tell("committing", kept)
                outcome = "unknown"
            conn.execute(end.encode())
            if end == "commit":
                outcome = f"committed-{queue}"
        finally:
            self.log.tell(outcome, kept)
            self.log.tell("rolledback", undone)


class Claimer:
    """Claims, and settles or does not; a claim outlives the connection it was made on.

    Claims are committed asynchronously, settlements are not: as a worker does it.
    """

    def __init__(self, rng: random.Random, log: Log) -> None:
        self.rng = rng
        self.log = log
        self.claim_id = 0
        self.ids: list[int] = []
        self.held_since = 0.0

    def work(self, conn: Connection) -> None:
        if not self.ids:
            self.claim(conn)
        if self.ids:
            self.settle(conn)
        else:
            time.sleep(0.01)

    def claim(self, conn: Connection) -> None:
        rng = self.rng
        if rng.random() < 0.2:
            conn.execute("select symphony.tick()")
        conn.execute("set synchronous_commit = off")
        rows = conn.execute(
            "select claim_id, message_id from symphony.claim_batch(%s, %s, 'chaos', %s)",
            [rng.sample(QUEUES, 2), rng.choice([1, 3, 10, 50, 200]), f"{LEASE} s"],
        ).fetchall()
        if rows:
            self.claim_id = rows[0][0]
            self.ids = [message_id for _, message_id in rows]
            self.held_since = time.monotonic()
            self.log.tell("handed", self.ids, self.claim_id)
        conn.execute("set synchronous_commit = on")

    def settle(self, conn: Connection) -> None:
        """Settle what is left of the claim in one of the ways there are."""
        rng = self.rng
        way = rng.random()
        time.sleep(rng.choice([0, 0, 0.01, 0.1]) * rng.random())
        try:
            if way < 0.05:
                self.log.tell("forgotten", self.ids)
            elif way < 0.1:
                self.settle_late(conn)
            elif way < 0.15:
                conn.execute("select symphony.extend_lease(%s, '300 ms')", [[self.claim_id]])
                self.held_since = time.monotonic()
                return
            elif way < 0.65:
                self.ack(conn, self.ids)
            elif way < 0.8:
                self.ack(conn, rng.sample(self.ids, len(self.ids) // 2 + 1))
                if self.ids:
                    self.release(conn)
            else:
                self.nack(conn)
            self.ids = []
        except psycopg.Error as error:
            # A slow machine may let a lease end before the settlement: that is refused too.
            if error.sqlstate != "SY010":
                raise
            self.log.tell("refused", self.ids)
            self.ids = []

    def ack(self, conn: Connection, ids: list[int]) -> None:
        self.log.tell("acking", ids)
        conn.execute("select symphony.ack(%s, %s)", [self.claim_id, ids])
        self.log.tell("acked", ids)
        self.ids = [message_id for message_id in self.ids if message_id not in ids]

    def release(self, conn: Connection) -> None:
        conn.execute("select symphony.release(%s, %s)", [self.claim_id, self.ids])
        self.log.tell("released", self.ids)

    def nack(self, conn: Connection) -> None:
        while self.ids:
            conn.execute(
                "select symphony.nack_with_backoff(%s, %s, 'chaos', retryable => %s)",
                [self.claim_id, self.ids[0], self.rng.random() < 0.9],
            )
            self.log.tell("nacked", [self.ids.pop(0)])

    def settle_late(self, conn: Connection) -> None:
        """Try what nobody may do whose lease has ended, unless the server was away meanwhile."""
        time.sleep(max(0.0, self.held_since + 2 * LEASE - time.monotonic()))
        way = self.rng.choice(
            ["ack(%s, %s)", "release(%s, %s)", "nack_with_backoff(%s, %s, 'late')"]
        )
        ids = self.ids[0] if way.startswith("nack") else self.ids
        conn.execute(f"select symphony.{way}".encode(), [self.claim_id, ids])
        stood_still = conn.execute(STOOD_STILL, [self.claim_id]).fetchone() == (True,)
        self.log.tell("late after an outage" if stood_still else "late", self.ids)


def main(role: str, dsn: str, seed: str, path: str) -> None:
    rng = random.Random(int(seed))
    with Path(path).open("a") as file:
        actor = (Producer if role == "producer" else Claimer)(rng, Log(file))
        for conn in connections(dsn):
            try:
                actor.work(conn)
            except psycopg.OperationalError as error:
                close_if_lost(conn, error)


if __name__ == "__main__":
    main(*sys.argv[1:])
