"""The commands: what they do, what they print for programs and for people, how they fail."""

import json
import re
import sys
from datetime import timedelta

import pytest
from click.testing import CliRunner

from symphony_pg import Client
from symphony_pg.cli import main
from tests.cli.helpers import Cli
from tests.helpers import NOWHERE, Connection


def test_db(empty_dsn: str) -> None:
    cli = Cli(empty_dsn)
    assert cli.json("db", "status", exit_code=1)["installed"] is None
    assert "db install" in cli.run("stats", exit_code=1).output
    assert cli.json("db", "install") == {"version": "0.1.0", "installed_now": True}
    assert cli.json("db", "install")["installed_now"] is False
    assert cli.json("db", "upgrade") == {"version": "0.1.0", "waiting_access": []}
    status = cli.json("db", "status")
    assert (status["installed"], status["is_current"]) == ("0.1.0", True)
    assert cli.json("db", "check") == []
    assert "create schema symphony" in cli.run("db", "sql").output


def test_db_check_finds_what_is_broken(cli: Cli, conn: Connection) -> None:
    Client(conn).enqueue("A")
    (message,) = Client(conn).claim_batch()
    # A second claim of the same message, as no function would ever make it.
    conn.execute(
        "insert into symphony.claim (claimed_at, lease_until, lane_id, size, ahead, open_ids) "
        "select claimed_at, lease_until, lane_id, size, ahead, open_ids from symphony.claim "
        "where claim_id = %s",
        [message.claim_id],
    )
    assert cli.json("db", "check", exit_code=1) != []
    conn.execute("delete from symphony.claim where claim_id > %s", [message.claim_id])
    assert cli.json("db", "check") == []


def test_queues(cli: Cli) -> None:
    assert cli.json("queue", "create", "mail", "--retry-delay", "2s")["created"] is True
    assert cli.json("queue", "create", "mail")["created"] is False
    assert cli.json("queue", "configure", "mail", "--lease", "1m")["configured"] is True
    assert cli.json("queue", "pause", "mail")["changed"] is True
    assert [row["queue_name"] for row in cli.json("queue", "list")] == ["default", "mail"]
    assert cli.json("queue", "resume", "mail")["changed"] is True
    cli.run("enqueue", "A", "--queue", "mail")
    assert "HINT" in cli.run("queue", "drop", "mail", exit_code=1).output
    cli.run("queue", "purge", "mail", exit_code=1, stdin="n\n")
    purged = cli.json("queue", "purge", "mail", "--yes")
    assert (purged["purged"], purged["messages"]) == (True, 1)
    cli.run("enqueue", "A", "--queue", "mail")
    assert cli.json("queue", "drop", "mail", "--force")["dropped"] is True


def test_enqueue_and_look(cli: Cli, conn: Connection) -> None:
    first = cli.json(
        "enqueue", "SendEmail", '{"to": "ada"}', "--delay", "1h", "--priority", "9",
        "--key", "k", "--group", "g", "--header", "a=b",
    )["message_id"]  # fmt: skip
    assert cli.json("enqueue", "SendEmail", "-", "--key", "k", stdin="[1]")["message_id"] == first
    shown = cli.json("message", "show", str(first))
    assert (shown["status"], shown["body"], shown["headers"]) == (
        "delayed",
        {"to": "ada"},
        {"a": "b"},
    )
    assert "reason" in cli.json("message", "why", str(first))
    assert cli.json("message", "cancel", str(first))["cancelled"] is True
    assert "HINT" in cli.run("message", "show", str(first), exit_code=1).output
    second = cli.json("enqueue", "A", "--at", "2100-01-01T00:00Z")["message_id"]
    assert cli.json("message", "show", str(second))["available_at"].startswith("2100-01-01")
    third = cli.json("enqueue", "A")["message_id"]
    (message,) = Client(conn).claim_batch()
    Client(conn).ack(message.claim_id)
    assert cli.json("message", "cancel", str(third), exit_code=1)["cancelled"] is False


