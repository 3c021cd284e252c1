"""Several handlers and transports of one type, end to end; retry policies from Python."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from symphony_pg import (
    AsyncClient,
    BadArgument,
    Client,
    Context,
    Envelope,
    InMemoryTransport,
    NeedsPython,
    RetryPolicy,
    Symphony,
    SyncTransport,
    UnknownHandler,
    UnknownTransport,
)
from tests.helpers import Connection, SendEmail, known, status
from tests.worker.helpers import run, running, until


def test_errors_have_classes(conn: Connection) -> None:
    client = Client(conn)
    with pytest.raises(UnknownTransport):
        client.set_routes("A", ["nope"])
    with pytest.raises(BadArgument, match="redis, rabbitmq or sqs"):
        client.create_transport("t", "kafka")
    with pytest.raises(BadArgument):
        client.set_retry_policy("A", jitter=2)


async def test_one_handler_is_retried_and_the_other_ran_once(
    app: Symphony, conn: Connection
) -> None:
    seen: list[tuple[str, int, object]] = []

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        seen.append(("send", context.attempt, context.headers["correlation_id"]))
        if context.attempt < 3:
            raise ValueError("not yet")

    @app.handler(SendEmail, name="audit")
    async def audit(message: SendEmail, context: Context) -> None:
        seen.append(("audit", context.attempt, context.headers["correlation_id"]))

    client = Client(conn)
    client.set_retry_policy("SendEmail", delay=timedelta(0), jitter=0)
    async with running(app):
        await until(lambda: len(client.route_of("SendEmail")) == 2, "the declaration of handlers")
        first = app.dispatch(SendEmail())
        await until(lambda: len(seen) == 4)
        await until(lambda: status(conn, first) == "completed")
    assert sorted(seen) == [
        ("audit", 1, str(first)),
        ("send", 1, str(first)),
        ("send", 2, str(first)),
        ("send", 3, str(first)),
    ]


def test_each_transport_has_its_own_attempts(app: Symphony, conn: Connection) -> None:
    seen: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        seen.append(context.queue_name)
        if context.queue_name == "slow":
            raise ValueError

    client = Client(conn)
    client.create_queue("slow", max_attempts=2, retry_delay=timedelta(0), retry_jitter=0)
    client.create_queue("fast")
    for name in ("slow", "fast"):
        client.create_transport(name, queue_name=name)
    assert client.set_routes("SendEmail", ["slow", "fast"]) == 2
    first = app.dispatch(SendEmail(), idempotency_key="k")
    assert app.dispatch(SendEmail(), idempotency_key="k") == first
    run(app, queues=["fast", "slow"])
    assert sorted(seen) == ["fast", "slow", "slow"]
    assert status(conn, first) == "failed"


def test_a_disabled_transport_holds_and_then_delivers(app: Symphony, conn: Connection) -> None:
    seen: list[str] = []
    app.handler(SendEmail)(lambda message: seen.append(message.to))
    client = Client(conn)
    client.create_queue("mail")
    client.create_transport("email", queue_name="mail", priority=7)
    client.set_routes("SendEmail", ["email"])
    assert client.disable_transport("email")
    held = app.dispatch(SendEmail("held"))
    app.dispatch_many([SendEmail("many"), SendEmail("more")])
    run(app, queues=["mail"])
    assert seen == []
    assert status(conn, held) == "pending"
    assert "enable_transport" in client.why_not_running(held)
    assert client.queue_stats("mail")[0].pending == 3
    assert client.enable_transport("email")
    run(app, queues=["mail"])
    assert seen == ["held", "many", "more"]


async def test_a_sleeping_worker_is_woken_when_a_transport_is_enabled(
    app: Symphony, conn: Connection
) -> None:
    seen: list[str] = []
    app.handler(SendEmail)(lambda message: seen.append(message.to))
    client = Client(conn)
    client.create_transport("email")
    client.set_routes("SendEmail", ["email"])
    client.disable_transport("email")
    async with running(app, poll_interval=3600, tick=False):
        app.dispatch(SendEmail())
        await until(lambda: client.queue_stats("default")[0].idle_workers == 1, "sleep")
        client.enable_transport("email")
        await until(lambda: seen, "the delivery")


def test_a_delivery_for_an_unknown_handler_waits_and_fails_with_a_clear_error(
    app: Symphony, conn: Connection
) -> None:
    seen: list[str] = []
    app.handler(SendEmail)(lambda message: seen.append(message.to))
    client = Client(conn)
    client.sync_handlers("SendEmail", ["default", "gone"])
    first = app.dispatch(SendEmail())
    odd = app.dispatch(SendEmail("odd"), queue="default", headers={"handler": [1]})
    named = app.dispatch(SendEmail("null"), queue="default", headers={"handler": None})
    run(app)
    assert seen == ["ada", "null"]
    assert (status(conn, first), status(conn, named)) == ("completed", "completed")
    assert (status(conn, first + 1), status(conn, odd)) == ("delayed", "delayed")
    client.configure_queue("default", max_snooze=timedelta(0))
    conn.execute("update symphony.delayed_message set available_at = clock_timestamp()")
    run(app)
    lost = known(client.conn, first + 1)
    assert (lost.status, lost.attempt) == ("failed", 1)
    assert "no handler 'gone' for the message type 'SendEmail'" in (lost.last_error or "")
    assert status(conn, odd) == "failed"
    assert client.remove_handler("SendEmail", "gone")
    assert len(client.route_of("SendEmail")) == 1


def test_handlers_have_distinct_names() -> None:
    app = Symphony(transport=InMemoryTransport())
    app.handler("A")(print_nothing)
    assert app.handler_declarations() == []
    with pytest.raises(ValueError, match=r"handled already, by print_nothing.*name="):
        app.handler("A")(print_nothing)
    app.handler("A", name="audit")(print_nothing)
    app.handler("B", name="only")(print_nothing)
    assert [each.arguments for each in app.handler_declarations()] == [
        {"message_type": "A", "handler_names": ["default", "audit"]},
        {"message_type": "B", "handler_names": ["only"]},
    ]


def print_nothing(message: object) -> None: ...


@pytest.mark.parametrize("transport", [SyncTransport(), InMemoryTransport()])
def test_without_a_database_all_handlers_run(transport: Any) -> None:
    app = Symphony(transport=transport)
    seen: list[str] = []
    app.handler(SendEmail)(lambda message: seen.append("send"))
    app.handler(SendEmail, name="audit")(lambda message: seen.append("audit"))
    app.dispatch(SendEmail())
    app.dispatch(SendEmail(), headers={"handler": "audit"})
    if isinstance(transport, InMemoryTransport):
        transport.run_all()
        app.dispatch(SendEmail(), headers={"handler": "nobody"})
        with pytest.raises(UnknownHandler):
            transport.run_all()
    assert seen == ["send", "audit", "audit"]


def test_the_call_has_the_last_word_on_retries(app: Symphony, conn: Connection) -> None:
    attempts: list[int] = []

    @app.handler(SendEmail)
    def send(message: SendEmail, context: Context) -> None:
        attempts.append(context.max_attempts)
        raise ValueError

    Client(conn).set_retry_policy("SendEmail", max_attempts=7)
    policy = RetryPolicy(max_attempts=2, delay=timedelta(0), jitter=0)
    message_id = app.dispatch(SendEmail(), retry=policy)
    many = app.dispatch_many([SendEmail(), app.envelope(SendEmail(), retry=policy)])
    found = [Client(conn).message_status(each) for each in many]
    assert [each.max_attempts for each in found if each] == [7, 2]
    Client(conn).cancel(many[0])
    run(app)
    assert attempts == [2, 2, 2, 2]
    assert status(conn, message_id) == "failed"
    with pytest.raises(BadArgument, match="max_attempts must be 1 to 1000"):
        app.dispatch(SendEmail(), retry=RetryPolicy(max_attempts=0))


def test_errors_that_the_policy_calls_permanent(app: Symphony, conn: Connection) -> None:
    class Refused(Exception):  # noqa: N818
        pass

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        raise Refused

    Client(conn).set_retry_policy("SendEmail", permanent_errors=["Refused"])
    message_id = app.dispatch(SendEmail())
    assert run(app).failed == 1
    assert status(conn, message_id) == "failed"


CONFIG = """\
[transports]
here = "sync"
async = "postgres"

