"""The transports without a database: one runs the handlers at once, one collects."""

import asyncio
from dataclasses import dataclass

import psycopg
import pytest

from symphony_pg import Context, InMemoryTransport, Symphony, SyncTransport
from symphony_pg.transports import local
from tests.helpers import Connection, SendEmail


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
