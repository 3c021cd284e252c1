"""What every broker keeps: the same handlers do the same, wherever their messages came by."""

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from symphony_pg import PermanentError, Snooze, Symphony
from symphony_pg.brokers.broker import BrokerAway
from symphony_pg.handling.context import Context
from symphony_pg.worker.relay import Relay
from tests.brokers.bench import Bench
from tests.brokers.servers import SERVERS
from tests.helpers import Connection, one
from tests.worker.helpers import at_work, running, until

LARGEST_BODY = 268435455
OUTSIDE = ("pending", "processing")


def without(kind: str) -> list[str]:
    """Return the brokers that a case is for, when one of them cannot do it."""
    return [each for each in SERVERS if each != kind]


async def test_a_message_goes_out_and_is_done(bench: Bench) -> None:
    seen: list[Any] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((context.message_id, body, context.attempt, context.group_key))
        seen.append(dict(context.headers))

    sent = bench.client.enqueue(
        "Pay", {"n": 1.5, "s": "ä"}, headers={"a": {"b": [1]}}, group_key="k"
    )
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the message")
        wrong = [each.sentence for each in bench.client.health() if each.code != "no_tick"]
        assert wrong == []
    assert seen == [(sent, {"n": 1.5, "s": "ä"}, 1, "k"), {"a": {"b": [1]}}]
    assert bench.status(sent) == "forwarded"
    assert bench.client.transport_status()[0].pending == 0
    async with bench.broker() as broker:
        assert await broker.count() == 0


async def test_a_failure_comes_home_and_is_retried_after_its_delay(bench: Bench) -> None:
    attempts: list[tuple[int, int]] = []

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        attempts.append((context.message_id, context.attempt))
        if context.attempt < 3:
            raise OSError("not now")

    sent = bench.client.enqueue("Pay", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the third attempt")
    assert attempts == [(sent, 1), (sent, 2), (sent, 3)]
    assert worker.counts.retried == 2
    assert [each.event for each in bench.client.message_history(sent)] == ["retry", "retry"]


async def test_what_no_retry_can_cure_has_failed(bench: Bench) -> None:
    @bench.app.handler("Pay")
    def pay(body: Any) -> None:
        raise PermanentError("never")

    @bench.app.handler("Ship")
    def ship(body: Any) -> None:
        raise OSError("not now")

    never, too_often = bench.client.enqueue("Pay", {"n": 1}), bench.client.enqueue("Ship", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.failed == 2, "both")
    failed = {each.message_id: each for each in bench.client.failed_messages()}
    assert failed[never].reason == "permanent"
    assert failed[too_often].reason == "exhausted"
    bench.client.retry_failed([never])
    async with bench.working() as worker:
        await until(lambda: worker.counts.failed == 1, "the replay, which goes out again")


async def test_a_snooze_uses_no_attempt(bench: Bench) -> None:
    attempts: list[int] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        attempts.append(context.attempt)
        if len(attempts) == 1:
            raise Snooze(0.1, "not yet")

    bench.client.enqueue("Pay", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the message")
    assert attempts == [1, 1]
    assert worker.counts.snoozed == 1


async def test_each_handler_gets_a_delivery(bench: Bench) -> None:
    seen: list[str] = []

    @bench.app.handler("Pay", name="one")
    def first(body: Any) -> None:
        seen.append("one")

    @bench.app.handler("Pay", name="two")
    def second(body: Any, context: Context) -> None:
        seen.append("two")
        if context.attempt == 1:
            raise OSError("not now")

    bench.client.sync_handlers("Pay", ["one", "two"])
    bench.client.enqueue("Pay", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 2, "both")
    assert sorted(seen) == ["one", "two", "two"]


async def test_a_batch_handler_gets_batches(bench: Bench) -> None:
    from dataclasses import dataclass

    sizes: list[int] = []

    @bench.app.message("Mail")
    @dataclass
    class Mail:
        n: int

    @bench.app.batch_handler(Mail, size=10, max_wait=timedelta(milliseconds=300))
    def mail(messages: list[Mail]) -> None:
        sizes.append(len(messages))

    bench.app.dispatch_many([Mail(n) for n in range(40)])
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 40, "all")
    assert sum(sizes) == 40
    assert max(sizes) > 1


async def test_what_somebody_else_sends_is_handled(bench: Bench) -> None:
    seen: list[Any] = []
    bench.create(default_type="Theirs")

    @bench.app.handler("Theirs")
    def theirs(body: Any, context: Context) -> None:
        seen.append((body, context.headers.get("colour"), context.attempt))
        if context.attempt == 1:
            raise OSError("not now")

    async with bench.working() as worker:
        async with bench.broker():
            await bench.send_foreign(b'{"n": 1}', colour="red")
        await until(lambda: worker.counts.done == 1, "the second attempt")
    assert seen == [({"n": 1}, "red", 1), ({"n": 1}, "red", 2)]


async def test_what_cannot_be_read_has_failed_with_its_text(bench: Bench) -> None:
    @bench.app.handler("Theirs")
    def theirs(body: Any) -> None:
        raise AssertionError("it was handled")

    async with bench.broker():
        await bench.send_foreign(b"\xff not JSON", "Theirs")
    async with bench.working() as worker:
        await until(lambda: worker.counts.failed == 1, "the message")
    (failed,) = bench.client.failed_messages()
    assert failed.reason == "permanent"
    assert failed.body == {"raw": "\\xff not JSON"}


FORGED = [
    ("attempt", "one"),
    ("attempt", "0"),
    ("attempt", "32001"),
    ("enqueued-at", "now"),
    ("enqueued-at", "2026-01-01T00:00:00"),
    ("headers", "nonsense"),
    ("headers", "[1]"),
    ("headers", '{"a": "\\u0000"}'),
    ("max-attempts", "9" * 30),
    ("max-attempts", "0"),
    ("priority", "77"),
    ("id", "x"),
    ("id", "0"),
    ("id", "9" * 30),
]


async def forge(bench: Bench, body: bytes, **given: str) -> None:
    """Send what looks like a message of Symphony."""
    told = {"id": "1", "origin": bench.client.origin(), "type": "Pay", "attempt": "1"}
    told |= {"max-attempts": "3", "priority": "5", "enqueued-at": "2026-01-01T00:00:00+00:00"}
    told |= {"headers": "{}", **{name.replace("_", "-"): text for name, text in given.items()}}
    async with bench.broker():
        await bench.server.send_forged(bench.destination, body, told)


@pytest.mark.parametrize(("name", "value"), FORGED)
async def test_what_looks_like_ours_and_cannot_be_read_has_failed(
    bench: Bench, name: str, value: str
) -> None:
    """It takes down no consumer."""
    await forge(bench, b"[1]", **{name: value})
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.failed == 1, "the message")
        assert worker.why_not_ready() is None
    (failed,) = bench.client.failed_messages()
    assert failed.body == {"raw": "[1]"}


