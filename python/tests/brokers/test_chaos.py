"""Kill relays, consumers, sessions and the broker, and count the effects afterwards.

`make chaos` runs the long form. It prints what it counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from tests.brokers.bench import Bench
from tests.helpers import Connection, end_other_sessions, one

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "600"))
FAULTS = int(os.environ.get("CHAOS_FAULTS", "6"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
PATIENCE = 60 + MESSAGES / 50 + 10 * FAULTS
CHUNK = 1000
ROLES = ("relay", "relay", "consumer", "consumer")
KINDS = ("relay", "consumer", "sessions", "broker", "relay", "consumer")
SETTLED = """
    select (select count(*) from effect), (select count(distinct n) from effect),
        (select count(*) from symphony.failed_message)
"""
NOT_ONCE = """
    select n, count(effect.n) from generate_series(0, %s) as n left join effect using (n)
    group by n having count(effect.n) <> case when n %% 50 = 7 then 0 else 1 end
"""


class Process:
    """A relay or a consumer that can be killed and started again."""

    def __init__(self, bench: Bench, role: str, log: Path) -> None:
        self.role = role
        self._log = log
        settings = json.dumps(asdict(bench.settings))
        program = str(Path(__file__).with_name("program.py"))
        self._command = [sys.executable, program, role, bench.dsn, settings]

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def look(self) -> None:
        if self._process.poll() is not None:
            text = self._log.read_text()[-3000:]
            raise AssertionError(f"a {self.role} ended by itself:\n{text}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Process:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Chaos:
    """Does one fault after the other, in rounds that have each of them."""

    def __init__(self, bench: Bench, conn: Connection, running: list[Process]) -> None:
        self.counts: Counter[str] = Counter()
        self._bench = bench
        self._conn = conn
        self._running = running
        self._rng = random.Random(SEED)
        self._round: list[str] = []

    def fault(self) -> None:
        if not self._round:
            self._round = self._rng.sample(KINDS, len(KINDS))
        kind = self._round.pop()
        if kind == "sessions":
            end_other_sessions(self._conn)
        elif kind == "broker":
            self._bench.server.kill()
            self._bench.server.start()
        else:
            victim = self._rng.choice([each for each in self._running if each.role == kind])
            victim.kill()
            victim.start()
        self.counts[kind] += 1


async def _left_at_broker(bench: Bench) -> int:
    async with bench.broker() as broker:
        return await broker.count()


def _is_over(bench: Bench, settled: int) -> bool:
    """Tell whether nothing is anywhere any more, not even what was done and not acked."""
    if settled < MESSAGES or bench.client.transport_status()[0].pending:
        return False
    return asyncio.run(_left_at_broker(bench)) == 0


def test_whatever_is_killed_each_effect_takes_place_once(
    bench: Bench, conn: Connection, tmp_path: Path
) -> None:
    """The next fault comes when the work has gone on for a while after the last one."""
    client = bench.client
    client.set_retry_policy("*", 30, delay=timedelta(seconds=0.1), multiplier=1)
    client.configure_queue("outbox/orders", lease=timedelta(seconds=2))
    conn.execute("create table effect (n integer)")
    for first in range(0, MESSAGES, CHUNK):
        numbers = range(first, min(first + CHUNK, MESSAGES))
        client.enqueue_batch([{"message_type": "Pay", "body": {"n": n}} for n in numbers])
    with ExitStack() as stack:
        running = [
            stack.enter_context(Process(bench, role, tmp_path / f"{role}{number}"))
            for number, role in enumerate(ROLES)
        ]
        chaos, started = Chaos(bench, conn, running), time.monotonic()
        while True:
            client.tick()
            effects, distinct, failed = one(conn, SETTLED)
            done = chaos.counts.total()
            if done < FAULTS and effects + failed >= MESSAGES * (done + 1) / (FAULTS + 1):
                chaos.fault()
            elif done >= FAULTS and _is_over(bench, effects + failed):
                break
            for each in running:
                each.look()
            state = f"{effects} effects, {failed} failed after {dict(chaos.counts)}"
            assert time.monotonic() < started + PATIENCE, f"it is stuck: {state}"
            time.sleep(0.05)
        seconds = time.monotonic() - started
    print(
        f"\n{bench.server.kind}: {MESSAGES} messages = {effects} effects ({distinct} distinct) "
        f"+ {failed} failed; {FAULTS} faults {dict(chaos.counts)}, in {seconds:.0f} s"
    )
    assert effects + failed == MESSAGES
    assert conn.execute(NOT_ONCE, [MESSAGES - 1]).fetchall() == []
    assert conn.execute("select * from symphony.check()").fetchall() == []
