"""What several sessions do to each other: late commits, races, stalled workers."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import psycopg
import pytest

from tests.helpers import Connection, one
from tests.sessions.helpers import claim, enqueue


def test_a_message_committed_late_is_delivered_and_delays_nobody(
    dsn: str, conn: Connection
) -> None:
    with psycopg.connect(dsn) as slow:
        late = enqueue(slow)
        for _ in range(20):
            prompt = enqueue(conn, 3)
            taken = claim(conn)
            assert [message_id for _, message_id in taken] == prompt
            conn.execute("select symphony.ack(%s)", [taken[0][0]])
        assert claim(conn) == []
        slow.commit()
    assert [message_id for _, message_id in claim(conn)] == late


def test_a_claim_takes_from_every_transaction_that_has_ended(dsn: str, conn: Connection) -> None:
    """Transactions that ended late and new ones are one batch, whatever lies between them."""
    expected = []
    with ExitStack() as sessions:
        late = [sessions.enter_context(psycopg.connect(dsn)) for _ in range(3)]
        for session in late:
            expected += enqueue(session, 2)
            enqueue(conn)
        assert len(claim(conn)) == 3
        for session in late:
            session.commit()
    expected += enqueue(conn)
    batches = claim(conn, 3), claim(conn)
    assert [message_id for batch in batches for _, message_id in batch] == expected
    assert len(batches[0]) == 3
    assert claim(conn) == []


def test_a_claim_does_not_walk_over_an_uncommitted_bulk(dsn: str, conn: Connection) -> None:
    with psycopg.connect(dsn) as bulk:
        enqueue(bulk, 20_000)
        prompt = enqueue(conn)
        explain = "explain (analyze, buffers, format json) select * from symphony.claim_batch()"
        claim(conn, 1)
        plan = conn.execute(explain).fetchone()
        assert plan is not None
        assert plan[0][0]["Plan"]["Shared Hit Blocks"] < 100
        bulk.rollback()
    assert conn.execute("select status from symphony.message_status(%s)", prompt).fetchone() == (
        "processing",
    )


def test_two_sessions_never_get_the_same_message(dsn: str, conn: Connection) -> None:
    enqueue(conn, 400)

    def work(_: int) -> list[int]:
        with psycopg.connect(dsn, autocommit=True) as own:
            found: list[int] = []
            while taken := claim(own, 7):
                found += [message_id for _, message_id in taken]
            return found

    with ThreadPoolExecutor(8) as pool:
        taken = [message_id for found in pool.map(work, range(8)) for message_id in found]
    assert len(taken) == len(set(taken)) == 400


def test_a_claim_that_is_rolled_back_is_handed_out_again(dsn: str, conn: Connection) -> None:
    ids = enqueue(conn, 3)
    with psycopg.connect(dsn) as other:
        assert len(claim(other)) == 3
        other.rollback()
    assert [message_id for _, message_id in claim(conn)] == ids


def test_concurrent_duplicates_of_a_key_are_one_message(dsn: str, conn: Connection) -> None:
    barrier = Barrier(16)

    def work(_: int) -> int:
        with psycopg.connect(dsn) as own:
            barrier.wait()
            return int(one(own, "select symphony.enqueue('A', idempotency_key => 'k')"))

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(work, range(16)))
    assert len(ids) == 1
    assert [message_id for _, message_id in claim(conn)] == [*ids]


def test_a_key_of_a_transaction_that_rolls_back_is_free_for_the_one_that_waits(
    dsn: str, conn: Connection
) -> None:
    with psycopg.connect(dsn) as first, ThreadPoolExecutor(1) as pool:
        first.execute("select symphony.enqueue('A', idempotency_key => 'k')")
        waiting = pool.submit(
            lambda: conn.execute("select symphony.enqueue('B', idempotency_key => 'k')").fetchone()
        )
        time.sleep(0.2)
        assert not waiting.done()
        first.rollback()
        row = waiting.result(10)
    assert row is not None
    assert [message_id for _, message_id in claim(conn)] == [row[0]]


def test_a_stalled_worker_cannot_settle_what_another_has(dsn: str, conn: Connection) -> None:
    enqueue(conn, 2)
    stalled = claim(conn, lease="100 ms")
    time.sleep(0.15)
    conn.execute("select symphony.tick()")
    again = claim(conn)
    assert len(again) == 1, "a message that came back is claimed alone"
    with pytest.raises(psycopg.Error) as refused:
        conn.execute("select symphony.ack(%s)", [stalled[0][0]])
    assert refused.value.sqlstate == "SY010"
    conn.execute("select symphony.ack(%s)", [again[0][0]])


def test_a_message_is_cancelled_or_claimed_never_both(dsn: str, conn: Connection) -> None:
    ids = enqueue(conn, 100)

    def cancel(_: int) -> int:
        with psycopg.connect(dsn, autocommit=True) as own:
            return sum(
                own.execute("select symphony.cancel(%s)", [id_]).fetchone() == (True,)
                for id_ in reversed(ids)
            )

    with ThreadPoolExecutor(1) as pool:
        cancelled = pool.submit(cancel, 0)
        taken = 0
        while not cancelled.done():
            taken += len(claim(conn, 3))
        while rest := claim(conn):
            taken += len(rest)
        assert cancelled.result() + taken == 100


def test_a_queue_is_dropped_under_producers_without_an_orphan(dsn: str, conn: Connection) -> None:
    conn.execute("select symphony.create_queue('q')")

    def work(_: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            while True:
                try:
                    own.execute("select symphony.enqueue('A', queue_name => 'q')")
                except psycopg.Error as error:
                    assert error.sqlstate == "SY001"
                    return

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, n) for n in range(4)]
        time.sleep(0.3)
        conn.execute("select symphony.drop_queue('q', force => true)")
        for worker in workers:
            worker.result(10)
    assert conn.execute("select count(*) from symphony.message").fetchone() == (0,)


def test_one_of_two_ticks_runs(dsn: str, conn: Connection) -> None:
    conn.execute("select symphony.enqueue('A', delay => '1 hour')")
    with psycopg.connect(dsn) as other:
        other.execute("select symphony.tick()")
        report = one(conn, "select symphony.tick()")
        assert report.keys() == {"ran", "next_due_at"}
        assert report["ran"] is False
        assert report["next_due_at"] is not None
        other.rollback()
    assert conn.execute("select symphony.tick() ->> 'ran'").fetchone() == ("true",)


def test_a_purge_leaves_what_is_committed_after_it(dsn: str, conn: Connection) -> None:
    with psycopg.connect(dsn) as slow:
        late = enqueue(slow)
        enqueue(conn, 3)
        conn.execute("select symphony.purge_queue('default')")
        slow.commit()
    assert [message_id for _, message_id in claim(conn)] == late


def test_a_claim_of_a_transaction_that_enqueues_loses_nothing(dsn: str, conn: Connection) -> None:
    enqueue(conn)
    with psycopg.connect(dsn) as own:
        before = enqueue(own)
        assert len(claim(own)) == 1
        after = enqueue(own)
        own.commit()
    assert [message_id for _, message_id in claim(conn)] == before + after


def notified(conn: Connection) -> bool:
    return any(True for _ in conn.notifies(timeout=0.5, stop_after=1))


def test_sleeping_workers_are_notified_of_whatever_becomes_pending(
    dsn: str, conn: Connection
) -> None:
    with psycopg.connect(dsn, autocommit=True) as worker:
        worker.execute('listen "symphony:default"')
        enqueue(conn)
        conn.execute('select symphony.enqueue_batch(\'[{"message_type": "A"}]\')')
        assert not notified(worker), "nobody sleeps"

        worker.execute("select symphony.idle('w', '{default}')")
        enqueue(conn)
        assert notified(worker)
        conn.execute('select symphony.enqueue_batch(\'[{"message_type": "A"}]\')')
        assert notified(worker)
        conn.execute("select symphony.enqueue('A', delay => '1 ms')")
        assert notified(worker), "there is a new deadline"
        time.sleep(0.01)
        conn.execute("select symphony.tick()")
        assert notified(worker)
        taken = claim(conn, lease="100 ms")
        conn.execute("select symphony.release(%s, %s)", [taken[0][0], [taken[0][1]]])
        assert notified(worker)
        time.sleep(0.15)
        conn.execute("select symphony.tick()")
        assert notified(worker)
        conn.execute("select symphony.pause_queue('default')")
        conn.execute("select symphony.resume_queue('default')")
        assert notified(worker)

        worker.execute("select symphony.busy('w')")
        enqueue(conn)
        assert not notified(worker)


def test_a_lane_that_somebody_holds_is_named(dsn: str, conn: Connection) -> None:
    ids = enqueue(conn, 2)
    with psycopg.connect(dsn) as other:
        claim(other, 1)
        why = one(conn, "select symphony.why_not_running(%s)", ids[1])
        assert f"locked by pid {other.info.backend_pid}" in why
        other.rollback()


def test_a_claim_that_waited_hands_out_nothing_twice(dsn: str, conn: Connection) -> None:
    """Let a claim wait for the lane while a transaction commits and is handed out in part.

    What had ended when the waiting claim began does not include that transaction.
    """
    with (
        psycopg.connect(dsn) as producer,
        psycopg.connect(dsn) as holder,
        psycopg.connect(dsn, autocommit=True) as waiter,
        ThreadPoolExecutor(1) as pool,
    ):
        expected = enqueue(conn) + enqueue(producer, 3)
        taken = claim(holder, 1)
        waiting = pool.submit(claim, waiter, 10)
        while conn.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        ).fetchone() == (0,):
            time.sleep(0.01)
        producer.commit()
        taken += claim(holder, 2)
        holder.commit()
        taken += waiting.result(10)
    taken += claim(conn)
    assert sorted(message_id for _, message_id in taken) == expected


def test_a_message_is_not_cancelled_by_an_old_snapshot(dsn: str, conn: Connection) -> None:
    """The application's transaction began before a worker took the message."""
    ids = enqueue(conn)
    with psycopg.connect(dsn) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("select symphony.message_status(%s)", ids)
        taken = claim(conn)
        try:
            cancelled = old.execute("select symphony.cancel(%s)", ids).fetchone() == (True,)
            old.commit()
        except psycopg.Error as error:
            assert error.sqlstate in ("SY011", "40001")
            cancelled = False
    assert not cancelled, "it is being processed"
    assert conn.execute("select symphony.ack(%s)", [taken[0][0]]).fetchone() == (1,)


