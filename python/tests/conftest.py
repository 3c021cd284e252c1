"""Every test that asks for a database gets a fresh clone of one where Symphony is installed."""

import atexit
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql import factories

from symphony_pg import Client, Symphony
from symphony_pg.server import Server
from tests.helpers import ROOT, Connection

if "SYMPHONY_DSN" not in os.environ:
    pytest.exit("no server; run: make test-python, or: python -m symphony_pg.server -- pytest")
if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":  # roles are of a server: one for each
    _server = Server().__enter__()
    atexit.register(_server.stop)
    os.environ.update(_server.environment)

postgresql_server = factories.postgresql_noproc(
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    user=os.environ["PGUSER"],
    password=os.environ["PGPASSWORD"],
    dbname="symphony",
    load=[ROOT / "build" / "symphony.sql"],
)
new_database = factories.postgresql("postgresql_server")


@pytest.fixture
def dsn(new_database: Connection) -> Iterator[str]:
    """Where this test's own database is; every invariant holds when the test is over."""
    conninfo = new_database.info
    dsn = make_conninfo(conninfo.dsn, password=conninfo.password)
    yield dsn
    with psycopg.connect(dsn) as conn:
        installed = conn.execute("select to_regprocedure('symphony.check()')").fetchone()
        if installed != (None,):
            assert conn.execute("select * from symphony.check()").fetchall() == []


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """An open connection in autocommit mode."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        yield conn


@pytest.fixture
def client(conn: Connection) -> Client:
    return Client(conn)


@pytest.fixture
def app(dsn: str) -> Iterator[Symphony]:
    """An application of this test's own database."""
    with Symphony(dsn) as app:
        yield app


@pytest.fixture
def empty_dsn(dsn: str) -> Iterator[str]:
    """Where a database without Symphony is."""
    name = "symphony_empty"
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"create database {name} template template0")
        yield make_conninfo(dsn, dbname=name)
        admin.execute(f"drop database {name} (force)")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for programs that may run as another user, as a server does."""
    with tempfile.TemporaryDirectory(prefix="symphony-pg-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def data_dir(scratch: Path) -> Path:
    """Where a server may keep its data from one start to the next."""
    return scratch / "data"
