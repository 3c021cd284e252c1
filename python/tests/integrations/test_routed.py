"""Routes to sync transports, when the transaction is that of another library."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from symphony_pg import Client, Context, RoutedTransport, Symphony
from tests.helpers import Connection, SendEmail, one
from tests.integrations.helpers import there, url

TABLE = "create table seen (message text)"


@pytest.fixture
def routed(dsn: str, conn: Connection) -> Iterator[Symphony]:
    """An application whose messages are stored, and handled in dispatch() as well."""
    conn.execute(TABLE)
    client = Client(conn)
    client.create_transport("here", "sync")
    client.create_transport("there", "postgres", queue_name="default")
    client.set_routes("SendEmail", ["here", "there"])
    with Symphony(dsn, RoutedTransport()) as app:
        yield app


def write(app: Symphony) -> None:
    @app.handler(SendEmail)
    def handle(message: SendEmail, context: Context) -> None:
        with context.transaction() as conn:
            conn.execute("insert into seen values (%s)", [message.to])


def write_async(app: Symphony) -> None:
    @app.handler(SendEmail)
    async def handle(message: SendEmail, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute("insert into seen values (%s)", [message.to])


def test_a_handler_writes_in_the_transaction_of_a_session(
    routed: Symphony, dsn: str, conn: Connection
) -> None:
    write(routed)
    engine = create_engine(url(dsn, "postgresql+psycopg"))
    with Session(engine) as session:
        routed.dispatch(SendEmail("lost"), conn=session)
        session.rollback()
        kept = routed.dispatch(SendEmail("kept"), idempotency_key="k", conn=session)
        again = routed.dispatch(SendEmail("again"), idempotency_key="k", conn=session)
        session.commit()
    engine.dispose()
    assert there(conn, kept) == [True]
    assert again == kept
    assert one(conn, "select array_agg(message) from seen") == ["kept"]


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_an_async_session(routed: Symphony, dsn: str, conn: Connection, driver: str) -> None:
    write_async(routed)
    engine = create_async_engine(url(dsn, f"postgresql+{driver}"))
    async with AsyncSession(engine) as session:
        kept = await routed.dispatch_async(SendEmail("kept"), idempotency_key="k", conn=session)
        again = await routed.dispatch_async(SendEmail("again"), idempotency_key="k", conn=session)
        seen: Any = one(conn, "select count(*) from seen")
        assert seen == (0 if driver == "psycopg" else 1)  # asyncpg cannot be lent to a handler
        await session.commit()
    await engine.dispose()
    assert (there(conn, kept), again) == ([True], kept)
    assert one(conn, "select array_agg(message) from seen") == ["kept"]


async def test_asyncpg(routed: Symphony, dsn: str, conn: Connection) -> None:
    write_async(routed)
    own = await asyncpg.connect(url(dsn, "postgresql"))
    first = await routed.dispatch_async(SendEmail("kept"), idempotency_key="k", conn=own)
    again = await routed.dispatch_async(SendEmail("again"), idempotency_key="k", conn=own)
    await own.close()
    assert first == again
    assert one(conn, "select array_agg(message) from seen") == ["kept"]
