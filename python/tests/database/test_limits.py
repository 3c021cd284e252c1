"""Messages at the edge of what PostgreSQL and Python can hold, from dispatch to handler."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from symphony_pg import (
    AsyncClient,
    BadArgument,
    BodyTooLarge,
    Client,
    Context,
    InvalidMessage,
    MalformedBatch,
    NotInstalled,
    RawJson,
    Symphony,
)
from symphony_pg.cli import main
from tests.helpers import Connection, known, one
from tests.worker.helpers import run

LIMIT = 1048576
TEXTS = [
    "naïve café",
    "e\u0301 is not \u00e9",
    "\U0001f469\u200d\U0001f680 and \U0010ffff",
    "שלום \u202eعربي\u202c",
    "\u0001\u001f\u007f\u2028\ufeff\ufffe\uffff",
    "\\u0000 is text, and so is \\",
    "'; drop table x; -- \" %s $$",
    "",
]


@dataclass
class Note:
    text: str
    more: Any = None


@dataclass
class Amount:
    value: Decimal
    whole: int = 0


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_text_arrives_as_it_was(app: Symphony, conn: Connection, text: str) -> None:
    seen: list[tuple[str, Any, Any]] = []

    @app.handler(Note)
    def handle(note: Note, context: Context) -> None:
        seen.append((note.text, note.more, context.headers))

    more = {text or "key": [text]}
    app.dispatch(Note(text, more), headers=more)
    app.dispatch_many([Note(text, more), app.envelope(Note(text, more), headers=more)])
    conn.execute(
        "select symphony.enqueue('Note', jsonb_build_object('text', %s::text, 'more', %s::jsonb))",
        [text, psycopg.types.json.Jsonb(more)],
    )
    assert run(app).done == 4
    assert [each[:2] for each in seen] == [(text, more)] * 4
    assert [each[2] for each in seen] == [more, {}, more, {}]


def test_text_in_every_other_place(app: Symphony, conn: Connection) -> None:
    client = Client(conn)
    for text in filter(None, TEXTS):
        message_id = client.enqueue(text, idempotency_key=text, group_key=text)
        assert client.enqueue("other", idempotency_key=text) == message_id
        (claimed,) = client.claim_batch(worker=text)
        assert (claimed.message_type, claimed.group_key) == (text, text)
        client.nack_with_backoff(claimed.claim_id, message_id, text, text, retryable=False)
        found = known(client.conn, message_id)
        assert (found.last_error, found.worker) == (text, text)
        client.heartbeat(text, ["default"], {text: text})
    assert {each.worker for each in client.worker_activity()} == {*TEXTS} - {""}


def test_nul_is_refused_where_it_is(app: Symphony, conn: Connection) -> None:
    nul = "a\x00b"
    with pytest.raises(InvalidMessage, match=r"^text: expected a string without NUL"):
        app.dispatch(Note(nul))
    with pytest.raises(InvalidMessage, match=r"^more\.x\[1\]: expected a string without NUL"):
        app.dispatch(Note("", {"x": ["", nul]}))
    client = Client(conn)
    refused: dict[str, Callable[[], object]] = {
        "message_type": lambda: client.enqueue(nul),
        "queue_name": lambda: client.enqueue("A", queue_name=nul),
        "idempotency_key": lambda: app.dispatch(Note(""), idempotency_key=nul),
        "group_key": lambda: app.dispatch(Note(""), group_key=nul),
        "headers.tenant": lambda: app.dispatch(Note(""), headers={"tenant": nul}),
        "a key of headers": lambda: client.enqueue("A", headers={nul: 1}),
        "body.x[1]": lambda: client.enqueue("A", {"x": [0, nul]}),
        "messages[1].message_type": lambda: client.enqueue_batch(
            [{"message_type": "A"}, {"message_type": nul}]
        ),
        "messages[1].idempotency_key": lambda: app.dispatch_many(
            [Note(""), app.envelope(Note(""), idempotency_key=nul)]
        ),
        "queues[0]": lambda: client.claim_batch([nul]),
        "worker": lambda: client.claim_batch(worker=nul),
        "error": lambda: client.nack_with_backoff(1, 1, nul),
    }
    for place, call in refused.items():
        with pytest.raises(BadArgument) as error:
            call()
        assert error.value.message == f"{place} contains NUL, which PostgreSQL cannot store"
        assert error.value.detail == "It is number 2 of 3 characters."
        assert "base64" in (error.value.hint or "")
        assert error.value.sqlstate in ("22021", "22P05")
    assert client.queue_stats()[0].pending == 0


async def test_other_text_that_postgresql_cannot_store(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        client = AsyncClient(conn)
        with pytest.raises(BadArgument, match="message_type contains half a surrogate pair"):
            await client.enqueue("half \ud800")
        with pytest.raises(BadArgument, match=r"body\.x contains half a surrogate pair"):
            await client.enqueue("A", {"x": "half \ud800"})
        with pytest.raises(BadArgument, match=r"HINT: .*no NaN"):
            await client.enqueue("A", {"x": float("nan")})


def test_a_number_that_no_argument_takes(conn: Connection) -> None:
    with pytest.raises(NotInstalled, match="not for values of these types and sizes"):
        Client(conn).cancel(2**63)


def test_an_error_with_any_text_is_kept(app: Symphony, conn: Connection) -> None:
    @app.handler("A")
    def fail(body: Any) -> None:
        raise ValueError("nul \x00, half a pair \ud800, \U0001f680")

    message_id = Client(conn).enqueue("A")
    assert run(app, limit=1, drain=False).retried == 1
    found = known(conn, message_id)
    assert "nul \\x00, half a pair \\ud800, \U0001f680" in (found.last_error or "")


def test_bodies_up_to_the_limit(app: Symphony, conn: Connection) -> None:
    seen: list[int] = []
    app.handler(Note)(lambda note: seen.append(len(note.text)))
    sized = "select pg_column_size(%s::jsonb)"
    body = {"text": "", "more": None}
    room = LIMIT - one(conn, sized, psycopg.types.json.Jsonb(body))
    # What is stored is padded to four bytes, so look for the largest that fits.
    fits = max(n for n in range(room - 8, room + 8) if stored(conn, n) <= LIMIT)
    app.dispatch(Note("x" * fits))
    app.dispatch(Note("é" * (fits // 2)))
    with pytest.raises(BodyTooLarge) as error:
        app.dispatch(Note("x" * (fits + 4)))
    assert "the queue takes 1048576" in (error.value.detail or "")
    with pytest.raises(BodyTooLarge):
        app.dispatch(Note("é" * (fits // 2 + 4)))
    with pytest.raises(MalformedBatch, match="element 2"):
        app.dispatch_many([Note("x"), Note("x" * (fits + 4))])
    assert run(app).done == 2
    assert seen == [fits, fits // 2]


def stored(conn: Connection, length: int) -> int:
    body = "jsonb_build_object('text', repeat('x', %s), 'more', null)"
    return int(one(conn, f"select pg_column_size({body})", length))


def test_numbers_keep_their_digits(app: Symphony, conn: Connection) -> None:
    seen: list[Amount] = []
    app.handler(Amount)(seen.append)
    exact = Decimal("12345678901234567890.123456789012345678901")
    app.dispatch(Amount(exact, 2**80 + 1))
    conn.execute(
        f"""select symphony.enqueue('Amount', '{{"value": {exact}, "whole": {2**80 + 1}}}')"""
    )
    assert run(app).done == 2
    assert seen == [Amount(exact, 2**80 + 1)] * 2
    rows = conn.execute("select body ->> 'value', body ->> 'whole' from symphony.message")
    assert rows.fetchall() == [(str(exact), str(2**80 + 1))] * 2


@pytest.mark.parametrize("depth", [100, 900, 5000])
def test_deep_nesting_ends_no_worker(app: Symphony, conn: Connection, depth: int) -> None:
    handled: list[str] = []
    app.handler("Raw")(lambda body: handled.append("raw"))
    app.handler(Note)(lambda note: handled.append("note"))
    ids = [
        conn.execute(f"select symphony.enqueue('Raw', '{nested(depth)}')").fetchone(),
        conn.execute(
            f"""select symphony.enqueue('Note', '{{"text": "", "more": {nested(depth)}}}')"""
        ).fetchone(),
        conn.execute("select symphony.enqueue('Raw')").fetchone(),
    ]
    counts = run(app, concurrency=2)
    client = Client(conn)
    states = [found.status for row in ids if row and (found := client.message_status(row[0]))]
    print(depth, states)
    assert states[2] == "completed"
    assert counts.done + counts.failed == 3
    assert counts.retried == 0  # it is as deep at the next attempt
    errors = conn.execute("select last_error from symphony.failed_overview").fetchall()
    assert all("nested too deeply" in error for (error,) in errors)
    assert (depth == 100) <= (states == ["completed"] * 3)


UNREADABLE = [nested(100_000 // 20), "7" * 5000]


def is_same_json(found: Any, text: str) -> bool:
    """Tell whether it is the JSON as text, or, where Python can hold it, as a value."""
    return found == text if isinstance(found, RawJson) else found == json.loads(text)


@pytest.mark.parametrize("body", UNREADABLE, ids=["deep", "long"])
async def test_what_python_cannot_hold_is_returned_as_text(
    dsn: str, conn: Connection, body: str
) -> None:
    client = Client(conn)
    conn.execute(f"select symphony.enqueue('Raw', '{body}', headers => '{{\"a\": 1}}')")
    conn.execute("select symphony.enqueue('Raw', '[1]')")
    first, second = client.claim_batch()
    assert is_same_json(first.body, body)
    assert (first.headers, second.body) == ({"a": 1}, [1])
    assert first.lease_until > first.enqueued_at  # other types are read as ever
    found = known(client.conn, first.message_id)
    assert is_same_json(found.body, body)
    client.nack_with_backoff(first.claim_id, first.message_id, "x", retryable=False)
    (failed,) = client.failed_messages()
    assert is_same_json(failed.body, body)
    async with await psycopg.AsyncConnection.connect(dsn) as other:
        (failed,) = await AsyncClient(other).failed_messages()
    assert is_same_json(failed.body, body)
    for command in (["message", "show", "1"], ["failed", "show", "1"], ["failed", "list"]):
        result = CliRunner().invoke(main, [*command, "--dsn", dsn, "--json"])
        assert result.exit_code == 0, result.output
        assert body in result.output.replace("\n", "").replace(" ", "") or "list" in command


def test_the_loaders_of_the_connection_are_kept(conn: Connection) -> None:
    psycopg.types.json.set_json_loads(lambda data: json.loads(data, parse_int=str), conn)
    conn.execute(f"select symphony.enqueue('Raw', '{nested(5000)}', headers => '{{\"a\": 1}}')")
    (claimed,) = Client(conn).claim_batch()
    assert claimed.headers == {"a": "1"}


def test_the_command_line_refuses_what_is_too_deep(dsn: str) -> None:
    arguments = ["enqueue", "Raw", nested(100_000), "--dsn", dsn]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "nested too deeply" in result.output or "max_stack_depth" in result.output


def test_what_is_too_deep_is_refused_with_a_reason(app: Symphony, conn: Connection) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidMessage, match="nested too deeply"):
        app.dispatch(Note("", deep))
    with pytest.raises(BadArgument, match="an argument is nested too deeply"):
        Client(conn).enqueue("Raw", deep)
    with pytest.raises(psycopg.errors.StatementTooComplex) as error:
        conn.execute(f"select symphony.enqueue('Raw', '{nested(100_000)}')")
    assert "max_stack_depth" in (error.value.diag.message_hint or "")


def test_a_number_too_long_for_python_fails_for_good(app: Symphony, conn: Connection) -> None:
    app.handler("Raw")(lambda body: None)
    app.handler(Amount)(lambda amount: None)
    digits = "7" * 5000
    conn.execute(f"select symphony.enqueue('Raw', '{digits}')")
    conn.execute(f"""select symphony.enqueue('Amount', '{{"value": 1, "whole": {digits}}}')""")
    counts = run(app)
    assert (counts.failed, counts.retried) == (2, 0)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_worker_claims_whatever_the_default_isolation_is(
    dsn: str, conn: Connection, level: str
) -> None:
    conn.execute(f"alter database {conn.info.dbname} set default_transaction_isolation = '{level}'")
    with Symphony(dsn) as app:

        @app.handler("Sync")
        def handle(body: Any, context: Context) -> None:
            with context.transaction() as own:
                own.execute("select 1")
                time.sleep(0.01)

        @app.handler("Async")
        async def handle_async(body: Any, context: Context) -> None:
            async with context.transaction() as own:
                await own.execute("select 1")
                await asyncio.sleep(0.01)

        # Each ack changes the claim that all of them are in.
        Client(conn).enqueue_batch([{"message_type": each} for each in ["Sync", "Async"] * 10])
        counts = run(app, concurrency=4, batch_size=20)
    assert (counts.done, counts.retried) == (20, 0)


def test_the_command_line_says_what_is_wrong_with_a_server(dsn: str) -> None:
    def error(dsn: str) -> str:
        result = CliRunner().invoke(main, ["enqueue", "A", "--dsn", dsn])
        assert result.exit_code == 1
        return result.output

    read_only = make_conninfo(dsn, options="-c default_transaction_read_only=on")
    assert "HINT: Is it a standby? Connect to the primary" in error(read_only)
    assert "HINT: Write postgresql://" in error("nonsense")
