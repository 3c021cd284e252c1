"""Failed messages: their history, replay and removal, from Python, from sessions and the shell."""

import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from docs import replay_session
from symphony_pg import (
    Client,
    Envelope,
    PermanentError,
    RetryAfter,
    Snooze,
    Symphony,
    SyncTransport,
    events,
    logging_middleware,
)
from symphony_pg.cli import main
from symphony_pg.redaction import secret_names, without_secrets
from tests.helpers import ROOT, Connection
from tests.worker.helpers import Process, run, status

App = Callable[[BaseException], Symphony]


@pytest.fixture
def client(conn: Connection) -> Client:
    return Client(conn)


def fail(client: Client, count: int = 1, type_: str = "A", error_class: str = "Boom") -> list[int]:
    """Enqueue messages and let them fail for good; return their ids."""
    ids = client.enqueue_batch([{"message_type": type_, "body": {"n": n}} for n in range(count)])
    while messages := client.claim_batch(batch_size=1000):
        for message in messages:
            client.nack_with_backoff(
                message.claim_id, message.message_id, "it broke", error_class, retryable=False
            )
    return ids


def failing_app(dsn: str, error: BaseException, **options: Any) -> Symphony:
    app = Symphony(dsn, **options)

    @app.handler("A")
    def handle(body: Any) -> None:
        raise error

    return app


# The worker


def test_the_error_is_a_line_and_the_traceback_is_kept_beside_it(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, PermanentError("no such user; token=hunter2")))
    (failed,) = client.failed_messages()
    error = "symphony_pg.context.PermanentError: no such user; token=[redacted]"
    assert (failed.message_id, failed.last_error) == (message_id, error)
    assert failed.error_class == "symphony_pg.context.PermanentError"
    (event,) = client.message_history(message_id)
    assert (event.event, event.attempt, event.error) == ("failed", 1, error)
    assert event.traceback is not None
    assert event.traceback.startswith("Traceback (most recent call last):\n")
    assert "test_failed.py" in event.traceback
    assert event.traceback.rstrip().endswith(error)
    assert "hunter2" not in event.traceback


def test_the_connection_string_never_appears(dsn: str, client: Client) -> None:
    client.enqueue("A")
    password = psycopg.conninfo.conninfo_to_dict(dsn)["password"]
    run(failing_app(dsn, PermanentError(f"cannot connect with {dsn!r} or {dsn}")))
    (failed,) = client.failed_messages()
    (event,) = client.message_history(failed.message_id)
    assert str(password) not in f"{failed} {event}"
    assert "dbname" not in failed.last_error
    assert failed.last_error.startswith("symphony_pg.context.PermanentError: cannot connect with ")


SECRETS = ("password=hunter2", "{'token': 'hunter2'}", "Authorization: Bearer hunter2")


