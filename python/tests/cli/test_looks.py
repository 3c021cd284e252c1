"""The commands that show what is set, what waits, and what goes wrong."""

import pytest

from symphony_pg import Client
from symphony_pg.database.functions.messages import STATES
from tests.cli.helpers import Cli
from tests.helpers import Connection


def test_a_queue_is_shown(cli: Cli, conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(conn)
    client.create_queue("mail", max_attempts=6)
    client.heartbeat("w", ["mail"])
    assert "Nothing holds its messages." in cli.run("queue", "show", "mail").output
    monkeypatch.setenv("SYMPHONY_ACTOR", "ada")
    cli.run("queue", "pause", "mail")
    shown = cli.run("queue", "show", "mail").output
    assert "max_attempts" in shown and "retry policy *" in shown
    assert "paused: Since " in shown and "(ada): nothing is handed out." in shown
    found = cli.json("queue", "show", "mail")
    assert {each["setting"]: each["value"] for each in found["settings"]}["max_attempts"] == "6"
    assert [each["hold"] for each in found["holds"]] == ["paused"]
    assert "does not exist" in cli.run("queue", "show", "nope", exit_code=1).output


def test_messages_are_listed(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    first, second, third = (client.enqueue("A", n, idempotency_key=str(n)) for n in range(3))
    (claimed,) = client.claim_batch(batch_size=1)
    assert [each["message_id"] for each in cli.json("message", "list")] == [third, second, first]
    (running,) = cli.json("message", "list", "--state", "processing")
    assert running["message_id"] == claimed.message_id == first
    for state in STATES:
        cli.run("message", "list", "--state", state)  # the database knows each of them
    (keyed,) = cli.json("message", "list", "--key", "1")
    assert keyed["message_id"] == second
    page = cli.run("message", "list", "--limit", "2").output
    assert f"More: --before {second}" in page
    assert [
        each["message_id"] for each in cli.json("message", "list", "--before", str(second))
    ] == [first]
    assert "no such message" in cli.run("message", "list", "--type", "B").output


def test_what_goes_wrong_is_shown(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    assert "No attempt has failed." in cli.run("message", "errors").output
    client.enqueue("A")
    (claimed,) = client.claim_batch()
    client.nack_with_backoff(claimed.claim_id, claimed.message_id, "not yet", "Early")
    (group,) = cli.json("message", "errors")
    assert (group["error_class"], group["attempts"], group["retried"]) == ("Early", 1, 1)
    assert "not yet" in cli.run("message", "errors", "--wide").output
    assert cli.json("message", "errors", "--error-class", "Late") == []
