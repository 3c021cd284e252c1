"""Every kind of message through every kind of fault, and a count of all of them afterwards.

`make soak` lets it run for ten minutes; SOAK_SECONDS and SOAK_SEED choose otherwise.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

import psycopg

from symphony_pg import Client, ConnectionRefused
from symphony_pg.database.install import install
from symphony_pg.errors import NoAnswer
from symphony_pg.server import Server
from tests.campaigns import soak
from tests.helpers import Connection, one, wait_until
from tests.proxy import Proxy, proxy_to

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
RATE = 300
PRODUCERS = 3
WORKERS = 2  # that are killed, beside one that lives as long as the test
BATCH = 5
KEEPALIVE = 10.0  # seconds, of the server
SETTLED = 60.0  # for leases that end, one after the other, and retries

# In the midst of what a connection may fall silent. What is prepared goes by another name.
CALLS = (
    *("symphony.enqueue(", "symphony.enqueue_batch(", "symphony.ack(", "symphony.tick("),
    *("symphony.claim_batch(", "symphony.heartbeat(", "symphony.idle(", "symphony.busy("),
    *("symphony.nack_with_backoff(", "symphony.snooze(", "symphony.extend_lease("),
    *("BEGIN", "COMMIT\0", "idle_in_transaction", "insert into note", "listen ", "set_config"),
)
FATE = """
    select status, count(*) from (
        select (symphony.message_status(message_id)).status from unnest(%s::bigint[]) as message_id
    ) as fate group by status
"""
FOLLOWED = """
    select count(*), count(distinct body) from symphony.message where message_type = 'Followed'
"""
LEFT = "select sum(pending + delayed + processing)::int from symphony.queue_stats()"
WAITING = "select count(*) from symphony.pending_message"
ANY_SESSION = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1
"""


class Producer(threading.Thread):
    """Dispatches its share, each message until somebody says that it is there."""

    def __init__(self, dsn: str, numbers: "Numbers", rng: random.Random) -> None:
        super().__init__()
        self.app = soak.make_app(dsn)
        self.numbers = numbers
        self.rng = rng
        self.ends = False
        self.ids: dict[int, tuple[str, int]] = {}  # by number: the kind and the message id
        self.count: Counter[str] = Counter()

    def run(self) -> None:
        pause, due = BATCH * PRODUCERS / RATE, time.monotonic()
        while not self.ends:
            kinds = self.rng.choices(list(soak.KINDS), list(soak.KINDS.values()), k=BATCH)
            messages = [kind(self.numbers.next()) for kind in kinds]
            for sent in [messages] if self.rng.random() < 0.5 else [[each] for each in messages]:
                self.send(sent)
            due += pause
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
        self.app.close()

    def send(self, messages: list[soak.Numbered]) -> None:
        envelopes = [self.app.envelope(each, idempotency_key=str(each.n)) for each in messages]
        while True:
            try:
                ids = self.app.dispatch_many(envelopes)
                break
            except (NoAnswer, ConnectionRefused, psycopg.OperationalError) as error:
                self.count[type(error).__name__] += 1
                time.sleep(0.05)
        for message, message_id in zip(messages, ids, strict=True):
            self.ids[message.n] = (type(message).__name__, message_id)