UNSTORABLE = [
    ("[1e200000]", None),
    ('["\\u0000"]', None),
    ("[1e200000]", "{}"),
    ('["\\u0000"]', "{}"),
    ("[1]", '{"a": 1e200000}'),
]


@pytest.mark.parametrize(("body", "headers"), UNSTORABLE)
async def test_what_the_database_cannot_store_comes_home_as_text(
    bench: Bench, body: str, headers: str | None
) -> None:
    """It may be a message of ours, and then it has headers, or of somebody else."""

    def fail(body: Any) -> None:
        raise OSError("later")

    bench.app.handler("Pay")(fail)
    if headers is None:
        async with bench.broker():
            await bench.send_foreign(body.encode(), "Pay")
    else:
        await forge(bench, body.encode(), headers=headers)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.failed == 1, "the message")
        assert worker.why_not_ready() is None
    (failed,) = bench.client.failed_messages()
    assert failed.body is not None and failed.body["raw"] == body
    assert headers in (None, "{}") or failed.body["headers"] == headers
    assert "It cannot be stored as it is" in (failed.last_error or "")


async def test_a_long_id_of_another_database_is_known_again(bench: Bench, conn: Connection) -> None:
    conn.execute("create table effect (n int)")

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        with context.transaction() as tx:
            tx.execute("insert into effect values (1)")

    for origin in ("a" * 3000, "a" * 3000, "a" * 2999 + "b"):
        await forge(bench, b"[1]", origin=origin)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 3, "all")
    assert one(conn, "select count(*) from effect") == 2


