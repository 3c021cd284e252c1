"""symphony-pg key: what waits for what, and letting it go."""

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection


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
    assert client.claim_batch(["accounts"]) == []
    released = cli.json("key", "release", "accounts", "ada")
    assert released["message_id"] == head.message_id
    assert "was not held" in cli.run("key", "release", "accounts", "ada").output
    assert [each.message_id for each in client.claim_batch(["accounts"])] == [
        each.message_id for each in others
    ]
