"""`symphony-pg transport`, `route` and `policy`."""

import re

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection


def test_transports(cli: Cli, conn: Connection) -> None:
    assert cli.json("transport", "list") == []
    cli.run("queue", "create", "mail")
    args = ("transport", "create", "email", "--queue", "mail", "--priority", "7")
    assert [cli.json(*args)["created"] for _ in range(2)] == [True, False]
    assert cli.json("route", "set", "SendEmail", "email")["routes"] == 1
    held = Client(conn).enqueue("SendEmail")
    assert [cli.json("transport", "disable", "email")["changed"] for _ in range(2)] == [True, False]
    assert Client(conn).claim_batch(["mail"]) == []
    (row,) = cli.json("transport", "list")
    assert (row["queue_name"], row["enabled"], row["patterns"]) == ("mail", False, ["SendEmail"])
    assert [cli.json("transport", "enable", "email")["changed"] for _ in range(2)] == [True, False]
    assert [each.message_id for each in Client(conn).claim_batch(["mail"])] == [held]
    for arguments in (("remove", "email"), ("disable", "nope"), ("create", "t", "--type", "kafka")):
        assert "HINT" in cli.run("transport", *arguments, exit_code=1).output
    assert re.search(
        r"email +postgres +mail +7 +yes +SendEmail", cli.run("transport", "list").output
    )
    say = [cli.run("transport", *each, "email").output for each in [["disable"], ["disable"]]]
    assert say == [
        "Transport email holds its messages.\n",
        "Transport email held its messages already.\n",
    ]
    assert cli.run("transport", "enable", "email").output == "Transport email is enabled.\n"
    assert cli.run("route", "remove", "SendEmail").output == "SendEmail has no routes.\n"
    assert cli.run("transport", "remove", "email").output == "Transport email is gone.\n"


def test_routes(cli: Cli, conn: Connection) -> None:
    assert cli.json("route", "list") == []
    (row,) = cli.json("route", "show", "A")
    assert (row["pattern"], row["queue_name"]) == (None, "default")
    for name in ("async", "slow"):
        cli.run("transport", "create", name)
    cli.run("route", "set", "orders.*", "async", "slow=audit")
    cli.run("route", "set", "*", "slow")
    Client(conn).sync_handlers("orders.created", ["default", "audit"])
    rows = cli.json("route", "show", "orders.created")
    assert [(row["transport_name"], row["handler_name"]) for row in rows] == [
        ("async", "default"),
        ("slow", "audit"),
    ]
    assert [row["pattern"] for row in cli.json("route", "list")] == ["orders.*", "orders.*", "*"]
    assert "HINT" in cli.run("route", "set", "A", "nope", exit_code=1).output
    cli.run("transport", "disable", "slow")
    assert re.search(r"orders\.\* +slow +audit +postgres +default", cli.run("route", "list").output)
    text = cli.run("route", "show", "orders.created").output
    assert "orders.created gets 2 deliveries: by the routes of orders.*.\n" in text
    assert "slow is disabled and holds them: symphony-pg transport enable slow\n" in text
    cli.run("route", "set", "A", "async")
    assert "A gets a delivery: it has routes of its own." in cli.run("route", "show", "A").output
    cli.run("route", "remove", "*")
    text = cli.run("route", "show", "B").output
    assert 'B gets a delivery: no route fits, so it goes to the queue "default".' in text


def test_a_transport_may_lead_to_a_broker_directly(cli: Cli, conn: Connection) -> None:
    settings = ("--set", "outbox=false", "--set", "destination=shop.clicks", "--set", "prefetch=7")
    cli.run("transport", "create", "clicks", "--type", "rabbitmq", *settings)
    (row,) = cli.json("transport", "list")
    assert row["config"] == {"outbox": False, "destination": "shop.clicks", "prefetch": 7}
    cli.run("route", "set", "Clicked", "clicks")
    assert cli.json("route", "show", "Clicked")[0]["direct"]
    text = cli.run("route", "show", "Clicked").output
    assert "dispatch() of Python publishes to clicks, and SQL cannot." in text
    output = cli.run("enqueue", "Clicked", exit_code=1).output
    assert "outbox/clicks" in output
    cli.run("enqueue", "Clicked", "--queue", "outbox/clicks")
    cli.run("enqueue", "Clicked", "--delay", "1m")
    (row,) = cli.json("transport", "list")
    assert (row["state"], row["pending"]) == ("no relay", 1)
    cli.run("transport", "create", "clicks", "--type", "redis", "--set", "format=cloudevents")
    assert "redis, cloudevents" in cli.run("transport", "list", "--wide").stdout
    assert cli.json("transport", "list")[0]["transport_type"] == "redis"
    for wrong in (
        ("--set", "prefetch=many"),
        ("--set", "dsn=amqp://u:secret@h/"),
        ("--set", "format=xml"),
    ):
        output = cli.run(
            "transport", "create", "t", "--type", "rabbitmq", *wrong, exit_code=1
        ).output
        assert "HINT" in output
        assert "secret" not in output
    assert "KEY=VALUE" in cli.run("transport", "create", "t", "--set", "x", exit_code=2).output


def test_policies(cli: Cli) -> None:
    assert [(row["pattern"], row["delay"]) for row in cli.json("policy", "list")] == [("*", 1.0)]
    assert cli.json(
        "policy", "set", "SendEmail", "--max-attempts", "6", "--delay", "2s",
        "--permanent-error", "Refused", "--permanent-error", "ValueError",
        "--transient-error", "Odd",
        "--retry-after-error", "Throttled=1m", "--snooze-error", "Closed=1h",
    ) == {"pattern": "SendEmail", "set": True}  # fmt: skip
    shown = {row["setting"]: row for row in cli.json("policy", "show", "SendEmail")}
    assert (shown["max_attempts"]["value"], shown["max_attempts"]["level"]) == ("6", "type")
    assert shown["max_delay"]["level"] == "default"
    cli.run("queue", "configure", "default", "--retry-max-delay", "1m")
    shown = {row["setting"]: row for row in cli.json("policy", "show", "SendEmail")}
    assert (shown["max_delay"]["level"], shown["max_delay"]["source"]) == ("queue", "default")
    assert "HINT" in cli.run("policy", "set", "A", "--jitter", "2", exit_code=1).output
    text = cli.run("policy", "list", "--wide").output
    assert re.search(
        r"SendEmail +6 +2.0 s( +-){3} +Refused, ValueError +Odd +Throttled: 60.0 +Closed: 3600.0",
        text,
    )
    assert (
        "Throttled is not CLASS=WAIT"
        in cli.run("policy", "set", "A", "--snooze-error", "Throttled", exit_code=2).output
    )
    assert re.search(r"max_delay +00:01:00 +queue +default", cli.run("policy", "show", "A").output)
    assert [cli.run("policy", "remove", "SendEmail").output for _ in range(2)] == [
        "SendEmail has no retry policy any more.\n",
        "SendEmail had no retry policy.\n",
    ]
    assert cli.run("policy", "remove", "*").output == "The default is as it was at first.\n"
