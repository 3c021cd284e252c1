"""Kill everything at random, and count the messages afterwards."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from symphony_pg.install import install
from symphony_pg.server import Server

SECONDS = float(os.environ.get("KILLS_SECONDS", "16"))
PRODUCERS = 6
CLAIMERS = 6

NOT_FINAL = """
    select coalesce(sum(pending + delayed + processing), 0)::bigint from symphony.queue_stats()
"""
FATE = """
    select message_id, (symphony.message_status(message_id)).status
    from unnest(%s::bigint[]) as message_id
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="symphony-kills-") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        yield Path(folder) / "data"


class Crowd:
    """Producers and claimers, each a process, replaced when they are killed."""

    def __init__(self, dsn: str, folder: Path, rng: random.Random) -> None:
        self.dsn = dsn
        self.folder = folder
        self.rng = rng
        self.processes: dict[subprocess.Popen[bytes], str] = {}

    def start(self, role: str) -> None:
        seed = self.rng.randrange(10**6)
        path = self.folder / f"{role}-{seed}"
        program = Path(__file__).with_name("kills.py")
        command = [sys.executable, str(program), role, self.dsn, str(seed), str(path)]
        self.processes[subprocess.Popen(command)] = role

    def kill_one(self) -> None:
        victim = self.rng.choice(list(self.processes))
        role = self.processes.pop(victim)
        assert victim.poll() is None, f"a {role} ended by itself"
        victim.send_signal(signal.SIGKILL)
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

    def told(self) -> Iterator[tuple[str, list[int]]]:
        """Yield what the processes have written; the last line of a killed one may be cut."""
        for path in self.folder.iterdir():
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("]\n"):
                    state, ids = line.split(" ", 1)
                    yield state, json.loads(ids)


def drain(conn: psycopg.Connection) -> None:
    """Work off what is left."""
    deadline = time.monotonic() + 60
    while conn.execute(NOT_FINAL).fetchone() != (0,):
        assert time.monotonic() < deadline, conn.execute(
            "select * from symphony.queue_stats()"
        ).fetchall()
        conn.execute("select symphony.tick()")
        while claims := conn.execute(
            "select distinct claim_id from symphony.claim_batch('{chaos,default}', 1000)"
        ).fetchall():
            conn.execute("select symphony.ack(%s)", claims[0])
        time.sleep(0.05)


def test_no_message_is_lost_whatever_is_killed(data_dir: Path, tmp_path: Path) -> None:
    seed = int(os.environ.get("KILLS_SEED") or random.randrange(10**6))
    rng = random.Random(seed)
    print(f"seed {seed}")
    count: Counter[str] = Counter()
    with ExitStack() as stack:
        server = stack.enter_context(Server(data_dir=data_dir))
        port = server.port
        with psycopg.connect(server.dsn) as conn:
            install(conn)
            conn.execute(
                "select symphony.create_queue(name, max_attempts => 30, retry_delay => '50 ms',"
                " retry_max_delay => '300 ms', lease => '500 ms')"
                " from unnest('{chaos,default}'::text[]) as name"
            )
        crowd = Crowd(server.dsn, tmp_path, rng)
        stack.callback(crowd.kill_all)
        for _ in range(PRODUCERS):
            crowd.start("producer")
        for _ in range(CLAIMERS):
            crowd.start("claimer")

        begun = time.monotonic()
        restart_at = begun + SECONDS / 2
        while (now := time.monotonic()) < begun + SECONDS:
            time.sleep(rng.random() * 0.5)
            if now > restart_at:
                restart_at = begun + 2 * SECONDS
                assert server._process is not None
                server._process.send_signal(signal.SIGQUIT)  # what pg_ctl calls immediate
                server._process.wait()
                server = stack.enter_context(Server(data_dir=data_dir, port=port))
                count["restarts"] += 1
            elif rng.random() < 0.5:
                crowd.kill_one()
                count["processes killed"] += 1
            else:
                with psycopg.connect(server.dsn, autocommit=True) as conn:
                    conn.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
                        " order by random() limit 1"
                    )
                    assert conn.execute("select * from symphony.check()").fetchall() == []
                count["backends killed"] += 1
        crowd.stop()

        with psycopg.connect(server.dsn, autocommit=True) as conn:
            drain(conn)
            assert conn.execute("select * from symphony.check()").fetchall() == []
            ids: dict[str, set[int]] = {"committed": set(), "rolledback": set(), "claimed": set()}
            for state, some in crowd.told():
                count[f"messages {state}"] += len(some)
                ids.setdefault(state, set()).update(some)
            fate: dict[int, str] = dict(conn.execute(FATE, [sorted(ids["committed"])]).fetchall())
            gone = conn.execute(FATE, [sorted(ids["rolledback"])]).fetchall()
            acks_refused = sum(state == "refused" for state, _ in crowd.told())
            late = [some for state, some in crowd.told() if state == "late"]

    count["redeliveries"] = count["messages claimed"] - len(ids["claimed"])
    count["late acks refused"] = acks_refused
    print(dict(sorted(count.items())), Counter(fate.values()))
    assert set(fate) == ids["committed"], f"lost: {sorted(ids['committed'] - set(fate))[:10]}"
    assert set(fate.values()) <= {"completed", "failed"}
    assert gone == [], "a message of a rolled-back transaction is there"
    assert not ids["rolledback"] & ids["claimed"], "and was even handed out"
    assert late == [], "an ack after the end of the lease was accepted"
    assert count["messages committed"] > 1000
    assert count["redeliveries"] > 0
    assert acks_refused > 0