class Numbers:
    """Numbers that nobody else gets."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last


class Crew:
    """Workers in processes of their own. The first one is never killed, and is measured."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.started = 0
        self.measures: list[tuple[float, int]] = []

    def start(self) -> None:
        self.started += 1
        path = self.folder / f"worker-{self.started}"
        with path.with_suffix(".log").open("wb") as log:
            command = [sys.executable, soak.__file__, self.dsn, str(path)]
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def kill_one(self, rng: random.Random) -> None:
        victim = self.processes.pop(rng.randrange(1, len(self.processes)))
        assert victim.poll() is None, f"a worker ended by itself, with {victim.returncode}"
        victim.kill()
        victim.wait()
        self.start()

    def measure(self) -> None:
        """Note how much memory and how many files the first worker has."""
        folder = Path(f"/proc/{self.processes[0].pid}")
        if folder.exists():
            pages = int((folder / "statm").read_text().split()[1])
            files = len(list((folder / "fd").iterdir()))
            self.measures.append((pages * os.sysconf("SC_PAGESIZE") / 2**20, files))

    def stop(self) -> list[int]:
        """End all of them as a supervisor does; return their exit codes."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(30) for process in self.processes]

    def kill_all(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def told(self) -> dict[str, Counter[int]]:
        """Return by kind how often handlers came to the end with a number."""
        told: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for path in self.folder.glob("worker-*[0-9]"):
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):  # the last one of a killed worker may be cut
                    kind, n, _ = json.loads(line)
                    told[kind][n] += 1
        return told


class Faults:
    """What goes wrong, one after the other."""

    def __init__(self, server: Server, proxy: Proxy, crew: Crew, rng: random.Random) -> None:
        self.server = server
        self.proxy = proxy
        self.crew = crew
        self.rng = rng
        self.count: Counter[str] = Counter()

    def happen(self) -> None:
        """Do one of them."""
        rng = self.rng
        way = rng.random()
        if way < 0.2:
            self.proxy.silence()
            self.count["silences of all connections"] += 1
        elif way < 0.6:
            self.proxy.silence_at(rng.choice(CALLS), loses=rng.choice(["request", "answer"]))
            self.count["silences in the midst of a call"] += 1
        elif way < 0.7:
            self.proxy.refuses_news = True
            time.sleep(0.5 + rng.random())
            self.proxy.refuses_news = False
            self.count["silent logins"] += 1
        elif way < 0.85:
            self.crew.kill_one(rng)
            self.count["workers killed"] += 1
        else:
            with psycopg.connect(self.server.dsn, autocommit=True) as conn:
                conn.execute(ANY_SESSION)
            self.count["sessions ended"] += 1

    def restart(self, stack: ExitStack, data_dir: Path) -> None:
        """Let the server crash, and start it again."""
        assert self.server._process is not None
        self.server._process.send_signal(signal.SIGQUIT)  # what pg_ctl calls immediate
        self.server._process.wait()
        self.server = stack.enter_context(Server(data_dir=data_dir, port=self.server.port))
        self.count["crashes of the server"] += 1


def check(conn: Connection) -> None:
    assert conn.execute("select * from symphony.check()").fetchall() == []


def is_settled(conn: Connection) -> bool:
    return conn.execute(LEFT).fetchone() == (0,)


def test_nothing_is_lost_and_nothing_grows(data_dir: Path, tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.randrange(10**6))
    rng = random.Random(seed)
    print(f"seed {seed}")
    with ExitStack() as stack:
        server = stack.enter_context(Server(data_dir=data_dir))
        with psycopg.connect(server.dsn) as conn:
            install(conn)
            conn.execute("create table note (n bigint)")
            conn.execute(
                "select symphony.configure_queue('default', lease => '5 s', max_attempts => 1000,"
                " retry_delay => '0.2 s', retry_max_delay => '1 s')"
            )
        proxy = stack.enter_context(proxy_to(server.dsn))
        crew = Crew(proxy.dsn, tmp_path)
        stack.callback(crew.kill_all)
        for _ in range(1 + WORKERS):
            crew.start()
        numbers = Numbers()
        producers = [
            Producer(proxy.dsn, numbers, random.Random(rng.random())) for _ in range(PRODUCERS)
        ]
        for producer in producers:
            producer.start()
        faults = Faults(server, proxy, crew, rng)
        begun = time.monotonic()
        restart_at = begun + min(SECONDS / 2, 60)
        try:
            while (now := time.monotonic()) < begun + SECONDS:
                time.sleep(0.5 + rng.random())
                crew.measure()
                proxy.give_up(KEEPALIVE)  # or all connections of the server would be silent ones
                if now > restart_at:
                    restart_at = now + 60
                    faults.restart(stack, data_dir)
                else:
                    faults.happen()
        finally:
            for producer in producers:
                producer.ends = True
            for producer in producers:
                producer.join()
        proxy.clear()
        with psycopg.connect(faults.server.dsn, autocommit=True) as conn:
            Client(conn).pause_schedule("ping")
            ended = time.monotonic()
            # With a fault a second, workers cannot keep pace. Without any they can, and catch up.
            left = one(conn, WAITING)
            wait_until(lambda: is_settled(conn), "the end of the work", SETTLED + left / RATE)
            seconds = time.monotonic() - ended
            crew.measure()
            assert crew.stop() == [0] * (1 + WORKERS)
            check(conn)
            sent = {n: each for producer in producers for n, each in producer.ids.items()}
            judge(conn, sent, crew.told())
            pings = one(conn, "select count(*) from symphony.schedule_runs('ping', 10000)")

    count = faults.count
    for producer in producers:
        count.update(producer.count)
    print(f"{len(sent)} messages in {SECONDS:g} s, {len(sent) / SECONDS:.0f} a second")
    print(f"settled {left} messages in {seconds:.1f} s after the last fault")
    print(f"the schedule ran {pings} times")
    print(f"connections that fell silent: {proxy.silences}; {dict(count)}")
    judge_growth(crew.measures)
    assert proxy.silences > 0 and count["crashes of the server"] > 0


def judge(
    conn: Connection, sent: dict[int, tuple[str, int]], told: dict[str, Counter[int]]
) -> None:
    """Compare what was sent with what handlers and the database say."""
    by_kind: defaultdict[str, set[int]] = defaultdict(set)
    for n, (kind, _) in sent.items():
        by_kind[kind].add(n)
    ids = [message_id for _, message_id in sent.values()]
    assert len(set(ids)) == len(ids), "two messages with one id"
    assert dict(conn.execute(FATE, [ids]).fetchall()) == {"completed": len(ids)}
    for kind, expected in by_kind.items():
        lost = expected - told[kind].keys()
        assert not lost, f"{kind}: completed, but no handler had them: {sorted(lost)[:10]}"
    # What is in a transaction of a handler is there once, however often the handler ran.
    in_transactions = by_kind["Transaction"] | by_kind["AsyncTransaction"]
    notes = Counter(n for (n,) in conn.execute("select n from note").fetchall())
    assert notes == Counter(in_transactions)
    assert told["Followed"].keys() == in_transactions
    rows = conn.execute(FOLLOWED).fetchone()
    assert rows == (len(in_transactions), len(in_transactions))
    assert told["OfChild"].keys() >= by_kind["Forking"]
    again = sum(times - 1 for each in told.values() for times in each.values())
    print({kind: len(each) for kind, each in by_kind.items()}, f"handled again: {again}")


def judge_growth(measures: list[tuple[float, int]]) -> None:
    """Memory and files are as they were after a third of the time."""
    third = len(measures) // 3
    if third < 3:
        return  # there is no /proc, or it was too short
    memory = [each[0] for each in measures]
    files = [each[1] for each in measures]
    middle, last = slice(third, 2 * third), slice(2 * third, None)
    print(
        f"memory: {max(memory[middle]):.1f}, then {max(memory[last]):.1f} MiB;"
        f" files: {max(files[middle])}, then {max(files[last])}"
    )
    assert max(memory[last]) < max(memory[middle]) + 8
    assert max(files[last]) <= max(files[middle]) + 8
