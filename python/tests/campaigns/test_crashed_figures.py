"""The server crashes while it folds and purges: each claim is counted exactly once all the same.

Each transaction of a producer or worker writes into a ledger what it did, so the ledger knows what
the crash has left of it. CRASHES is how often the server crashes; four by default.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server, ServerError
from tests.helpers import Connection, wait_until

CRASHES = int(os.environ.get("CRASHES", "4"))
QUEUES = ("kept", "short", "ordered")
# SIGQUIT is what `pg_ctl stop -m immediate` sends.
SIGNALS = (signal.SIGQUIT, signal.SIGKILL)
LEDGER = """
create table ledger (queue_name text, what text, messages int);
select symphony.create_queue('kept');
select symphony.create_queue('short', retention => '0');
select symphony.create_queue('ordered', ordered => true, retention => '0');
"""
SEND = """
with sent as (
    select count(*) as n from symphony.enqueue_batch((
        select jsonb_agg(jsonb_build_object('message_type', 'A', 'queue_name', %(queue)s::text,
                                            'group_key', 'k' || i %% 50))
        from generate_series(1, %(count)s) as i)))
insert into ledger select %(queue)s, 'arrived', n from sent
"""
CLAIM = """
with claimed as (select * from symphony.claim_batch(array[%(queue)s::text], %(count)s)), noted as (
    insert into ledger
    select %(queue)s, 'claimed', count(*) from claimed having count(*) > 0)
select max(claim_id), count(*) from claimed
"""
ACK = "insert into ledger select %s, 'completed', symphony.ack(%s)"
DUE = (
    "update symphony.tick set fold_at = '-infinity', purge_at = '-infinity'"
    " where tick_id = (select max(tick_id) from symphony.tick)"
)
WORK = ("select symphony.tick()", "select symphony.purge(100000)")


class Traffic:
    """Producers, workers, and one that folds and purges all the time, until the server is gone."""

    def __init__(self, dsn: str, seed: int) -> None:
        self._dsn, self._seed = dsn, seed
        self._stopped = threading.Event()
        self.is_inside = threading.Event()
        self.folds = 0
        parts = [self._produce, *[self._consume] * 2, self._tick]
        self._threads = [
            threading.Thread(target=self._run, args=(part, place))
            for place, part in enumerate(parts)
        ]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def join(self) -> None:
        self._stopped.set()
        for each in self._threads:
            each.join(60)
            assert not each.is_alive()

    def _run(self, part: Callable[[Connection, random.Random], None], place: int) -> None:
        chance = random.Random(self._seed * 10 + place)
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(self._dsn, autocommit=True) as conn,
        ):
            while not self._stopped.is_set():
                part(conn, chance)

    def _produce(self, conn: Connection, chance: random.Random) -> None:
        count = chance.choice((1, 10, 300))
        conn.execute(SEND, {"queue": chance.choice(QUEUES), "count": count})
        time.sleep(0.002)

    def _consume(self, conn: Connection, chance: random.Random) -> None:
        given = {"queue": chance.choice(QUEUES), "count": chance.choice((1, 5, 50))}
        row = conn.execute(CLAIM, given).fetchone()
        if row is not None and row[0] is not None and chance.random() < 0.95:
            conn.execute(ACK, [given["queue"], row[0]])

    def _tick(self, conn: Connection, chance: random.Random) -> None:
        """Fold or purge, and sometimes stay in the middle of it for a while."""
        with conn.transaction():
            conn.execute(DUE)
            conn.execute(chance.choice(WORK).encode())
            self.folds += 1
            if self.folds >= 5:
                self.is_inside.set()
                time.sleep(chance.choice((0, 0.01)))
                self.is_inside.clear()


@pytest.mark.parametrize("seed", [1])
def test_a_crash_in_the_middle_of_a_fold_or_a_purge(data_dir: Path, seed: int) -> None:
    chance, folds = random.Random(seed), 0
    options = {"fsync": "off", "autovacuum_naptime": "1s"}  # processes crash, and no machine
    for crash in range(CRASHES + 1):
        with _started(data_dir, options) as server:
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                if crash == 0:
                    install(conn)
                    conn.execute(LEDGER.encode())
                else:
                    _is_exact(conn)  # as the crash has left it
                    conn.execute("select symphony.tick()")
                    _is_exact(conn)
            if crash == CRASHES:
                break
            traffic = Traffic(server.dsn, seed * 1000 + crash)
            traffic.start()
            wait_until(traffic.is_inside.is_set, "a few folds")
            time.sleep(chance.uniform(0, 0.5))
            if crash % 4 < 2:
                traffic.is_inside.wait(5)
            assert server._process is not None
            server._process.send_signal(SIGNALS[crash % 2])
            server._process.wait()
            traffic.join()
            folds += traffic.folds
    with _started(data_dir, options) as server, psycopg.connect(server.dsn) as conn:
        conn.autocommit = True
        _drain(conn)
        for _ in range(20):
            conn.execute(DUE)
            conn.execute("select symphony.tick()")
        _is_exact(conn)
        (told,) = conn.execute(
            "select json_object_agg(queue_name, array[arrived, claimed, completed])"
            " from symphony.queue_totals() where queue_name <> 'default'"
        ).fetchall()
    print(f"{CRASHES} crashes, {folds} folds and purges; arrived, claimed, completed: {told[0]}")


def _started(data_dir: Path, options: dict[str, str]) -> Server:
    """Return a server that is to be started; wait for what is left of the one that was killed."""
    pid_file = data_dir / "postmaster.pid"
    deadline = time.monotonic() + 30
    while pid_file.exists() and time.monotonic() < deadline:
        with suppress(ServerError), Server(data_dir=data_dir, options=options):
            break
        time.sleep(0.2)
    return Server(data_dir=data_dir, options=options)


def _is_exact(conn: Connection) -> None:
    """Compare the figures with the ledger, and with one another."""
    client = Client(conn)
    assert client.check() == []
    for queue in QUEUES:
        (totals,) = client.queue_totals(queue)
        (stats,) = client.queue_stats(queue)
        ledger = dict(
            conn.execute(
                "select what, sum(messages)::bigint from ledger where queue_name = %s group by 1",
                [queue],
            ).fetchall()
        )
        assert {*stats.at_least} <= {"waiting"}  # which is counted up to 10,000
        # What came back, by a lease that ended, came in once more.
        assert totals.arrived - totals.returned == ledger.get("arrived", 0), queue
        assert totals.claimed == ledger.get("claimed", 0), queue
        assert totals.completed == ledger.get("completed", 0), queue
        figures = client.queue_figures(queue, step="hour")
        assert sum(each.arrived for each in figures) == totals.arrived, queue
        assert sum(each.claimed for each in figures) == totals.claimed, queue
        assert sum(each.completed for each in figures) == totals.completed, queue
        assert totals.claimed == (
            totals.completed + totals.retried + totals.failed + totals.returned + stats.processing
        ), queue


def _drain(conn: Connection) -> None:
    for queue in QUEUES:
        while True:
            row = conn.execute(CLAIM, {"queue": queue, "count": 1000}).fetchone()
            if row is None or row[0] is None:
                break
            conn.execute(ACK, [queue, row[0]])
