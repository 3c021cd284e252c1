"""What ordinary traffic costs: CPU of the whole server and of the workers, a message.

Messages come at a steady rate. Each worker is a process of its own. Every process of the server
counts, the session of the producer and autovacuum, too.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
WORKER = """
import asyncio, json, sys, time
from symphony_pg import Symphony, Worker

app, waits = Symphony(sys.argv[1]), []

@app.handler("Sent")
def handle(body):
    waits.append((time.time() - body["at"]) * 1000)

asyncio.run(Worker(app, ["default"]).run(signals=True))
print(json.dumps(waits))
"""
# The least that can be done with a table: whoever crashes, retries or looks is left alone.
BARE_WORKER = """
import json, psycopg, signal, sys, time

conn, waits = psycopg.connect(sys.argv[1], autocommit=True, prepare_threshold=1), []
take = (
    "delete from bare where id in (select id from bare order by id limit 100"
    " for update skip locked) returning body"
)

def stop(*_):
    print(json.dumps(waits), flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, stop)
conn.execute("listen bare")
while True:
    for _ in conn.notifies(timeout=1, stop_after=1):
        pass
    while found := conn.execute(take).fetchall():
        waits.extend((time.time() - body["at"]) * 1000 for (body,) in found)
"""


class Way(NamedTuple):
    """A queue: what works it off, and what sends one message and several."""

    worker: str
    one: str
    many: str


SYMPHONY = Way(
    WORKER,
    "select symphony.enqueue('Sent', %s::jsonb)",
    "select symphony.enqueue_batch(%s::jsonb)",
)
BARE = Way(
    BARE_WORKER,
    "with sent as (insert into bare (body) values (%s::jsonb) returning id)"
    " select pg_notify('bare', '') from sent",
    "with sent as (insert into bare (body) select each->'body'"
    " from jsonb_array_elements(%s::jsonb) as each returning id)"
    " select pg_notify('bare', '') from sent limit 1",
)


class Cost(NamedTuple):
    """Of a message: CPU in µs, and bytes of WAL."""

    server: float
    worker: float
    wal: float


class Flow(NamedTuple):
    """What was found: the cost in each span of time, and how long messages waited, in ms."""

    costs: Sequence[Cost]
    waits: Sequence[float]

    def wait(self, part: float) -> float:
        """Return the longest of this part of the waits, the shortest ones."""
        return self.waits[min(int(len(self.waits) * part), len(self.waits) - 1)]


class Workers:
    """Processes that work off the default queue."""

    def __init__(self, dsn: str, count: int, worker: str) -> None:
        command = [sys.executable, "-c", worker, dsn]
        self._running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for _ in range(count)
        ]

    def cpu(self) -> float:
        """Return what they have used so far, in µs."""
        return sum(_used(each.pid)[0] for each in self._running)

    def stop(self) -> list[float]:
        """End them; return how long their messages have waited."""
        for each in self._running:
            each.send_signal(signal.SIGTERM)
        told = [each.communicate()[0] for each in self._running]
        return sorted(wait for each in told for wait in json.loads(each))


def _used(pid: int) -> tuple[float, float, int]:
    """Return the CPU of a process, and of its children that have ended, in µs; and its parent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (sum(map(int, each)) / TICKS * 1e6 for each in (fields[11:13], fields[13:15]))
    return own, children, int(fields[1])


def server_cpu(conn: psycopg.Connection[Any]) -> float:
    """Return what all processes of the server have used so far, in µs."""
    postmaster = _used(conn.info.backend_pid)[2]
    total = sum(_used(postmaster)[:2])
    for path in Path("/proc").glob("[0-9]*"):
        try:
            own, _, parent = _used(int(path.name))
        except OSError:  # it has just ended
            continue
        if parent == postmaster:
            total += own
    return total


