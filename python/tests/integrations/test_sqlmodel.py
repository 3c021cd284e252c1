"""dispatch(conn=…) with SQLModel's sessions, which are SQLAlchemy's."""

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, Session, SQLModel, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession

from symphony_pg import Symphony
from tests.helpers import Connection, SendEmail
from tests.integrations.helpers import there, url


class Customer(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str


def test_a_row_and_its_message(app: Symphony, conn: Connection, dsn: str) -> None:
    engine = create_engine(url(dsn, "postgresql+psycopg"))
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Customer(email="ada"))
        lost = app.dispatch(SendEmail("ada"), conn=session)
        session.rollback()
        session.add(Customer(email="bob"))
        kept = app.dispatch(SendEmail("bob"), conn=session)
        with session.begin_nested() as savepoint:
            undone = app.dispatch(SendEmail(), conn=session)
            savepoint.rollback()
        session.commit()
        assert [each.email for each in session.exec(select(Customer))] == ["bob"]
    engine.dispose()
    assert there(conn, lost, undone, kept) == [False, False, True]


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_a_row_and_its_message_async(
    app: Symphony, conn: Connection, dsn: str, driver: str
) -> None:
    engine = create_async_engine(url(dsn, f"postgresql+{driver}"))
    async with engine.begin() as own:
        await own.run_sync(SQLModel.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add(Customer(email="ada"))
        lost = await app.dispatch_async(SendEmail("ada"), conn=session)
        await session.rollback()
        session.add(Customer(email="bob"))
        kept = await app.dispatch_async(SendEmail("bob"), conn=session)
        await session.commit()
        assert [each.email for each in await session.exec(select(Customer))] == ["bob"]
    await engine.dispose()
    assert there(conn, lost, kept) == [False, True]