@pytest.mark.parametrize("kind", ["retried", "failed", "snoozed", "settled"])
def test_no_secret_is_logged(
    dsn: str, client: Client, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level("INFO")
    heard: list[str] = []
    app = Symphony(dsn, sanitize=lambda text: text.replace("4711", "(card)"))
    password = str(psycopg.conninfo.conninfo_to_dict(dsn)["password"])
    texts = [*SECRETS, f"cannot connect with {dsn}", f"card 4711 token=hunter2 {dsn!r}"]
    permanent = [ValueError] if kind == "failed" else []

    @app.handler("A", permanent=permanent, snooze={ValueError: 60} if kind == "snoozed" else {})
    def handle(body: Any, context: Any) -> None:
        if kind == "settled":
            with context.transaction():
                pass
        raise ValueError(f"it broke: {texts[body]}")

    @app.on(events.Failed)
    def on_failed(event: events.Failed) -> None:
        heard.append(event.error)
        raise RuntimeError(event.error, dsn)

    @app.on(events.Retried)
    def on_retried(event: events.Retried) -> None:
        heard.append(event.error)

    app.middleware(logging_middleware())
    for number in range(len(texts)):
        client.enqueue("A", number)
    run(app)
    assert caplog.text.count("ValueError: it broke: ") == len(texts)
    assert len(heard) == (len(texts) if kind in ("failed", "retried") else 0)
    for secret in ("hunter2", password, "4711", dsn):
        assert secret not in f"{caplog.text} {heard}"


def test_the_output_of_a_worker_has_no_secrets(dsn: str, client: Client, tmp_path: Path) -> None:
    app = (
        "import os\nfrom symphony_pg import Symphony\napp = Symphony()\n"
        "@app.handler('A')\ndef handle(body):\n"
        "    raise ValueError('token=hunter2 at ' + os.environ['SYMPHONY_DSN'])\n"
    )
    client.enqueue("A")
    with Process(tmp_path, app, dsn, "--drain") as worker:
        assert worker.wait() == 0
    written = worker.log.read_text()
    password = psycopg.conninfo.conninfo_to_dict(dsn)["password"]
    assert "ValueError: token=[redacted]" in written
    assert "hunter2" not in written
    assert f"password={password}" not in written
    assert "dbname" not in written


@pytest.mark.parametrize(
    "nowhere",
    ["postgresql://ada:hunter2@127.0.0.1:1/shop", "postgresql://ada:hunt@er:hunter2@127.0.0.1:1/x"],
)
def test_a_worker_without_its_database_shows_no_password(tmp_path: Path, nowhere: str) -> None:
    app = (
        "from symphony_pg import Symphony\napp = Symphony()\napp.handler('A')(lambda body: None)\n"
    )
    with Process(tmp_path, app, nowhere) as worker:
        worker.until_written("no connection")
        worker.send(signal.SIGTERM)
        worker.wait()
    assert "cannot connect" in worker.log.read_text() or "failed" in worker.log.read_text()
    assert "hunter2" not in worker.log.read_text()


def test_without_a_database_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    transport = SyncTransport()
    app = Symphony(transport=transport, sanitize=lambda text: text.replace("4711", "(card)"))

    @app.handler("A")
    def handle(body: Any) -> None:
        raise ValueError(f"card 4711: {body}")

    for secret in SECRETS:
        transport.send([Envelope("A", secret)], None)
    assert "ValueError: card (card): password=[redacted]" in caplog.text
    assert "hunter2" not in caplog.text
    assert "4711" not in caplog.text
    assert len(transport.failed) == len(SECRETS)


def test_what_the_database_hides_is_cut_before_it_gets_there() -> None:
    """The names of keys are those of the SQL function; here is each case that its test has."""
    text = (ROOT / "sql/tests/failed/secrets_are_taken_out_of_errors.sql").read_text()
    assert secret_names() in "".join(
        re.findall("'([^']*)'", (ROOT / "sql/functions/claim/_sanitized.sql").read_text())
    )
    cases = text[text.index("insert into case_") : text.index("create temporary table plain")]
    given = [
        found[2].replace("''", "'").replace("\\n" if found[1] else "\0", "\n")
        for found in re.finditer(r"^    \((e?)'((?:[^']|'')*)',", cases, re.MULTILINE)
    ]
    assert sum("hunter2" in each for each in given) > 40
    assert [each for each in given if "hunter2" in without_secrets(each)] == []
    assert without_secrets("no such user: ada") == "no such user: ada"


def test_a_hook_takes_out_more(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    error = PermanentError("card 4711")
    run(failing_app(dsn, error, sanitize=lambda text: text.replace("4711", "(card)")))
    (event,) = client.message_history(message_id)
    assert event.error is not None
    assert event.error.endswith("card (card)")
    assert "4711" not in str(event.traceback)


@pytest.mark.parametrize(
    "broken", [lambda text: text[100_000], lambda text: None], ids=["raises", "no text"]
)
def test_a_broken_hook_loses_no_message_and_no_secret(
    dsn: str, client: Client, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, PermanentError("card 4711"), sanitize=broken))
    (event,) = client.message_history(message_id)
    assert event.error_class == "symphony_pg.context.PermanentError"
    assert "withheld" in str(event.error)
    assert event.traceback is None
    assert "4711" not in f"{event} {caplog.text}"
    assert "the sanitizer failed" in caplog.text


def test_snooze_uses_no_attempt(dsn: str, client: Client) -> None:
    app = Symphony(dsn)
    attempts = []
    given: list[float | timedelta | datetime] = [0, 0.01, timedelta(0), datetime.now(timezone.utc)]
    waits = iter(given)

    @app.handler("A")
    def handle(body: Any, context: Any) -> None:
        attempts.append(context.attempt)
        for wait in waits:
            raise Snooze(wait, "not yet")

    message_id = client.enqueue("A")
    counts = run(app)
    deadline = time.monotonic() + 10
    while status(client.conn, message_id) != "completed" and time.monotonic() < deadline:
        more = run(app)
        counts.snoozed += more.snoozed
    assert attempts == [1] * 5
    assert counts.snoozed == 4
    assert status(client.conn, message_id) == "completed"
    assert client.message_history(message_id) == []


def test_a_message_is_not_snoozed_for_ever(dsn: str, client: Client) -> None:
    client.create_queue("q", max_snooze=timedelta(0))
    message_id = client.enqueue("A", queue_name="q")
    counts = run(failing_app(dsn, Snooze(60, "still closed")), queues=["q"])
    assert (counts.snoozed, counts.failed) == (0, 1)
    (failed,) = client.failed_messages("q")
    assert (failed.message_id, failed.reason) == (message_id, "expired")
    assert failed.last_error == "put off for longer than 00:00:00: still closed"


def test_retry_after_is_in_the_history(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, RetryAfter(60, "busy")))
    (event,) = client.message_history(message_id)
    assert (event.event, event.error) == ("retry", "symphony_pg.context.RetryAfter: busy")


