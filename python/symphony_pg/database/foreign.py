"""Connections of other libraries: what dispatch(conn=…) takes, each driven as its library wants.

A statement goes through the object that was given, and not around it: SQLAlchemy and Django begin
a transaction, count savepoints and notice a lost connection only where they run the statement
themselves. They are told apart by the names of their classes, so nothing of theirs is imported.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from ..errors import SymphonyError
from .call import Call, json_text
from .client import AsyncClient, Client
from .translation import raise_ours

T = TypeVar("T")


class Own(Enum):
    """In place of a connection: one of our own."""

    CONNECTION = "a connection of our own"


OWN = Own.CONNECTION


class _Rows(Protocol):
    def fetchall(self) -> Any: ...


class _Connection(Protocol):
    """SQLAlchemy's Connection."""

    def exec_driver_sql(self, statement: str, parameters: Any = None) -> _Rows: ...


class _Session(Protocol):
    """SQLAlchemy's Session, and SQLModel's."""

    def connection(self) -> _Connection: ...


class _Django(Protocol):
    """Django's connection."""

    def cursor(self) -> Any: ...

    def ensure_connection(self) -> None: ...


class _AsyncConnection(Protocol):
    """SQLAlchemy's AsyncConnection."""

    def exec_driver_sql(
        self, statement: str, parameters: Any = None
    ) -> Coroutine[Any, Any, _Rows]: ...


class _AsyncSession(Protocol):
    """SQLAlchemy's AsyncSession, and SQLModel's."""

    def connection(self) -> Coroutine[Any, Any, _AsyncConnection]: ...


class _Asyncpg(Protocol):
    """A connection of asyncpg, or one that its pool lends out."""

    def fetch(self, query: str, *args: Any) -> Coroutine[Any, Any, Any]: ...


AnyConnection = psycopg.Connection[Any] | _Connection | _Session | _Django
AnyAsyncConnection = psycopg.AsyncConnection[Any] | _AsyncConnection | _AsyncSession | _Asyncpg


class _DjangoClient(Client):
    """Runs calls on Django's cursors, which know of atomic() and of broken transactions."""

    conn: Any

    def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        if self.conn.vendor != "postgresql":
            raise _not_postgres(f"Django's database {self.conn.alias!r}", self.conn.vendor)
        self.conn.ensure_connection()
        _refuse_psycopg2(self.conn.connection)
        with _translated(call.arguments), self.conn.cursor() as cursor:
            cursor.execute(call.statement_in_text, call.arguments)
            return call.read(cursor.fetchall())

    def psycopg(self) -> psycopg.Connection[Any]:
        """Return the connection of psycopg inside."""
        self.conn.ensure_connection()
        found: psycopg.Connection[Any] = self.conn.connection
        return found


class _SqlAlchemyClient(Client):
    """Runs calls on a Connection of SQLAlchemy, which begins its transaction with them."""

    conn: Any

    def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        _check_dialect(self.conn.dialect)
        with _translated(call.arguments):
            done = self.conn.exec_driver_sql(call.statement_in_text, dict(call.arguments))
            return call.read(done.fetchall())

    def psycopg(self) -> psycopg.Connection[Any]:
        """Return the connection of psycopg inside, in SQLAlchemy's transaction."""
        if not self.conn.in_transaction():
            self.conn.begin()
        found: psycopg.Connection[Any] = self.conn.connection.driver_connection
        return found


class _AsyncSqlAlchemyClient(AsyncClient):
    """Runs calls on an AsyncConnection of SQLAlchemy, or on that of an AsyncSession."""

    conn: Any

    async def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        conn = await self._connection()
        is_asyncpg = _check_dialect(conn.dialect) == "asyncpg"
        with _translated(call.arguments):
            arguments: Any
            statement, arguments = (
                _numbered(call) if is_asyncpg else (call.statement_in_text, dict(call.arguments))
            )
            done = await conn.exec_driver_sql(statement, arguments)
            return call.read(done.fetchall())

    async def psycopg(self) -> psycopg.AsyncConnection[Any] | None:
        """Return the connection of psycopg inside, in SQLAlchemy's transaction, if it is one."""
        conn = await self._connection()
        if conn.dialect.driver == "asyncpg":
            return None
        if not conn.in_transaction():
            await conn.begin()
        found: psycopg.AsyncConnection[Any] = (await conn.get_raw_connection()).driver_connection
        return found

    async def _connection(self) -> Any:
        return self.conn if hasattr(self.conn, "exec_driver_sql") else await self.conn.connection()


