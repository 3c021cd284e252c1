"""Kill everything at random, and count the messages afterwards."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

import psycopg

from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import Connection

SECONDS = float(os.environ.get("CHAOS_SECONDS", "16"))
ENOUGH = 3000  # ids of messages, of which most are committed
PRODUCERS = 5
CLAIMERS = 6

# Completed messages of "default" are purged while the test runs.
CREATE_QUEUES = """
    select symphony.create_queue(
        name, max_attempts => 30, retry_delay => '50 ms', retry_max_delay => '300 ms',
        retention => case name when 'default' then interval '1 s' else '1 day' end)
    from unnest('{chaos,default}'::text[]) as name
"""
NOT_FINAL = """
    select coalesce(sum(pending + delayed + processing), 0)::bigint from symphony.queue_stats()
"""
CLAIM = "select claim_id, message_id from symphony.claim_batch('{chaos,default}', 1000)"
FATE = """
    select message_id, (symphony.message_status(message_id)).status
    from unnest(%s::bigint[]) as message_id
"""
TERMINATE_ONE = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()
    order by random() limit 1
"""


class Crowd:
    """Producers and claimers, each a process, replaced when they are killed."""

    def __init__(self, dsn: str, folder: Path, rng: random.Random) -> None:
        self.dsn = dsn
        self.folder = folder
        self.rng = rng
        self.processes: dict[subprocess.Popen[bytes], str] = {}

    def start(self, role: str) -> None:
        seed = self.rng.randrange(10**9)
        path = self.folder / f"{role}-{seed}"
        program = Path(__file__).with_name("kills.py")
        command = [sys.executable, str(program), role, self.dsn, str(seed), str(path)]
        self.processes[subprocess.Popen(command)] = role

    def kill_one(self) -> None:
        victim = self.rng.choice(list(self.processes))
        role = self.processes.pop(victim)
        assert victim.poll() is None, f"a {role} ended by itself"
        victim.kill()
        victim.wait()
        self.start(role)

    def stop(self) -> None:
        for process, role in self.processes.items():
            assert process.poll() is None, f"a {role} ended by itself"
        self.kill_all()

    def kill_all(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()


class Evidence:
    """What the processes have written, and who may still say something: the drain."""

    def __init__(self, folder: Path) -> None:
        self.ids: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.words: Counter[str] = Counter()
        self.claims: Counter[int] = Counter()
        self.transactions: list[list[int]] = []
        for path in folder.iterdir():
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):  # the last one of a killed process may be cut
                    self.hear(*json.loads(line))

    def hear(self, word: str, ids: list[int], claim_id: int | None = None) -> None:
        self.words[word] += 1
        self.ids[word].update(ids)
        if word == "handed":
            assert claim_id is not None
            self.claims[claim_id] += 1
        elif word == "unknown":
            self.transactions.append(ids)

    @property
    def committed(self) -> set[int]:
        return self.ids["committed-chaos"].keys() | self.ids["committed-default"].keys()


def has_happened(dsn: str, begun: float) -> bool:
    """Tell whether the campaign may end: on a machine under load little happens in its time."""
    elapsed = time.monotonic() - begun
    if not SECONDS <= elapsed < 8 * SECONDS:
        return elapsed >= SECONDS
    with psycopg.connect(dsn) as conn:
        (drawn,) = conn.execute("select last_value from symphony.message_id_seq").fetchone() or (0,)
    return bool(drawn >= ENOUGH)


def check(conn: Connection) -> None:
    assert conn.execute("select * from symphony.check()").fetchall() == []


def drain(conn: Connection, evidence: Evidence) -> None:
    """Work off what is left."""
    deadline = time.monotonic() + 60
    while conn.execute(NOT_FINAL).fetchone() != (0,):
        stats = conn.execute("select * from symphony.queue_stats()").fetchall()
        assert time.monotonic() < deadline, stats
        conn.execute("select symphony.tick()")
        while rows := conn.execute(CLAIM).fetchall():
            ids = [message_id for _, message_id in rows]
            evidence.hear("handed", ids, rows[0][0])
            conn.execute("select symphony.ack(%s)", [rows[0][0]])
            evidence.hear("acking", ids)
            evidence.hear("acked", ids)
        time.sleep(0.02)


