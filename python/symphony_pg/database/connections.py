"""Connections: opened so that a network that falls silent is noticed, by us and by the server.

Behind a pooler that gives each transaction to another session of the server, a statement that was
prepared in one is not there in the next, and a setting would be there for others. So nothing is
prepared or set where the session that answers is not the one that the login was told of: PgBouncer
and its like make up what they tell.

Text is UTF-8, whatever the encoding of the database or a setting of the role says: what a message
holds may not fit into another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

from .silence import CALL_TIMEOUT, AsyncConnection, Connection, answered_within
from .translation import connecting

NAME = "symphony-pg"
BACKEND = "select pg_catalog.pg_backend_pid()"

# What is given neither by the DSN, nor by a service file, nor by the environment. Only TCP knows
# the last four.
OURS = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# The same for the server, which otherwise keeps the transaction and the locks of a client that has
# vanished for two hours, and longer while it executes something; Windows has no means for that.
# What is set in its files, or for the role or the database, is left alone. The settings are looked
# through one by one: as a table, as pg_settings has them, they may need a file.
SERVER = """
    select pg_catalog.pg_backend_pid(), (
        select pg_catalog.count(pg_catalog.set_config((setting).name, ours, false))
        from (select setting,
                     '{"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2",
                       "tcp_keepalives_count": "3", "tcp_user_timeout": "10000",
                       "client_connection_check_interval": "2000"
                      }'::pg_catalog.jsonb operator(pg_catalog.->>) (setting).name as ours
              from (select pg_catalog.pg_show_all_settings() as setting) as shown
             ) as settings
        where ours is not null and (setting).source operator(pg_catalog.=) 'default'
          and pg_catalog.pg_backend_pid() operator(pg_catalog.=) %s::pg_catalog.int4
          and ((setting).name operator(pg_catalog.~) '^tcp'
               or pg_catalog.version() operator(pg_catalog.!~*) 'mingw|msvc|visual'))
"""


def dsn_or_default(dsn: str | None) -> str:
    """Return the DSN, or SYMPHONY_DSN, or what leaves everything to libpq's PG* variables."""
    return dsn if dsn is not None else os.environ.get("SYMPHONY_DSN", "")


def connect(
    dsn: str | None = None, *, call_timeout: float = CALL_TIMEOUT, **options: Any
) -> Connection[Any]:
    """Open a connection in autocommit mode; raise ConnectionRefused if that fails."""
    dsn = dsn_or_default(dsn)
    with connecting(dsn):
        conn = Connection.connect(watchful(dsn), autocommit=True, **options)
        with _greeting(conn, call_timeout):
            row = conn.execute(SERVER, [conn.info.backend_pid], prepare=False).fetchone()
            _settle(conn, row)
        return conn


async def connect_async(
    dsn: str | None = None, *, call_timeout: float = CALL_TIMEOUT, **options: Any
) -> AsyncConnection[Any]:
    """Open an async connection in autocommit mode; raise ConnectionRefused if that fails."""
    dsn = dsn_or_default(dsn)
    with connecting(dsn):
        conn = await AsyncConnection.connect(watchful(dsn), autocommit=True, **options)
        with _greeting(conn, call_timeout):
            told = [conn.info.backend_pid]
            row = await (await conn.execute(SERVER, told, prepare=False)).fetchone()
            _settle(conn, row)
        return conn


def watchful(dsn: str) -> str:
    """Return the DSN with our name and time limits, where nothing else is said about them.

    libpq tells what is said: it begins to connect, to a socket that is not there.
    """
    nowhere = make_conninfo(dsn, host="/", hostaddr="", port="")
    probe = PGconn.connect_start(nowhere.encode())
    said = {option.keyword.decode(): option.val for option in probe.info}
    probe.finish()
    ours: dict[str, Any] = {
        name: value if said[name] is None else said[name].decode()  # type: ignore[union-attr]
        for name, value in OURS.items()
        if name in said  # an old libpq does not know them all
    }
    return make_conninfo(dsn, fallback_application_name=NAME, client_encoding="utf8", **ours)


@contextmanager
def _greeting(conn: Connection[Any] | AsyncConnection[Any], call_timeout: float) -> Iterator[None]:
    """Let what is said first on a connection be answered, or hang up."""
    try:
        with answered_within(call_timeout):
            yield
    except BaseException:
        conn.hang_up()
        raise


def _settle(conn: Connection[Any] | AsyncConnection[Any], row: tuple[Any, ...] | None) -> None:
    if row is None or row[0] != conn.info.backend_pid:
        conn.prepare_threshold = None


def has_session(conn: psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether what is set in the session lasts: no pooler lends it to others."""
    return conn.prepare_threshold is not None


async def backend(conn: psycopg.AsyncConnection[Any]) -> int:
    """Return the process of the server that answers now."""
    row = await (await conn.execute(BACKEND)).fetchone()
    assert row is not None
    return int(row[0])