[routing]
SendEmail = ["here"]
Both = ["here", "async"]
"""


@dataclass
class Both:
    n: int = 0


@pytest.fixture
def routed(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Symphony]:
    path = tmp_path / "symphony.toml"
    path.write_text(CONFIG)
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    monkeypatch.setenv("SYMPHONY_CONFIG", str(path))
    with Symphony.from_config() as app:
        assert app.config is not None
        with psycopg.connect(dsn, autocommit=True) as conn:
            Client(conn).apply_config(app.config.wanted)
        yield app


def test_a_sync_route_runs_the_handler_in_dispatch(routed: Symphony, conn: Connection) -> None:
    seen: list[str] = []
    routed.handler(SendEmail)(lambda message: seen.append(message.to))
    routed.handler(Both)(lambda message: seen.append(f"both {message.n}"))
    assert routed.dispatch(SendEmail()) == 0
    assert seen == ["ada"]
    with pytest.raises(NeedsPython):
        Client(conn).enqueue("SendEmail")

    stored = routed.dispatch(Both(1))
    assert seen == ["ada", "both 1"]
    assert status(conn, stored) == "pending"
    run(routed)
    assert seen == ["ada", "both 1", "both 1"]

    assert status(conn, routed.dispatch(SendEmail("queued"), queue="default")) == "pending"
    ids = routed.dispatch_many([SendEmail("x"), Both(2), SendEmail("y")])
    assert [ids[0], ids[2]] == [0, 0]
    assert status(conn, ids[1]) == "pending"
    assert seen[3:] == ["x", "both 2", "y"]


def test_a_sync_handler_that_fails_leaves_nothing(routed: Symphony, conn: Connection) -> None:
    @routed.handler(Both)
    def fail(message: Both) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        routed.dispatch(Both())
    assert Client(conn).queue_stats("default")[0].pending == 0
    with psycopg.connect(routed.dsn or "") as own:
        with pytest.raises(RuntimeError):
            routed.dispatch(Both(), conn=own)
        own.rollback()
    assert Client(conn).queue_stats("default")[0].pending == 0


def test_a_sync_route_from_async_code(routed: Symphony, conn: Connection) -> None:
    seen: list[object] = []

    @routed.handler(Both)
    async def both(message: Both) -> None:
        seen.append(message.n)

    @routed.handler(Both, name="other")
    async def other(message: Both) -> None:
        seen.append("other")

    for declaration in routed.handler_declarations():
        Client(conn).run(declaration)

    async def main() -> None:
        stored = await routed.dispatch_async(Both(1))
        async with await psycopg.AsyncConnection.connect(routed.dsn or "") as own:
            found = await AsyncClient(own).message_status(stored)
            assert found is not None
            await routed.dispatch_many_async([Both(2)], conn=own)
        await routed.aclose()

    asyncio.run(main())
    assert seen == [1, "other", 2, "other"]
    assert Client(conn).queue_stats("default")[0].pending == 4


def test_a_duplicate_is_noticed_before_the_sync_handler_runs(
    routed: Symphony, conn: Connection
) -> None:
    seen: list[int] = []
    client = Client(conn)

    @routed.handler(Both)
    def both(message: Both, context: Context) -> None:
        seen.append(message.n)
        if message.n < 0:
            raise RuntimeError("no")

    first = routed.dispatch(Both(1), idempotency_key="k")
    assert routed.dispatch(Both(2), idempotency_key="k") == first
    assert seen == [1]

    def keyed(n: int, key: str) -> Envelope:
        return routed.envelope(Both(n), idempotency_key=key)

    ids = routed.dispatch_many([keyed(3, "l"), keyed(4, "l"), keyed(5, "k"), Both(6)])
    assert (ids[0] == ids[1], ids[2]) == (True, first)
    assert seen == [1, 3, 6]

    async def again() -> list[int]:
        ids = await routed.dispatch_many_async([keyed(7, "l"), keyed(8, "m"), keyed(9, "m")])
        await routed.aclose()
        return ids

    assert asyncio.run(again())[0] == ids[0]
    assert seen == [1, 3, 6, 8]
    # A handler that fails leaves no key behind, nor does a message that is cancelled.
    for _ in range(2):
        with pytest.raises(RuntimeError):
            routed.dispatch(Both(-1), idempotency_key="n")
    assert routed.dispatch(Both(10), idempotency_key="n") > 0
    assert client.cancel(first)
    assert routed.dispatch(Both(11), idempotency_key="k") > first
    assert seen[-4:] == [-1, -1, 10, 11]


async def test_a_duplicate_of_a_message_that_is_not_committed_yet_waits_for_it(
    routed: Symphony, conn: Connection
) -> None:
    seen: list[int] = []
    routed.handler(Both)(lambda message: seen.append(message.n))
    with psycopg.connect(routed.dsn or "") as other:
        first = Client(other).enqueue("Both", {"n": 1}, idempotency_key="k")
        dispatched = asyncio.create_task(
            asyncio.to_thread(routed.dispatch, Both(2), idempotency_key="k")
        )
        waits = "select from pg_stat_activity where wait_event_type = 'Lock'"
        await until(lambda: conn.execute(waits).fetchall(), "the wait for the key")
        other.commit()
        assert await dispatched == first
    assert seen == []


def test_dispatch_may_name_a_transport_of_the_configuration(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "symphony.toml"
    path.write_text(
        "[transports]\nhere = 'sync'\nplain = 'postgres'\n"
        "email = { queue = 'mail', priority = 7 }\n"
    )
    client, seen = Client(conn), []

    def place(message_id: int) -> tuple[str, int]:
        found = known(client.conn, message_id)
        return found.queue_name, found.priority

    with Symphony(dsn, config=path) as app:
        assert app.config is not None
        client.apply_config(app.config.wanted)
        app.handler(SendEmail)(lambda message: seen.append(message.to))
        assert place(app.dispatch(SendEmail(), transport="email")) == ("mail", 7)
        assert place(app.dispatch(SendEmail(), transport="email", priority=2)) == ("mail", 2)
        assert place(app.dispatch(SendEmail(), transport="plain")) == ("default", 5)
        ids = app.dispatch_many([SendEmail(), SendEmail()], transport="email", conn=conn)
        assert [place(each) for each in ids] == [("mail", 7)] * 2
        assert seen == []
        app.dispatch(SendEmail("at once"), transport="here")
        assert seen == ["at once"]
        with pytest.raises(ValueError, match=r"no transport 'emial'; .*: email, here, plain"):
            app.dispatch(SendEmail(), transport="emial")

        async def main() -> int:
            message_id = await app.dispatch_async(SendEmail(), transport="email")
            await app.aclose()
            return message_id

        assert place(asyncio.run(main())) == ("mail", 7)
        with app.using(InMemoryTransport()) as transport:
            app.dispatch(SendEmail("kept"), transport="email")
            transport.assert_dispatched(SendEmail("kept"))
