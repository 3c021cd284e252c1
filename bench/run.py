"""Measure Symphony beside its yardsticks, on the server that SYMPHONY_DSN names.

    make bench                     all figures
    make bench ARGS="wal drain"    some of them
    make bench ARGS="--quick"      shorter; the figures are rough

Figures are ratios and counts measured in one run; rates are medians of three. A row says whether
the figure meets its target. Bodies are JSON of 200 bytes; fsync and synchronous_commit are on.
Checkpoints are made before a figure and not while it is measured.
"""

import argparse
import asyncio
import multiprocessing
import os
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from symphony_pg import Symphony, Worker, message

sys.path.insert(0, str(Path(__file__).parent))
import brokers as broker_figures
import cron_next
import figures
import limits
import schedules
import traffic

DSN = os.environ["SYMPHONY_DSN"]
BODY = '{"n": 1, "s": "' + "x" * 180 + '"}'
ELEMENT = "jsonb_build_object('message_type', 'Bench', 'body', %(body)s::jsonb)"
CLAIM = (
    "select max(claim_id), count(*) as size"
    " from symphony.claim_batch('{default}', batch_size => %s, worker => 'b', lease => '10 min')"
)
PLAIN = (
    "insert into plain (enqueued_at, lane_id, message_type, body, headers) "
    f"values (clock_timestamp(), 1, 'Bench', '{BODY}', '{{}}') returning message_id"
)
PLAIN_BATCH = PLAIN.replace(" values (", " select ").replace(
    ") returning message_id", " from generate_series(1, 100)"
)
ORDERS = ("order by id ", "")
TICKS = os.sysconf("SC_CLK_TCK")


@message("Ping")
@dataclass
class Ping:
    sent: float