def judge(conn: Connection, told: Evidence) -> Counter[str]:
    """Compare what the processes say with what the database says; count the fates."""
    committed = told.committed
    fate: dict[int, str] = dict(conn.execute(FATE, [sorted(committed)]).fetchall())
    assert set(fate.values()) <= {"completed", "failed"}

    purged = committed - fate.keys()
    lost = purged - told.ids["committed-default"].keys()
    assert not lost, f"lost: {sorted(lost)[:10]}"
    done = purged | {message_id for message_id, status in fate.items() if status == "completed"}
    skipped = done - told.ids["acking"].keys()
    assert not skipped, f"completed, but nobody ever had them: {sorted(skipped)[:10]}"

    # A crash forgets which ids were drawn by transactions that had not been committed.
    rolled_back = told.ids["rolledback"].keys() - told.ids["committing"].keys()
    assert conn.execute(FATE, [sorted(rolled_back)]).fetchall() == [], "rolled back, but there"
    ghosts = rolled_back & told.ids["handed"].keys()
    assert not ghosts, f"rolled back, but handed out: {sorted(ghosts)[:10]}"
    for ids in told.transactions:
        own = {message_id for message_id in ids if told.ids["committing"][message_id] == 1}
        there = {message_id for message_id, _ in conn.execute(FATE, [sorted(own)]).fetchall()}
        there |= told.ids["acking"].keys() & own
        assert there in (set(), own), f"half a transaction: {ids}"

    twice = [message_id for message_id, times in told.ids["acked"].items() if times > 1]
    assert not twice, f"settled by two claims: {twice[:10]}"
    reissued = [claim_id for claim_id, times in told.claims.items() if times > 1]
    assert not reissued, f"claims handed to two workers: {reissued}"
    assert not told.words["late"], "a settlement after the end of the lease was accepted"
    return Counter(fate.values()) + Counter(purged=len(purged))


def test_no_message_is_lost_whatever_is_killed(data_dir: Path, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
    rng = random.Random(seed)
    print(f"seed {seed}")
    count: Counter[str] = Counter()
    with ExitStack() as stack:
        server = stack.enter_context(Server(data_dir=data_dir))
        port = server.port
        with psycopg.connect(server.dsn) as conn:
            install(conn)
            conn.execute(CREATE_QUEUES)
        crowd = Crowd(server.dsn, tmp_path, rng)
        stack.callback(crowd.kill_all)
        for role, number in (("producer", PRODUCERS), ("claimer", CLAIMERS)):
            for _ in range(number):
                crowd.start(role)

        begun = time.monotonic()
        restart_at = begun + SECONDS / 2
        while not has_happened(server.dsn, begun):
            time.sleep(rng.random() * 0.5)
            if time.monotonic() > restart_at:
                restart_at = float("inf")
                assert server._process is not None
                server._process.send_signal(signal.SIGQUIT)  # what pg_ctl calls immediate
                server._process.wait()
                time.sleep(rng.choice([0, 6]))  # with 6, leases stand still
                server = stack.enter_context(Server(data_dir=data_dir, port=port))
                count["restarts"] += 1
            elif rng.random() < 0.5:
                crowd.kill_one()
                count["processes killed"] += 1
            else:
                with psycopg.connect(server.dsn, autocommit=True) as conn:
                    conn.execute(TERMINATE_ONE)
                    check(conn)
                count["backends killed"] += 1
        crowd.stop()

        with psycopg.connect(server.dsn, autocommit=True) as conn:
            told = Evidence(tmp_path)
            drain(conn, told)
            check(conn)
            fates = judge(conn, told)

    handed = told.ids["handed"]
    count["messages committed"] = len(told.committed)
    count["messages rolled back"] = len(told.ids["rolledback"])
    count["commits of unknown outcome"] = told.words["unknown"]
    count["claims"] = told.claims.total()
    count["redeliveries"] = handed.total() - len(handed)
    count["late settlements refused"] = told.words["refused"]
    count["late settlements after an outage"] = told.words["late after an outage"]
    print(dict(count), dict(fates))
    assert count["messages committed"] > 1000
    assert count["redeliveries"] > 0
    assert count["late settlements refused"] > 0
