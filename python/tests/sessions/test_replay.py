"""Operators who bring failed messages back at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from symphony_pg import Client
from tests.helpers import fail


def test_two_operators_replay_each_message_once(dsn: str, client: Client) -> None:
    ids = fail(client, 1000)
    barrier = Barrier(4)
    delivered: list[int] = []

    def operate(by_id: bool) -> int:
        with psycopg.connect(dsn, autocommit=True) as conn:
            barrier.wait()
            if by_id:
                done = Client(conn).retry_failed([*reversed(ids)])
                return sum(each.messages for each in done)
            total = 0
            for _ in range(30):
                total += Client(conn).retry_failed(everything=True, at_most=50)[0].messages
            return total

    def consume(_: object) -> list[int]:
        found: list[int] = []
        with psycopg.connect(dsn, autocommit=True) as conn:
            barrier.wait()
            quiet = 0
            while quiet < 40:
                messages = Client(conn).claim_batch(batch_size=20)
                quiet = 0 if messages else quiet + 1
                if messages:
                    Client(conn).ack(messages[0].claim_id)
                    found += [message.message_id for message in messages]
                else:
                    time.sleep(0.01)
        return found

    with ThreadPoolExecutor(4) as pool:
        operators = [pool.submit(operate, by_id) for by_id in (True, False)]
        consumers = [pool.submit(consume, None) for _ in range(2)]
        assert sum(each.result(60) for each in operators) == 1000
        for each in consumers:
            delivered += each.result(60)
    while messages := client.claim_batch(batch_size=1000):
        client.ack(messages[0].claim_id)
        delivered += [message.message_id for message in messages]
    assert sorted(delivered) == ids
    replays = client.conn.execute(
        "select count(*), count(distinct message_id) from symphony.replay"
    )
    assert replays.fetchone() == (1000, 1000)


def test_operators_with_filters_do_not_wait_for_each_other(dsn: str, client: Client) -> None:
    fail(client, 10)
    with psycopg.connect(dsn) as other:
        assert Client(other).retry_failed(everything=True, at_most=4)[0].messages == 4
        assert client.retry_failed(message_type="A")[0].messages == 6
        other.rollback()
    assert client.retry_failed(message_type="A")[0].messages == 4


def test_a_replay_that_is_rolled_back_never_was(dsn: str, client: Client) -> None:
    ids = fail(client, 3)
    with psycopg.connect(dsn) as other:
        assert [each.outcome for each in Client(other).retry_failed(ids)] == ["retried"] * 3
        assert Client(other).remove_failed(ids)[0].outcome == "pending"
        other.rollback()
    assert [each.message_id for each in client.failed_messages()] == ids[::-1]
    assert client.claim_batch() == []
    assert client.message_history(ids[0])[-1].event == "failed"


def test_a_backend_that_is_killed_in_the_middle_loses_nothing(dsn: str, client: Client) -> None:
    ids = fail(client, 20)
    for verb in ("retry_failed", "remove_failed"):
        with psycopg.connect(dsn) as victim:
            getattr(Client(victim), verb)(everything=True)
            client.conn.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            with pytest.raises(psycopg.OperationalError):
                victim.execute("select 1")
    assert sorted(each.message_id for each in client.failed_messages()) == ids
    assert client.retry_failed(everything=True)[0].messages == 20


def test_a_replay_wakes_a_worker_that_sleeps(dsn: str, client: Client) -> None:
    (message_id,) = fail(client)
    with psycopg.connect(dsn, autocommit=True) as sleeper:
        sleeper.execute('listen "symphony:default"')
        Client(sleeper).idle("w", ["default"])
        client.retry_failed([message_id])
        assert [each.channel for each in sleeper.notifies(timeout=5, stop_after=1)] == [
            "symphony:default"
        ]