# Sessions


def test_two_operators_replay_each_message_once(dsn: str, client: Client) -> None:
    ids = fail(client, 1000)
    barrier = Barrier(4)
    delivered: list[int] = []

    def operate(by_id: bool) -> int:
        with psycopg.connect(dsn, autocommit=True) as conn:
            barrier.wait()
            if by_id:
                done = Client(conn).retry_failed([*reversed(ids)])
                return sum(each.messages for each in done)
            total = 0
            for _ in range(30):
                total += Client(conn).retry_failed(everything=True, at_most=50)[0].messages
            return total

    def consume(_: object) -> list[int]:
        found: list[int] = []
        with psycopg.connect(dsn, autocommit=True) as conn:
            barrier.wait()
            quiet = 0
            while quiet < 40:
                messages = Client(conn).claim_batch(batch_size=20)
                quiet = 0 if messages else quiet + 1
                if messages:
                    Client(conn).ack(messages[0].claim_id)
                    found += [message.message_id for message in messages]
                else:
                    time.sleep(0.01)
        return found

    with ThreadPoolExecutor(4) as pool:
        operators = [pool.submit(operate, by_id) for by_id in (True, False)]
        consumers = [pool.submit(consume, None) for _ in range(2)]
        assert sum(each.result(60) for each in operators) == 1000
        for each in consumers:
            delivered += each.result(60)
    while messages := client.claim_batch(batch_size=1000):
        client.ack(messages[0].claim_id)
        delivered += [message.message_id for message in messages]
    assert sorted(delivered) == ids
    replays = client.conn.execute(
        "select count(*), count(distinct message_id) from symphony.replay"
    )
    assert replays.fetchone() == (1000, 1000)


def test_operators_with_filters_do_not_wait_for_each_other(dsn: str, client: Client) -> None:
    fail(client, 10)
    with psycopg.connect(dsn) as other:
        assert Client(other).retry_failed(everything=True, at_most=4)[0].messages == 4
        assert client.retry_failed(message_type="A")[0].messages == 6
        other.rollback()
    assert client.retry_failed(message_type="A")[0].messages == 4


def test_a_replay_that_is_rolled_back_never_was(dsn: str, client: Client) -> None:
    ids = fail(client, 3)
    with psycopg.connect(dsn) as other:
        assert [each.outcome for each in Client(other).retry_failed(ids)] == ["retried"] * 3
        assert Client(other).remove_failed(ids)[0].outcome == "pending"
        other.rollback()
    assert [each.message_id for each in client.failed_messages()] == ids[::-1]
    assert client.claim_batch() == []
    assert client.message_history(ids[0])[-1].event == "failed"


def test_a_backend_that_is_killed_in_the_middle_loses_nothing(dsn: str, client: Client) -> None:
    ids = fail(client, 20)
    for verb in ("retry_failed", "remove_failed"):
        with psycopg.connect(dsn) as victim:
            getattr(Client(victim), verb)(everything=True)
            client.conn.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            with pytest.raises(psycopg.OperationalError):
                victim.execute("select 1")
    assert sorted(each.message_id for each in client.failed_messages()) == ids
    assert client.retry_failed(everything=True)[0].messages == 20


def test_a_replay_wakes_a_worker_that_sleeps(dsn: str, client: Client) -> None:
    (message_id,) = fail(client)
    with psycopg.connect(dsn, autocommit=True) as sleeper:
        sleeper.execute('listen "symphony:default"')
        Client(sleeper).idle("w", ["default"])
        client.retry_failed([message_id])
        assert [each.channel for each in sleeper.notifies(timeout=5, stop_after=1)] == [
            "symphony:default"
        ]