def test_a_queue_is_not_purged_by_an_old_snapshot(dsn: str, conn: Connection) -> None:
    first = enqueue(conn)
    with psycopg.connect(dsn) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("select symphony.message_status(%s)", first)
        enqueue(conn)
        assert len(claim(conn)) == 2
        with pytest.raises(psycopg.Error) as refused:
            old.execute("select symphony.purge_queue('default')")
            old.commit()
        assert refused.value.sqlstate in ("SY011", "40001")
    assert claim(conn) == [], "both are being processed"


@pytest.mark.parametrize(
    "call",
    [
        "select symphony.enqueue('A', queue_name => 'q')",
        """select symphony.enqueue_batch('[{"message_type": "A", "queue_name": "q"}]')""",
    ],
)
def test_no_message_is_put_into_a_queue_that_an_old_snapshot_still_sees(
    dsn: str, conn: Connection, call: str
) -> None:
    conn.execute("select symphony.create_queue('q')")
    with psycopg.connect(dsn) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("select symphony.queue_stats('q')")
        conn.execute("select symphony.drop_queue('q')")
        with pytest.raises(psycopg.Error) as refused:
            old.execute(call.encode())
            old.commit()
        assert refused.value.sqlstate in ("SY001", "40001")
    assert conn.execute("select count(*) from symphony.message").fetchone() == (0,)