def test_a_body_is_stored_to_the_last_digit(cli: Cli, conn: Connection) -> None:
    digits = "0.12345678901234567890123"
    long = "7" * 5000
    ids = [
        cli.json("enqueue", "A", f'{{"n": {digits}}}')["message_id"],
        cli.json("enqueue", "A", "-", stdin=f'{{"n": {long}}}\n')["message_id"],
    ]
    cli.json("schedule", "add", "s", "A", f'{{"n": {digits}}}', "--every", "1h")
    for _ in ids:
        (message,) = Client(conn).claim_batch(batch_size=1)
        Client(conn).nack_with_backoff(message.claim_id, message.message_id, "no", retryable=False)
    cli.json("failed", "retry", str(ids[0]), "--body", f'{{"n": [{digits}]}}')
    rows = conn.execute(
        "select body ->> 'n' from symphony.message union all "
        "select body ->> 'n' from symphony.failed_message union all "
        "select body ->> 'n' from symphony.schedule"
    ).fetchall()
    assert set(rows) == {(f"[{digits}]",), (long,), (digits,)}
    assert (
        "must not be null" in cli.run("failed", "retry", "1", "--body", " null", exit_code=2).output
    )


def test_stats(cli: Cli) -> None:
    cli.run("enqueue", "A")
    (row,) = cli.json("stats")
    assert (row["queue_name"], row["pending"]) == ("default", 1)
    assert [row["queue_name"] for row in cli.json("stats", "default", "--json")] == ["default"]
    assert "HINT" in cli.run("stats", "nowhere", exit_code=1).output


def test_stats_again_and_again(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["symphony_pg.cli.stats"].time, "sleep", interrupt)
    assert json.loads(cli.run("stats", "--watch", "--json").stdout)[0]["queue_name"] == "default"
    request.getfixturevalue("terminal")
    text = cli.run("stats", "--watch", "--interval", "2s").output
    assert "every 2.0 s" in text and "done/min" in text


