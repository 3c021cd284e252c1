"""Installing the schema: the SQL that travels in the package, run in one transaction."""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

import psycopg

from ..errors import NotInstalled, SymphonyError, WrongState, WrongVersion
from ..version import __version__
from .client import Client
from .connections import connect
from .translation import translated

OLDEST_SERVER = 150000
ALREADY_THERE = ("42P06", "23505")  # the schema exists; somebody else has just created it


class Status(NamedTuple):
    """What is installed where."""

    installed: str | None
    package: str
    server: str
    is_current: bool


def sql(name: str = "symphony.sql") -> str:
    """Return the whole installation as SQL, to be run in one transaction by any driver.

    upgrade.sql is the part of it that makes functions, views and access, and can be run again.
    """
    try:
        return resources.files("symphony_pg").joinpath(name).read_text(encoding="ascii")
    except FileNotFoundError:
        raise SymphonyError(
            f"the package has no {name}",
            detail="It is written when the package is built.",
            hint="In a source tree, run: make build",
        ) from None


def installed_version(conn: psycopg.Connection[Any]) -> str | None:
    """Return the version of the schema in the database, or None if there is none."""
    try:
        with conn.transaction():
            return Client(conn).version()
    except NotInstalled:
        return None


def status(conn: psycopg.Connection[Any]) -> Status:
    """Return what is installed."""
    found = installed_version(conn)
    major, minor = divmod(conn.info.server_version, 10000)
    return Status(found, __version__, f"{major}.{minor}", found == __version__)


def install(conn: psycopg.Connection[Any]) -> bool:
    """Install the schema; return false if this version is there already.

    That is committed, unless it happens inside a transaction of the caller.

    Raises WrongVersion if another one is, or if the server is older than PostgreSQL 15.
    """
    _check_server(conn)
    if _is_installed(conn):
        return False
    try:
        with translated(), conn.transaction():
            conn.execute(sql().encode())
    except psycopg.Error as error:
        if error.sqlstate in ALREADY_THERE:
            if _is_installed(conn):
                return False
            raise WrongState(
                "there is a schema symphony, but it does not say its version",
                detail="It is not Symphony's, or it was damaged.",
                hint="Symphony's is mended by: symphony-pg db upgrade. Rename one that is not.",
                sqlstate=error.sqlstate,
            ) from error
        raise
    return True


def ensure_installed(dsn: str | None = None) -> None:
    """Install the schema into a database, unless this version is there already."""
    with connect(dsn) as conn:
        install(conn)


def upgrade(conn: psycopg.Connection[Any]) -> None:
    """Make functions, views and access anew, as the package has them.

    What was changed by hand is mended. Messages are not touched. It happens in one transaction.

    Raises WrongVersion if the schema is of another version: there is no way from one to another
    before a second version is released.
    """
    _check_server(conn)
    _is_installed(conn)  # not of another version, as far as it says
    try:
        with translated(), conn.transaction():
            conn.execute(sql("upgrade.sql").encode())
            if not _is_installed(conn):
                raise WrongVersion(
                    "the schema symphony does not say its version",
                    detail="The table symphony.release is empty. Nothing was changed.",
                    hint="If you know it, say so: insert into symphony.release (version) "
                    "values ('0.0.0'), with the true one.",
                )
    except psycopg.Error as error:
        raise WrongState(
            "the functions of the schema symphony cannot be made anew",
            detail=f"{error.diag.message_primary or error}. Nothing was changed.",
            hint=error.diag.message_hint or "Undo what was done to the schema by hand.",
            sqlstate=error.sqlstate,
        ) from error


def _check_server(conn: psycopg.Connection[Any]) -> None:
    if conn.info.server_version < OLDEST_SERVER:
        raise WrongVersion(
            f"PostgreSQL {conn.info.server_version // 10000} is too old",
            detail="Symphony needs PostgreSQL 15 or newer.",
            hint="Upgrade the server, or use another one.",
        )


def _is_installed(conn: psycopg.Connection[Any]) -> bool:
    found = installed_version(conn)
    if found not in (None, __version__):
        raise WrongVersion(
            f"the schema symphony is version {found}, this package is {__version__}",
            detail="There is no way to get from one to the other in this release.",
            hint=f"Use the package that fits: pip install 'symphony-pg=={found}'",
        )
    return found is not None
