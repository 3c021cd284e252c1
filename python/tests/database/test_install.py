"""Installing: once, twice, at the same time, over another version."""

import threading

import psycopg
import pytest

from symphony_pg import Client, NotInstalled, SymphonyError, WrongState, WrongVersion
from symphony_pg.database import install as installation
from tests.helpers import Connection


def test_install_is_idempotent(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        assert installation.status(conn).installed is None
        with pytest.raises(NotInstalled, match="db install"):
            installation.upgrade(conn)
        assert installation.install(conn)
        assert not installation.install(conn)
        installation.upgrade(conn)
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


def test_another_version_is_refused(conn: Connection) -> None:
    with conn.transaction(force_rollback=True):
        conn.execute("insert into symphony.release (version) values ('0.0.1')")
        with pytest.raises(WrongVersion, match=r"0\.0\.1"):
            installation.install(conn)
        with pytest.raises(WrongVersion):
            installation.upgrade(conn)


def test_upgrade_mends_what_was_damaged_by_hand(conn: Connection) -> None:
    client = Client(conn)
    message_id = client.enqueue("A")
    functions = (
        "select proname, prosrc, proacl::text from pg_proc "
        "where pronamespace = 'symphony'::regnamespace order by 1, 2"
    )
    conn.execute("create role sy_edges_gone; create role sy_edges")
    client.grant_access("sy_edges", "producer")
    client.grant_access("sy_edges_gone", "producer")
    before = conn.execute(functions).fetchall()
    conn.execute("drop owned by sy_edges_gone; drop role sy_edges_gone")
    conn.execute("revoke execute on all functions in schema symphony from sy_edges")
    conn.execute("grant execute on function symphony.tick(boolean) to public")
    conn.execute(
        "create or replace function symphony.ack(claim_id bigint, message_ids bigint[] = null) "
        "returns integer language sql as 'select 1'"
    )
    conn.execute("drop function symphony.claim_batch(text[], integer, text, interval, boolean)")
    conn.execute("drop function symphony.version()")
    conn.execute("drop view symphony.failed_overview")
    try:
        with pytest.raises(WrongState, match="db upgrade"):
            installation.install(conn)
        installation.upgrade(conn)
        gone = ",sy_edges_gone=X/postgres"
        assert conn.execute(functions).fetchall() == [
            (name, source, acl.replace(gone, "")) for name, source, acl in before
        ]
        assert [claimed.message_id for claimed in client.claim_batch()] == [message_id]
        assert conn.execute("select from symphony.failed_overview").fetchall() == []
        assert conn.execute("select version from symphony.release").fetchall() == [("0.1.0",)]
    finally:
        conn.execute("drop owned by sy_edges; drop role sy_edges")


def test_what_upgrade_cannot_mend(conn: Connection, empty_dsn: str) -> None:
    conn.execute("create table kept as select prosrc from pg_proc where proname = 'tick'")
    conn.execute("drop function symphony.ack(bigint, bigint[])")
    conn.execute("create function symphony.ack(bigint, bigint[]) returns text return 'x'")
    with pytest.raises(WrongState, match="cannot change return type") as error:
        installation.upgrade(conn)
    assert "DROP FUNCTION symphony.ack" in (error.value.hint or "")
    conn.execute("drop function symphony.ack(bigint, bigint[])")
    conn.execute("delete from symphony.release")
    with pytest.raises(WrongVersion, match=r"insert into symphony\.release"):
        installation.upgrade(conn)
    assert conn.execute("select to_regproc('symphony.ack')").fetchone() == (None,)
    conn.execute("insert into symphony.release (version) values ('0.1.0')")
    installation.upgrade(conn)
    assert conn.execute("select to_regproc('symphony.ack')::text").fetchone() == ("symphony.ack",)
    with psycopg.connect(empty_dsn, autocommit=True) as other:
        other.execute("create schema symphony; create table symphony.release (version text)")
        for call in (installation.install, installation.upgrade):
            with pytest.raises(WrongState):
                call(other)
        assert other.execute(
            "select count(*) from pg_proc where pronamespace = 'symphony'::regnamespace"
        ).fetchone() == (0,)


def test_an_old_server_is_refused(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "OLDEST_SERVER", 990000)
    with pytest.raises(WrongVersion, match="too old"):
        installation.install(conn)


@pytest.mark.parametrize("name", ["symphony.sql", "upgrade.sql"])
def test_the_sql_has_no_psql_commands(name: str) -> None:
    assert not [line for line in installation.sql(name).splitlines() if line.startswith("\\")]


def test_an_upgrade_runs_a_file_of_its_own_that_makes_no_table(conn: Connection) -> None:
    whole, again = installation.sql(), installation.sql("upgrade.sql")
    assert "create table" in whole
    assert "create table" not in again
    first, last = again.index("create or replace function"), again.rindex("do $$")
    assert again[first:last] in whole
    conn.execute(installation.sql("upgrade.sql").encode())
    assert installation.installed_version(conn) == "0.1.0"


def test_a_package_without_its_sql_says_how_to_make_it() -> None:
    with pytest.raises(SymphonyError, match=r"has no other\.sql"):
        installation.sql("other.sql")
