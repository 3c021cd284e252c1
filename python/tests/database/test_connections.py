"""What a connection of ours is opened with, and what goes before that."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from symphony_pg import LoginRefused
from symphony_pg.database.connections import OURS, connect, connect_async, watchful
from tests.helpers import KINDS, Connection

SERVERS = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")


def said(dsn: str) -> dict[str, str]:
    """Return the limits that the DSN is given."""
    found = psycopg.conninfo.conninfo_to_dict(watchful(dsn))
    return {name: str(value) for name, value in found.items() if name in OURS}


def opened(dsn: str, kind: str) -> psycopg.Connection[Any] | psycopg.AsyncConnection[Any]:
    return connect(dsn) if kind == "sync" else asyncio.run(connect_async(dsn))


@KINDS
def test_a_connection_notices_that_the_network_is_silent(dsn: str, kind: str) -> None:
    conn = opened(dsn, kind)
    assert OURS.items() <= conn.info.get_parameters().items()
    assert conn.info.get_parameters()["fallback_application_name"] == "symphony-pg"
    conn.pgconn.finish()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ada:secret@a,b:5433/shop?connect_timeout=3&tcp_user_timeout=0",
        "host=a,b hostaddr=127.0.0.1,127.0.0.2 port=5432,5433 connect_timeout=3 tcp_user_timeout=0",
        "host=/var/run/postgresql connect_timeout=3 tcp_user_timeout=0",
    ],
)
def test_what_the_dsn_says_goes_first(dsn: str) -> None:
    assert said(dsn) == {**OURS, "connect_timeout": "3", "tcp_user_timeout": "0"}


def test_what_the_environment_says_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "7")
    assert said("") == {**OURS, "connect_timeout": "7"}
    assert said("connect_timeout=4") == {**OURS, "connect_timeout": "4"}


@pytest.mark.parametrize("by", ["DSN", "PGSERVICE"])
def test_what_a_service_file_says_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str
) -> None:
    path = tmp_path / "services.conf"
    path.write_text("[shop]\nhost=db1\nconnect_timeout=5\nkeepalives_idle=60\n")
    monkeypatch.setenv("PGSERVICEFILE", str(path))
    if by == "PGSERVICE":
        monkeypatch.setenv("PGSERVICE", "shop")
    found = said("service=shop" if by == "DSN" else "")
    assert found == {**OURS, "connect_timeout": "5", "keepalives_idle": "60"}


def test_a_service_that_is_not_there_is_told_of_by_libpq(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "none"))
    assert said("service=shop") == OURS


def test_an_option_that_libpq_does_not_know_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OURS, "of_libpq_99", "1")
    assert "of_libpq_99" not in watchful("host=a")


def test_a_unix_socket_takes_them_as_well(dsn: str, tmp_path: Path) -> None:
    """libpq ignores them there: the connection fails for want of a server, and not of an option."""
    with pytest.raises(psycopg.OperationalError, match="No such file or directory"):
        psycopg.connect(watchful(f"host={tmp_path}"))


@KINDS
def test_the_server_notices_it_as_well(dsn: str, conn: Connection, kind: str) -> None:
    def settings(own: Any) -> dict[str, str]:
        rows = own.pgconn.exec_(
            b"select name, setting from pg_settings where name ~ '^(tcp_|client_connection)'"
        )
        return {
            rows.get_value(n, 0).decode(): rows.get_value(n, 1).decode()
            for n in range(rows.ntuples)
        }

    expected = dict(zip(SERVERS, ("5", "2", "3"), strict=True)) | {
        "tcp_user_timeout": "10000",
        "client_connection_check_interval": "2000",
    }
    own = opened(dsn, kind)
    assert settings(own) == expected
    own.pgconn.finish()

    name = sql.Identifier(conn.info.dbname)
    conn.execute(sql.SQL("alter database {} set tcp_keepalives_idle = 60").format(name))
    own = opened(dsn, kind)
    assert settings(own) == expected | {"tcp_keepalives_idle": "60"}
    own.pgconn.finish()


@KINDS
def test_a_login_that_fails_leaves_nothing_open(dsn: str, kind: str) -> None:
    with pytest.raises(LoginRefused):
        opened(f"{dsn} user=nobody", kind)
