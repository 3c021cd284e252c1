"""Every function through Client and AsyncClient: the mapping there and back, and the errors."""

import asyncio
import traceback
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from psycopg import IsolationLevel

from symphony_pg import (
    AccessDenied,
    AsyncClient,
    BadArgument,
    BodyTooLarge,
    Client,
    ConnectionRefused,
    LeaseLost,
    MalformedBatch,
    NotInstalled,
    QueueNotEmpty,
    SymphonyError,
    UnknownMessage,
    UnknownQueue,
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from symphony_pg.database.connections import connect, connect_async
from symphony_pg.database.translation import HINTS, translated
from symphony_pg.errors import CLASSES
from symphony_pg.version import check_compatible
from tests.helpers import Connection


def test_the_life_of_a_message(client: Client) -> None:
    assert client.create_queue("mail", max_attempts=3, retry_delay=timedelta(seconds=2))
    assert not client.create_queue("mail")
    client.configure_queue("mail", retention=timedelta(hours=1), retry_jitter=0)
    message_id = client.enqueue(
        "SendEmail", {"to": "ada"}, queue_name="mail", priority=7, headers={"trace": "t1"}
    )
    (message,) = client.claim_batch(["mail"], 10, "w1")
    assert (message.message_id, message.queue_name, message.message_type) == (
        message_id,
        "mail",
        "SendEmail",
    )
    assert message.body == {"to": "ada"}
    assert message.headers == {"trace": "t1"}
    assert (message.priority, message.attempt, message.max_attempts) == (7, 1, 3)
    assert message.group_key is None
    assert message.lease_until > message.enqueued_at

    status = client.message_status(message_id)
    assert status is not None
    assert (status.status, status.worker, status.claim_id) == ("processing", "w1", message.claim_id)
    assert client.extend_lease([message.claim_id, 999_999]) == [message.claim_id]

    nacked = client.nack_with_backoff(message.claim_id, message_id, "boom", "RuntimeError")
    assert nacked.outcome == "retry"
    assert nacked.available_at is not None
    status = client.message_status(message_id)
    assert status is not None
    assert (status.status, status.last_error) == ("delayed", "boom")
    assert client.cancel(message_id)
    assert client.message_status(message_id) is None


def test_ack_and_release(client: Client) -> None:
    ids = client.enqueue_batch([{"message_type": "A"}, {"message_type": "B", "body": [1, 2]}])
    messages = client.claim_batch(batch_size=10)
    assert [message.message_id for message in messages] == ids
    claim_id = messages[0].claim_id
    assert client.ack(claim_id, [ids[0]]) == 1
    assert client.release(claim_id) == 1
    (again,) = client.claim_batch(lease=timedelta(seconds=5))
    assert (again.message_id, again.attempt, again.body) == (ids[1], 1, [1, 2])
    assert client.ack(again.claim_id) == 1
    with pytest.raises(LeaseLost):
        client.ack(again.claim_id)
    status = client.message_status(ids[1])
    assert status is not None
    assert status.status == "completed"


def test_a_permanent_error_fails_at_once(client: Client) -> None:
    client.enqueue("A")
    (message,) = client.claim_batch()
    nacked = client.nack_with_backoff(
        message.claim_id, message.message_id, "never", retryable=False
    )
    assert (nacked.outcome, nacked.available_at, nacked.last_error) == ("failed", None, "never")


def test_delays_and_keys(client: Client) -> None:
    later = client.enqueue("A", delay=timedelta(hours=1), idempotency_key="k")
    assert client.enqueue("A", idempotency_key="k") == later
    due = datetime(2100, 1, 1, tzinfo=timezone.utc)
    other = client.enqueue("A", available_at=due, group_key="g")
    status = client.message_status(other)
    assert status is not None
    assert (status.status, status.available_at) == ("delayed", due)
    assert isinstance(client.why_not_running(later), str)
    report = client.tick()
    assert report["ran"] is True
    assert report["next_due_at"] is not None


def test_queues(client: Client) -> None:
    client.create_queue("mail")
    assert client.pause_queue("mail")
    assert not client.pause_queue("mail")
    assert client.queue_stats("mail")[0].paused
    assert client.resume_queue("mail")
    assert not client.resume_queue("mail")
    client.enqueue("A", queue_name="mail")
    (stats,) = client.queue_stats("mail")
    assert (stats.queue_name, stats.pending) == ("mail", 1)
    assert isinstance(stats.oldest_pending_age, timedelta)
    client.purge_queue("mail")
    assert client.queue_stats("mail")[0].pending == 0
    client.enqueue("A", queue_name="mail")
    with pytest.raises(QueueNotEmpty):
        client.drop_queue("mail")
    assert client.drop_queue("mail", force=True)
    assert {stats.queue_name for stats in client.queue_stats()} == {"default"}


def test_workers(client: Client) -> None:
    client.heartbeat("w1", ["default"], {"pid": 1})
    assert client.idle("w1", ["default"]) in (True, False)
    assert client.queue_stats()[0].idle_workers == 1
    client.busy("w1")
    assert client.queue_stats()[0].idle_workers == 0
    client.stop_worker("w1")


def test_installation(client: Client) -> None:
    assert client.check() == []
    assert client.version() == "0.1.0"


def test_access(conn: Connection, dsn: str) -> None:
    client = Client(conn)
    with conn.transaction(force_rollback=True):
        conn.execute("create role symphony_test_role")
        client.grant_access("symphony_test_role", "producer")
        conn.execute("set local role symphony_test_role")
        client.enqueue("A")
        with pytest.raises(AccessDenied, match="grant_access"), conn.transaction():
            client.claim_batch()
        conn.execute("reset role")
        client.revoke_access("symphony_test_role", "producer")


def test_access_to_some_queues(conn: Connection) -> None:
    client = Client(conn)
    with conn.transaction(force_rollback=True):
        conn.execute("create role symphony_test_role")
        client.create_queue("mail")
        with pytest.raises(BadArgument, match="for some queues"), conn.transaction():
            client.grant_access("symphony_test_role", "operator", ["mail"])
        client.grant_access("symphony_test_role", "enqueuer", ["mail"])
        conn.execute("set local role symphony_test_role")
        client.enqueue("A", queue_name="mail")
        with pytest.raises(AccessDenied, match='queue "default"') as error, conn.transaction():
            client.enqueue("A", queue_name="default")
        assert "with all the queues" in (error.value.hint or "")
        with pytest.raises(AccessDenied, match="grant_access"), conn.transaction():
            client.version()


async def test_the_async_client_does_the_same(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        client = AsyncClient(conn)
        message_id = await client.enqueue("A", {"n": 1})
        (message,) = await client.claim_batch()
        assert (message.message_id, message.body) == (message_id, {"n": 1})
        assert await client.ack(message.claim_id) == 1
        with pytest.raises(LeaseLost):
            await client.ack(message.claim_id)
        assert await client.version() == "0.1.0"


def test_nothing_is_committed(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        message_id = Client(conn).enqueue("A")
        conn.rollback()
        assert Client(conn).message_status(message_id) is None


@pytest.mark.parametrize(
    ("error", "sqlstate", "call"),
    [
        (UnknownQueue, "SY001", lambda c: c.enqueue("A", queue_name="nowhere")),
        (UnknownMessage, "SY003", lambda c: c.cancel(999_999)),
        (BodyTooLarge, "SY004", lambda c: c.enqueue("A", "x" * 1_100_000)),
        (MalformedBatch, "SY005", lambda c: c.enqueue_batch([{"message_type": "A"}, {"b": 1}])),
        (LeaseLost, "SY010", lambda c: c.ack(999_999)),
        (BadArgument, "22023", lambda c: c.enqueue("A", priority=10)),
        (BadArgument, "22023", lambda c: c.enqueue("A", delay=timedelta(seconds=-1))),
        (BadArgument, "22P05", lambda c: c.enqueue("A", "\0")),
    ],
)
def test_errors(client: Client, error: type[SymphonyError], sqlstate: str, call: "object") -> None:
    with pytest.raises(error) as caught:
        call(client)  # type: ignore[operator]
    assert type(caught.value) is error
    assert caught.value.sqlstate == sqlstate
    assert caught.value.detail
    assert f"DETAIL: {caught.value.detail}" in str(caught.value)
    if sqlstate != "22P05":
        assert f"HINT: {caught.value.hint}" in str(caught.value)


def test_claims_need_read_committed(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        with pytest.raises(WrongIsolationLevel):
            Client(conn).claim_batch()


@pytest.mark.parametrize("sqlstate", sorted(CLASSES))
def test_every_sqlstate_has_its_class(conn: Connection, sqlstate: str) -> None:
    with pytest.raises(CLASSES[sqlstate]) as caught, translated():
        conn.execute(
            f"do $$begin raise exception 'no' using errcode = '{sqlstate}', "
            "detail = 'Because.', hint = 'Do.'; end$$"
        )
    assert (caught.value.message, caught.value.detail) == ("no", "Because.")
    assert caught.value.hint == HINTS.get(sqlstate, "Do.")
    assert caught.value.sqlstate == sqlstate


def test_other_errors_pass_through(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), translated():
        conn.execute("select 1/0")


def test_not_installed(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn) as conn, pytest.raises(NotInstalled, match="db install"):
        Client(conn).enqueue("A")


def test_a_function_that_is_not_there(conn: Connection) -> None:
    with conn.transaction(force_rollback=True):
        conn.execute("alter function symphony.version() rename to other")
        with pytest.raises(NotInstalled, match="db status"):
            Client(conn).version()


async def test_connection_refused() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with pytest.raises(ConnectionRefused, match="SYMPHONY_DSN") as caught:
        connect(nowhere)
    assert "refused" in str(caught.value)
    with pytest.raises(ConnectionRefused):
        await connect_async(nowhere)


@pytest.mark.parametrize(
    ("dsn", "kind", "shown"),
    [
        ("postgresql://ada:hunter2@127.0.0.1:1/shop", ConnectionRefused, '"127.0.0.1", port 1'),
        ("host=127.0.0.1 port=1 password=hunter2", ConnectionRefused, '"127.0.0.1", port 1'),
        ("postgresql://ada:hunt@er:hunter2@127.0.0.1:1/shop", ConnectionRefused, "[redacted]"),
        ("postgresql://ada:hunter2/x@127.0.0.1:1/shop", ConnectionRefused, "cannot connect"),
        ("postgresql://ada:hunter2%zz@127.0.0.1:1/shop", BadArgument, "percent-encoded token"),
        ("postgresql://127.0.0.1:1/shop?passwort=hunter2", BadArgument, "URI query parameter"),
        ("host=127.0.0.1 password = hun hunter2", BadArgument, "missing"),
    ],
)
async def test_a_refused_connection_shows_no_password(
    dsn: str, kind: type[Exception], shown: str
) -> None:
    for attempt in (lambda: connect_async(dsn), lambda: asyncio.to_thread(connect, dsn)):
        with pytest.raises(kind) as caught:
            await attempt()
        assert shown in str(caught.value)
        text = "".join(traceback.format_exception(caught.value, chain=True))
        assert "hunter2" not in text.replace(dsn, "").replace(f"dsn = {dsn!r}", "")


def test_versions_that_do_not_fit() -> None:
    check_compatible("0.1.0")
    check_compatible("0.1.7")
    check_compatible("0.2.0")
    with pytest.raises(WrongVersion, match="db upgrade"):
        check_compatible("0.0.9")
    with pytest.raises(WrongVersion, match="pip install"):
        check_compatible("1.0.0")


def test_wrong_state_is_known() -> None:
    assert CLASSES["55000"] is WrongState


def test_check_says_how_far_it_is_and_can_be_cancelled(conn: Connection) -> None:
    told: list[str | None] = []
    conn.add_notice_handler(lambda notice: told.append(notice.message_primary))
    assert Client(conn).check() == []
    assert [text and text.partition(":")[0] for text in told] == [
        f"{n} of 11" for n in range(1, 12)
    ]

    conn.execute(
        "insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)"
        " select now(), lane_id, 'A', '{}', '{}' from symphony.lane, generate_series(1, 50000)"
        " where queue_name = 'default' and priority = 5"
    )
    conn.execute("set statement_timeout = '5 ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        conn.execute("select * from symphony.check()")