@pytest.mark.parametrize("server", ["rabbitmq", "redis"], indirect=True)  # SQS refuses it
async def test_what_no_text_of_postgresql_can_hold_comes_home(bench: Bench) -> None:
    async with bench.broker():
        await bench.send_foreign(b"1", "T\0", colour="r\0d")
    await forge(bench, b"1", type="T\0", origin="o\0", group_key="k\0")
    bench.app.handler("T\ufffd")(lambda body: 1 / 0)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.retried == 2, "the messages")


async def test_what_is_too_large_has_failed_with_its_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.broker() as broker:
        if broker.most_bytes > LARGEST_BODY:  # of the database, which says so first
            monkeypatch.setattr(type(broker), "most_bytes", 1000)
        most = broker.most_bytes
    bench.client.configure_queue("outbox/orders", max_body_bytes=most + 1000)
    sent = bench.client.enqueue("Pay", "x" * (most + 1))
    after = bench.client.enqueue("Pay", {})
    async with bench.relaying() as relay:
        await until(lambda: relay.counts.failed == 1 and relay.counts.done == 1, "both")
    assert bench.status(sent) == "failed"
    assert bench.status(after) == "forwarded"
    assert "takes" in bench.client.failed_messages()[0].last_error


async def test_two_consumers_share_the_work(bench: Bench) -> None:
    done: list[int] = []

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        await asyncio.sleep(0.01)
        done.append(context.message_id)

    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(200)])
    async with bench.relaying(), bench.consuming() as one_, bench.consuming() as two:
        await until(lambda: one_.counts.done + two.counts.done == 200, "all")
    assert sorted(done) == sorted(ids)
    assert one_.counts.done > 10
    assert two.counts.done > 10


@pytest.mark.parametrize("server", without("sqs-fifo"), indirect=True)  # it drops the copy itself
async def test_the_effect_of_a_message_takes_place_once(bench: Bench, conn: Connection) -> None:
    """A relay that was killed after it had published leaves a copy."""
    conn.execute("create table effect (id bigint)")

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        with context.transaction() as tx:
            tx.execute("insert into effect values (%s)", [context.message_id])

    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(20)])
    claimed = bench.client.claim_batch(["outbox/orders"], 100)
    async with bench.broker() as broker:
        assert await broker.publish(_as_text(claimed)) == [None] * 20
        assert await broker.publish(_as_text(claimed)) == [None] * 20
    bench.client.ack(claimed[0].claim_id)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 40, "both copies")
    assert one(conn, "select count(*), count(distinct id) from effect") == (20, 20)
    assert one(conn, "select count(*) from symphony.inbox") == 20
    assert len(ids) == 20


async def test_with_an_inbox_every_handler_is_in_a_transaction(
    bench: Bench, conn: Connection
) -> None:
    bench.create(inbox=True)
    conn.execute("create table effect (id bigint)")

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        await context.conn.execute("insert into effect values (%s)", [context.message_id])
        if context.attempt == 1:
            raise OSError("not now")

    bench.client.enqueue("Pay", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the second attempt")
    assert one(conn, "select count(*) from effect") == 1


@pytest.mark.parametrize("inbox", [True, False])
async def test_a_handler_with_a_transaction_of_its_own_works_with_an_inbox_and_without(
    bench: Bench, conn: Connection, inbox: bool
) -> None:
    bench.create(inbox=inbox)
    conn.execute("create table effect (type text, attempt integer)")

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        with context.transaction() as tx:
            tx.execute("insert into effect values ('Pay', %s)", [context.attempt])
            if context.attempt == 1:
                raise OSError("not now")

    @bench.app.handler("Ship")
    async def ship(body: Any, context: Context) -> None:
        async with context.transaction() as tx:
            await tx.execute("insert into effect values ('Ship', %s)", [context.attempt])
            if context.attempt == 1:
                raise OSError("not now")

    bench.client.enqueue("Pay", {})
    bench.client.enqueue("Ship", {})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 2, "both")
    effects = conn.execute("select type, attempt from effect order by type").fetchall()
    assert effects == [("Pay", 2), ("Ship", 2)]
    assert one(conn, "select count(*) from symphony.inbox") == 2


