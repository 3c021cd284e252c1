"""dispatch(conn=…) with SQLAlchemy: its transaction is the message's."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from symphony_pg import BadArgument, Symphony, UnknownQueue
from tests.helpers import Connection, SendEmail, known
from tests.integrations.helpers import there, url

POOLED: dict[str, dict[str, Any]] = {
    "postgresql+psycopg": {"prepare_threshold": None},
    "postgresql+asyncpg": {"prepared_statement_cache_size": 0, "statement_cache_size": 0},
}


@pytest.fixture(params=["usual", "pooler"])
def engine(dsn: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    driver = "postgresql+psycopg"
    options = POOLED[driver] if request.param == "pooler" else {}
    engine = create_engine(url(dsn, driver), connect_args=options)
    yield engine
    engine.dispose()


@pytest.fixture(params=[(driver, kind) for driver in POOLED for kind in ("usual", "pooler")])
async def async_engine(dsn: str, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    driver, kind = request.param
    options = POOLED[driver] if kind == "pooler" else {}
    engine = create_async_engine(url(dsn, driver), connect_args=options)
    yield engine
    await engine.dispose()


def test_a_session(app: Symphony, conn: Connection, engine: Engine) -> None:
    with Session(engine) as session:
        lost = app.dispatch(SendEmail(), conn=session)
        session.rollback()
        kept = [app.dispatch(SendEmail("bob"), conn=session)]
        with session.begin_nested() as savepoint:
            undone = app.dispatch(SendEmail(), conn=session)
            savepoint.rollback()
        kept += app.dispatch_many([SendEmail("b"), SendEmail("c")], conn=session)
        assert there(conn, *kept) == [False] * 3
        session.commit()
        forgotten = app.dispatch(SendEmail(), conn=session)
    assert there(conn, lost, undone, *kept, forgotten) == [False, False, True, True, True, False]
    assert [known(conn, each).body["to"] for each in kept] == ["bob", "b", "c"]


def test_a_connection(app: Symphony, conn: Connection, engine: Engine) -> None:
    with engine.connect() as own:
        lost = app.dispatch(SendEmail(), conn=own)
        own.rollback()
        kept = app.dispatch(SendEmail(), conn=own)  # the first thing in its transaction
        assert there(conn, kept) == [False]
        own.commit()
        with own.begin_nested() as savepoint:
            undone = app.dispatch(SendEmail(), conn=own)
            savepoint.rollback()
        own.commit()
    with engine.begin() as own:
        other = app.dispatch(SendEmail(), conn=own)
    assert there(conn, lost, kept, undone, other) == [False, True, False, True]


def test_a_scoped_session(app: Symphony, conn: Connection, engine: Engine) -> None:
    session = scoped_session(sessionmaker(engine))
    message_id = app.dispatch(SendEmail(), conn=session)
    session.execute(text("select 1"))
    assert there(conn, message_id) == [False]
    session.commit()
    session.remove()
    assert there(conn, message_id) == [True]


def test_errors_are_ours(app: Symphony, conn: Connection, engine: Engine) -> None:
    with Session(engine) as session:
        with pytest.raises(UnknownQueue), session.begin_nested():
            app.dispatch(SendEmail(), queue="nowhere", conn=session)
        message_id = app.dispatch(SendEmail(), conn=session)
        session.commit()
        with pytest.raises(BadArgument, match="idempotency_key contains NUL"):
            app.dispatch(SendEmail(), idempotency_key="\0", conn=session)
    assert there(conn, message_id) == [True]


async def test_an_async_session(app: Symphony, conn: Connection, async_engine: AsyncEngine) -> None:
    async with AsyncSession(async_engine) as session:
        lost = await app.dispatch_async(SendEmail(), conn=session)
        await session.rollback()
        kept = [await app.dispatch_async(SendEmail("bob"), conn=session)]
        async with session.begin_nested() as savepoint:
            undone = await app.dispatch_async(SendEmail(), conn=session)
            await savepoint.rollback()
        kept += await app.dispatch_many_async([SendEmail("b"), SendEmail("c")], conn=session)
        assert there(conn, *kept) == [False] * 3
        await session.commit()
        forgotten = await app.dispatch_async(SendEmail(), conn=session)
    assert there(conn, lost, undone, *kept, forgotten) == [False, False, True, True, True, False]
    assert [known(conn, each).body["to"] for each in kept] == ["bob", "b", "c"]


async def test_an_async_connection(
    app: Symphony, conn: Connection, async_engine: AsyncEngine
) -> None:
    async with async_engine.connect() as own:
        lost = await app.dispatch_async(SendEmail(), conn=own)
        await own.rollback()
        kept = await app.dispatch_async(SendEmail(), headers={"a": 1}, delay=3, conn=own)
        assert there(conn, kept) == [False]
        await own.commit()
    async with async_engine.begin() as own:
        other = await app.dispatch_async(SendEmail(), conn=own)
    assert there(conn, lost, kept, other) == [False, True, True]


async def test_an_async_scoped_session(
    app: Symphony, conn: Connection, async_engine: AsyncEngine
) -> None:
    session = async_scoped_session(async_sessionmaker(async_engine), scopefunc=lambda: 1)
    message_id = await app.dispatch_async(SendEmail(), conn=session)
    await session.commit()
    await session.remove()
    assert there(conn, message_id) == [True]


async def test_errors_of_async_drivers_are_ours(
    app: Symphony, conn: Connection, async_engine: AsyncEngine
) -> None:
    async with AsyncSession(async_engine) as session:
        with pytest.raises(UnknownQueue):
            async with session.begin_nested():
                await app.dispatch_async(SendEmail(), queue="nowhere", conn=session)
        message_id = await app.dispatch_async(SendEmail(), conn=session)
        await session.commit()
        with pytest.raises(BadArgument, match="idempotency_key contains NUL"):
            await app.dispatch_async(SendEmail(), idempotency_key="\0", conn=session)
    assert there(conn, message_id) == [True]


def test_another_database_or_driver_is_refused(app: Symphony, dsn: str) -> None:
    what = "is sqlite, and messages go into PostgreSQL"
    engine = create_engine("sqlite://")
    with Session(engine) as session, pytest.raises(TypeError, match=what):
        app.dispatch(SendEmail(), conn=session)
    engine.dispose()


def test_what_makes_connections_is_refused(app: Symphony, engine: Engine) -> None:
    with pytest.raises(TypeError, match=r"write: with engine\.begin\(\) as conn"):
        app.dispatch(SendEmail(), conn=engine)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"write: with maker\(\) as session"):
        app.dispatch(SendEmail(), conn=sessionmaker(engine))  # type: ignore[arg-type]


async def test_what_makes_async_connections_is_refused(
    app: Symphony, async_engine: AsyncEngine
) -> None:
    with pytest.raises(TypeError, match=r"write: async with engine\.begin\(\) as conn"):
        await app.dispatch_async(SendEmail(), conn=async_engine)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"write: async with maker\(\) as session"):
        await app.dispatch_async(
            SendEmail(),
            conn=async_sessionmaker(async_engine),  # type: ignore[arg-type]
        )
    async with AsyncSession(async_engine) as session:
        with pytest.raises(TypeError, match=r"there is dispatch_async\(\)"):
            app.dispatch(SendEmail(), conn=session)  # type: ignore[arg-type]