class _AsyncpgClient(AsyncClient):
    """Runs calls on a connection of asyncpg."""

    conn: Any

    async def run(self, call: Call[T]) -> T:
        """Execute a call that was described by `functions`."""
        with _translated(call.arguments):
            statement, arguments = _numbered(call)
            return call.read(await self.conn.fetch(statement, *arguments))


def _numbered(call: Call[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return a statement with $1, $2, … and its arguments in that order.

    JSON goes as text and is made jsonb by the server, so that it is all the same which codec the
    application has given to the connection.
    """
    statement, arguments = call.statement_in_text, []
    for number, (name, value) in enumerate(call.arguments.items(), 1):
        is_json = isinstance(value, Jsonb)
        place = f"${number}::text::jsonb" if is_json else f"${number}"
        statement = statement.replace(f"%({name})s", place)
        arguments.append(json_text(value) if is_json else value)
    return statement, tuple(arguments)


@contextmanager
def _translated(arguments: Mapping[str, Any]) -> Iterator[None]:
    """Raise what a library raises as ours, where there is one for its SQLSTATE."""
    try:
        yield
    except SymphonyError:
        raise
    except Exception as error:
        raise_ours(_of_driver(error), arguments)
        raise


def _of_driver(error: BaseException) -> BaseException:
    """Return the error of the driver, which libraries wrap in their own; else the error itself."""
    inner: BaseException | None = error
    while inner is not None:
        if hasattr(inner, "sqlstate") and (hasattr(inner, "diag") or hasattr(inner, "hint")):
            return inner
        inner = getattr(inner, "orig", None) or inner.__cause__
    return error


def _check_dialect(dialect: Any) -> str:
    """Return the driver of SQLAlchemy's dialect, if it is one that works."""
    if dialect.name != "postgresql":
        raise _not_postgres("SQLAlchemy's engine", dialect.name)
    driver: str = dialect.driver
    if driver not in ("psycopg", "psycopg_async", "asyncpg"):
        raise TypeError(
            f"SQLAlchemy uses the driver {driver} here, which Symphony does not know; "
            "make the engine with postgresql+psycopg://, or postgresql+asyncpg:// in async code"
        )
    return driver


def _refuse_psycopg2(conn: object) -> None:
    if type(conn).__module__.startswith("psycopg2"):
        raise TypeError(
            "this is a connection of psycopg2, and Symphony uses psycopg 3; "
            "pip install 'psycopg[binary]': Django then takes that by itself, and SQLAlchemy for "
            "postgresql+psycopg://"
        )


def _not_postgres(what: str, vendor: str) -> TypeError:
    return TypeError(f"{what} is {vendor}, and messages go into PostgreSQL")


# What is known, by the names of the class and its bases, and what runs its calls.
SYNC: dict[str, Any] = {
    "django.db.backends.base.base.BaseDatabaseWrapper": _DjangoClient,
    "django.utils.connection.ConnectionProxy": _DjangoClient,
    "sqlalchemy.engine.base.Connection": _SqlAlchemyClient,
    "sqlalchemy.orm.scoping.scoped_session": lambda conn: _SqlAlchemyClient(conn.connection()),
    "sqlalchemy.orm.session.Session": lambda conn: _SqlAlchemyClient(conn.connection()),
}
ASYNC: dict[str, Any] = {
    "asyncpg.connection.Connection": _AsyncpgClient,
    "asyncpg.pool.PoolConnectionProxy": _AsyncpgClient,
    "sqlalchemy.ext.asyncio.engine.AsyncConnection": _AsyncSqlAlchemyClient,
    "sqlalchemy.ext.asyncio.scoping.async_scoped_session": _AsyncSqlAlchemyClient,
    "sqlalchemy.ext.asyncio.session.AsyncSession": _AsyncSqlAlchemyClient,
}
# What is not a connection, and how to get one from it.
WAYS = {
    "asyncpg.pool.Pool": "write: async with pool.acquire() as conn",
    "psycopg.AsyncCursor": "write: conn=cursor.connection",
    "psycopg.Cursor": "write: conn=cursor.connection",
    "psycopg_pool.pool.ConnectionPool": "write: with pool.connection() as conn",
    "psycopg_pool.pool_async.AsyncConnectionPool": "write: async with pool.connection() as conn",
    "sqlalchemy.engine.base.Engine": "write: with engine.begin() as conn",
    "sqlalchemy.ext.asyncio.engine.AsyncEngine": "write: async with engine.begin() as conn",
    "sqlalchemy.ext.asyncio.session.async_sessionmaker": "write: async with maker() as session",
    "sqlalchemy.orm.session.sessionmaker": "write: with maker() as session",
}
TAKES = (
    "a psycopg.Connection, SQLAlchemy's Session or Connection (and so SQLModel's), or "
    "django.db.connection"
)
TAKES_ASYNC = (
    "a psycopg.AsyncConnection, SQLAlchemy's AsyncSession or AsyncConnection (and so SQLModel's), "
    "or a connection of asyncpg"
)


def _found(table: Mapping[str, T], conn: object) -> T | None:
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(conn).__mro__)
    return next((table[name] for name in names if name in table), None)


def given(conn: AnyConnection | Own) -> AnyConnection | None:
    """Return the connection that dispatch() was given, or None for one of our own.

    Raises TypeError if it is none of those that we know, and None if it was given is one of these.
    """
    if conn is OWN:
        return None
    if isinstance(conn, psycopg.Connection) or _found(SYNC, conn):
        return conn
    if isinstance(conn, psycopg.AsyncConnection) or _found(ASYNC, conn):
        raise TypeError(f"dispatch() takes {TAKES}; for {_name(conn)} there is dispatch_async()")
    raise _refusal("dispatch()", TAKES, conn)


def given_async(conn: AnyAsyncConnection | Own) -> AnyAsyncConnection | None:
    """Return the connection that dispatch_async() was given, or None for one of our own."""
    if conn is OWN:
        return None
    if isinstance(conn, psycopg.AsyncConnection) or _found(ASYNC, conn):
        return conn
    if _found(SYNC, conn) is _DjangoClient:
        raise TypeError(
            "Django's connections are not async: await sync_to_async(app.dispatch)(message, "
            "conn=connection)"
        )
    if isinstance(conn, psycopg.Connection) or _found(SYNC, conn):
        raise TypeError(
            f"dispatch_async() takes {TAKES_ASYNC}; for {_name(conn)} there is dispatch()"
        )
    raise _refusal("dispatch_async()", TAKES_ASYNC, conn)


def _refusal(function: str, takes: str, conn: object) -> TypeError:
    if conn is None:
        return TypeError(
            f"{function} was given conn=None, and takes {takes}. Without conn it uses a connection "
            "of its own and commits at once. Django's connection.connection is None before the "
            "first query: give conn=connection"
        )
    _refuse_psycopg2(conn)
    way = _found(WAYS, conn)
    hint = f"; {way}" if way else ""
    return TypeError(f"{function} takes {takes}, and not {_name(conn)}{hint}")


def _name(conn: object) -> str:
    return f"{type(conn).__module__.partition('.')[0]}'s {type(conn).__qualname__}"


def client_of(conn: AnyConnection) -> Client:
    """Return what runs calls on a connection that given() has let in."""
    if isinstance(conn, psycopg.Connection):
        return Client(conn)
    make = _found(SYNC, conn)
    if make is None:
        raise _refusal("dispatch()", TAKES, conn)
    client: Client = make(conn)
    return client


def async_client_of(conn: AnyAsyncConnection) -> AsyncClient:
    """Return what runs calls on a connection that given_async() has let in."""
    if isinstance(conn, psycopg.AsyncConnection):
        return AsyncClient(conn)
    make = _found(ASYNC, conn)
    if make is None:
        raise _refusal("dispatch_async()", TAKES_ASYNC, conn)
    client: AsyncClient = make(conn)
    return client


def psycopg_of(conn: object) -> psycopg.Connection[Any] | None:
    """Return the connection of psycopg that a library has inside, if there is one."""
    if isinstance(conn, psycopg.Connection):
        return conn
    make = _found(SYNC, conn)
    return None if make is None else make(conn).psycopg()


async def psycopg_of_async(conn: object) -> psycopg.AsyncConnection[Any] | None:
    """Return the connection of psycopg that a library has inside, if there is one."""
    if isinstance(conn, psycopg.AsyncConnection):
        return conn
    make = _found(ASYNC, conn)
    if make is None or make is _AsyncpgClient:
        return None
    found: psycopg.AsyncConnection[Any] | None = await make(conn).psycopg()
    return found
