"""`symphony-pg failed`: list, show, retry, remove, for programs and for people."""

import re
from datetime import timedelta

import pytest

from docs import replay_session
from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import ROOT, Connection, fail


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
        (None, "not an id: x"),
        (None, "unknown"),
    ]
    assert shown[0]["history"][0]["error"] == "it broke"
    assert cli.json("failed", "retry", "99", "x", "9" * 30, str(first), exit_code=1) == [
        {"message_id": 99, "outcome": "unknown"},
        {"message_id": first, "outcome": "retried"},
        {"message_id": None, "outcome": "not an id: x"},
        {"message_id": None, "outcome": f"not an id: {'9' * 30}"},
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


def test_any_number_of_messages_is_dealt_with_in_chunks(cli: Cli, client: Client) -> None:
    """What happens between the chunks is told in sql/tests/failed."""
    fail(client, 9)
    assert client.retry_many_failed(everything=True, at_most=3, chunk=2) == 3
    assert cli.json("failed", "retry", "--all", "--limit", "2")["messages"] == 2
    assert client.remove_many_failed(message_type="A", at_most=2, chunk=1) == 2
    assert cli.json("failed", "remove", "--all", "--limit", "1", "--yes")["messages"] == 1
    assert cli.json("failed", "retry", "--all")["messages"] == 1
    assert client.failed_messages() == []


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


def test_the_session_of_the_documentation(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    page = (ROOT / "docs" / "failed.md").read_text()
    now = replay_session.replay(page)
    assert [*replay_session.differences(page, now)] == []
    assert "ada 24.39" in now
