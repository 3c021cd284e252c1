"""The transports without a database: one runs the handlers at once, one collects."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from symphony_pg import (
    BadArgument,
    Context,
    InMemoryTransport,
    RetryAfter,
    Snooze,
    Symphony,
    SyncTransport,
)
from symphony_pg.transports import sync
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
        sync.MAX_ATTEMPTS,
        sync.RETRY_DELAY,
        sync.RETRY_MULTIPLIER,
        sync.RETRY_MAX_DELAY,
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


def test_in_memory_transport_runs_by_priority_and_what_is_delayed_when_asked() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    seen: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        seen.append(message.to)
        if message.to == "usual":
            app.dispatch(SendEmail("urgent too"), priority=9)

    now = datetime.now(timezone.utc)
    app.dispatch(SendEmail("in an hour"), delay=3600, priority=9)
    app.dispatch(SendEmail("in a minute"), available_at=now + timedelta(minutes=1))
    app.dispatch(SendEmail("usual"))
    app.dispatch(SendEmail("low"), priority=1)
    app.dispatch(SendEmail("usual, and later"), available_at=now - timedelta(hours=1))
    app.dispatch(SendEmail("high"), priority=9)
    assert transport.run_all() == 5
    assert seen == ["high", "usual", "urgent too", "usual, and later", "low"]
    assert [each.message for each in transport.waiting] == [
        SendEmail("in a minute"),
        SendEmail("in an hour"),
    ]
    assert transport.run_all() == 0
    assert transport.run_all(delayed=True) == 2
    assert seen[5:] == ["in a minute", "in an hour"]
    assert transport.waiting == []


def test_in_memory_transport_runs_once_and_tells_what_came_of_it() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    seen: list[tuple[str, int, int]] = []

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        seen.append((message.to, context.attempt, context.max_attempts))
        if message.to == "eve":
            raise ValueError("no")
        if message.to == "bob":
            raise RetryAfter(60)
        if message.to == "ann":
            raise Snooze(3600)

    for name in ("ada", "bob", "ann", "eve", "joe"):
        app.dispatch(SendEmail(name))
    with pytest.raises(ValueError, match="no"):
        transport.run_all()
    assert [each.message for each in transport.waiting] == [SendEmail("joe")]
    assert transport.run_all() == 1
    assert seen == [(name, 1, 1) for name in ("ada", "bob", "ann", "eve", "joe")]
    outcomes = [(run.envelope.message.to, run.outcome) for run in transport.runs]
    assert outcomes == [
        ("ada", "acked"),
        ("bob", "retry"),
        ("ann", "snoozed"),
        ("eve", "failed"),
        ("joe", "acked"),
    ]
    (failure,) = transport.failed
    assert (failure.error, failure.error_class) == ("ValueError: no", "ValueError")
    assert failure.message.message_id == 4
    transport.clear()
    assert (transport.envelopes, transport.runs, transport.waiting) == ([], [], [])


def test_in_memory_transport_keeps_what_it_cannot_run_here() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)

    @app.handler(SendEmail)
    async def send(message: SendEmail) -> None: ...

    async def main() -> None:
        await app.dispatch_async(SendEmail())
        with pytest.raises(RuntimeError, match="run_all_async"):
            transport.run_all()
        assert len(transport.waiting) == 1
        assert await transport.run_all_async() == 1

    asyncio.run(main())


def test_in_memory_transport_knows_keys_by_their_queue() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    first, second, third = app.dispatch_many(
        [
            app.envelope(SendEmail(), queue=queue, idempotency_key="k")
            for queue in ("mail", "bulk", "mail")
        ]
    )
    assert first == third != second
    assert len(transport.envelopes) == 2
    assert app.dispatch(SendEmail()) not in (first, second)
    assert len(transport.envelopes) == 3


def test_what_is_late_is_not_run_in_memory() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    seen: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        seen.append(message.to)

    app.dispatch(SendEmail("late"), expires=datetime.now(timezone.utc))
    app.dispatch(SendEmail("in time"), expires=60)
    app.dispatch(SendEmail("later"), delay=3600, expires=1)
    assert transport.run_all(delayed=True) == 3
    assert seen == ["in time", "later"]
    assert [run.outcome for run in transport.runs] == ["expired", "acked", "acked"]
    assert transport.failed == []


def test_what_waits_is_replaced_in_memory() -> None:
    transport = InMemoryTransport()
    app = Symphony(transport=transport)
    seen: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        seen.append(message.to)

    def changed(to: str, delay: float | None = 60) -> int:
        return app.dispatch(SendEmail(to), delay=delay, idempotency_key="k", on_duplicate="replace")

    first = changed("a")
    assert changed("b") == first
    assert transport.messages(SendEmail) == [SendEmail("b")]
    assert transport.run_all() == 0
    assert changed("c", None) == first
    assert transport.run_all() == 1
    assert changed("d") != first
    assert transport.run_all(delayed=True) == 1
    assert seen == ["c", "d"]

    @app.handler(SendEmail, name="other")
    def other(message: SendEmail) -> None: ...

    with pytest.raises(BadArgument, match="several deliveries"):
        changed("e")
