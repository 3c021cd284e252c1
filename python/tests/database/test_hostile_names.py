"""Objects of somebody else that fit better than PostgreSQL's: nothing of ours executes them.

Who may create in a schema of a search_path can define `>=(double precision, integer)`, a function
nextval(text), or, where pg_catalog comes late in the path, whatever PostgreSQL has itself.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import product

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from symphony_pg import Client
from symphony_pg.database import install as installation
from tests.helpers import ROOT, Connection, one

ROLE = "sy_hostile"
BUILT = ROOT / "build" / "symphony.sql"
TYPES = (
    *("boolean", "smallint", "integer", "bigint", "double precision", "numeric", "text", "name"),
    *("interval", "timestamptz", "jsonb", "text[]", "bigint[]", "xid", "oid", "int8range"),
    *("int8multirange", "xid8"),
)
OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "~", "->", "->>", "?")
FUNCTIONS = (
    *("nextval", "floor", "random", "lower", "upper", "isfinite", "length", "now", "format"),
    *("clock_timestamp", "transaction_timestamp", "current_setting", "set_config", "count", "max"),
    *("jsonb_typeof", "num_nulls", "pg_current_xact_id", "pg_notify", "pg_sleep", "pg_sleep_for"),
    *("hashtext", "sum", "array_agg", "unnest", "concat", "pg_backend_pid", "cardinality"),
    *("jsonb_array_elements", "pg_advisory_xact_lock", "pg_try_advisory_xact_lock", "range_agg"),
    *("int8range", "int8multirange", "octet_length", "pg_column_size"),
)
ARGUMENTS = ("", *TYPES, "text, text", "integer, integer", "text, boolean", "text, text, boolean")
DOMAINS = ("timestamptz", "text", "jsonb", "interval", "int8range", "regclass", "regprocedure")


def hostile_objects() -> Iterator[str]:
    """Yield statements that define what must never be executed."""
    for left, right in product(TYPES, TYPES):
        name = f"public.trap_{TYPES.index(left)}_{TYPES.index(right)}"
        yield (
            f"create function {name}({left}, {right}) returns boolean language plpgsql "
            "as 'begin raise exception ''trapped''; end'"
        )
        for operator in OPERATORS:
            yield (
                f"create operator public.{operator} "
                f"(function = {name}, leftarg = {left}, rightarg = {right})"
            )
    for function, arguments in product(FUNCTIONS, ARGUMENTS):
        yield (
            f"create function public.{function}({arguments}) returns text language plpgsql "
            "as 'begin raise exception ''trapped''; end'"
        )
    for domain in DOMAINS:
        yield f"create domain public.{domain} as pg_catalog.{domain} check (value is null)"


@pytest.fixture(params=["public", "public, pg_catalog"])
def hostile_dsn(empty_dsn: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database whose public schema is full of traps, with that schema in the search_path."""
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        name = sql.Identifier(conn.info.dbname)
        conn.execute(f"create role {ROLE}; grant create on schema public to {ROLE}")
        with conn.transaction():
            conn.execute(f"set local role {ROLE}")
            conn.execute(";".join(hostile_objects()).encode())
        path = sql.SQL(request.param)
        conn.execute(sql.SQL("alter database {} set search_path = {}").format(name, path))
        with psycopg.connect(empty_dsn) as trapped, pytest.raises(psycopg.Error, match="trapped"):
            trapped.execute("select 1.0::double precision >= 1, nextval('x')")
        yield empty_dsn
        conn.execute(f"drop owned by {ROLE} cascade; drop role {ROLE}")


def by_install(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert installation.install(conn)


def by_upgrade(dsn: str) -> None:
    with psycopg.connect(make_conninfo(dsn, options="-c search_path="), autocommit=True) as conn:
        assert installation.install(conn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop view symphony.failed_overview")
        installation.upgrade(conn)


def by_psql(*options: str) -> Callable[[str], None]:
    def run(dsn: str) -> None:
        command = [f"{os.environ['PG_BIN']}/psql", "-X", "-q", *options, "-f", str(BUILT)]
        database = str(conninfo_to_dict(dsn)["dbname"])
        done = subprocess.run(
            command,
            env={**os.environ, "PGDATABASE": database},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "ERROR" not in done.stderr, done.stderr
        assert done.returncode == 0

    return run


INSTALLATIONS = {
    "install()": by_install,
    "upgrade()": by_upgrade,
    "psql -1": by_psql("-1", "-v", "ON_ERROR_STOP=1"),
    "psql without a transaction": by_psql(),
}


@pytest.mark.parametrize("how", INSTALLATIONS)
def test_an_installation_executes_nothing_of_others(hostile_dsn: str, how: str) -> None:
    INSTALLATIONS[how](hostile_dsn)
    with psycopg.connect(hostile_dsn, autocommit=True) as conn:
        live_through_it(conn)
        assert uses_of_others(conn) == []


def live_through_it(conn: Connection) -> None:
    """Use the verbs of each topic, the procedure and the views in the hostile search_path."""
    client = Client(conn)
    client.create_queue("mail")
    client.enqueue("A", {"n": 1}, "mail", priority=7)
    client.enqueue_batch([{"message_type": "A", "delay": "0"}, {"message_type": "B"}])
    conn.execute("call symphony.tick_for('0.1 s', '0.05 s')")
    claimed = client.claim_batch(["mail", "default"])
    assert client.message_status(claimed[0].message_id) is not None
    client.nack_with_backoff(claimed[0].claim_id, claimed[0].message_id, "no", retryable=False)
    claimed = client.claim_batch()
    client.ack(claimed[0].claim_id)
    client.create_schedule("s", "A", "cron", {"expression": "* * * * *"})
    for view in ("queue", "failed", "worker", "schedule"):
        conn.execute(f"select * from symphony.{view}_overview".encode()).fetchall()
    conn.execute("select * from symphony.pending_message").fetchall()
    conn.execute("select * from symphony.processing_message").fetchall()
    assert client.check() == []


def uses_of_others(conn: Connection) -> list[object]:
    """Return what in the schema symphony depends on an object of the hostile role."""
    conn.execute("set search_path = pg_catalog")
    return conn.execute(
        """
        with own as (
            select 'pg_proc'::regclass as kind, oid from pg_proc
            where pronamespace = 'public'::regnamespace
            union all
            select 'pg_operator'::regclass, oid from pg_operator
            where oprnamespace = 'public'::regnamespace
            union all
            select 'pg_type'::regclass, oid from pg_type where typnamespace = 'public'::regnamespace
        ), named as (
            select pg_describe_object(d.classid, d.objid, d.objsubid) as ours,
                   pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) as theirs
            from pg_depend as d join own on own.kind = d.refclassid and own.oid = d.refobjid
        )
        select * from named where ours ~ 'symphony'
        """
    ).fetchall()


def test_the_caller_gets_its_settings_back(empty_dsn: str) -> None:
    asked = "select current_setting('search_path'), current_setting('check_function_bodies')"
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("set search_path = public, mine; set check_function_bodies = off")
        with conn.transaction():
            conn.execute("set local search_path = mine; set local check_function_bodies = on")
            assert installation.install(conn)
            assert one(conn, asked) == ("mine", "on")
            installation.upgrade(conn)
            assert one(conn, asked) == ("mine", "on")
        assert one(conn, asked) == ("public, mine", "off")
