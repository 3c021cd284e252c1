"""Whatever a role or a database has set, messages and schedules fare as they do without it.

Settings are tried many at a time, unless the environment has SWEEP=each:

    SWEEP=each make test-python ARGS="python/tests/sessions/test_settings.py -s"

prints each setting that was tried, and what it did.
"""

import os
from datetime import timedelta

import psycopg
import pytest

from symphony_pg import Client, Context, Symphony, SymphonyError
from symphony_pg.database.connections import connect
from tests.helpers import Connection, one
from tests.sessions import settings
from tests.worker.helpers import run

# What ends a call of whoever is no worker, by the SQLSTATE with which it ends.
ENDS = {
    ("default_transaction_isolation", "repeatable read"): "SY011",
    ("default_transaction_isolation", "serializable"): "SY011",
    ("default_transaction_read_only", "on"): "25006",
    ("restrict_nonsystem_relation_kind", "view, foreign-table"): "55000",  # our views, too
    ("statement_timeout", "1"): "57014",
    # These exclude others, or end what comes later.
    ("log_statement_stats", "on"): "",
    ("exit_on_error", "on"): "",
}
# A worker asks no view, and sees to the isolation level itself.
ENDS_A_WORKER = {
    key: "25006" if key[0].endswith("read_only") else "57014"
    for key in ENDS
    if key[0] in ("default_transaction_read_only", "statement_timeout")
}


def tries(conn: Connection) -> list[dict[str, str]]:
    known = {name for name, _ in settings.foreign_values(conn)}
    alone = [key for key in ENDS if key[0] in known]
    if os.environ.get("SWEEP") != "each":
        return settings.rounds(conn, alone)
    return [{name: value} for name, values in settings.foreign_values(conn) for value in values]


def shown(tried: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in tried.items())


def outcome(dsn: str, usual: list[object]) -> str:
    """Take the tour and say how it went."""
    try:
        with connect(dsn) as conn:
            found = settings.tour(conn)
    except (psycopg.Error, SymphonyError) as error:
        return f"{error.sqlstate}: {str(error).splitlines()[0]}"
    if found == usual:
        return "the same"
    differing = [pair for pair in zip(found, usual, strict=False) if pair[0] != pair[1]]
    return f"another answer: {differing[:1]}"


def test_no_setting_changes_an_answer(dsn: str, conn: Connection) -> None:
    settings.stop_the_clock(conn)
    with connect(dsn) as usual_conn:
        usual = settings.tour(usual_conn)
    wrong = []
    for tried in tries(conn):
        settings.clean_up(conn)
        with settings.set_for_all(conn, tried) as refused:
            found = outcome(dsn, usual)
        print(
            *refused,
            *([] if len(refused) == len(tried) else [f"{shown(tried)}: {found}"]),
            sep="\n",
        )
        expected = ENDS.get(next(iter(tried.items())), "") or "the same"
        if not found.startswith(expected):
            wrong.append(f"{shown(tried)}: {found}")
    settings.clean_up(conn)
    assert wrong == []


def application(dsn: str, seen: list[object]) -> Symphony:
    app = Symphony(dsn)

    @app.handler("A")
    def handle(body: object, context: Context) -> None:
        seen.append((body, context.attempt))
        if body == "fails" and context.attempt == 1:
            raise ValueError("password=secret caf\xe9 \U0001f511")
        with context.transaction() as conn:
            conn.execute("select 1")

    return app


def test_no_setting_changes_what_a_worker_does(
    dsn: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(conn)
    client.configure_queue("default", retry_delay=timedelta(0), retry_jitter=0)
    wrong = []
    for tried in tries(conn):
        key = next(iter(tried.items()))
        ids = [client.enqueue("A", "caf\xe9 \U0001f511"), client.enqueue("A", "fails")]
        seen: list[object] = []
        caplog.clear()
        with application(dsn, seen) as app:
            with settings.set_for_all(conn, tried) as refused:
                ends = ENDS_A_WORKER.get(key)
                found = work(app, is_short=ends is not None)
            told = [record.getMessage() for record in caplog.records]
            if ends is not None:
                found = f"waits: {told[0]}" if told else found
                assert seen == []
                run(app)
        print(
            *refused,
            *([] if len(refused) == len(tried) else [f"{shown(tried)}: {found}"]),
            sep="\n",
        )
        handled = [("caf\xe9 \U0001f511", 1), ("fails", 1), ("fails", 2)]
        states = [status.status for each in ids if (status := client.message_status(each))]
        errors = one(conn, "select array_agg(distinct error) from symphony.attempt")
        if (
            (found, bool(ends)) not in (("the same", False), (found, True))
            or sorted(seen, key=str) != sorted(handled, key=str)
            or states != ["completed"] * 2
            or errors != ["ValueError: password=[redacted] caf\xe9 \U0001f511"]
        ):
            wrong.append(f"{shown(tried)}: {found}, {seen}, {states}, {errors}")
    assert wrong == []


def work(app: Symphony, *, is_short: bool) -> str:
    """Run a worker until nothing is left, or for half a second; say how it went."""
    try:
        counts = run(app, time_limit=0.5 if is_short else 20)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "the same" if counts.done == 2 and counts.retried == 1 else f"{counts}"
