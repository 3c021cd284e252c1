"""Kill relays, consumers, sessions and the broker at random, and count the effects afterwards."""

import json
import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from tests.brokers.bench import Bench
from tests.helpers import Connection, end_other_sessions, one

MESSAGES = int(os.environ.get("BROKER_MESSAGES", "1500"))
FAULTS = int(os.environ.get("BROKER_FAULTS", "12"))
PATIENCE = 240.0
ROLES = ("relay", "relay", "consumer", "consumer")


@pytest.mark.slow
def test_whatever_is_killed_each_effect_takes_place_once(bench: Bench, conn: Connection) -> None:
    """enqueued = effects, each once, + failed."""
    bench.client.set_retry_policy("*", 30, delay=timedelta(seconds=0.1), multiplier=1)
    bench.client.configure_queue("outbox/orders", lease=timedelta(seconds=2))
    conn.execute("create table effect (n integer)")
    bench.client.enqueue_batch([{"message_type": "Pay", "body": {"n": n}} for n in range(MESSAGES)])
    failing = len([n for n in range(MESSAGES) if n % 50 == 7])
    rng, faults = random.Random(1), dict.fromkeys(("relay", "consumer", "sessions", "broker"), 0)
    with ExitStack() as stack:
        running = [stack.enter_context(_Process(bench, role)) for role in ROLES]
        started = time.monotonic()
        while (counts := _counts(conn))[1:] != (MESSAGES - failing, failing) or (
            sum(faults.values()) < FAULTS
        ):
            assert time.monotonic() - started < PATIENCE, f"{counts} after {faults}"
            time.sleep(rng.uniform(0.2, 0.6))
            bench.client.tick()
            if sum(faults.values()) >= FAULTS:
                continue
            fault = rng.choice(["process"] * 4 + ["sessions", "broker"])
            if fault == "process":
                victim = rng.choice(running)
                victim.kill()
                victim.start()
                faults[victim.role] += 1
            else:
                faults[fault] += 1
                if fault == "sessions":
                    end_other_sessions(conn)
                else:
                    bench.server.kill()
                    bench.server.start()
        seconds = time.monotonic() - started
    effects, distinct, failed = counts
    print(
        f"\n{bench.server.kind}: {MESSAGES} messages, faults {faults}: {effects} effects "
        f"({distinct} distinct), {failed} failed, in {seconds:.0f} s"
    )
    assert (effects, distinct, failed) == (MESSAGES - failing, MESSAGES - failing, failing)


def _counts(conn: Connection) -> tuple[int, int, int]:
    found = one(
        conn,
        "select (select count(*) from effect), (select count(distinct n) from effect), "
        "(select count(*) from symphony.failed_message)",
    )
    return (found[0], found[1], found[2])


class _Process:
    """A relay or a consumer that can be killed and started again."""

    def __init__(self, bench: Bench, role: str) -> None:
        self.role = role
        settings = json.dumps(asdict(bench.settings))
        program = str(Path(__file__).with_name("program.py"))
        self._command = [sys.executable, program, role, bench.dsn, settings]

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "_Process":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
