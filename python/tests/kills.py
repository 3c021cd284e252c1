"""The processes of test_kills.py: producers and claimers that are killed at any moment.

Run as `python kills.py producer|claimer DSN SEED FILE`. A line is written to FILE after the server
has confirmed what it says, so that a kill can only make the file say too little.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import psycopg

QUEUES = ["chaos", "default"]


def connections(dsn: str, seed: int) -> Iterator[tuple[psycopg.Connection, random.Random]]:
    """Yield a connection, and a new one whenever the last was lost."""
    rng = random.Random(seed)
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    yield conn, rng
        except psycopg.OperationalError:
            time.sleep(0.1)


def enqueue_some(conn: psycopg.Connection, rng: random.Random) -> list[int]:
    """Enqueue a few messages in one of the ways there are."""
    queue = rng.choice(QUEUES)
    if rng.random() < 0.3:
        batch = [
            {"message_type": "Chaos", "queue_name": queue, "body": {"n": n}}
            for n in range(rng.randint(1, 60))
        ]
        rows = conn.execute("select symphony.enqueue_batch(%s)", [json.dumps(batch)]).fetchall()
        return [row[0] for row in rows]
    delay = f"{rng.random():.2f} s" if rng.random() < 0.2 else None
    row = conn.execute(
        "select symphony.enqueue('Chaos', queue_name => %s, priority => %s, delay => %s)",
        [queue, rng.choice([0, 5, 5, 5, 9]), delay],
    ).fetchone()
    assert row is not None
    return [row[0]]


def produce(dsn: str, seed: int, out: TextIO) -> None:
    for conn, rng in connections(dsn, seed):
        ids: list[int] = []
        try:
            with conn.transaction() as transaction:
                for _ in range(rng.randint(1, 5)):
                    ids += enqueue_some(conn, rng)
                    time.sleep(rng.choice([0, 0, 0.002, 0.02, 0.2]) * rng.random())
                if rng.random() < 0.1:
                    raise psycopg.Rollback(transaction)
        except psycopg.OperationalError:
            print("unknown", json.dumps(ids), file=out, flush=True)
            continue
        except psycopg.Rollback:  # the connection was lost in the middle of it
            continue
        state = "committed" if transaction.status is transaction.Status.COMMITTED else "rolledback"
        print(state, json.dumps(ids), file=out, flush=True)


def settle(conn: psycopg.Connection, rng: random.Random, claim: int, ids: list[int]) -> str:
    """Settle a claim in one of the ways there are; say which."""
    way = rng.random()
    if way < 0.6:
        conn.execute("select symphony.ack(%s)", [claim])
        return "acked"
    if way < 0.75:
        conn.execute("select symphony.ack(%s, %s)", [claim, ids[: len(ids) // 2 + 1]])
        if len(ids) > len(ids) // 2 + 1:
            conn.execute("select symphony.release(%s)", [claim])
        return "partly"
    if way < 0.9:
        nack = "select symphony.nack_with_backoff(%s, %s, 'chaos', retryable => %s)"
        for message_id in ids:
            conn.execute(nack, [claim, message_id, rng.random() < 0.9])
        return "nacked"
    if way < 0.95:
        return "forgotten"
    time.sleep(0.8)  # longer than the lease
    try:
        conn.execute("select symphony.ack(%s)", [claim])
    except psycopg.Error as error:
        if error.sqlstate != "SY010":
            raise
        return "refused"
    return "late"


def consume(dsn: str, seed: int, out: TextIO) -> None:
    for conn, rng in connections(dsn, seed):
        try:
            conn.execute("select symphony.tick()")
            rows = conn.execute(
                "select claim_id, message_id from symphony.claim_batch(%s, %s, 'chaos', '500 ms')",
                [rng.sample(QUEUES, 2), rng.choice([1, 3, 10, 50, 200])],
            ).fetchall()
            if not rows:
                time.sleep(0.01)
                continue
            ids = [row[1] for row in rows]
            print("claimed", json.dumps(ids), file=out, flush=True)
            time.sleep(rng.choice([0, 0, 0.01, 0.1]) * rng.random())
            print(settle(conn, rng, rows[0][0], ids), json.dumps(ids), file=out, flush=True)
        except psycopg.OperationalError:
            continue
        except psycopg.Error as error:
            # A slow machine may let any lease end before the settlement: that is refused too.
            if error.sqlstate != "SY010":
                raise
            print("refused", "[]", file=out, flush=True)


if __name__ == "__main__":
    role, where, number, path = sys.argv[1:]
    with Path(path).open("a") as file:
        (produce if role == "producer" else consume)(where, int(number), file)