# The command


class Cli:
    """Runs commands against one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, *arguments: str, exit_code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, ["--dsn", self.dsn, *arguments], input=stdin)
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, exit_code=exit_code).stdout)


@pytest.fixture
def cli(dsn: str) -> Cli:
    return Cli(dsn)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the commands write for people."""
    for module in ("output", "failed"):
        monkeypatch.setattr(
            sys.modules[f"symphony_pg.cli.{module}"], "is_for_people", lambda as_json: not as_json
        )
    yield


def test_list_and_stats(cli: Cli, client: Client) -> None:
    fail(client, 2)
    fail(client, 1, "B", "Other")
    rows = cli.json("failed", "list")
    assert [(row["message_id"], row["error_class"]) for row in rows] == [
        (3, "Other"),
        (2, "Boom"),
        (1, "Boom"),
    ]
    assert [row["message_id"] for row in cli.json("failed", "list", "--limit", "1")] == [3]
    for options, expected in [
        (["--queue", "default"], [3, 2, 1]),
        (["--type", "B"], [3]),
        (["--error-class", "Boom"], [2, 1]),
        (["--since", "1h"], [3, 2, 1]),
        (["--until", "1h"], []),
        (["--since", "2030-01-01T00:00+01:00"], []),
        (["--search", '"n": 1'], [2]),
    ]:
        assert [row["message_id"] for row in cli.json("failed", "list", *options)] == expected
    cursor = f"{rows[0]['failed_at']}/{rows[0]['message_id']}"
    assert [row["message_id"] for row in cli.json("failed", "list", "--before", cursor)] == [2, 1]
    assert "page before" in cli.run("failed", "list", "--before", "x", exit_code=2).output
    groups = cli.json("failed", "stats")
    assert [(group["error_class"], group["messages"]) for group in groups] == [
        ("Boom", 2),
        ("Other", 1),
    ]


def test_one_bad_id_does_not_hold_up_the_others(cli: Cli, client: Client) -> None:
    first, second = fail(client, 2)
    shown = cli.json("failed", "show", "99", "x", str(first), exit_code=1)
    assert [(each.get("status"), each.get("outcome")) for each in shown] == [
        ("failed", None),
        (None, "no id: x"),
        (None, "unknown"),
    ]
    assert shown[0]["history"][0]["error"] == "it broke"
    assert cli.json("failed", "retry", "99", "x", "9" * 30, str(first), exit_code=1) == [
        {"message_id": 99, "outcome": "unknown"},
        {"message_id": first, "outcome": "retried"},
        {"message_id": None, "outcome": "no id: x"},
        {"message_id": None, "outcome": f"no id: {'9' * 30}"},
    ]
    assert cli.json("failed", "remove", str(first), str(second), exit_code=1) == [
        {"message_id": first, "outcome": "pending"},
        {"message_id": second, "outcome": "removed"},
    ]


def test_retry_by_filter(cli: Cli, client: Client) -> None:
    fail(client, 5)
    fail(client, 2, "B")
    assert "HINT" in cli.run("failed", "retry", exit_code=1).output
    assert "HINT" in cli.run("failed", "retry", "--all", "--type", "A", exit_code=1).output
    assert "HINT" in cli.run("failed", "retry", "1", "--type", "A", exit_code=1).output
    dry = cli.json("failed", "retry", "--type", "A", "--dry-run")
    assert dry == {"messages": 5, "outcome": "retried", "dry_run": True}
    assert cli.json("failed", "retry", "--type", "A", "--limit", "2", "--dry-run")["messages"] == 2
    assert cli.json("failed", "retry", "--type", "A", "--limit", "2")["messages"] == 2
    assert len(client.failed_messages()) == 5
    assert cli.json("failed", "retry", "--type", "A", "--per-second", "0.1")["messages"] == 3
    assert client.queue_stats("default")[0].delayed == 3
    assert cli.json("failed", "retry", "--all")["messages"] == 2
    assert cli.json("failed", "retry", "--all")["messages"] == 0


