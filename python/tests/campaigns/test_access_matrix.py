"""Who may do what is the same by SET ROLE, through a host's wrapper and through PgBouncer.

What is tried, and what is to become of it, stands in sql/tests/installation/_access_matrix.sql,
which the SQL test uses as well. `make access` prints what became of it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle

import psycopg
from psycopg import sql

from tests.campaigns.conftest import POOL_SIZE
from tests.helpers import ROOT, Connection, one

MATRIX = ROOT / "sql" / "tests" / "installation" / "_access_matrix.sql"
# A wrapper for each role, which looks like its caller. It has the access of the caller, but another
# list of queues: so EXECUTE is as without it, and it shows whose list counts.
WRAPPERS = """
create schema host;
grant usage on schema host to public;
do $$
declare
    v_who   record;
    v_owner text;
begin
    for v_who in select * from who loop
        v_owner := v_who.role_name || '_host';
        execute format('create role %I', v_owner);
        if v_who.access is not null then
            perform symphony.grant_access(v_owner, v_who.access,
                case when v_who.queues is not null then '{sms}'::text[] end);
        end if;
        execute format('create function host.%I(statement text) returns text language plpgsql '
                       'security definer set search_path = pg_catalog, pg_temp as %L',
                       v_who.role_name, $body$
            declare v_value text; begin
                if statement like 'call %' then
                    execute statement;
                else
                    execute statement into v_value;
                end if;
                return v_value;
            end $body$);
        execute format('alter function host.%I(text) owner to %I', v_who.role_name, v_owner);
    end loop;
end $$;
"""
DIFFERENT = """
select role_name, queue_name, statement, array_agg(way order by way), array_agg(became order by way)
from trial join outcome using (n)
group by n, role_name, queue_name, statement
having count(*) <> 3
    or count(distinct concat_ws(' ', became, regexp_replace(texts, '[0-9]+', '', 'g'))) <> 1
"""
COUNTS = """
select became, count(*) filter (where way = 'SET ROLE'), count(*) filter (where way = 'wrapper'),
       count(*) filter (where way = 'PgBouncer')
from outcome group by 1 order by 2 desc, 1
"""
Statement = sql.SQL | sql.Composed
Outcome = tuple[str | None, str | None, str]


def outcome(conn: Connection, role: str, statement: Statement, effect: str | None) -> Outcome:
    """Return the SQLSTATE, the first value and the texts of a call in a transaction of a role."""
    try:
        conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        found = conn.execute(statement)
        row = found.fetchone() if found.description else None
        if effect is not None:
            conn.execute("set local role none")
            row = conn.execute(effect.encode()).fetchone()
    except psycopg.Error as error:
        about = error.diag
        texts = (about.message_primary, about.message_detail, about.message_hint)
        return error.sqlstate, None, " ".join(text for text in texts if text)
    finally:
        conn.rollback()
    return "done", None if row is None or row[0] is None else str(row[0]), ""


def plain(role: str, statement: str) -> Statement:
    return sql.SQL(statement)


def wrapped(role: str, statement: str) -> Statement:
    return sql.SQL("select host.{}({})").format(sql.Identifier(role), sql.Literal(statement))


def test_three_ways_lead_to_the_same_matrix(dsn: str, pool: str, conn: Connection) -> None:
    def try_all(way: str, target: str, call: Callable[[str, str], Statement]) -> None:
        """Try all by several clients in turn; in the pool they share one connection and another."""
        with ExitStack() as stack:
            clients = cycle(
                stack.enter_context(psycopg.connect(target, prepare_threshold=None))
                for _ in range(2 * POOL_SIZE)
            )
            rows = [
                (way, n, *outcome(client, role, call(role, statement), effect))
                for (n, role, statement, effect), client in zip(trials, clients, strict=False)
            ]
        with (
            conn.cursor() as cursor,
            cursor.copy("copy outcome (way, n, code, value, texts) from stdin") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    conn.execute(MATRIX.read_bytes())
    try:
        conn.execute(WRAPPERS)
        trials = conn.execute(
            "select n, role_name, statement, effect from trial order by n"
        ).fetchall()
        try_all("SET ROLE", dsn, plain)
        try_all("wrapper", dsn, wrapped)
        try_all("PgBouncer", pool, plain)
        assert one(conn, "select count(*) from outcome") == 3 * len(trials) > 2900
        assert conn.execute("select * from unexpected").fetchall() == []
        assert conn.execute(DIFFERENT).fetchall() == []
        printed = "select text from matrix where way = %s order by line"
        first, *others = (
            conn.execute(printed, [way]).fetchall() for way in ("SET ROLE", "wrapper", "PgBouncer")
        )
        assert others == [first, first]
    finally:
        conn.execute("call pg_temp.leave()")
    print("", *(line for (line,) in first), sep="\n")
    print(f"\n{'':12}{'SET ROLE':>10}{'wrapper':>10}{'PgBouncer':>10}")
    for became, *counts in conn.execute(COUNTS):
        print(f"{became:12}" + "".join(f"{count:10}" for count in counts))
