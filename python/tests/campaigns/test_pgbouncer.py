"""Behind a real PgBouncer that pools transactions: nothing relies on a session, or leaves a trace.

The pool has so few connections that clients must share them.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from symphony_pg import AccessDenied, Client, Context, Symphony
from tests.campaigns.conftest import POOL_SIZE
from tests.cli.helpers import Cli
from tests.helpers import Connection
from tests.worker.helpers import Process, running, until
from tests.worker.test_sessions import FOREIGN

MESSAGES = 300


def traces(pool: str) -> set[tuple[Any, ...]]:
    """Return what is set in the connections of the pool that it should not have been left with."""
    with ExitStack() as stack:
        found = set()
        for _ in range(POOL_SIZE):
            conn = stack.enter_context(psycopg.connect(pool, prepare_threshold=None))
            # Each transaction stays open, so the next client gets another connection.
            found |= set(
                conn.execute(
                    "select name, setting from pg_settings where source = 'session' "
                    "and name not in ('application_name', 'client_encoding', 'DateStyle', "
                    "'IntervalStyle', 'TimeZone', 'standard_conforming_strings') "
                    "union all select 'listens', * from pg_listening_channels() "
                    "union all select 'prepared', statement from pg_prepared_statements "
                    "union all select 'locks', count(*)::text from pg_locks "
                    "where locktype = 'advisory' and pid = pg_backend_pid() having count(*) > 0"
                ).fetchall()
            )
    return found


def application(dsn: str) -> Symphony:
    """Return an application whose every third message is retried once."""
    app = Symphony(dsn)

    @app.handler("Sync")
    def handle(body: dict[str, int], context: Context) -> None:
        if body["n"] % 3 == 0 and context.attempt == 1:
            raise ValueError("not yet")
        with context.transaction() as conn:
            conn.execute("insert into done values ('Sync', %s)", [body["n"]])

    @app.handler("Async")
    async def handle_async(body: dict[str, int], context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute("insert into done values ('Async', %s)", [body["n"]])

    @app.handler("Plain")
    def handle_plain(body: dict[str, int]) -> None: ...

    return app


def enqueue(conn: Connection) -> None:
    conn.execute("create table done (message_type text, n integer)")
    conn.execute("select symphony.configure_queue('default', retry_delay => '10 ms')")
    Client(conn).enqueue_batch(
        [
            {"message_type": kind, "body": {"n": n}}
            for n in range(MESSAGES)
            for kind in ("Sync", "Async", "Plain")
        ]
    )


def all_is_done(conn: Connection) -> bool:
    (stats,) = Client(conn).queue_stats()
    return stats.pending == stats.delayed == stats.processing == 0


RECORDER = """
create table committed (what text, how text);
create function record() returns trigger language plpgsql as $$
begin
    insert into committed values (lower(tg_op), current_setting('synchronous_commit'));
    return null;
end $$;
create constraint trigger record after insert or update on symphony.claim
    deferrable initially deferred for each row execute function record();
