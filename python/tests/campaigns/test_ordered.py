"""Order and limits under everything that happens to workers, producers and servers.

`make stress` runs the long form, and expects that each thing that may happen did. Both print what
they counted.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import Connection, fullest, one

MESSAGES = int(os.environ.get("STRESS_MESSAGES", "600"))
KEYS = int(os.environ.get("STRESS_KEYS", "40"))
IS_LONG = MESSAGES >= 10_000
ROLES = ["producer"] * 3 + ["claimer"] * 5 + ["operator"]
RATE, BURST, KEY_RATE = (2000, 100, 10) if IS_LONG else (150, 20, 10)  # a second
STATES = ("parked", "delayed", "pending")
TRIED = tuple(f"to be cancelled, {state}" for state in STATES)
HAPPENED = (
    *("retry", "snoozed", "released", "lease ended", "settled too late"),
    *("transaction of a producer rolled back", "settlement rolled back"),
    *(f"cancelled, {state}" for state in STATES),
)

TABLES = """
    create table goal (messages int);
    create table number (k int primary key, n int not null default 0);
    create table fate (seq bigserial, k int, n int, what text);
    create table event (what text, messages int);
"""
COUNTS = """
    select what, count(*) from fate group by what
    union all select what, sum(messages) from event group by what
"""
IN_HANDS = """
    select m.group_key, count(*), count(distinct c.claim_id)
    from symphony.claim as c, unnest(c.open_ids) as o (id), symphony.message as m
    where m.message_id = o.id and c.open_ids <> '{}'
    group by m.group_key
"""
DRAWN = "select sum(n) from number"
IS_OVER = """
    select (select sum(n) from number) >= (select messages from goal)
           and sum(pending + delayed + processing + waiting) = 0
    from symphony.queue_stats()
"""
NOT_ONCE = """
    select number.k, i, count(fate.n)
    from number cross join generate_series(1, number.n) as i
    left join fate on fate.k = number.k and fate.n = i
    group by number.k, i having count(fate.n) <> 1
"""
DISORDER = """
    select k, n, before from (
        select k, n, lag(n) over (partition by k order by seq) as before
        from fate where what = 'done') as d
    where before > n
"""
HANDED_OUT = """
    select key, extract(epoch from claimed_at)::float, count(*)
    from symphony.claim, unnest(keys) as key where size > 0
    group by claim_id, claimed_at, key order by claimed_at
"""
KILL = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1
"""


class Crowd:
    """Processes that are killed, and replaced."""

    def __init__(self, dsn: str, rng: random.Random) -> None:
        self.dsn = dsn
        self.rng = rng
        self.processes: dict[subprocess.Popen[bytes], str] = {}
        for role in ROLES:
            self.start(role)

    def start(self, role: str) -> None:
        program = Path(__file__).with_name("ordered.py")
        seed = str(self.rng.randrange(10**9))
        process = subprocess.Popen([sys.executable, str(program), role, self.dsn, seed])
        self.processes[process] = role

    def look(self) -> None:
        ended = {role for process, role in self.processes.items() if process.poll() is not None}
        assert not ended, f"ended by themselves: {ended}"

    def kill_one(self) -> None:
        victim = self.rng.choice(list(self.processes))
        role = self.processes.pop(victim)
        victim.kill()
        victim.wait()
        self.start(role)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


class Watch:
    """Looks at what is in hands, in one snapshot after another, and kills something at times."""

    def __init__(self, queue: dict[str, Any], crowd: Crowd) -> None:
        self.queue = queue
        self.crowd = crowd
        self.counts: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def until(self, dsn: str, is_reached: Callable[[Connection], bool]) -> None:
        deadline = time.monotonic() + 60 + MESSAGES / 100
        with psycopg.connect(dsn, autocommit=True) as conn:
            while True:
                kill_at = time.monotonic() + 1
                while time.monotonic() < kill_at:
                    self.look(conn)
                    time.sleep(0.05)
                assert conn.execute("select * from symphony.check()").fetchall() == []
                if is_reached(conn):
                    return
                assert time.monotonic() < deadline, "it is stuck"
                self.kill(conn)

    def kill(self, conn: Connection) -> None:
        if self.crowd.rng.random() < 0.7:
            self.crowd.kill_one()
            self.counts["killed"] += 1
        else:
            conn.execute(KILL)
            self.counts["terminated"] += 1

    def look(self, conn: Connection) -> None:
        self.crowd.look()
        rows = conn.execute(IN_HANDS).fetchall()
        for key, messages, claims in rows:
            if self.queue.get("ordered"):
                assert claims == 1, f"{key} is in {claims} hands"
            limit = self.queue.get("key_concurrency", messages)
            assert messages <= limit, f"{messages} of {key} are in hands"
            self.most["of a key"] = max(self.most["of a key"], messages)
        total = sum(messages for _, messages, _ in rows)
        assert total <= self.queue.get("concurrency", total), f"{total} are in hands"
        self.most["in all"] = max(self.most["in all"], total)
        self.counts["looks"] += 1