@dataclass
class Bench:
    quick: bool

    def connect(self, **settings: str) -> psycopg.Connection[Any]:
        conn = psycopg.connect(DSN, autocommit=True, prepare_threshold=1)
        for name, value in settings.items():
            conn.execute("select set_config(%s, %s, false)", [name, value])
        return conn

    def fresh(self) -> None:
        """Empty the queue and its history."""
        with self.connect() as conn:
            conn.execute("select symphony.drop_queue('default', true)")
            conn.execute("select symphony.create_queue('default')")
            conn.execute("vacuum (analyze) symphony.message")
            conn.execute("vacuum (analyze) symphony.claim")

    def settle(self) -> None:
        """Write back what the figure before has left, so that the next one does not pay for it."""
        self.fresh()
        with self.connect() as conn:
            conn.execute("drop table if exists plain, bare")
            conn.execute("checkpoint")

    def fill(self, count: int, chunk: int = 1000) -> None:
        batch = (
            f"select count(*) from symphony.enqueue_batch((select jsonb_agg({ELEMENT})"
            " from generate_series(1, %(n)s)))"
        )
        with self.connect() as conn:
            for _ in range(count // chunk):
                conn.execute(batch, {"body": BODY, "n": chunk})

    def plain_table(self) -> None:
        with self.connect() as conn:
            conn.execute("drop table if exists plain")
            conn.execute("create table plain (like symphony.message including all)")


def row(
    name: str,
    figure: float,
    unit: str,
    target: float | None = None,
    most: bool = True,
    beside: str = "",
) -> None:
    """Print one figure, its target and its yardstick."""
    verdict = ""
    if target is not None:
        met = figure <= target if most else figure >= target
        verdict = f"{'ok' if met else 'MISS':4} ({'at most' if most else 'at least'} {target:g})"
    print(f"{name:68} {figure:10,.2f} {unit:12} {verdict:22} {beside}", flush=True)


def median(measure: Callable[[], float], times: int = 3) -> float:
    return statistics.median(measure() for _ in range(times))


def backend_cpu(pids: Iterable[int]) -> float:
    """Return the CPU seconds that these server processes have used."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def one(conn: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    found = conn.execute(query.encode(), args or None).fetchone()
    assert found is not None
    return found[0]


def wal(bench: Bench) -> None:
    """WAL of a whole life, after a first round has touched the pages."""
    conn = bench.connect()

    def lsn() -> int:
        return int(one(conn, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    for batch, target in ((100, 580), (1, 1250)):
        bench.fresh()
        rounds = 20 if batch == 100 else 600
        figures = []
        for _ in range(4):
            before = lsn()
            for _ in range(rounds):
                if batch == 1:
                    conn.execute("select symphony.enqueue('Bench', %s)", [BODY])
                else:
                    bench.fill(batch, batch)
                claim = conn.execute(CLAIM, [batch]).fetchone()
                assert claim is not None and claim[1] == batch
                conn.execute("select symphony.ack(%s)", [claim[0]])
            figures.append((lsn() - before) / rounds / batch)
        row(
            f"WAL of a message's life, batches of {batch}",
            statistics.median(figures[1:]),
            "bytes",
            target,
            beside=f"full_page_writes {one(conn, 'show full_page_writes')}",
        )


LOOPS = {
    "ours": """
        create procedure pg_temp.ours(size integer, total integer) language plpgsql as $$
        declare v_claim_id bigint; v_size integer; v_done integer := 0;
        begin
            while v_done < total loop
                perform set_config('synchronous_commit', 'off', true);
                select max(claim_id), count(*) into v_claim_id, v_size
                from symphony.claim_batch('{default}', size, 'b', '10 min');
                commit;
                perform symphony.ack(v_claim_id);
                commit;
                v_done := v_done + v_size;
            end loop;
        end $$""",
    "bare": """
        create procedure pg_temp.bare(size integer, total integer) language plpgsql as $$
        declare v_size integer; v_done integer := 0;
        begin
            while v_done < total loop
                with gone as (
                    delete from bare where id = any (array(
                        select id from bare {order}limit size for update skip locked))
                    returning id, body)
                select count(*) into v_size from gone;
                commit;
                v_done := v_done + v_size;
            end loop;
        end $$""",
}
BARE = (
    "with gone as (delete from bare where id = any (array(select id from bare {order}"
    "limit %s for update skip locked)) returning id, body) select count(*) from gone"
)


class Drain:
    """Ways to work off a backlog in batches, ours and the yardstick's, each until it is empty.

    In SQL one connection does both steps, so the transactions of claims turn synchronous_commit
    off. From Python they have connections of their own, as in the worker.
    """

    def __init__(self, bench: Bench, size: int, total: int) -> None:
        self.bench, self.size, self.total = bench, size, total
        self.claims, self.acks = bench.connect(synchronous_commit="off"), bench.connect()

    def rate(self, fill: Callable[[], None], way: Callable[[], None]) -> float:
        """Return messages a second, the median of three rounds that each begin anew."""

        def one_round() -> float:
            fill()
            begun = time.perf_counter()
            way()
            return self.total / (time.perf_counter() - begun)

        return median(one_round)

    def fill(self) -> None:
        self.bench.fresh()
        self.bench.fill(self.total, min(self.total, 1000))

    def fill_bare(self) -> None:
        rows = "insert into bare select i, %s::jsonb from generate_series(1, %s) as i"
        self.acks.execute("drop table if exists bare")
        self.acks.execute("create table bare (id bigint primary key, body jsonb)")
        self.acks.execute(rows.encode(), [BODY, self.total])
        self.acks.execute("vacuum analyze bare")
        self.acks.execute("checkpoint")

    def in_sql(self, loop: str, order: str = "") -> None:
        with self.bench.connect() as conn:
            conn.execute(LOOPS[loop].replace("{order}", order).encode())
            conn.execute(f"call pg_temp.{loop}(%s, %s)".encode(), [self.size, self.total])

    def in_turn(self) -> None:
        while claim_id := one(self.claims, CLAIM, self.size):
            self.acks.execute("select symphony.ack(%s)", [claim_id]).fetchone()

    def overlapping(self) -> None:
        """Claim while the ack before is on its way, as the worker does."""
        waiting: queue.Queue[int | None] = queue.Queue(4)

        def settle() -> None:
            while (claim_id := waiting.get()) is not None:
                self.acks.execute("select symphony.ack(%s)", [claim_id]).fetchone()

        thread = threading.Thread(target=settle)
        thread.start()
        while claim_id := one(self.claims, CLAIM, self.size):
            waiting.put(claim_id)
        waiting.put(None)
        thread.join()

    def bare_from_python(self, order: str) -> None:
        while one(self.acks, BARE.format(order=order), self.size):
            pass


def drain(bench: Bench) -> None:
    """Claim and ack against a bare delete with skip locked: in SQL, and from Python.

    The yardstick is a queue, so it deletes in the order of its ids; what it does without an order
    is told beside it. It walks over what it has deleted, so its rate falls with the backlog: the
    targets are for the larger one.
    """
    for size, total, target in ((100, 50_000, None), (100, 500_000, 1.5), (1, 2_000, 0.5)):
        work = Drain(bench, size, total // 5 if bench.quick else total)  # fill() makes thousands
        yardsticks = {
            place: [work.rate(work.fill_bare, partial(way, order)) for order in ORDERS]
            for place, way in (
                ("in SQL", partial(work.in_sql, "bare")),
                ("from Python", work.bare_from_python),
            )
        }
        for title, place, way in (
            ("in SQL", "in SQL", partial(work.in_sql, "ours")),
            ("from Python, in turn", "from Python", work.in_turn),
            ("from Python, acks overlapping", "from Python", work.overlapping),
        ):
            rate = work.rate(work.fill, way)
            ordered, unordered = yardsticks[place]
            row(
                f"claim + ack {title}, {work.total:,} by {size}",
                rate / ordered,
                "x",
                target if place == "in SQL" else None,
                False,
                f"{rate:,.0f} against {ordered:,.0f} messages/s; without an order {unordered:,.0f}",
            )


def pgbench(script: str, clients: int, seconds: int, options: str = "") -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script + ";\n")
        file.flush()
        program = Path(os.environ["PG_BIN"]) / "pgbench"
        command = [
            str(program),
            "-n",
            "-M",
            "prepared",
            "-f",
            file.name,
            "-c",
            str(clients),
            "-T",
            str(seconds),
        ]
        environment = {**os.environ, "PGOPTIONS": options}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.split("tps = ")[1].split()[0])


@contextmanager
def sleeping(bench: Bench) -> Iterator[None]:
    """Be a worker that said that it sleeps, and never wakes up."""
    with bench.connect() as conn:
        conn.execute('listen "symphony:default"')
        while not one(conn, "select symphony.idle('sleeper', '{default}')"):
            pass
        yield
        conn.execute("select symphony.busy('sleeper')")


@contextmanager
def consuming() -> Iterator[None]:
    """Run a worker in a process of its own; it sleeps until it is notified."""
    program = (
        "import asyncio, sys; from symphony_pg import Symphony, Worker\n"
        "app = Symphony(sys.argv[1])\n"
        "@app.handler('Bench')\n"
        "def handle(message): pass\n"
        "asyncio.run(Worker(app, ['default']).run(signals=True))\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, DSN])
    time.sleep(2)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


def enqueue(bench: Bench) -> None:
    """One message a transaction, against one bare row, each measured right after the other.

    A worker that listens wakes up with the first message and works. The last row is the worst that
    can be: a worker that said it sleeps, does not wake, and is notified of every single message.
    """
    seconds = 2 if bench.quick else 5
    script = f"select symphony.enqueue('Bench', '{BODY}')"
    for clients in (1, 8):
        for present, title, target in (
            (nullcontext(), "nobody listens", 0.65),
            (consuming(), "a worker listens", 0.6),
            (sleeping(bench), "a stopped worker listens", None),
        ):
            bench.fresh()
            bench.plain_table()
            with present:
                pairs = [
                    (pgbench(script, clients, seconds), pgbench(PLAIN, clients, seconds))
                    for _ in range(3)
                ]
            ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
            row(
                f"enqueue against a bare insert, {clients} clients, {title}",
                statistics.median(a / b for a, b in pairs),
                "x",
                target,
                False,
                f"{ours:,.0f} against {bare:,.0f} /s",
            )


def slow_commits(bench: Bench) -> None:
    """Twenty consumers in plain SQL of one message a claim, where a commit takes 5 ms.

    The leader of each group of commits waits for that long before it writes, as it would wait for a
    slow disk. The yardstick deletes a row with skip locked, and is one transaction.
    """
    options = "-c commit_delay=5000 -c commit_siblings=0"
    claim = "select claim_id from symphony.claim_batch('{{default}}', 1{}) \\gset"
    seconds = 2 if bench.quick else 5
    rates = {}
    for way, argument in (("synchronous", ""), ("asynchronous", ", asynchronous => true")):
        bench.fresh()
        bench.fill(20_000)
        script = f"{claim.format(argument)}\nselect symphony.ack(:claim_id)"
        rates[way] = pgbench(script, 20, seconds, options)
    Drain(bench, 1, 20_000).fill_bare()
    bare = pgbench(BARE.format(order="order by id ").replace("%s", "1"), 20, seconds, options)
    row(
        "20 consumers of one message, commits of 5 ms, asynchronous claims",
        rates["asynchronous"],
        "messages/s",
        1000,
        False,
        f"synchronous {rates['synchronous']:,.0f}; skip locked {bare:,.0f}",
    )


ENQUEUE = b"select symphony.enqueue('Record', %s)"
PRODUCERS = 8


@message("Record")
@dataclass
class Record:
    n: int
    s: str


def enqueue_bare() -> Callable[[int], object]:
    """Return what enqueues a message by psycopg alone."""
    conn = psycopg.connect(DSN, autocommit=True)
    return lambda n: conn.execute(ENQUEUE, [Jsonb({"n": n, "s": "x" * 180})]).fetchone()


def enqueue_by_dispatch() -> Callable[[int], object]:
    """Return what enqueues the same message by dispatch()."""
    app = Symphony(DSN)
    return lambda n: app.dispatch(Record(n, "x" * 180))


def produce(
    way: Callable[[], Callable[[int], object]], seconds: float, begin: Barrier, found: "Queue[Any]"
) -> None:
    """Enqueue for some time; tell how many messages that were, and the CPU seconds of it."""
    one_more = way()
    for n in range(20):
        one_more(n)
    begin.wait()
    count, used, end = 0, time.process_time(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        one_more(count)
        count += 1
    found.put((count, time.process_time() - used))


def dispatch(bench: Bench) -> None:
    """Let eight processes enqueue by way of an application, and by bare psycopg in turn."""
    seconds = 2 if bench.quick else 8
    context = multiprocessing.get_context("fork")

    def rate_and_cpu(way: Callable[[], Callable[[int], object]]) -> tuple[float, float]:
        bench.fresh()
        begin, found = context.Barrier(PRODUCERS), context.Queue()
        processes = [
            context.Process(target=produce, args=(way, seconds, begin, found))
            for _ in range(PRODUCERS)
        ]
        for process in processes:
            process.start()
        counts, used = zip(*(found.get() for _ in processes), strict=True)
        for process in processes:
            process.join()
        return sum(counts) / seconds, sum(used) / sum(counts) * 1e6

    pairs = [(rate_and_cpu(enqueue_by_dispatch), rate_and_cpu(enqueue_bare)) for _ in range(5)]
    (rate, own), (bare, yardstick) = (
        map(statistics.median, zip(*side, strict=True)) for side in zip(*pairs, strict=True)
    )
    row(
        f"dispatch() against bare psycopg, {PRODUCERS} processes",
        statistics.median(ours[0] / theirs[0] for ours, theirs in pairs),
        "x",
        0.9,
        False,
        f"{rate:,.0f} against {bare:,.0f} /s",
    )
    row("dispatch(), its own CPU", own, "µs/message", beside=f"bare psycopg {yardstick:.1f}")


def batch(bench: Bench) -> None:
    """enqueue_batch against insert … select of the same rows, each right after the other."""
    total = 10_000 if bench.quick else 50_000
    conn = bench.connect()
    pid = conn.info.backend_pid
    messages = "[" + ",".join([f'{{"message_type": "Bench", "body": {BODY}}}'] * 1000) + "]"
    insert = (
        "insert into plain (enqueued_at, lane_id, message_type, body, headers)"
        " select clock_timestamp(), 1, 'Bench', body, '{}' from source"
    )
    conn.execute("drop table if exists source")
    conn.execute(
        "create table source as select %s::jsonb as body from generate_series(1, 1000)", [BODY]
    )
    cpu: list[float] = []

    def ours() -> float:
        bench.fresh()
        before, begun = backend_cpu([pid]), time.perf_counter()
        for _ in range(total // 1000):
            conn.execute("select count(*) from symphony.enqueue_batch(%s)", [messages])
        elapsed = time.perf_counter() - begun
        cpu.append((backend_cpu([pid]) - before) / total * 1e6)
        return total / elapsed

    def bare() -> float:
        bench.plain_table()
        begun = time.perf_counter()
        for _ in range(total // 1000):
            conn.execute(insert.encode())
        return total / (time.perf_counter() - begun)

    pairs = [(ours(), bare()) for _ in range(5)]
    rate, yardstick = (statistics.median(side) for side in zip(*pairs, strict=True))
    row(
        "enqueue_batch against insert … select",
        statistics.median(a / b for a, b in pairs),
        "x",
        0.5,
        False,
        f"{rate:,.0f} against {yardstick:,.0f} messages/s",
    )
    row("enqueue_batch, server CPU", statistics.median(cpu), "µs/message", 9)


def nothing(_: Any) -> None:
    pass


async def nothing_async(_: Any) -> None:
    pass


def worker(bench: Bench) -> None:
    """Drain a queue with the Python worker and a handler that does nothing."""
    drained_by(bench, "sync", nothing, 18)
    drained_by(bench, "async", nothing_async, 21)


def drained_by(bench: Bench, kind: str, handler: Callable[[Any], Any], target: float) -> None:
    total = 10_000 if bench.quick else 50_000
    app = Symphony(DSN)
    app.handler("Bench")(handler)
    rates, server, own = [], [], []
    for _ in range(3):
        bench.fresh()
        bench.fill(total)
        the_worker = Worker(app, ["default"])
        with bench.connect() as conn:
            used = resource.getrusage(resource.RUSAGE_SELF)
            begun = time.perf_counter()
            thread = threading.Thread(target=asyncio.run, args=(the_worker.run(),))
            thread.start()
            while the_worker.counts.done < total:
                time.sleep(0.01)
            elapsed = time.perf_counter() - begun
            now = resource.getrusage(resource.RUSAGE_SELF)
            backends = conn.execute(
                "select pid from pg_stat_activity where datname = current_database()"
                " and backend_type = 'client backend' and pid <> pg_backend_pid()"
            ).fetchall()
            server.append(backend_cpu(pid for (pid,) in backends) / total * 1e6)
            the_worker.stop()
            thread.join()
        rates.append(total / elapsed)
        own.append((now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) / total * 1e6)
    row(f"worker, {kind} handler, drain", statistics.median(rates), "messages/s")
    row(f"worker, {kind} handler, server CPU", statistics.median(server), "µs/message", 8)
    row(f"worker, {kind} handler, its own CPU", statistics.median(own), "µs/message", target)
    app.close()


def latency(bench: Bench) -> None:
    """From before dispatch to the start of the handler, 20 messages a second."""
    bench.fresh()
    app = Symphony(DSN)
    times: list[float] = []

    @app.handler(Ping)
    def handle(message: Ping) -> None:
        times.append((time.perf_counter() - message.sent) * 1000)

    the_worker = Worker(app, ["default"])
    thread = threading.Thread(target=asyncio.run, args=(the_worker.run(),))
    thread.start()
    time.sleep(1)
    for _ in range(100 if bench.quick else 400):
        sent = time.perf_counter()
        app.dispatch(Ping(sent))
        time.sleep(max(0, 0.05 - (time.perf_counter() - sent)))
    time.sleep(0.3)
    the_worker.stop()
    thread.join()
    app.close()
    cuts = statistics.quantiles(times, n=100)
    row("latency, p50", cuts[49], "ms", 3)
    row("latency, p95", cuts[94], "ms")
    row("latency, p99", cuts[98], "ms", 10, beside=f"{len(times)} messages")


def idle(bench: Bench) -> None:
    """CPU that a worker of all queues costs while there is nothing to do."""
    app = Symphony(DSN)

    @app.handler("Bench")
    def handle(body: object) -> None:
        pass

    seconds = 10 if bench.quick else 60
    for queues, target in ((1, 3), (1000, 5)):
        bench.fresh()
        with bench.connect() as conn:
            conn.execute(
                "select symphony.create_queue('q' || i) from generate_series(2, %s) as i", [queues]
            )
            conn.execute(
                "select symphony.enqueue('Bench', queue_name => queue_name) from symphony.queue"
            )
            the_worker = Worker(app, all_queues=True)
            thread = threading.Thread(target=asyncio.run, args=(the_worker.run(),))
            thread.start()
            while the_worker.counts.done < queues:
                time.sleep(0.1)
            time.sleep(5)
            conn.execute("select symphony._fold(null, now())")  # the end of what is done
            found = conn.execute(
                "select pid from pg_stat_activity where backend_type = 'client backend'"
                " and datname = current_database() and pid <> pg_backend_pid()"
            )
            pids = [pid for (pid,) in found]
            before, started = backend_cpu(pids), time.monotonic()
            own = time.process_time()
            time.sleep(seconds)
            passed = time.monotonic() - started
            used = (backend_cpu(pids) - before) * 1000 / passed
            own = (time.process_time() - own) * 1000 / passed
            the_worker.stop()
            thread.join()
            conn.execute(
                "select symphony.drop_queue(queue_name, true) from symphony.queue"
                " where queue_name like 'q%'"
            )
        row(f"idle worker, {queues:,} queues: server CPU", used, "ms/s", target)
        row(f"idle worker, {queues:,} queues: its own CPU", own, "ms/s", 2 if queues == 1 else None)
    app.close()


def trickle(bench: Bench) -> None:
    """20 messages a second, one at a time: what each costs, everything included.

    At this rate all code is cold, and a commit of one row costs half a millisecond. So beside it
    stands the least that can be done: insert and notify, and delete what was inserted.
    """
    seconds = 10 if bench.quick else 30
    pairs = []
    for _ in range(1 if bench.quick else 3):
        bench.fresh()
        ours = traffic.flow(DSN, 20, 1, 1, [seconds])
        with bench.connect() as conn, traffic.bare_table(conn):
            pairs.append((ours, traffic.flow(DSN, 20, 1, 1, [seconds], traffic.BARE)))
    pairs.sort(key=lambda pair: pair[0].costs[0].server)
    ours, bare = pairs[len(pairs) // 2]
    cost, least = ours.costs[0], bare.costs[0]
    row("20 messages a second, CPU of the whole server", cost.server / 1000, "ms/message", 1.2)
    row(
        "20 messages a second, CPU of the server against a bare table",
        statistics.median(a.costs[0].server / b.costs[0].server for a, b in pairs),
        "x",
        1.8,
        beside=f"{least.server / 1000:.2f} ms",
    )
    row(
        "20 messages a second, CPU of the worker",
        cost.worker / 1000,
        "ms/message",
        1.5,
        beside=f"bare psycopg {least.worker / 1000:.2f}",
    )
    row("20 messages a second, p50", ours.wait(0.5), "ms", 3, beside=f"{bare.wait(0.5):.2f} ms")
    row("20 messages a second, p99", ours.wait(0.99), "ms", 10, beside=f"{bare.wait(0.99):.2f} ms")
    with bench.connect() as conn, traffic.bare_table(conn):
        spent = traffic.calls(DSN, 40 if bench.quick else 200)
    for name in ("enqueue", "claim", "ack", "tick"):
        beside = f"insert and notify {spent['insert']:.0f}, select {spent['select']:.0f}"
        row(f"20 messages a second, CPU of {name}", spent[name], "µs/call", beside=beside)


def steady(bench: Bench) -> None:
    """2,000 messages a second by 100, with two workers, and all that a server does besides."""
    busy = {"autovacuum_naptime": "5s", "checkpoint_timeout": "30s"}
    with bench.connect() as conn, traffic.configured(conn, busy):
        conn.execute("select symphony.configure_queue('default', retention => '5 s')")
        found = traffic.flow(DSN, 2000, 100, 2, [20 if bench.quick else 60])
    (cost,) = found.costs
    row("2,000 messages a second, CPU of the whole server", cost.server, "µs/message", 30)
    row("2,000 messages a second, CPU of two workers", cost.worker, "µs/message", 30)
    row("2,000 messages a second, WAL", cost.wal, "bytes", 600)
    row("2,000 messages a second, p50", found.wait(0.5), "ms")
    row("2,000 messages a second, p99", found.wait(0.99), "ms", 10)
    row("2,000 messages a second, longest wait", found.wait(1), "ms", 20)


def sleepers(bench: Bench) -> None:
    """Sixteen workers sleep, and a message comes each second: one of them should wake."""
    bench.fresh()
    with bench.connect() as conn, traffic.configured(conn, {"track_functions": "pl"}):
        found = traffic.wake(DSN, 16, 10 if bench.quick else 40)
    row("16 workers asleep, claims that a message makes", found.claims, "claims", 2)
    row("16 workers asleep, CPU of the whole server", found.server / 1000, "ms/message")
    row("16 workers asleep, CPU of all workers", found.workers / 1000, "ms/message")
    row("16 workers asleep, p50", found.p50, "ms", 5)


def watched(bench: Bench) -> None:
    """1,000 messages a second by 50, with two workers, while a snapshot is held for a minute."""
    middle = 5 if bench.quick else 40
    with psycopg.connect(DSN) as holder:
        holder.execute("set transaction isolation level repeatable read")
        holder.execute("select count(*) from symphony.queue")
        found = traffic.flow(DSN, 1000, 50, 2, [10, middle, 10])
    first, _, last = found.costs
    title = "1,000 messages a second under a held snapshot"
    row(f"{title}, CPU of the whole server", last.server, "µs/message", 40)
    row(f"{title}, CPU of two workers", last.worker, "µs/message", 40)
    row(f"{title}, last / first 10 s", last.server / first.server, "x", 1.1)
    row(f"{title}, p99", found.wait(0.99), "ms")


def held(bench: Bench) -> None:
    """Throughput under a held snapshot, and under a transaction that writes and stays open.

    The load is steady: it runs for a while before. A bare insert takes its turn in every fifth
    round, since what both lose or gain is the machine's: a target is for the quotient of the two.
    In the first row nobody holds anything.
    """
    seconds = 20 if bench.quick else 60
    for title, isolation, begin in (
        ("nothing held open", "read committed", "select"),
        ("a held snapshot", "repeatable read", "select count(*) from symphony.queue"),
        (
            "an open transaction that writes",
            "read committed",
            "select symphony.enqueue('Late', '{}')",
        ),
    ):
        bench.settle()
        bench.plain_table()
        load = Load(bench)
        load.run(seconds / 3)
        holder = psycopg.connect(DSN)
        holder.execute(f"set transaction isolation level {isolation}".encode())
        holder.execute(begin.encode())
        (first, bare_first), _, (last, bare_last) = map(load.run, (10, seconds - 20, 10))
        holder.commit()
        holder.close()
        row(
            f"{title}, last / first 10 s, beside bare inserts",
            last / first / (bare_last / bare_first),
            "x",
            None if begin == "select" else 0.9,
            False,
            f"{last / first:.2f} beside {bare_last / bare_first:.2f} x;"
            f" {first:,.0f}, then {last:,.0f} messages/s",
        )


class Load:
    """Enqueue, claim and ack a hundred messages, again and again, and bare inserts between them."""

    def __init__(self, bench: Bench) -> None:
        self._conn, self._claims = bench.connect(), bench.connect(synchronous_commit="off")

    def run(self, seconds: float) -> tuple[float, float]:
        """Return messages, and rows of the yardstick, a second of their own time."""
        ours, bare = [], []
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            bench_batch(self._conn)
            claim = self._claims.execute(CLAIM, [100]).fetchone()
            assert claim is not None
            self._conn.execute("select symphony.ack(%s)", [claim[0]])
            ours.append(time.perf_counter() - begun)
            if len(ours) % 5 == 0:
                begun = time.perf_counter()
                self._conn.execute(PLAIN_BATCH.encode())
                bare.append(time.perf_counter() - begun)
        return 100 / statistics.mean(ours), 100 / statistics.mean(bare)


def bench_batch(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        f"select count(*) from symphony.enqueue_batch((select jsonb_agg({ELEMENT})"
        " from generate_series(1, 100)))".encode(),
        {"body": BODY},
    )


def claim_cost(bench: Bench) -> None:
    """Buffers and time of one claim, whatever was consumed before or is pending."""
    million = 100_000 if bench.quick else 1_000_000
    conn = bench.connect()

    def cost() -> tuple[float, float]:
        buffers, micros = [], []
        for _ in range(30):
            plan = one(
                conn,
                "explain (analyze, buffers, format json) select * from"
                " symphony.claim_batch('{default}', 10, 'bench', '10 minutes')",
            )
            top = plan[0]["Plan"]
            buffers.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
            micros.append(top["Actual Total Time"] * 1000)
        return statistics.median(buffers[5:]), statistics.median(micros[5:])

    bench.fresh()
    bench.fill(1000)
    states = [("nothing consumed before", cost())]
    bench.fill(million, 10_000)
    states.append((f"{million:,} pending", cost()))
    while True:
        claim = conn.execute(CLAIM, [1000]).fetchone()
        assert claim is not None
        if not claim[1]:
            break
        conn.execute("select symphony.ack(%s)", [claim[0]])
    bench.fill(1000)
    states.append((f"{million:,} consumed before", cost()))
    for title, (buffers, micros) in states:
        row(f"claim of 10, {title}", buffers, "buffers", beside=f"{micros:,.0f} µs")


def gated(bench: Bench) -> None:
    """Claims and acks of queues that are ordered or have limits, beside an ordinary queue in turn.

    Each queue is worked off in batches of 100 through one connection. Ten hot keys are in two
    claims at a time, so most messages wait for their key. A snapshot is held in the last row.
    """
    messages = 5_000 if bench.quick else 20_000
    with bench.connect() as conn:
        gate = limits.Gate(conn, BODY)
        conn.execute("select symphony.create_queue('bench')")
        for case, target, most_wal in (
            (limits.DISTINCT, 0.45, 30),
            (limits.HOT, None, 260),
            (limits.CONCURRENCY, 0.6, None),
            (limits.RATE, 0.6, None),
        ):
            pairs = [
                (gate.drain(case, messages), gate.drain(limits.PLAIN, messages)) for _ in range(3)
            ]
            ours, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(a / b for a, b in pairs)
            beside = f"{ours:,.0f} against {plain:,.0f} messages/s"
            row(f"claim + ack, {case.title}", ratio, "x", target, False, beside)
            row(f"WAL of it, {case.title}", gate.wal(case, messages), "bytes", most_wal)
        row("WAL of it, an ordinary queue", gate.wal(limits.PLAIN, messages), "bytes", 16)
        flood = 10_000 if bench.quick else 100_000
        row(
            f"the longest claim of others beside {flood:,} that wait for a key",
            gate.beside_a_flood(flood),
            "ms",
            50,
        )
        with psycopg.connect(DSN) as holder:
            holder.execute("set transaction isolation level repeatable read")
            holder.execute("select count(*) from symphony.queue")
            first, last = gate.first_and_last(limits.HOT, 10_000 if bench.quick else 60_000)
        row("10 hot keys under a held snapshot, last / first tenth", last / first, "x", 1.3)
        conn.execute("select symphony.drop_queue('bench', true)")


def timetable(bench: Bench) -> None:
    """Measure 10,000 schedules of which 10 are due, and 1,000 cron expressions."""
    with bench.connect() as conn:
        for module in (schedules, cron_next):
            for name, value in module.run(conn).items():
                print(f"{module.__name__}: {name}: {value}")


def folding(bench: Bench) -> None:
    """Measure what figures cost a message, and how far they are from exact times of messages."""
    with bench.connect() as conn:
        for line in figures.costs(conn, BODY, 10_000 if bench.quick else 50_000, 10):
            print(line, flush=True)
    waited, worked = _timed_run(bench, 2_000 if bench.quick else 10_000)
    with bench.connect() as conn:
        for line in figures.errors(conn, waited, worked):
            print(line, flush=True)


def _timed_run(bench: Bench, total: int) -> tuple[list[float], list[float]]:
    """Work off messages that came one by one, in batches of 100; return their exact times.

    A message waits until its claim, and is worked on until its own handler has ended.
    """
    bench.fresh()
    waited: list[float] = []
    worked: list[float] = []
    conn = bench.connect()
    for _ in range(total // 100):
        for _ in range(100):
            conn.execute("select symphony.enqueue('Bench', %s)", [BODY])
        claimed = conn.execute(
            "select claim_id, extract(epoch from clock_timestamp() - enqueued_at)::float8"
            " from symphony.claim_batch('{default}', 100, 'b', '10 min')"
        ).fetchall()
        begun = time.perf_counter()
        for _, wait in claimed:
            time.sleep(0.0002)
            waited.append(wait)
            worked.append(time.perf_counter() - begun)
        conn.execute("select symphony.ack(%s)", [claimed[0][0]])
    return waited, worked


def brokers(bench: Bench) -> None:
    """Relays and consumers beside the bare libraries, and what they grow by."""
    for name, figure, unit, target, is_most, beside in broker_figures.rows(DSN, quick=bench.quick):
        row(name, figure, unit, target, is_most, beside)


FIGURES = {
    f.__name__: f
    for f in (
        wal,
        drain,
        enqueue,
        slow_commits,
        dispatch,
        batch,
        worker,
        latency,
        trickle,
        steady,
        sleepers,
        watched,
        idle,
        held,
        claim_cost,
        folding,
        gated,
        timetable,
        brokers,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("figures", nargs="*", help=f"of: {' '.join(FIGURES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="shorter; the figures are rough")
    given = parser.parse_args()
    if unknown := [each for each in given.figures if each not in FIGURES]:
        parser.error(f"there is no figure {unknown[0]}; there are: {' '.join(FIGURES)}")
    bench = Bench(given.quick)
    with bench.connect() as conn:
        conn.execute((Path(__file__).parent.parent / "build" / "symphony.sql").read_bytes())
        print(one(conn, "select version()"))
    for name in given.figures or FIGURES:
        bench.settle()
        FIGURES[name](bench)


if __name__ == "__main__":
    main()
