"""A worker whose sessions have settings of somebody else: of its role, or of the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from symphony_pg import Client, Context, Symphony, SymphonyError
from symphony_pg.database import install as installation
from tests.helpers import Connection, known, one, status
from tests.worker.helpers import run, running, until

FOREIGN = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kolkata",
    "client_encoding": "latin1",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "idle_session_timeout": "100",
}


def set_for_all(conn: Connection, settings: dict[str, str]) -> None:
    """Let every session of the database begin with these settings."""
    for name, value in settings.items():
        conn.execute(
            sql.SQL("alter database {} set {} = {}").format(
                sql.Identifier(conn.info.dbname), sql.Identifier(name), sql.Literal(value)
            )
        )


@pytest.mark.parametrize("listen", [True, False])
async def test_foreign_settings_change_nothing(
    app: Symphony, conn: Connection, *, listen: bool
) -> None:
    seen: list[tuple[str, int]] = []

    @app.handler("A")
    def handle(body: str, context: Context) -> None:
        seen.append((body, context.attempt))
        if context.attempt == 1:
            raise ValueError("password=secret \U0001f511")

    set_for_all(conn, FOREIGN)
    Client(conn).configure_queue("default", retry_delay=timedelta(milliseconds=10))
    async with running(app, listen=listen, poll_interval=0.05) as worker:
        Client(conn).enqueue("A", "\U0001f600 привет")
        await until(lambda: worker.counts.done == 1)
    assert seen == [("\U0001f600 привет", 1), ("\U0001f600 привет", 2)]
    error = one(conn, "select error from symphony.attempt")
    assert error == "ValueError: password=[redacted] \U0001f511"


@pytest.fixture
def ascii_dsn(dsn: str) -> Iterator[str]:
    """A database that takes bytes of any encoding for text, with Symphony in it."""
    name = "symphony_ascii"
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"create database {name} encoding 'SQL_ASCII' template template0")
        own = make_conninfo(dsn, dbname=name)
        with psycopg.connect(own, autocommit=True) as conn:
            installation.install(conn)
        yield own
        admin.execute(f"drop database {name} (force)")


def test_a_claim_that_cannot_be_read_costs_no_attempt(app: Symphony, conn: Connection) -> None:
    app.handler("A")(lambda _: None)
    Client(conn).enqueue("A")
    conn.execute("update symphony.message set enqueued_at = '20000-01-01'")  # no year of Python's
    with pytest.raises(SymphonyError, match=r"(?s)cannot be read.*DataError: timestamp too large"):
        run(app)
    found = "select status, attempt from symphony.message_status(1)"
    assert one(conn, found) == ("pending", 0)
    assert one(conn, "select sum(returned), sum(size) from symphony.claim") == (1, 1)
    conn.execute("update symphony.message set enqueued_at = now()")
    assert run(app).done == 1


def test_a_claim_that_cannot_be_sent_costs_no_attempt(ascii_dsn: str) -> None:
    with Symphony(ascii_dsn) as app, psycopg.connect(ascii_dsn, autocommit=True) as conn:
        app.handler("A")(lambda _: None)
        conn.execute("select symphony.enqueue(convert_from('\\xe9', 'SQL_ASCII'), '1')")
        with pytest.raises(SymphonyError, match="invalid byte sequence"):
            run(app)
        assert one(conn, "select count(*) from symphony.claim where size > 0") == 0


def test_times_are_the_same_whatever_the_session_says(app: Symphony, conn: Connection) -> None:
    conn.execute("set datestyle = 'German, DMY'; set intervalstyle = 'sql_standard'")
    conn.execute("set timezone = 'America/New_York'")
    client = Client(conn)
    due = datetime(2100, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert known(conn, client.enqueue("A", available_at=due)).available_at == due
    late = client.enqueue("A", delay=timedelta(days=1, seconds=-1))
    assert status(conn, late) == "delayed"
    waits = (
        "select extract(epoch from available_at - enqueued_at)::int "
        "from symphony.delayed_message where message_id = %s"
    )
    assert one(conn, waits, late) == 86399
    assert run(app).claimed == 0
