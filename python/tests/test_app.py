"""dispatch() in and out of transactions, handlers, and the transports without a database."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from symphony_pg import (
    AsyncClient,
    Client,
    Context,
    InMemoryTransport,
    InvalidMessage,
    MalformedBatch,
    PostgresTransport,
    Symphony,
    SyncTransport,
    local,
    message,
)
from tests.helpers import Connection


@message("SendEmail")
@dataclass
class SendEmail:
    to: str


@pytest.fixture
def app(dsn: str) -> "object":
    with Symphony(dsn) as app:
        yield app


def test_dispatch_is_part_of_the_callers_transaction(app: Symphony, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        lost = app.dispatch(SendEmail("ada"), conn=conn)
        conn.rollback()
        kept = app.dispatch(SendEmail("bob"), conn=conn)
        conn.commit()
        assert Client(conn).message_status(lost) is None
        status = Client(conn).message_status(kept)
        assert status is not None
        assert (status.status, status.message_type, status.body) == (
            "pending",
            "SendEmail",
            {"to": "bob"},
        )


def test_dispatch_on_its_own_connection(app: Symphony, conn: Connection) -> None:
    client = Client(conn)
    client.create_queue("mail")
    message_id = app.dispatch(
        SendEmail("ada"),
        queue="mail",
        priority=9,
        delay=timedelta(hours=1),
        idempotency_key="k",
        group_key="g",
        headers={"a": 1},
    )
    assert app.dispatch(SendEmail("ada"), queue="mail", idempotency_key="k") == message_id
    status = client.message_status(message_id)
    assert status is not None
    assert (status.queue_name, status.priority, status.status) == ("mail", 9, "delayed")
    assert status.headers == {"a": 1}
    due = datetime(2100, 1, 1, tzinfo=timezone.utc)
    other = client.message_status(app.dispatch(SendEmail("x"), available_at=due))
    assert other is not None
    assert other.available_at == due


def test_dispatch_many(app: Symphony, conn: Connection) -> None:
    ids = app.dispatch_many(
        [
            SendEmail("a"),
            app.envelope(SendEmail("b"), priority=9, delay=0.5, idempotency_key="k"),
            SendEmail("c"),
        ]
    )
    found = [Client(conn).message_status(each) for each in ids]
    assert [each.status for each in found if each] == ["pending", "delayed", "pending"]
    assert [each.body["to"] for each in found if each] == ["a", "b", "c"]
    assert app.dispatch_many([]) == []
    with pytest.raises(MalformedBatch, match="Element 1"):
        app.dispatch_many([SendEmail("a"), SendEmail("b")], queue="nowhere")


async def test_dispatch_async(app: Symphony, dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        lost = await app.dispatch_async(SendEmail("ada"), conn=conn)
        await conn.rollback()
        kept = await app.dispatch_async(SendEmail("bob"))
        many = await app.dispatch_many_async([SendEmail("a"), SendEmail("b")])
        assert await AsyncClient(conn).message_status(lost) is None
        for message_id in (kept, *many):
            assert await AsyncClient(conn).message_status(message_id) is not None
        with pytest.raises(TypeError, match="dispatch_async"):
            app.dispatch(SendEmail("x"), conn=conn)  # type: ignore[arg-type]
    await app.aclose()


def test_dispatch_async_in_one_loop_after_the_other(app: Symphony) -> None:
    first = asyncio.run(app.dispatch_async(SendEmail("ada")))
    assert asyncio.run(app.dispatch_async(SendEmail("ada"))) > first


def test_dispatch_survives_a_connection_that_was_ended(app: Symphony, conn: Connection) -> None:
    app.dispatch(SendEmail("ada"))
    conn.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert app.dispatch(SendEmail("ada"))


def test_dispatch_checks_the_message(app: Symphony) -> None:
    with pytest.raises(InvalidMessage, match="to: expected a string"):
        app.dispatch(SendEmail(3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dataclass"):
        app.dispatch("text")


def test_handlers_are_registered_once() -> None:
    app = Symphony(transport=InMemoryTransport())

    @app.handler(SendEmail)
    def first(message: SendEmail) -> None: ...

    with pytest.raises(ValueError, match="handled already"):
        app.handler("SendEmail")(first)
    with pytest.raises(TypeError, match="takes 3"):
        app.handler("Other")(lambda a, b, c: None)


def test_the_postgres_transport_can_have_its_own_database(dsn: str, conn: Connection) -> None:
    transport = PostgresTransport(dsn, prepare_threshold=None)
    with Symphony("host=127.0.0.1 port=1", transport=transport) as app:
        assert Client(conn).message_status(app.dispatch(SendEmail("ada"))) is not None


def test_sync_transport_runs_the_handler_at_once() -> None:
    app = Symphony(transport=SyncTransport())
    seen: list[object] = []

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        seen.append((message.to, context.queue_name, dict(context.headers), context.attempt))

    @app.handler("Raw")
    async def raw(body: object) -> None:
        seen.append(body)

    app.dispatch(SendEmail("ada"), queue="mail", headers={"a": 1}, delay=5)
    assert seen == [("ada", "mail", {"a": 1}, 1)]

    @app.message("Raw")
    @dataclass
    class Raw:
        n: int

    app.dispatch(Raw(1))
    assert seen[-1] == {"n": 1}
    asyncio.run(app.dispatch_async(Raw(2)))
    assert seen[-1] == {"n": 2}

    async def from_async_code() -> None:
        with pytest.raises(RuntimeError, match="dispatch_async"):
            app.dispatch(Raw(3))

    asyncio.run(from_async_code())


def test_sync_transport_retries_as_a_worker_would(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[float] = []
    transport = SyncTransport(sleep=waits.append)
    app = Symphony(transport=transport)
    attempts: list[tuple[str, int]] = []

    @app.handler(SendEmail, permanent=[KeyError], retry_after={OSError: 60})
    def send(message: SendEmail, context: Context) -> None:
        attempts.append((message.to, context.attempt))
        if message.to == "eve":
            raise KeyError("no")
        if message.to == "bob" or context.attempt < 3:
            raise OSError("busy") if message.to == "ann" else RuntimeError("no")

    for name in ("ada", "bob", "eve", "ann"):
        app.dispatch(SendEmail(name))
    assert attempts == [
        *(("ada", n) for n in (1, 2, 3)),
        *(("bob", n) for n in (1, 2, 3, 4)),
        ("eve", 1),
        *(("ann", n) for n in (1, 2, 3)),
    ]
    assert waits == [1, 2, 1, 2, 4, 60, 60]
    assert [(each.error_class, each.message.attempt) for each in transport.failed] == [
        ("RuntimeError", 4),
        ("KeyError", 1),
    ]
    assert "attempt 4 of 4: RuntimeError: no; failed for good" in caplog.text

    @dataclass
    class Unhandled:
        pass

    app.dispatch(Unhandled())
    assert transport.failed[-1].error_class.endswith("UnknownMessageType")


async def test_sync_transport_can_hand_errors_to_the_caller() -> None:
    transport = SyncTransport(max_attempts=2, raises=True)
    app = Symphony(transport=transport)
    attempts: list[int] = []

    @app.handler(SendEmail)
    async def send(message: SendEmail, context: Context) -> None:
        attempts.append(context.attempt)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await app.dispatch_async(SendEmail("ada"))
    assert attempts == [1, 2]
    assert len(transport.failed) == 1


def test_local_retries_are_those_of_a_new_queue(conn: Connection) -> None:
    columns = "max_attempts, delay, multiplier, max_delay"
    row = conn.execute(f"select {columns} from symphony.retry_policy").fetchone()
    assert row == (
        local.MAX_ATTEMPTS,
        local.RETRY_DELAY,
        local.RETRY_MULTIPLIER,
        local.RETRY_MAX_DELAY,
    )


def test_sync_transport_tries_again_in_the_callers_transaction(dsn: str) -> None:
    app = Symphony(dsn, transport=SyncTransport())

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        with context.transaction() as conn:
            conn.execute("insert into sent values (%s)", [context.attempt])
            if context.attempt == 1:
                conn.execute("select 1 / 0")

    with psycopg.connect(dsn) as conn:
        conn.execute("create table sent (attempt int)")
        conn.commit()
        for _ in range(2):  # the first transaction begins with the handler, the second does not
            app.dispatch(SendEmail("ada"), conn=conn)
        conn.commit()
        assert conn.execute("select * from sent").fetchall() == [(2,), (2,)]


def test_sync_transport_uses_the_callers_transaction(dsn: str) -> None:
    app = Symphony(dsn, transport=SyncTransport())

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        with context.transaction() as conn:
            conn.execute("insert into sent values (%s)", [message.to])

    with psycopg.connect(dsn) as conn:
        conn.execute("create table sent (recipient text)")
        conn.commit()
        app.dispatch(SendEmail("lost"), conn=conn)
        conn.rollback()
        app.dispatch(SendEmail("own connection"))
        rows = conn.execute("select * from sent").fetchall()
    assert rows == [("own connection",)]


def test_in_memory_transport_collects() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    transport.assert_nothing_dispatched()
    first = app.dispatch(SendEmail("ada"), queue="mail", idempotency_key="k")
    assert app.dispatch(SendEmail("ada"), queue="mail", idempotency_key="k") == first
    app.dispatch(SendEmail("bob"))
    assert transport.messages(SendEmail) == [SendEmail("ada"), SendEmail("bob")]
    transport.assert_dispatched(SendEmail, count=2)
    transport.assert_dispatched(SendEmail("ada"), queue_name="mail")
    with pytest.raises(AssertionError, match="and 0 were"):
        transport.assert_dispatched(SendEmail("eve"))
    with pytest.raises(AssertionError, match="3 of"):
        transport.assert_dispatched(SendEmail, count=3)
    with pytest.raises(AssertionError, match="nothing"):
        transport.assert_nothing_dispatched()
    transport.clear()
    transport.assert_nothing_dispatched()


async def test_in_memory_transport_runs_all() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    seen: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        seen.append(message.to)
        if message.to == "ada":
            app.dispatch(SendEmail("a friend of ada"))

    app.dispatch(SendEmail("ada"))
    assert transport.run_all() == 2
    assert seen == ["ada", "a friend of ada"]
    await app.dispatch_async(SendEmail("bob"))
    assert await transport.run_all_async() == 1
    assert transport.run_all() == 0