@contextmanager
def bare_table(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Have the table that is the yardstick, for a while."""
    conn.execute("create table bare (id bigserial primary key, body jsonb not null)")
    try:
        yield
    finally:
        conn.execute("drop table bare")


@contextmanager
def configured(conn: psycopg.Connection[Any], settings: Mapping[str, str]) -> Iterator[None]:
    """Give the server other settings for a while."""
    try:
        for name, value in settings.items():
            conn.execute(f"alter system set {name} = '{value}'".encode())
        conn.execute("select pg_reload_conf()")
        yield
    finally:
        for name in settings:
            conn.execute(f"alter system reset {name}".encode())
        conn.execute("select pg_reload_conf()")


def flow(
    dsn: str, rate: int, size: int, workers: int, spans: Sequence[float], way: Way = SYMPHONY
) -> Flow:
    """Send so many messages a second, `size` at a time, to so many workers."""
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=1) as conn:
        pool = Workers(dsn, workers, way.worker)
        time.sleep(2.5)  # they have started, and sleep

        def measure() -> tuple[float, float, float]:
            query = "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8"
            (wal,) = conn.execute(query).fetchone() or (0,)
            return server_cpu(conn), pool.cpu(), wal

        sent, begun, costs = 0, time.monotonic(), []
        end = begun
        for seconds in spans:
            end += seconds
            before, first = measure(), sent
            while time.monotonic() < end:
                body = {"at": time.time(), "s": "x" * 160}
                if size == 1:
                    conn.execute(way.one.encode(), [json.dumps(body)])
                else:
                    sending = [{"message_type": "Sent", "body": body}] * size
                    conn.execute(way.many.encode(), [json.dumps(sending)])
                sent += size
                time.sleep(max(0.0, begun + sent / rate - time.monotonic()))
            used = zip(measure(), before, strict=True)
            costs.append(Cost(*((after - was) / (sent - first) for after, was in used)))
        time.sleep(1)
        waits = pool.stop()
    if len(waits) != sent:
        raise SystemExit(f"{sent} messages were sent, and {len(waits)} were handled")
    return Flow(costs, waits)


# What one message makes each of three sessions do, the tick of each second, and the least there is.
CALLS = {
    "select": "select %s::integer",
    "insert": BARE.one,
    "enqueue": SYMPHONY.one,
    "claim": "select claim_id, message_id, body::text, has_more"
    " from symphony.claim_batch(worker => 'w', asynchronous => true)",
    "ack": "select symphony.ack(%s)",
    "tick": "select symphony.tick(purge => false)",
}


def calls(dsn: str, count: int) -> dict[str, float]:
    """Return what each call costs its session, in µs, where 20 of each are made in a second.

    So all that they need is cold. A worker sleeps, and is notified.
    """
    with ExitStack() as stack:
        sessions = {
            name: stack.enter_context(psycopg.connect(dsn, autocommit=True, prepare_threshold=1))
            for name in CALLS
        }
        sessions["claim"].execute('listen "symphony:default"')
        sessions["claim"].execute("select symphony.idle('w', '{default}')")
        sessions["claim"].execute("select symphony.idle('w', '{default}')")
        spent: dict[str, list[float]] = {name: [] for name in CALLS}
        body = json.dumps({"s": "x" * 180})
        for _ in range(count):
            claim_id = None
            for name, conn in sessions.items():
                given = {"select": 1, "insert": body, "enqueue": body, "ack": claim_id}
                before = _nanoseconds(conn.info.backend_pid)
                found = conn.execute(CALLS[name].encode(), [given[name]] if name in given else None)
                claim_id = (found.fetchone() or (None,))[0]
                time.sleep(0.002)  # what it does after its answer is part of it
                spent[name].append((_nanoseconds(conn.info.backend_pid) - before) / 1000)
            time.sleep(0.035)
        sessions["claim"].execute("select symphony.busy('w')")
    return {name: statistics.median(each) for name, each in spent.items()}


def _nanoseconds(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


class Woken(NamedTuple):
    """What a message costs beyond what sleeping costs: claims, and CPU in µs; and its p50 in ms."""

    claims: float
    server: float
    workers: float
    p50: float


def wake(dsn: str, workers: int, seconds: int) -> Woken:
    """Let workers sleep for so long, and then send one message a second for as long."""
    called = (
        "select coalesce(sum(calls), 0)::float8 from pg_stat_user_functions"
        " where funcname = 'claim_batch'"
    )
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=1) as conn:
        pool = Workers(dsn, workers, WORKER)
        time.sleep(15)  # they have started, and sleep

        def look() -> tuple[float, float, float]:
            (calls,) = conn.execute(called.encode()).fetchone() or (0,)
            return calls, server_cpu(conn), pool.cpu()

        marks = [look()]
        time.sleep(seconds)
        marks.append(look())
        for _ in range(seconds):
            conn.execute(SYMPHONY.one.encode(), [json.dumps({"at": time.time()})])
            time.sleep(1)
        marks.append(look())
        waits = pool.stop()
    begun, asleep, woken = marks
    claims, server, own = (
        (after - 2 * middle + was) / seconds
        for was, middle, after in zip(begun, asleep, woken, strict=True)
    )
    return Woken(claims, server, own, waits[len(waits) // 2])