def prepare(dsn: str, queue: dict[str, Any]) -> None:
    with psycopg.connect(dsn) as conn:
        install(conn)
        conn.execute(TABLES)
        conn.execute("insert into goal values (%s)", [MESSAGES])
        conn.execute("insert into number (k) select generate_series(0, %s)", [KEYS - 1])
        retention = None if "rate" in queue else timedelta(0)  # claims tell what was handed out
        Client(conn).create_queue("q", max_attempts=1000, retention=retention, **queue)


def expected(queue: dict[str, Any]) -> set[str]:
    """Return what must have happened, in the short form what must have been tried."""
    if not IS_LONG:
        return {"done", *TRIED}
    ordered = {"returned", "returned, and refused"} if "ordered" in queue else set()
    failed = {"replayed", "removed"} if "on_failure" in queue else {"failed"}
    return {"done", *HAPPENED, *ordered, *failed}


def counts_of(conn: Connection) -> Counter[str]:
    return Counter(dict(conn.execute(COUNTS).fetchall()))


def is_over(conn: Connection, happened: set[str]) -> bool:
    """Tell whether nothing is left; until all has happened there is some more."""
    is_done = one(conn, IS_OVER)
    if is_done and happened - counts_of(conn).keys():
        conn.execute("update goal set messages = messages + 100")
        return False
    return bool(is_done)


def judge(conn: Connection, queue: dict[str, Any]) -> None:
    """Expect that each message had one fate, in the order of its key, and at its time."""
    assert conn.execute("select * from symphony.check()").fetchall() == []
    assert conn.execute(NOT_ONCE).fetchall() == []
    if "ordered" in queue:
        assert conn.execute(DISORDER).fetchall() == []
    if "rate" in queue:
        judge_rates(conn)


def judge_rates(conn: Connection) -> None:
    """Expect that no time between two claims had more than the rates allow, in all and of a key."""
    of_key = defaultdict(list)
    for key, at, messages in conn.execute(HANDED_OUT):
        of_key[key].append((at, messages))
    in_all = sorted(each for handed_out in of_key.values() for each in handed_out)
    most = fullest(in_all, RATE), max(fullest(each, KEY_RATE) for each in of_key.values())
    print(f"at once {most[0]:.1f} and {most[1]:.1f} of a key, where {BURST} and {KEY_RATE} may be")
    assert most[0] <= BURST + 0.01
    assert most[1] <= KEY_RATE + 0.01
    if IS_LONG:
        assert most[0] > 0.9 * BURST
        assert most[1] > 0.9 * KEY_RATE


@pytest.mark.parametrize(
    "queue",
    [
        {"ordered": True},
        {"ordered": True, "on_failure": "hold", "concurrency": 60},
        {"key_concurrency": 1},
        {"key_concurrency": 2},
        {"key_concurrency": 3, "concurrency": 20},
        {"ordered": True, "rate": f"{RATE}/1 s", "burst": BURST, "key_rate": f"{KEY_RATE}/1 s"},
    ],
    ids=lambda queue: "-".join(f"{name}_{value}" for name, value in queue.items()),
)
def test_order_and_limits_hold_whatever_happens(queue: dict[str, Any], data_dir: Path) -> None:
    rng = random.Random(int(os.environ.get("STRESS_SEED", "7")))
    begun = time.monotonic()
    options = {"fsync": "off"}
    with ExitStack() as stack:
        server = stack.enter_context(Server(data_dir=data_dir, options=options))
        prepare(server.dsn, queue)
        crowd = Crowd(server.dsn, rng)
        stack.callback(crowd.end)
        watch = Watch(queue, crowd)
        watch.until(server.dsn, lambda conn: one(conn, DRAWN) >= MESSAGES / 2)
        assert server._process is not None
        server._process.send_signal(signal.SIGQUIT)  # a crash: all of the crowd connect again
        server._process.wait()
        again = Server(data_dir=data_dir, options=options, port=server.port)
        stack.enter_context(again)
        watch.until(server.dsn, lambda conn: is_over(conn, expected(queue)))
        crowd.end()
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            judge(conn, queue)
            counts = counts_of(conn) + watch.counts
    seconds = time.monotonic() - begun
    print(f"{queue}: {KEYS} keys, {seconds:.0f} s, {dict(counts)}, most in hands {watch.most}")