def test_chunks_end_though_messages_fail_again(
    cli: Cli, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(client, 7)
    module = sys.modules["symphony_pg.cli.failed"]
    monkeypatch.setattr(module, "CHUNK", 2)
    replay = Client.retry_failed

    def replay_and_fail(self: Client, *args: Any, **kwargs: Any) -> Any:
        done = replay(self, *args, **kwargs)
        fail(self, 0)
        return done

    monkeypatch.setattr(Client, "retry_failed", replay_and_fail)
    assert cli.json("failed", "retry", "--all")["messages"] == 7
    assert [each.replays for each in client.failed_messages()] == [1] * 7


def test_another_body(cli: Cli, client: Client) -> None:
    (message_id,) = fail(client)
    assert "JSON" in cli.run("failed", "retry", "1", "--body", "{", exit_code=2).output
    assert "null" in cli.run("failed", "retry", "1", "--body", "null", exit_code=2).output
    cli.run("failed", "retry", str(message_id), "--body", '{"n": 9}')
    (message,) = client.claim_batch()
    assert message.body == {"n": 9}
    (_, replay) = cli.json("message", "show", str(message_id))["history"]
    assert (replay["event"], replay["old_body"]) == ("replayed", {"n": 0})


def test_remove_asks(cli: Cli, client: Client) -> None:
    fail(client, 3)
    assert cli.json("failed", "remove", "--type", "A", "--dry-run")["messages"] == 3
    cli.run("failed", "remove", "--type", "A", exit_code=1, stdin="n\n")
    assert cli.json("failed", "remove", "--type", "A", "--limit", "1", "--yes")["messages"] == 1
    assert cli.json("failed", "remove", "--all", "--yes")["messages"] == 2
    assert cli.json("failed", "list") == []


def test_review(cli: Cli, client: Client, terminal: None) -> None:
    fail(client, 4)
    text = cli.run("failed", "retry", stdin="t\nr\nm\ns\nq\n").output
    assert "it broke" in text
    assert "Message 4 is retried." in text
    assert "Message 3 is removed." in text
    assert text.endswith("1 retried, 1 removed, 1 skipped.\n")
    assert [each.message_id for each in client.failed_messages()] == [2, 1]
    assert client.message_status(4) is not None
    assert client.message_status(3) is None
    text = cli.run("failed", "retry", "--review", "--type", "nope").output
    assert text == "0 retried, 0 removed, 0 skipped.\n"
    assert "no ids" in cli.run("failed", "retry", "--review", "1", exit_code=2).output


def test_review_needs_a_terminal(cli: Cli) -> None:
    assert "terminal" in cli.run("failed", "retry", "--review", exit_code=2).output


def test_for_people(cli: Cli, client: Client, terminal: None) -> None:
    assert cli.run("failed", "list").output == "No message has failed.\n"
    assert cli.run("failed", "stats").output == "No message has failed.\n"
    fail(client, 3)
    fail(client, 1, "B", "Other")
    text = cli.run("failed", "list", "--limit", "3").output
    assert re.search(r"^Boom\n.*id .*error\n +3 .*it broke\n +2 .*it broke\n\nOther\n", text, re.S)
    cursor = re.search(r"--before (\S+)", text)
    assert cursor is not None
    last = cli.run("failed", "list", "--before", cursor[1]).output
    assert re.search(r"^Boom\n.*\n +1 .*it broke\n\n$", last)
    assert "Boom" in cli.run("failed", "stats").output
    shown = cli.run("failed", "show", "1", "99", exit_code=1).output
    assert re.search(r"attempt 1  .* for .* in -: failed\n  it broke\n", shown)
    assert "Message 99 is not failed: unknown." in shown
    assert cli.run("failed", "retry", "1", "--dry-run").output == "Message 1 would be retried.\n"
    assert cli.run("failed", "retry", "1").output == "Message 1 is retried.\n"
    assert re.search(r"replay 1  .* by \w+\n$", cli.run("message", "show", "1").output)
    dry = cli.run("failed", "remove", "--type", "A", "--dry-run").output
    assert dry == "2 messages would be removed.\n"
    assert cli.run("failed", "remove", "--type", "B", "--yes").output == "1 message is removed.\n"


def test_queue_settings(cli: Cli, conn: Connection) -> None:
    cli.run("queue", "create", "q", "--failed-retention", "30d", "--max-snooze", "2h")
    settings = "select failed_retention, max_snooze from symphony.queue where queue_name = 'q'"
    assert conn.execute(settings).fetchone() == (timedelta(days=30), timedelta(hours=2))
    cli.run("queue", "configure", "q", "--failed-retention", "0s")
    assert conn.execute(settings).fetchone() == (None, timedelta(hours=2))


# The documentation


def test_the_session_of_the_documentation(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    page = (ROOT / "docs" / "failed.md").read_text()
    now = replay_session.replay(page)
    assert [*replay_session.differences(page, now)] == []
    assert "ada 24.39" in now
