"""Order and limits under everything that happens to workers, producers and servers.

`make stress` runs the long form. It prints what it counted.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import Connection

MESSAGES = int(os.environ.get("STRESS_MESSAGES", "600"))
KEYS = int(os.environ.get("STRESS_KEYS", "40"))
ROLES = ["producer"] * 3 + ["claimer"] * 5 + ["operator"]

TABLES = """
    create table number (k int primary key, n int not null default 0);
    create table done (seq bigserial, k int, n int, claim_id bigint);
    create table gone (k int, n int, why text);
"""
IN_HANDS = """
    select m.group_key, count(*), count(distinct c.claim_id)
    from symphony.claim as c, unnest(c.open_ids) as o (id), symphony.message as m
    where m.message_id = o.id and c.open_ids <> '{}'
    group by m.group_key
"""
LEFT = """
    select sum(pending + delayed + processing + waiting) from symphony.queue_stats()
"""
NOT_ONCE = """
    select number.k, i, count(told.n)
    from number cross join generate_series(1, number.n) as i
    left join (select k, n from done union all select k, n from gone) as told
        on told.k = number.k and told.n = i
    group by number.k, i having count(told.n) <> 1
"""
DISORDER = """
    select k, n, before from (
        select k, n, lag(n) over (partition by k order by seq) as before from done) as d
    where before > n
"""
KILL = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1
"""


class Crowd:
    """Processes that are killed, and replaced."""

    def __init__(self, dsn: str, rng: random.Random, counts: Counter[str]) -> None:
        self.dsn = dsn
        self.rng = rng
        self.counts = counts
        self.processes: dict[subprocess.Popen[bytes], str] = {}

    def start(self, role: str) -> None:
        program = Path(__file__).with_name("ordered.py")
        seed = str(self.rng.randrange(10**9))
        command = [sys.executable, str(program), role, self.dsn, seed, str(MESSAGES)]
        self.processes[subprocess.Popen(command)] = role

    def look(self) -> None:
        ended = {role for process, role in self.processes.items() if process.poll() is not None}
        assert not ended, f"ended by themselves: {ended}"

    def kill_one(self) -> None:
        victim = self.rng.choice(list(self.processes))
        role = self.processes.pop(victim)
        victim.kill()
        victim.wait()
        self.counts["killed"] += 1
        self.start(role)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


class Watch:
    """Looks at what is in hands, in one snapshot after another."""

    def __init__(self, queue: dict[str, object]) -> None:
        self.queue = queue
        self.most = Counter[str]()
        self.looks = 0

    def look(self, conn: Connection) -> None:
        self.looks += 1
        rows = conn.execute(IN_HANDS).fetchall()
        total = sum(messages for _, messages, _ in rows)
        for key, messages, claims in rows:
            if self.queue.get("ordered"):
                assert claims == 1, f"{key} is in {claims} hands"
            elif limit := self.queue.get("key_concurrency"):
                assert messages <= int(str(limit)), f"{messages} of {key} are in hands"
            self.most["of a key"] = max(self.most["of a key"], messages)
        if limit := self.queue.get("concurrency"):
            assert total <= int(str(limit)), f"{total} are in hands"
        self.most["in all"] = max(self.most["in all"], total)


def prepare(dsn: str, queue: dict[str, object]) -> None:
    with psycopg.connect(dsn) as conn:
        install(conn)
        conn.execute(TABLES)
        conn.execute("insert into number (k) select generate_series(0, %s)", [KEYS - 1])
        settings = "".join(f", {name} => {value}" for name, value in queue.items())
        conn.execute(f"select symphony.create_queue('q', max_attempts => 1000{settings})".encode())


def is_over(conn: Connection, share: float | None) -> bool:
    """Return whether all is done, or a share of it."""
    if share is not None:
        (done,) = conn.execute("select count(*) from done").fetchone() or (0,)
        return bool(done >= MESSAGES * share)
    (drawn,) = conn.execute("select sum(n) from number").fetchone() or (0,)
    return bool(drawn >= MESSAGES and conn.execute(LEFT).fetchone() == (0,))


def run_for_a_second(dsn: str, crowd: Crowd, watch: Watch, share: float | None) -> bool:
    """Watch for a second, and kill something; return whether it is over."""
    until = time.monotonic() + 1
    with suppress(psycopg.OperationalError), psycopg.connect(dsn, autocommit=True) as conn:
        while time.monotonic() < until:
            crowd.look()
            watch.look(conn)
            time.sleep(0.05)
        if crowd.rng.random() < 0.7:
            crowd.kill_one()
        else:
            conn.execute(KILL)
            crowd.counts["terminated"] += 1
        return is_over(conn, share)
    return False


def keep_their_rate(conn: Connection, rate: float, burst: int) -> None:
    """Expect that no time between two claims had more than a rate allows."""
    claims = conn.execute(
        "select extract(epoch from claimed_at)::float, size from symphony.claim where size > 0"
        " order by claimed_at"
    ).fetchall()
    taken, before = 0.0, claims[0][0]
    for claimed_at, size in claims:
        taken = max(0.0, taken - rate * (claimed_at - before)) + size
        before = claimed_at
        assert taken <= burst + 0.01, "more than the rate allows"


def judge(conn: Connection, queue: dict[str, object]) -> dict[str, int]:
    assert conn.execute("select * from symphony.check()").fetchall() == []
    assert conn.execute(NOT_ONCE).fetchall() == []
    if "rate" in queue:
        keep_their_rate(conn, 2000, 100)
    if "ordered" in queue:
        assert conn.execute(DISORDER).fetchall() == []
    counts = (
        "select 'done', count(*) from done union all select why, count(*) from gone group by why"
    )
    return dict(conn.execute(counts).fetchall())


@pytest.mark.parametrize(
    "queue",
    [
        {"ordered": "true"},
        {"ordered": "true", "concurrency": "60"},
        {"key_concurrency": "1"},
        {"key_concurrency": "2"},
        {"key_concurrency": "3", "concurrency": "20"},
        {"ordered": "true", "rate": "'2000/1 s'", "burst": "100", "key_rate": "'50/1 s'"},
    ],
    ids=lambda queue: "-".join(f"{name}_{value}".strip("'") for name, value in queue.items()),
)
def test_order_and_limits_hold_whatever_happens(
    queue: dict[str, object], tmp_path: Path, data_dir: Path
) -> None:
    rng = random.Random(int(os.environ.get("STRESS_SEED", "7")))
    watch = Watch(queue)
    counts: Counter[str] = Counter()
    begun = time.monotonic()
    for share in (0.5, None):  # the server is stopped in the middle, and started again
        with Server(data_dir=data_dir, options={"fsync": "off"}) as server:
            if share is not None:
                prepare(server.dsn, queue)
            crowd = Crowd(server.dsn, rng, counts)
            try:
                for role in ROLES:
                    crowd.start(role)
                while not run_for_a_second(server.dsn, crowd, watch, share):
                    assert time.monotonic() < begun + 60 + MESSAGES / 100, "it is stuck"
            finally:
                crowd.end()
            if share is None:
                with psycopg.connect(server.dsn, autocommit=True) as conn:
                    counts.update(judge(conn, queue))
    seconds = time.monotonic() - begun
    print(
        f"{queue}: {KEYS} keys, {seconds:.0f} s, {watch.looks} looks, {dict(counts + watch.most)}"
    )
