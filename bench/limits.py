"""What order and limits cost: claims and acks through a client, beside an ordinary queue."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg

BATCH = 100
CLAIM = (
    "select max(claim_id), count(*)"
    " from symphony.claim_batch('{bench}', 100, 'b', '10 min', asynchronous => true)"
)
FILL = (
    "select count(*) from symphony.enqueue_batch((select jsonb_agg(jsonb_build_object("
    "'message_type', 'Bench', 'queue_name', 'bench', 'group_key', 'k' || i %% %(keys)s,"
    " 'body', %(body)s::jsonb)) from generate_series(1, 1000) as i))"
)


@dataclass(frozen=True)
class Case:
    """A queue, the keys of its messages, and how many claims are open at a time."""

    title: str
    settings: str
    keys: int = 1000
    open: int = 1


PLAIN = Case("an ordinary queue", "")
DISTINCT = Case("ordered, distinct keys", "ordered => true")
HOT = Case("ordered, 10 hot keys", "ordered => true", keys=10, open=2)
CONCURRENCY = Case("concurrency alone", "concurrency => 100000")
RATE = Case("rate alone", "rate => '1000000/1 s'")


class Gate:
    """Fills a queue and works it off, in turn: a claim, and the ack of the oldest open one."""

    def __init__(self, conn: psycopg.Connection[Any], body: str) -> None:
        self._conn = conn
        self._body = body
        self._open: list[int] = []

    def prepare(self, case: Case, messages: int) -> None:
        self._open = []
        self._conn.execute("select symphony.drop_queue('bench', true)")
        settings = f", {case.settings}" if case.settings else ""
        self._conn.execute(f"select symphony.create_queue('bench'{settings})".encode())
        for _ in range(messages // 1000):
            self._conn.execute(FILL, {"keys": case.keys, "body": self._body})
        self._conn.execute("vacuum (analyze) symphony.message")
        self._conn.execute("vacuum (analyze) symphony.claim")
        self._conn.execute("checkpoint")

    def step(self, case: Case) -> int:
        """Claim, ack what was claimed before, and return how many were claimed."""
        claim_id, size = self._conn.execute(CLAIM).fetchone() or (None, 0)
        if claim_id is not None:
            self._open.append(claim_id)
        if self._open and (len(self._open) >= case.open or not size):
            self._conn.execute("select symphony.ack(%s)", [self._open.pop(0)])
        return int(size)

    def drain(self, case: Case, messages: int) -> float:
        """Return messages a second."""
        self.prepare(case, messages)
        done, begun = 0, time.perf_counter()
        while done < messages or self._open:
            done += self.step(case)
        return messages / (time.perf_counter() - begun)

    def wal(self, case: Case, messages: int) -> float:
        """Return the bytes of WAL of a message's claim and ack, once the pages are touched."""
        self.prepare(case, messages)
        done, begun = 0, 0
        while done < messages or self._open:
            if done < messages // 4:
                begun, counted = self._lsn(), done
            done += self.step(case)
        return (self._lsn() - begun) / (messages - counted)

    def beside_a_flood(self, messages: int) -> float:
        """Return the milliseconds of the longest claim of other keys, while one key's wait."""
        flood = Case("a flood", "ordered => true", keys=1)
        self.prepare(flood, messages)
        self._conn.execute("select symphony.claim_batch('{bench}', 1)")
        while self._conn.execute(
            "select 1 from symphony._pending(%s, 1)", [self._lane()]
        ).fetchone():
            self._conn.execute(CLAIM)
        others = FILL.replace("'k'", "'other'")
        self._conn.execute(others, {"keys": 1000, "body": self._body})
        times: list[float] = []
        while self._open or len(times) < 10:
            begun = time.perf_counter()
            self.step(DISTINCT)
            times.append((time.perf_counter() - begun) * 1000)
        return max(times)

    def first_and_last(self, case: Case, messages: int) -> tuple[float, float]:
        """Return the seconds of the first and of the last tenth of a drain."""
        self.prepare(case, messages)
        done, times = 0, [time.perf_counter()]
        while done < messages or self._open:
            done += self.step(case)
            if done >= messages * len(times) // 10:
                times.append(time.perf_counter())
        return times[1] - times[0], times[-1] - times[-2]

    def _lane(self) -> int:
        lane = "select lane_id from symphony.lane where queue_name = 'bench' and priority = 5"
        found = self._conn.execute(lane).fetchone()
        assert found is not None
        return int(found[0])

    def _lsn(self) -> int:
        found = self._conn.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert found is not None
        return int(found[0])