def test_the_first_message_of_a_priority_delays_no_other(dsn: str, conn: Connection) -> None:
    with psycopg.connect(dsn) as slow:
        slow.execute("select symphony.enqueue('slow', priority => 9)")
        prompt = conn.execute("select symphony.enqueue('prompt', priority => 9)").fetchone()
        conn.execute("select symphony.tick()")
        assert [(message_id,) for _, message_id in claim(conn)] == [prompt]
        slow.commit()


def test_a_tick_waits_for_no_producer(dsn: str, conn: Connection) -> None:
    conn.execute("select symphony.configure_queue('default', retention => '0 s')")
    with psycopg.connect(dsn) as slow:
        slow.execute("select symphony.enqueue('slow', priority => 9)")
        conn.execute("set statement_timeout = '2 s'")
        assert conn.execute("select symphony.tick() ->> 'ran'").fetchone() == ("true",)
        slow.commit()


def test_a_completed_message_stays_completed_when_its_neighbours_are_purged(
    dsn: str, conn: Connection
) -> None:
    conn.execute("select symphony.configure_queue('default', retention => '0 s')")
    with psycopg.connect(dsn) as slow:
        enqueue(slow)
        done = enqueue(conn)
        taken = claim(conn)
        conn.execute("select symphony.ack(%s)", [taken[0][0]])
        conn.execute("select symphony.purge_queue('default')")
        conn.execute("select symphony.tick()")
        status = "select status, claim_id from symphony.message_status(%s)"
        assert conn.execute(status, done).fetchone() == ("completed", taken[0][0])
        slow.rollback()