async def test_an_inbox_is_that_of_one_transport(bench: Bench, conn: Connection) -> None:
    """Another worker of the same application opens its transactions as ever."""
    bench.create(inbox=True)
    bench.client.create_queue("mail")
    bench.client.create_transport("mail", "postgres", "mail")
    bench.client.set_routes("Mail", ["mail"])
    conn.execute("create table effect (type text)")

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        context.conn.execute("insert into effect values ('Pay')")

    @bench.app.handler("Mail")
    def mail(body: Any, context: Context) -> None:
        assert context.conn is None
        with context.transaction() as tx:
            tx.execute("insert into effect values ('Mail')")

    async with bench.working() as worker, running(bench.app, queues=["mail"]) as other:
        bench.client.enqueue("Pay", {})
        bench.client.enqueue("Mail", {})
        await until(lambda: worker.counts.done + other.counts.done == 2, "both")
    assert one(conn, "select count(*), count(distinct type) from effect") == (2, 2)


@pytest.mark.parametrize("server", ["redis"], indirect=True)
async def test_a_role_for_the_outbox_alone_relays_and_consumes(bench: Bench) -> None:
    bench.create(inbox=True)
    conn, role = bench.client.conn, f"sy_{bench.destination}"
    conn.execute(f"create role {role} login password 'x'")
    try:
        bench.client.grant_access(role, "consumer", ["outbox/orders"])
        dsn = make_conninfo(bench.dsn, user=role, password="x")
        app = Symphony(dsn)

        @app.handler("Pay")
        def pay(body: Any, context: Context) -> None:
            if context.attempt == 1:
                raise OSError("not now")

        bench.client.enqueue("Pay", {})
        async with (
            at_work(Relay(bench.settings, dsn)),
            running(app, transport=bench.settings) as worker,
        ):
            await until(lambda: worker.counts.done == 1, "the second attempt")
    finally:
        conn.execute(f"drop owned by {role}")
        conn.execute(f"drop role {role}")


async def test_a_stopped_consumer_gives_nothing_up(bench: Bench) -> None:
    done: list[int] = []

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        await asyncio.sleep(0.02)
        done.append(context.message_id)

    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(100)])
    async with bench.relaying():
        while len(set(done)) < 100:
            before = len(done)
            async with bench.consuming(concurrency=4):
                enough = before + 5
                await until(partial(_has_more, done, min(enough, 99)), "some")
    assert sorted(done) == sorted(ids)
    assert bench.client.failed_messages() == []


async def test_a_broker_that_restarts_loses_nothing(bench: Bench) -> None:
    done: set[int] = set()

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        await asyncio.sleep(0.001)
        done.add(context.message_id)

    def enqueue() -> list[int]:
        return bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(300)])

    ids = enqueue()
    async with bench.working(concurrency=4):
        await until(lambda: len(done) > 50, "some")
        await asyncio.to_thread(bench.server.kill)
        ids += enqueue()
        await until(
            lambda: bench.client.transport_status()[0].state == "down", "the relay to say so"
        )
        waiting = next(each for each in reversed(ids) if bench.status(each) in OUTSIDE)
        assert "down since" in bench.client.why_not_running(waiting)
        await asyncio.to_thread(bench.server.start)
        await until(lambda: len(done) == 600, "all")
        assert bench.client.transport_status()[0].state == "up"
    assert done == set(ids)
    assert bench.client.failed_messages() == []


async def test_an_outage_uses_no_attempt_and_changes_no_order(bench: Bench) -> None:
    seen: list[tuple[int, int]] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((context.message_id, context.attempt))

    async with bench.broker():
        pass
    bench.server.kill()
    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(500)])
    async with bench.relaying() as relay:
        await until(lambda: bench.client.transport_status()[0].state == "down", "it is told")
        await asyncio.sleep(1)
        assert relay.counts.done == 0
        await asyncio.to_thread(bench.server.start)
        await until(lambda: relay.counts.done == 500, "all")
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 500, "all")
    if not bench.server.keeps_order:  # of messages without a key
        seen.sort()
    assert seen == [(each, 1) for each in ids]


async def test_what_was_hung_up_on_is_away(bench: Bench) -> None:
    """While one task waits for an answer, another one may find that the broker is not there."""
    async with bench.broker() as broker:
        pass
    for verb in (lambda: broker.receive(1, 0), broker.count):
        with pytest.raises(BrokerAway):
            await verb()


