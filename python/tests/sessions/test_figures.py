"""Figures stay exact whatever sessions do: long transactions, rollbacks, cancels, purges, ticks."""

import random

import psycopg
import pytest

from symphony_pg import Client
from tests.helpers import Connection

SESSIONS = 4
PATIENCE = "-c lock_timeout=20ms"  # one thread is all of them
SEND = (
    "select symphony.enqueue_batch((select jsonb_agg(jsonb_build_object('message_type', 'A',"
    " 'queue_name', %s::text, 'group_key', 'k' || i %% 5)) from generate_series(1, %s) as i))"
)
FOLD = (
    "update symphony.tick set fold_at = '-infinity', purge_at = '-infinity'"
    " where tick_id = (select max(tick_id) from symphony.tick)"
)


class Traffic:
    """Sessions that do this and that at random, and are often in the middle of a transaction."""

    def __init__(self, dsn: str, conn: Connection, seed: int) -> None:
        self._conn, self._random = conn, random.Random(seed)
        self._sessions = [psycopg.connect(dsn, options=PATIENCE) for _ in range(SESSIONS)]
        self._ids: list[int] = []
        self._claims: list[tuple[int, list[int]]] = []

    def step(self) -> None:
        session = self._random.choice(self._sessions)
        what = self._random.choice(
            [self._send] * 5 + [self._claim] * 5 + [self._settle] * 4 + [self._cancel, self._fold]
        )
        try:
            what(session, self._random.choice(("plain", "short", "ordered")))
            ends = self._random.choice((session.commit, session.commit, session.rollback, None))
            if ends is not None:
                ends()
        except psycopg.Error:  # a lease that was lost, a lock that another session has
            session.rollback()

    def end(self) -> None:
        for session in self._sessions:
            session.rollback()
            session.close()
        for _ in range(2):
            self._conn.execute("select symphony.tick()")
            self._conn.execute(FOLD)

    def _send(self, session: Connection, queue: str) -> None:
        count = self._random.choice((1, 3, 40, 1100))
        self._ids += [row[0] for row in session.execute(SEND, [queue, count])]

    def _claim(self, session: Connection, queue: str) -> None:
        session.rollback()
        row = session.execute(
            "select max(claim_id), array_agg(message_id) from symphony.claim_batch(%s, %s)",
            [[queue], self._random.choice((1, 10, 100, 1000))],
        ).fetchone()
        if row is not None and row[0] is not None:
            self._claims.append(row)
        session.commit()  # a session that has a lane is ended when it is idle

    def _settle(self, session: Connection, queue: str) -> None:
        if not self._claims:
            return
        claim_id, ids = self._claims.pop(self._random.randrange(len(self._claims)))
        statement, arguments = self._random.choice(
            (
                ("select symphony.ack(%s)", [claim_id]),
                ("select symphony.ack(%s)", [claim_id]),
                ("select symphony.ack(%s, %s)", [claim_id, ids[:1]]),
                ("select symphony.release(%s)", [claim_id]),
                ("select symphony.nack_with_backoff(%s, %s, 'x')", [claim_id, ids[0]]),
            )
        )
        session.execute(statement.encode(), arguments)

    def _cancel(self, session: Connection, queue: str) -> None:
        if self._ids:
            session.execute("select symphony.cancel(%s)", [self._random.choice(self._ids[-2000:])])
        elif self._random.random() < 0.2:
            session.execute("select symphony.purge_queue(%s)", [queue])

    def _fold(self, session: Connection, queue: str) -> None:
        session.rollback()
        session.execute("select symphony.tick()")
        session.commit()
        self._conn.execute(FOLD)


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_exact_under_any_traffic(dsn: str, conn: Connection, seed: int) -> None:
    client = Client(conn)
    client.create_queue("plain")
    conn.execute("select symphony.create_queue('short', retention => '0', retry_delay => '0')")
    conn.execute("select symphony.create_queue('ordered', ordered => true)")
    traffic = Traffic(dsn, conn, seed)
    for _ in range(30):
        for _ in range(5):
            traffic.step()
        assert conn.execute("select * from symphony._broken_figures()").fetchall() == []
    traffic.end()
    assert client.check() == []
    for queue in ("plain", "short", "ordered"):
        (totals,) = client.queue_totals(queue)
        figures = client.queue_figures(queue, step="hour")
        (stats,) = client.queue_stats(queue)
        assert stats.at_least == []
        assert sum(each.arrived for each in figures) == totals.arrived
        assert sum(each.claimed for each in figures) == totals.claimed
        # what is settled of an open claim counts in the totals, and not yet in the figures
        assert sum(each.completed for each in figures) <= totals.completed
        ended = totals.completed + totals.retried + totals.failed + totals.returned
        assert ended + stats.processing == totals.claimed
        pending = conn.execute(
            "select count(*) from symphony.lane, symphony._pending(lane.lane_id)"
            " where queue_name = %s",
            [queue],
        ).fetchone()
        assert pending == (stats.pending,)
