"""symphony-pg key: what waits for what, and letting it go."""

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection


def test_a_rate_is_set_and_shown(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    cli.run("queue", "create", "sms", "--rate", "100/s", "--burst", "5", "--key-rate", "1/minute")
    settings = {
        each["setting"]: each["value"] for each in cli.json("queue", "show", "sms")["settings"]
    }
    assert (settings["rate"], settings["burst"], settings["key_rate"]) == ("100/1 s", "5", "1/60 s")
    for n in range(3):
        client.enqueue("Text", {"n": n}, "sms", group_key="ada")
    assert len(client.claim_batch(["sms"])) == 1
    (shown,) = cli.json("key", "list", "sms")
    assert (shown["group_key"], shown["waiting"], shown["held_by"]) == ("ada", 2, None)
    assert shown["available_at"] is not None
    (waiting, *_) = conn.execute("select max(message_id) from symphony.message").fetchone() or (0,)
    assert "The rate of its key ada" in cli.run("message", "why", str(waiting)).output
    refused = cli.run("queue", "configure", "sms", "--rate", "fast", exit_code=1)
    assert "100/1 s" in refused.output
    cli.run("queue", "configure", "sms", "--rate", "0")
    shown = cli.json("queue", "show", "sms")["settings"]
    assert {each["setting"]: each["value"] for each in shown}["rate"] is None


def test_a_key_is_listed_and_let_go(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    client.create_queue("accounts", ordered=True, on_failure="hold")
    for n in range(3):
        client.enqueue("Deposit", {"n": n}, "accounts", group_key="ada")
    assert cli.run("key", "list").output == "Nothing waits for a key.\n"
    head, *others = client.claim_batch(["accounts"], worker="w1")
    client.nack_with_backoff(head.claim_id, head.message_id, "no", retryable=False)
    (shown,) = cli.json("key", "list", "accounts")
    assert (shown["group_key"], shown["waiting"]) == ("ada", len(others))
    assert (shown["held_by"], shown["held_by_is"]) == (head.message_id, "failed")
    assert "ada" in cli.run("key", "list").output
    for command in (["stats"], ["queue", "list"]):
        assert f"accounts: {len(others)} wait for their keys: " in cli.run(*command).output
    assert "wait for their keys" in cli.run("queue", "show", "accounts").output
    waiting = cli.json("message", "show", str(others[0].message_id))
    assert (waiting["status"], waiting["group_key"]) == ("waiting", "ada")
    assert client.claim_batch(["accounts"]) == []
    released = cli.json("key", "release", "accounts", "ada")
    assert released["message_id"] == head.message_id
    assert "was not held" in cli.run("key", "release", "accounts", "ada").output
    assert [each.message_id for each in client.claim_batch(["accounts"])] == [
        each.message_id for each in others
    ]
