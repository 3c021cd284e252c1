"""symphony-pg message run, and enqueue with an expiry or in place of another message."""

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection


def test_a_delayed_message_is_run_now(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    message_id = cli.json("enqueue", "A", "1", "--delay", "1h")["message_id"]
    assert client.claim_batch() == []
    assert "as soon as a worker is free" in cli.run("message", "run", str(message_id)).output
    assert [each.message_id for each in client.claim_batch()] == [message_id]
    again = cli.run("message", "run", str(message_id), exit_code=1)
    assert "it is processing" in again.output
    assert "message 9999 is not known" in cli.run("message", "run", "9999", exit_code=1).output


def test_what_waits_is_replaced(cli: Cli, conn: Connection) -> None:
    given = ("--delay", "1h", "--key", "k", "--replace", "--window", "2h")
    first = cli.json("enqueue", "A", '"a"', *given)["message_id"]
    assert cli.json("enqueue", "A", '"b"', *given)["message_id"] == first
    assert cli.json("message", "show", str(first))["body"] == "b"


def test_what_is_late_is_told(cli: Cli, conn: Connection) -> None:
    dropped = cli.json("enqueue", "A", "1", "--expires", "1ms", "--drop")["message_id"]
    failed = cli.json("enqueue", "A", "2", "--expires", "1ms")["message_id"]
    assert Client(conn).claim_batch() == []
    shown = cli.run("message", "show", str(failed)).output
    assert "expired: it was not started by" in shown and "attempt 0" not in shown
    assert cli.json("failed", "list")[0]["message_id"] == failed
    assert "there is no message" in cli.run("message", "show", str(dropped), exit_code=1).output
