"""dispatch() in and out of transactions, from sync and async code."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from symphony_pg import (
    AsyncClient,
    BadArgument,
    Client,
    Envelope,
    InMemoryTransport,
    InvalidMessage,
    MalformedBatch,
    Snooze,
    Symphony,
    SyncTransport,
    Transport,
)
from symphony_pg.database.call import MOMENTS
from tests.helpers import Connection, SendEmail, end_other_sessions, known


def test_dispatch_is_part_of_the_callers_transaction(app: Symphony, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        lost = app.dispatch(SendEmail("ada"), conn=conn)
        conn.rollback()
        kept = app.dispatch(SendEmail("bob"), conn=conn)
        conn.commit()
        assert Client(conn).message_status(lost) is None
        status = known(conn, kept)
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
    status = known(client.conn, message_id)
    assert (status.queue_name, status.priority, status.status) == ("mail", 9, "delayed")
    assert status.headers == {"a": 1}
    due = datetime(2100, 1, 1, tzinfo=timezone.utc)
    other = known(client.conn, app.dispatch(SendEmail("x"), available_at=due))
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
    end_other_sessions(conn)
    assert app.dispatch(SendEmail("ada"))


def test_dispatch_checks_the_message(app: Symphony) -> None:
    with pytest.raises(InvalidMessage, match="to: expected `str`, got `int`"):
        app.dispatch(SendEmail(3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dataclass"):
        app.dispatch("text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "transport",
    [None, InMemoryTransport(), SyncTransport()],
    ids=["postgres", "memory", "sync"],
)
async def test_none_is_no_connection(app: Symphony, transport: Transport | None) -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match=r"conn=None, and takes a psycopg\.Connection.*Django"):
        app.dispatch(SendEmail(), conn=nothing, transport=transport)
    with pytest.raises(TypeError, match="conn=None"):
        app.dispatch_many([], conn=nothing, transport=transport)
    with pytest.raises(TypeError, match=r"conn=None, and takes a psycopg\.AsyncConnection"):
        await app.dispatch_async(SendEmail(), conn=nothing, transport=transport)
    with pytest.raises(TypeError, match="conn=None"):
        await app.dispatch_many_async([], conn=nothing, transport=transport)


async def test_what_is_no_connection_is_told_the_way(app: Symphony, conn: Connection) -> None:
    other: Any
    for other in ("postgresql:///shop", object(), 7, Client(conn)):
        with pytest.raises(TypeError, match="SQLAlchemy's Session or Connection"):
            app.dispatch(SendEmail(), conn=other)
        with pytest.raises(TypeError, match="a connection of asyncpg"):
            await app.dispatch_async(SendEmail(), conn=other)
    other = conn
    with pytest.raises(TypeError, match=r"there is dispatch\(\)"):
        await app.dispatch_async(SendEmail(), conn=other)
    with pytest.raises(TypeError, match=r"write: conn=cursor\.connection"), conn.cursor() as other:
        app.dispatch(SendEmail(), conn=other)
    other = type("connection", (), {"__module__": "psycopg2.extensions"})()
    with pytest.raises(TypeError, match="psycopg2, and Symphony uses psycopg 3"):
        app.dispatch(SendEmail(), conn=other)


NAIVE = datetime(2030, 1, 31, 8)
TEXT = "2030-01-31 08:00"
ZONED = datetime(2030, 1, 31, 8, tzinfo=timezone(timedelta(hours=1)))


def schedule(**times: Any) -> list[dict[str, Any]]:
    every = {"every": "1 hour"}
    declared = {"schedule_name": "a", "message_type": "A", "schedule_type": "interval"}
    return [{**declared, "schedule_config": every, **times}]


@pytest.mark.parametrize(
    "call",
    [
        lambda app, client: app.dispatch(SendEmail(), available_at=NAIVE),
        lambda app, client: app.dispatch(
            SendEmail(), available_at=NAIVE, transport=InMemoryTransport()
        ),
        lambda app, client: asyncio.run(app.dispatch_async(SendEmail(), available_at=NAIVE)),
        lambda app, client: app.envelope(SendEmail(), available_at=NAIVE),
        lambda app, client: Envelope("A", {}, available_at=NAIVE),
        lambda app, client: client.enqueue("A", available_at=NAIVE),
        lambda app, client: client.enqueue("A", available_at=TEXT),
        lambda app, client: client.enqueue_batch([{"message_type": "A", "available_at": NAIVE}]),
        lambda app, client: client.enqueue_batch([{"message_type": "A", "available_at": TEXT}]),
        lambda app, client: client.snooze(1, 1, until=NAIVE),
        lambda app, client: client.snooze(1, 1, until=TEXT),
        lambda app, client: client.create_schedule("a", "A", "interval", {}, starts_at=NAIVE),
        lambda app, client: client.create_schedule("a", "A", "interval", {}, ends_at=TEXT),
        lambda app, client: client.sync_schedules("shop", schedule(starts_at=NAIVE)),
        lambda app, client: client.schedule_diff("shop", schedule(ends_at=TEXT)),
        lambda app, client: app.cron("@daily", starts_at=NAIVE),
        lambda app, client: app.every(60, ends_at=NAIVE),
        lambda app, client: client.schedule_preview("@daily", after=TEXT),
        lambda app, client: client.failed_messages(since=NAIVE),
        lambda app, client: client.retry_failed(until=TEXT),
        lambda app, client: client.cron_next("* * * * *", NAIVE),
        lambda app, client: Snooze(NAIVE),
    ],
)
def test_a_time_without_a_zone_is_refused(
    app: Symphony, conn: Connection, call: Callable[[Symphony, Client], Any]
) -> None:
    with pytest.raises(BadArgument, match="has no time zone: 2030-01-31 08:00:00") as refused:
        call(app, Client(conn))
    assert refused.value.hint and "value.astimezone()" in refused.value.hint


def test_a_time_in_a_batch_may_be_python_s(conn: Connection) -> None:
    at = {"message_type": "A", "available_at": ZONED}
    text = {"message_type": "A", "available_at": "2030-01-31T08:00+01:00"}
    later = {"message_type": "A", "delay": timedelta(hours=1)}
    ids = Client(conn).enqueue_batch([at, text, later])
    found = [known(conn, each) for each in ids]
    assert [each.available_at for each in found[:2]] == [ZONED, ZONED]
    assert found[2].available_at == found[2].enqueued_at + timedelta(hours=1)


def test_a_time_in_a_declared_schedule_may_be_python_s(conn: Connection) -> None:
    declared = schedule(starts_at=ZONED, jitter=timedelta(seconds=1.5))
    (created,) = Client(conn).sync_schedules("shop", declared)
    assert created.outcome == "created"
    (status,) = Client(conn).schedule_status()
    assert (status.starts_at, status.jitter) == (ZONED, timedelta(seconds=1.5))


def test_all_arguments_that_are_a_moment_are_known(conn: Connection) -> None:
    named = conn.execute(
        """select distinct name
           from pg_proc, unnest(proargnames, proargtypes::oid[]) as argument (name, kind)
           where pronamespace = 'symphony'::regnamespace and kind = 'timestamptz'::regtype
             and not starts_with(proname, '_') and name is not null"""
    ).fetchall()
    assert {name for (name,) in named} == MOMENTS