async def test_a_consumer_is_ready_while_its_broker_is_there(bench: Bench) -> None:
    bench.app.handler("Pay")(lambda body: None)
    async with bench.consuming() as worker:
        await until(lambda: worker.why_not_ready() is None, "it is ready")
        bench.server.kill()
        await until(
            lambda: worker.why_not_ready() == "the worker is not connected to its broker",
            "the outage is told",
        )
        assert worker.why_not_alive() is None  # and it may be stopped


async def test_a_relay_that_stops_in_an_outage_gives_back(bench: Bench) -> None:
    async with bench.broker():
        pass
    bench.server.kill()
    ids = bench.client.enqueue_batch([{"message_type": "Pay", "body": n} for n in range(50)])
    async with bench.relaying() as relay:
        await until(lambda: relay.counts.claimed > 0, "a claim")
        await asyncio.sleep(0.2)
    assert {bench.status(each) for each in ids} == {"pending"}
    assert {each.attempt for each in map(bench.client.message_status, ids) if each} == {0}
    assert bench.client.transport_status()[0].state == "no relay"


async def test_a_message_that_takes_its_workers_down_has_failed(bench: Bench) -> None:
    bench.client.set_retry_policy("*", 2)

    @bench.app.handler("Pay")
    def pay(body: Any) -> None:
        raise AssertionError("it was handled")

    sent = bench.client.enqueue("Pay", {})
    async with bench.relaying() as relay:
        await until(lambda: relay.counts.done == 1, "the relay")
    for _ in range(2):
        async with bench.broker() as broker:
            while not await broker.receive(1, 0):
                await asyncio.sleep(0.05)
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.failed == 1, "the message")
    (failed,) = bench.client.failed_messages()
    assert (failed.message_id, failed.reason) == (sent, "lease ended")


@pytest.mark.parametrize("server", without("sqs"), indirect=True)  # it has no order
async def test_messages_of_a_key_go_out_in_their_order(bench: Bench) -> None:
    bench.create(ordered=True, batch_size=10)
    seen: dict[str | None, list[int]] = {}

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.setdefault(context.group_key, []).append(body)

    bench.client.enqueue_batch(
        [{"message_type": "Pay", "body": n, "group_key": f"k{n % 5}"} for n in range(200)]
    )
    async with bench.relaying() as one_, bench.relaying() as two:
        await until(lambda: one_.counts.done + two.counts.done == 200, "both relays")
    async with bench.consuming() as worker:
        await until(lambda: worker.counts.done == 200, "all")
    assert seen == {f"k{k}": [*range(k, 200, 5)] for k in range(5)}


@pytest.mark.parametrize("server", ["redis"], indirect=True)
async def test_a_broker_that_is_full_is_waited_for(bench: Bench) -> None:
    from redis.asyncio import Redis

    async with bench.broker(), Redis.from_url(bench.server.dsn) as conn, bench.relaying() as relay:
        await conn.config_set("maxmemory", "1")
        try:
            sent = bench.client.enqueue("Pay", {})
            await until(lambda: bench.client.transport_status()[0].state == "full", "it is full")
            why = partial(bench.client.why_not_running, sent)
            await until(lambda: "has taken no more since" in why(), "that is why it waits")
        finally:
            await conn.config_set("maxmemory", "0")
        await until(lambda: relay.counts.done == 1, "the message")
    assert bench.status(sent) == "forwarded"


@pytest.mark.parametrize("server", ["rabbitmq"], indirect=True)
async def test_an_exchange_hands_messages_to_others_too(bench: Bench) -> None:
    import aio_pika

    bench.create(exchange=f"{bench.destination}-topics")
    bench.client.enqueue("Pay", {"n": 1})

    @bench.app.handler("Pay")
    def pay(body: Any) -> None:
        pass

    async with bench.broker(), await aio_pika.connect(bench.server.dsn) as conn:
        channel = await conn.channel()
        other = await channel.declare_queue(exclusive=True)
        await other.bind(bench.options["exchange"], bench.destination)
        async with bench.working() as worker:
            await until(lambda: worker.counts.done == 1, "the message")
        copy = await other.get()
    assert copy.body == b'{"n": 1}'


def _as_text(messages: Any) -> Any:
    return [
        each._replace(body=json.dumps(each.body), headers=json.dumps(each.headers))
        for each in messages
    ]


def _has_more(done: list[int], enough: int) -> bool:
    return len(done) > enough
