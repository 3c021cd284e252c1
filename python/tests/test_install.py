"""Installing: once, twice, at the same time, over another version."""

import threading

import psycopg
import pytest

from symphony_pg import Client, NotInstalled, WrongVersion
from symphony_pg import install as installation


def test_install_is_idempotent(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        assert installation.status(conn).installed is None
        with pytest.raises(NotInstalled, match="db install"):
            installation.upgrade(conn)
        assert installation.install(conn)
        assert not installation.install(conn)
        assert not installation.upgrade(conn)
        status = installation.status(conn)
        assert (status.installed, status.package, status.is_current) == ("0.1.0", "0.1.0", True)
        assert Client(conn).check() == []


def test_install_in_the_callers_transaction(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        with conn.transaction(force_rollback=True):
            assert installation.install(conn)
        assert installation.installed_version(conn) is None


def test_two_installations_at_once(empty_dsn: str) -> None:
    results: list[bool] = []

    def run() -> None:
        with psycopg.connect(empty_dsn, autocommit=True) as conn:
            results.append(installation.install(conn))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, True]


def test_another_version_is_refused(conn: "psycopg.Connection[object]") -> None:
    with conn.transaction(force_rollback=True):
        conn.execute("insert into symphony.release (version) values ('0.0.1')")
        with pytest.raises(WrongVersion, match=r"0\.0\.1"):
            installation.install(conn)
        with pytest.raises(WrongVersion):
            installation.upgrade(conn)


def test_an_old_server_is_refused(
    conn: "psycopg.Connection[object]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "OLDEST_SERVER", 990000)
    with pytest.raises(WrongVersion, match="too old"):
        installation.install(conn)


def test_the_sql_has_no_psql_commands() -> None:
    assert not [line for line in installation.sql().splitlines() if line.startswith("\\")]
