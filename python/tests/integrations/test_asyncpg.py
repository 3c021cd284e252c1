"""dispatch_async(conn=…) with asyncpg: its transaction is the message's."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest

from symphony_pg import BadArgument, Client, MalformedBatch, RetryPolicy, Symphony, UnknownQueue
from tests.helpers import Connection, SendEmail, known
from tests.integrations.helpers import there, url


@pytest.fixture(params=["usual", "pooler", "json codec"])
async def own(dsn: str, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A connection; one as behind a pooler; one whose application reads jsonb by itself."""
    options = {"statement_cache_size": 0} if request.param == "pooler" else {}
    own = await asyncpg.connect(url(dsn, "postgresql"), **options)
    if request.param == "json codec":
        await own.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
        )
    yield own
    await own.close()


async def test_commit_rollback_and_savepoint(app: Symphony, conn: Connection, own: Any) -> None:
    outer = own.transaction()
    await outer.start()
    lost = await app.dispatch_async(SendEmail(), conn=own)
    await outer.rollback()
    async with own.transaction():
        kept = [await app.dispatch_async(SendEmail("bob"), conn=own)]
        savepoint = own.transaction()
        await savepoint.start()
        undone = await app.dispatch_async(SendEmail(), conn=own)
        await savepoint.rollback()
        kept += await app.dispatch_many_async([SendEmail("b"), SendEmail("c")], conn=own)
        assert there(conn, *kept) == [False] * 3
    assert there(conn, lost, undone, *kept) == [False, False, True, True, True]
    assert [known(conn, each).body["to"] for each in kept] == ["bob", "b", "c"]


async def test_every_option(app: Symphony, conn: Connection, own: Any) -> None:
    Client(conn).create_queue("mail")
    due = datetime(2100, 1, 1, tzinfo=timezone.utc)
    first = await app.dispatch_async(
        SendEmail("Ada “ß” ☃"),
        queue="mail",
        priority=9,
        available_at=due,
        idempotency_key="k",
        group_key="g",
        headers={"a": [1, None, "ü"]},
        retry=RetryPolicy(max_attempts=2, delay=timedelta(seconds=3)),
        conn=own,
    )
    found = known(conn, first)
    assert (found.queue_name, found.priority, found.available_at) == ("mail", 9, due)
    assert (found.body, found.headers) == ({"to": "Ada “ß” ☃"}, {"a": [1, None, "ü"]})
    assert found.max_attempts == 2
    later = await app.dispatch_async(SendEmail(), delay=1.5, conn=own)
    assert known(conn, later).status == "delayed"


async def test_errors_are_ours(app: Symphony, own: Any) -> None:
    with pytest.raises(UnknownQueue) as unknown:
        await app.dispatch_async(SendEmail(), queue="nowhere", conn=own)
    assert unknown.value.hint and "nowhere" in unknown.value.message
    assert "DETAIL" not in unknown.value.message
    with pytest.raises(BadArgument, match="idempotency_key contains NUL"):
        await app.dispatch_async(SendEmail(), idempotency_key="\0", conn=own)
    with pytest.raises(MalformedBatch):
        await app.dispatch_many_async([SendEmail(), SendEmail()], queue="nowhere", conn=own)


async def test_a_connection_of_a_pool(app: Symphony, conn: Connection, dsn: str) -> None:
    async with asyncpg.create_pool(url(dsn, "postgresql"), min_size=1, max_size=1) as pool:
        with pytest.raises(TypeError, match=r"pool\.acquire\(\)"):
            await app.dispatch_async(SendEmail(), conn=pool)
        async with pool.acquire() as own, own.transaction():
            message_id = await app.dispatch_async(SendEmail(), conn=own)
    assert there(conn, message_id) == [True]
