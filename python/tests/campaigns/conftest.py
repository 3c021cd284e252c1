"""A real PgBouncer before the database of a test."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from fetch import pgbouncer

POOL_SIZE = 3
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {pool_mode}
default_pool_size = {pool_size}
max_client_conn = 100
"""


@pytest.fixture
def pool(dsn: str, scratch: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of the test's database behind PgBouncer, which pools transactions unless told."""
    command = pgbouncer.obtain(scratch)
    if command is None:
        pytest.skip("PgBouncer is not installed, and Debian's packages cannot be downloaded here")
    target = conninfo_to_dict(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        # The server of the tests commits asynchronously; what a session changes is to be seen.
        database = sql.Identifier(str(target["dbname"]))
        conn.execute(sql.SQL("alter database {} set synchronous_commit = on").format(database))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = scratch / "pgbouncer.ini"
    path.write_text(
        CONFIGURATION.format(
            **target,
            listen_port=port,
            pool_mode=getattr(request, "param", "transaction"),
            pool_size=POOL_SIZE,
        )
    )
    path.chmod(0o644)
    log = (scratch / "log").open("wb")
    process = subprocess.Popen([*command, str(path)], stdout=log, stderr=log)
    try:
        yield _ready(
            make_conninfo(host="127.0.0.1", port=port, dbname=target["dbname"], user="any"), process
        )
    finally:
        process.terminate()
        process.wait()
        log.close()


def _ready(dsn: str, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            psycopg.connect(dsn).close()
            return dsn
        time.sleep(0.02)
    raise AssertionError("PgBouncer did not start")