def test_workers(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    assert cli.json("workers", "list") == []
    assert cli.json("workers", "stop", "--all") == {"command": "stop", "workers": []}
    ids = client.enqueue_batch([{"message_type": "Mail"}] * 5)
    (message, *_) = client.claim_batch(worker="w1")
    running = [{"message_id": each, "seconds": 75} for each in ids]
    told = {"host": "web", "pid": 4711, "done": 7, "memory": 50 << 20, "running": running}
    client.heartbeat("w1", ["default"], told)
    client.heartbeat("w2", ["default"], {"pid": [1], "memory": "much"})
    assert [row["state"] for row in cli.json("workers", "list")] == ["working", "idle"]
    assert cli.json("workers", "pause", "w1", "w2")["workers"] == ["w1", "w2"]
    assert cli.json("workers", "resume", "--queue", "default")["workers"] == ["w1", "w2"]
    output = cli.run("workers", "stop", "w3", exit_code=1).output
    assert 'worker "w3" does not exist\nDETAIL: There are: w1, w2.\nHINT: ' in output
    text = cli.run("workers", "list", "--wide").output
    assert re.search(r"w1 +web +4711 +working +default +5 +Mail", text)
    assert f"Mail {ids[0]} (1 min 15 s), Mail {ids[1]} (1 min 15 s)" in text
    assert re.search(r"2 more +7 +- +- +50 MiB", text)
    assert cli.run("workers", "stop", "w2").output == "Asked to stop: w2.\n"
    assert cli.run("workers", "pause", "w2").output == "Asked to pause: nobody.\n"
    assert client.release(message.claim_id) == 5


def test_workers_list_marks_what_is_over_its_limit(cli: Cli, conn: Connection) -> None:
    stuck = [{"message_id": 7, "message_type": "Slow", "seconds": 125.2}, "nonsense"]
    Client(conn).heartbeat("w1", ["default"], {"stuck": stuck})
    Client(conn).heartbeat("w2", ["default"], {"stuck": 3})
    text = cli.run("workers", "list", "--wide").output
    assert text.count("OVER ITS LIMIT") == 1
    assert "OVER ITS LIMIT: Slow 7 (2 min 5 s)" in text


def test_people_get_tables(cli: Cli, conn: Connection, terminal: None) -> None:
    text = cli.run("enqueue", "A").output
    assert re.search(r"Message \d+ is enqueued", text)
    assert re.search(r"queue +pending +running", cli.run("stats").output)
    assert re.search(r"default +no +1", cli.run("queue", "list").output)
    message_id = re.findall(r"\d+", text)[0]
    assert re.search(r"status +pending", cli.run("message", "show", message_id).output)
    assert cli.run("workers", "list").output == "No worker is known.\n"
    assert cli.run("schedule", "list").output == "There is no schedule.\n"
    (claimed,) = Client(conn).claim_batch()
    assert claimed.claim_id > 1000
    assert re.search(
        rf"claim id +{claimed.claim_id}\n", cli.run("message", "show", message_id).output
    )
    assert cli.run("db", "check").stdout == "All invariants hold.\n"
    assert json.loads(cli.run("stats", "--json").output)


def test_errors_are_readable(cli: Cli) -> None:
    result = cli.run("enqueue", "A", "--queue", "nowhere", exit_code=1)
    assert re.match(r'Error: queue "nowhere" does not exist\nDETAIL: .+\nHINT: ', result.output)
    result = cli.run("enqueue", "A", "--priority", "10", exit_code=1)
    assert "HINT" in result.output
    away = CliRunner().invoke(main, ["stats", "--dsn", NOWHERE])
    assert away.exit_code == 1
    assert away.output.startswith("Error: cannot connect to PostgreSQL\nDETAIL: ")
    wrong = CliRunner().invoke(main, ["stats", "--dsn", "nonsense"])
    assert wrong.exit_code == 1
    assert re.match(r"Error: the DSN cannot be read\nDETAIL: .+\nHINT: ", wrong.output)


@pytest.mark.parametrize(
    "arguments",
    [
        ("enqueue", "A", "{not json"),
        ("enqueue", "A", "--delay", "soon"),
        ("enqueue", "A", "--at", "soon"),
        ("enqueue", "A", "--header", "x"),
        ("enqueue", "A", "--delay", "99999999999d"),
        ("enqueue", "A", "--at", "0000-01-01T00:00"),
        ("enqueue", "A", "[1, 2"),
        ("failed", "list", "--since", "9999999d"),
        ("failed", "list", "--since", "99999999999d"),
        ("message", "show", "x"),
        ("message", "show", "99999999999999999999"),
        ("message", "cancel", "99999999999999999999"),
        ("message", "why", "99999999999999999999"),
        ("consume", "--app", "x:app", "--time-limit", "99999999999d"),
        ("consume", "--app", "x:app", "--poll-interval", "0"),
        ("stats", "--watch", "--interval", "0"),
        ("consume",),
        ("consume", "--app", "x"),
        ("consume", "--app", "no_such_module:app"),
        ("consume", "--app", "json:dumps"),
        ("consume", "--app", "json:nothing"),
        ("workers", "stop"),
        ("workers", "pause", "w", "--all"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_usage_errors(cli: Cli, arguments: tuple[str, ...]) -> None:
    cli.run(*arguments, exit_code=2)


def test_demo(cli: Cli) -> None:
    text = cli.run("demo", "--messages", "500").output
    assert "499 done, 25 retried, 1 failed" in text
    assert "Invariants: all hold." in text


def test_a_number_that_may_be_greater_says_so(
    cli: Cli, conn: Connection, request: pytest.FixtureRequest
) -> None:
    conn.execute(
        "insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)"
        " select now(), lane_id, 'A', '{}', '{}' from symphony.lane, generate_series(1, 10001)"
        " where queue_name = 'default' and priority = 5"
    )
    (row,) = cli.json("stats")
    assert (row["pending"], row["at_least"]) == (10_000, ["pending"])
    request.getfixturevalue("terminal")
    assert re.search(r"default +10,000\+ +0 ", cli.run("stats").output)
    assert re.search(r"default +no +10,000\+ +0 ", cli.run("queue", "list").output)


def test_what_holds_up_a_purge_is_told(cli: Cli, conn: Connection, terminal: None) -> None:
    client = Client(conn)
    client.enqueue("A")
    client.claim_batch(worker="slow", lease=timedelta(days=1))
    conn.execute("update symphony.claim set claimed_at = claimed_at - interval '2 days'")
    assert re.search(r"default: its purge waits for claim \d+ of .* slow", cli.run("stats").output)


def test_a_check_tells_a_person_how_far_it_is(cli: Cli, terminal: None) -> None:
    checked = cli.run("db", "check")
    assert checked.stdout == "All invariants hold.\n"
    assert checked.stderr.startswith("1 of 11: a message is in one place\n2 of 11: ")
    assert cli.run("db", "check", "--json").stderr == ""