"""


def test_what_a_session_leaves_behind_is_seen(pool: str) -> None:
    with psycopg.connect(pool, autocommit=True) as conn:
        conn.execute("set synchronous_commit = off")
        conn.execute("listen x")
    assert traces(pool) == {("synchronous_commit", "off"), ("listens", "x")}


@pytest.mark.parametrize("listen", [False, True])
async def test_a_worker(pool: str, conn: Connection, listen: bool) -> None:
    enqueue(conn)
    conn.execute(RECORDER)  # at the end of a transaction: the setting that its commit goes by
    app = application(pool)
    async with running(app, concurrency=4, batch_size=20, listen=listen) as worker:
        await until(lambda: all_is_done(conn))
        # What comes later is found as well, though nobody can be notified.
        Client(conn).enqueue("Plain", {"n": 0}, delay=None)
        await until(lambda: worker.counts.done == 3 * MESSAGES + 1)
        assert traces(pool) == set()
    assert (worker.counts.failed, worker.counts.lost) == (0, 0)
    assert worker.counts.retried == MESSAGES // 3
    rows = conn.execute("select message_type, count(*), count(distinct n) from done group by 1")
    assert sorted(rows.fetchall()) == [("Async", MESSAGES, MESSAGES), ("Sync", MESSAGES, MESSAGES)]
    assert traces(pool) == set()
    found = conn.execute("select distinct what, how from committed order by 1")
    assert found.fetchall() == [("insert", "off"), ("update", "on")]


@pytest.mark.parametrize("pool", ["session"], indirect=True)
async def test_a_worker_may_listen_where_sessions_are_pooled(pool: str, conn: Connection) -> None:
    app = application(pool)
    async with running(app, poll_interval=60.0) as worker:
        client = Client(conn)
        await until(lambda: client.queue_stats()[0].idle_workers == 1)
        client.enqueue("Plain", {"n": 0})
        await until(lambda: worker.counts.done == 1)


def test_producers(pool: str, conn: Connection) -> None:
    app = application(pool)

    @app.message("Plain")
    @dataclass
    class Plain:
        n: int

    async def dispatch_all() -> None:
        for n in range(20):
            await app.dispatch_async(Plain(n))
        await app.aclose()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: app.dispatch(Plain(n)), range(200)))
    app.dispatch_many([Plain(n) for n in range(20)])
    asyncio.run(dispatch_all())
    with psycopg.connect(pool, prepare_threshold=None) as own:
        for n in range(20):
            app.dispatch(Plain(n), conn=own)
        own.rollback()
    app.close()
    assert [each.pending for each in Client(conn).queue_stats()] == [240]
    assert traces(pool) == set()


def test_each_transaction_has_its_own_caller(pool: str, conn: Connection) -> None:
    """Clients that take roles of different queues share the connections of the pool."""
    client = Client(conn)
    queues = {f"sy_pool_{n}": f"q{n}" for n in range(2 * POOL_SIZE)}
    for role, queue in queues.items():
        conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        client.create_queue(queue)
        client.grant_access(role, "enqueuer", [queue])

    def send(role: str, queue: str) -> bool:
        with psycopg.connect(pool, prepare_threshold=None) as mine:
            mine.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            try:
                Client(mine).enqueue("A", queue_name=queue)
            except AccessDenied:
                return False
            return True

    try:
        with ThreadPoolExecutor(8) as threads:
            cases = [(role, queue) for role in queues for queue in queues.values()] * 4
            sent = list(threads.map(lambda case: send(*case), cases))
        assert sent == [queues[role] == queue for role, queue in cases]
        assert {each.pending for each in client.queue_stats() if each.queue_name != "default"} == {
            4
        }
    finally:
        for role in queues:
            name = sql.Identifier(role)
            conn.execute(sql.SQL("drop owned by {}").format(name))
            conn.execute(sql.SQL("drop role {}").format(name))


FAILING = """
from symphony_pg import PermanentError, Symphony
app = Symphony()
@app.handler("Bad")
def handle(body):
    raise PermanentError("bad")
"""


def test_commands(pool: str, conn: Connection, tmp_path: Path) -> None:
    run = Cli(pool).json
    conn.execute("drop schema symphony cascade")
    assert run("db", "install")["installed_now"]
    run("queue", "create", "mail")
    run("schedule", "add", "report", "Report", "--cron", "0 9 * * *", "--timezone", "Asia/Tokyo")
    for _ in range(10):
        run("enqueue", "Bad", "--queue", "mail")
    with Process(tmp_path, FAILING, pool, "mail", "--no-listen", "--drain") as worker:
        assert worker.wait() == 0
    assert len(run("failed", "list")) == 10
    assert run("failed", "retry", "--queue", "mail", "--per-second", "1000")["messages"] == 10
    assert run("stats", "mail")[0]["failed"] == 0
    assert run("db", "check") == []
    assert traces(pool) == set()


async def test_foreign_settings_change_nothing(pool: str, conn: Connection) -> None:
    """No SET of a client lasts, and the pool tells a client of other settings than it has."""
    for name, value in FOREIGN.items():
        setting = sql.SQL("alter database {} set {} = {}").format(
            sql.Identifier(conn.info.dbname), sql.Identifier(name), sql.Literal(value)
        )
        conn.execute(setting)
    seen: list[tuple[str, int]] = []
    app = Symphony(pool)

    @app.handler("A")
    def handle(body: str, context: Context) -> None:
        seen.append((body, context.attempt))
        if context.attempt == 1:
            raise ValueError("not yet")

    Client(conn).configure_queue("default", retry_delay=timedelta(milliseconds=10))
    Client(conn).enqueue("A", "caf\xe9 \U0001f600")
    with app:
        async with running(app, poll_interval=0.05) as worker:
            await until(lambda: worker.counts.done == 1)
    assert seen == [("caf\xe9 \U0001f600", 1), ("caf\xe9 \U0001f600", 2)]
    assert traces(pool) == set()
