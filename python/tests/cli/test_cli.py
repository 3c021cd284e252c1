"""The commands: what they do, what they print for programs and for people, how they fail."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from symphony_pg import Client
from symphony_pg.cli import main
from tests.helpers import Connection


class Cli:
    """Runs commands against one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, *arguments: str, exit_code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, ["--dsn", self.dsn, *arguments], input=stdin)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.run(*arguments, **options).stdout)


@pytest.fixture
def cli(dsn: str) -> Cli:
    return Cli(dsn)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands write for people."""
    for module in ("output", "consume", "db", "stats", "failed", "schedule", "workers", "routing"):
        monkeypatch.setattr(
            sys.modules[f"symphony_pg.cli.{module}"], "is_for_people", lambda as_json: not as_json
        )


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [path]
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
        else:
            found.append((*path, name))
    return found


GROUPS = (
    *("config", "db", "queue", "message", "schedule", "failed", "workers"),
    *("transport", "route", "policy"),
)


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_help_teaches(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    if path and path not in {(name,) for name in GROUPS}:
        assert re.search(r"Examples?:\n\s+symphony-pg " + " ".join(path), result.output)


def test_every_example_in_the_help_is_a_command() -> None:
    known = {" ".join(path) for path in commands(main)}
    for path in commands(main):
        text = CliRunner().invoke(main, [*path, "--help"]).output
        for line in re.findall(r"^ +symphony-pg (.+)$", text, re.MULTILINE):
            words = line.split()
            assert any(" ".join(words[:n]) in known for n in (1, 2)), line


def test_every_option_is_explained() -> None:
    for path in commands(main):
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        for each in command.params:
            assert not isinstance(each, click.Option) or each.help, (*path, each.name)


def test_help_says_in_a_line_what_a_command_does() -> None:
    for path in commands(main):
        if path == () or path in {(name,) for name in GROUPS}:
            text = CliRunner().invoke(main, [*path, "--help"]).output
            assert "..." not in text.partition("\nCommands:\n")[2], text


def test_version(cli: Cli) -> None:
    assert "0.1.0" in cli.run("--version").output


def test_db(empty_dsn: str) -> None:
    cli = Cli(empty_dsn)
    assert cli.json("db", "status", exit_code=1)["installed"] is None
    assert "db install" in cli.run("stats", exit_code=1).output
    assert cli.json("db", "install") == {"version": "0.1.0", "installed_now": True}
    assert cli.json("db", "install")["installed_now"] is False
    assert cli.json("db", "upgrade")["upgraded_now"] is False
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
    assert cli.json("queue", "purge", "mail", "--yes")["purged"] is True
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
    assert json.loads(cli.run("stats", "--watch").stdout)[0]["queue_name"] == "default"
    request.getfixturevalue("terminal")
    text = cli.run("stats", "--watch", "--interval", "2s").output
    assert "every 2.0 s" in text and "done/min" in text


def test_workers(cli: Cli, conn: Connection, request: pytest.FixtureRequest) -> None:
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
    request.getfixturevalue("terminal")
    text = cli.run("workers", "list").output
    assert re.search(r"w1 +web +4711 +working +default +5 +Mail", text)
    assert f"Mail {ids[0]} (1 min 15 s), Mail {ids[1]} (1 min 15 s)" in text
    assert re.search(r"2 more +7 +- +- +50 MiB", text)
    assert cli.run("workers", "stop", "w2").output == "Asked to stop: w2.\n"
    assert cli.run("workers", "pause", "w2").output == "Asked to pause: nobody.\n"
    assert client.release(message.claim_id) == 5


def test_transports(cli: Cli, conn: Connection, request: pytest.FixtureRequest) -> None:
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
    for arguments in (("remove", "email"), ("disable", "nope"), ("create", "t", "--type", "redis")):
        assert "HINT" in cli.run("transport", *arguments, exit_code=1).output
    request.getfixturevalue("terminal")
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


def test_routes(cli: Cli, conn: Connection, request: pytest.FixtureRequest) -> None:
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
    request.getfixturevalue("terminal")
    assert re.search(r"orders\.\* +slow +audit +postgres +default", cli.run("route", "list").output)
    text = cli.run("route", "show", "orders.created").output
    assert "orders.created gets 2 deliveries: by the routes of orders.*.\n" in text
    assert "slow is disabled and holds them: symphony-pg transport enable slow\n" in text
    cli.run("route", "set", "A", "async")
    assert "A gets a delivery: it has routes of its own." in cli.run("route", "show", "A").output
    cli.run("route", "remove", "*")
    text = cli.run("route", "show", "B").output
    assert 'B gets a delivery: no route fits, so it goes to the queue "default".' in text


def test_policies(cli: Cli, request: pytest.FixtureRequest) -> None:
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
    request.getfixturevalue("terminal")
    text = cli.run("policy", "list").output
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


def test_people_get_tables(cli: Cli, conn: Connection, terminal: None) -> None:
    text = cli.run("enqueue", "A").output
    assert re.search(r"Message \d+ is enqueued", text)
    assert re.search(r"queue +paused +pending", cli.run("stats").output)
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
    assert cli.run("db", "check").output == "All invariants hold.\n"
    assert json.loads(cli.run("stats", "--json").output)


def test_errors_are_readable(cli: Cli) -> None:
    result = cli.run("enqueue", "A", "--queue", "nowhere", exit_code=1)
    assert re.match(r'Error: queue "nowhere" does not exist\nDETAIL: .+\nHINT: ', result.output)
    result = cli.run("enqueue", "A", "--priority", "10", exit_code=1)
    assert "HINT" in result.output
    away = CliRunner().invoke(main, ["stats", "--dsn", "host=127.0.0.1 port=1 user=x dbname=x"])
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


def test_consume(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: None) -> None:
    (tmp_path / "shop_app.py").write_text(
        "from symphony_pg import Symphony\napp = Symphony()\n"
        "app.handler('A')(lambda message: None)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    cli.run("enqueue", "A")
    assert cli.json("consume", "--app", "shop_app:app", "--drain", "--json")["done"] == 1
    cli.run("enqueue", "A")
    text = cli.run("consume", "--app", "shop_app:app", "--limit", "1", "--no-listen").output
    assert "handlers  A" in text
    assert "1 done in" in text
    assert "HINT" in cli.run("consume", "nowhere", "--app", "shop_app:app", exit_code=1).output


def test_the_database_is_chosen_as_the_help_says(
    cli: Cli, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in (("own_app", repr(dsn)), ("lost_app", "'host=127.0.0.1 port=1'")):
        (tmp_path / f"{name}.py").write_text(
            f"from symphony_pg import Symphony\napp = Symphony({given})\n"
            "app.handler('A')(lambda message: None)\n"
        )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    drain = ("--drain", "--time-limit", "10s")
    assert cli.json("consume", "--app", "lost_app:app", *drain)["done"] == 0
    monkeypatch.setenv("SYMPHONY_DSN", "host=127.0.0.1 port=1")
    ended = CliRunner().invoke(main, ["consume", "--app", "own_app:app", *drain])
    assert json.loads(ended.stdout)["done"] == 0
    text = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    order = [text.index(each) for each in ("that of --dsn", "with --app", "of the variable", "PGH")]
    assert order == sorted(order)


APPLICATIONS = {
    "mistyped_app": "from symphony_pg import Symphony\nshop = Symphony()\n",
    "failing_app": "def name():\n    return nme\n\nname()\n",
    "garbled_app": "def name(:\n",
    "importing_app": "import no_such_library\n",
    "idle_app": "from symphony_pg import Symphony\napp = Symphony()\n",
}


@pytest.mark.parametrize(
    ("reference", "exit_code", "said"),
    [
        ("mistyped_app:app", 2, r"mistyped_app has no 'app'; .* in it: shop\n"),
        ("idle_app.py:app", 2, r"write it as in Python: idle_app:app\n"),
        ("failing_app:app", 1, r'File ".*failing_app.py", line 4, in <module>\n(.*\n)+NameError: '),
        ("garbled_app:app", 1, r'File ".*garbled_app.py", line 1\n(.*\n)+SyntaxError: '),
        ("importing_app:app", 1, r"\nModuleNotFoundError: No module named 'no_such_library'\n"),
        ("idle_app:app", 1, r"Error: idle_app:app has no handlers\nDETAIL: .+\nHINT: .+\n"),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value[:-1] else "",
)
def test_an_application_that_cannot_be_used(
    dsn: str,
    reference: str,
    exit_code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in APPLICATIONS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = CliRunner().invoke(main, ["--dsn", dsn, "consume", "--app", reference, "--drain"])
    assert result.exit_code == exit_code, result.output
    assert re.search(said, result.output), result.output
    assert "click" not in result.output and "importlib" not in result.output


def test_demo(cli: Cli) -> None:
    text = cli.run("demo", "--messages", "500").output
    assert "499 done, 25 retried, 1 failed" in text
    assert "Invariants: all hold." in text
