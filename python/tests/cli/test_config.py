"""symphony.toml: what it says, how its mistakes are named, and that the database obeys it."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from symphony_pg import Client, Config, ConfigError, SymphonyError
from symphony_pg.cli import main
from symphony_pg.config import find, load
from symphony_pg.config.lines import lines_of
from tests.cli.helpers import Cli
from tests.helpers import ROOT, Connection

GOOD = """\
[transports]
here = "sync"
async = "${SHOP_DSN:-postgresql:///shop}"

[transports.email]
dsn = "${SHOP_DSN:-postgresql:///shop}"
queue = "email"
priority = "${EMAIL_PRIORITY:-7}"

[routing]
EmailMessage = ["email"]
"orders.*" = ["async", { transport = "email", handler = "audit" }]
"*" = "async"

[queues.email]
max_retries = 9
lease = "1m"

[retry.default]
max_retries = 3
delay = "1000ms"
multiplier = 2.0
max_delay = "30s"
jitter = 0.1

[retry.EmailMessage]
max_retries = 5
delay = "200ms"
permanent = ["smtplib.SMTPRecipientsRefused"]
transient = ["shop.Flaky"]
retry_after = { "shop.Throttled" = "1m" }

[retry.EmailMessage.snooze]
"shop.Closed" = "${CLOSED:-1h}"

[worker]
batch_size = 10
max_concurrency = 5
poll_interval = "500ms"
handler_timeout = "1m"
"""

BAD = """\
[transports.mail]
dsn = "postgresql:///shop"
queue = "mail"
priority = 12

[transports.stream]
type = "kafka"

[routing]
SendEmail = ["mail"]
"orders.*" = [
    "mial",
]

[retry.default]
max_retry = 3
delay = "soon"

[worker]
batch_size = "${BATCH_SIZE}"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "symphony.toml"
    path.write_text(text)
    return path


def read(folder: Path, text: str, **environment: str) -> Config:
    return load(write(folder, text), environment)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return [line.replace(f"{folder}/", "") for line in caught.value.lines()]


def test_a_file_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD, SHOP_DSN="postgresql://db/shop")
    assert config.dsn == "postgresql://db/shop"
    assert config.has_sync
    assert config.wanted == {
        "transports": {
            "here": {"type": "sync"},
            "async": {"type": "postgres"},
            "email": {"type": "postgres", "queue": "email", "priority": 7},
        },
        "routing": {
            "EmailMessage": ["email"],
            "orders.*": ["async", {"transport": "email", "handler": "audit"}],
            "*": ["async"],
        },
        "queues": {"email": {"max_attempts": 10, "lease": "60.000000 s"}},
        "retry": {
            "*": {
                "max_attempts": 4,
                "delay": "1.000000 s",
                "multiplier": 2.0,
                "max_delay": "30.000000 s",
                "jitter": 0.1,
            },
            "EmailMessage": {
                "max_attempts": 6,
                "delay": "0.200000 s",
                "permanent_errors": ["smtplib.SMTPRecipientsRefused"],
                "transient_errors": ["shop.Flaky"],
                "retry_after_errors": {"shop.Throttled": "60.000000 s"},
                "snooze_errors": {"shop.Closed": "3600.000000 s"},
            },
        },
    }
    assert {name: str(value) for name, value in config.worker.items()} == {
        "batch_size": "10",
        "concurrency": "5",
        "poll_interval": "0:00:00.500000",
        "handler_timeout": "0:01:00",
    }
    assert read(tmp_path, GOOD, EMAIL_PRIORITY="3").wanted["transports"]["email"]["priority"] == 3
    assert read(tmp_path, "") == Config(tmp_path / "symphony.toml")


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    assert mistakes(tmp_path, BAD) == [
        "symphony.toml:4: transports.mail.priority: must be a whole number from 0 to 9; it is 12",
        'symphony.toml:7: transports.stream.type: unknown type "kafka"; there are postgres, sync, '
        "redis, rabbitmq, sqs",
        'symphony.toml:11: routing."orders.*": unknown transport "mial"; did you mean "mail"?',
        'symphony.toml:16: retry.default.max_retry: unknown key; did you mean "max_retries"?',
        "symphony.toml:17: retry.default.delay: must be a time from 0 s to 360 days, with its "
        'unit, such as "1s" or "1000ms"; it is "soon"',
        "symphony.toml:20: worker.batch_size: the variable BATCH_SIZE is not set; set it, or "
        "write ${BATCH_SIZE:-default}",
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a = 1\nb = \n", 2, "this is not TOML"),
        ("[worker]\nx = 'a\n", 2, "this is not TOML"),
        ("[transport]\n", 1, 'did you mean "transports"?'),
        ("routing = 7\n", 1, "must be a table"),
        ("worker = 7\n", 1, "must be a table with the keys batch_size"),
        ("[transports]\na = 7\n", 2, "must be a table with the keys type, dsn"),
        ("[transports]\na = 'postgers'\n", 2, 'did you mean "postgres"?'),
        ("[transports.a]\ndsn = 'sqs://eu-west-1'\nvisibility = '1500ms'\n", 3, "whole seconds"),
        ("[transports.a]\ndsn = 'sqs://eu-west-1'\nvisibility = '13h'\n", 3, "1 s to 0.5 days"),
        ("[transports.a]\ndsn = 'amqp://u:pw@h'\nprefetch = 0\n", 3, "from 1 to 10000; it is 0"),
        ("[transports.a]\ndestination = 'x'\n", 2, "unknown key"),
        ("[transports]\na = 'ftp://host'\n", 2, '"ftp" is not a scheme of a DSN'),
        ("[transports]\na = 'host=x password=y'\n", 2, "transports.a.dsn: must be a URL, such as"),
        ("[transports.a]\n\ndsn = 'dbname=x password=y'\n", 3, "must be a URL, such as"),
        ("[transports.a]\ntype = 'sync'\ndsn = 'postgres://'\n", 2, "the DSN is one for postgres"),
        ("[transports.a]\ntype = 'sync'\nqueue = 'q'\n", 3, "a sync transport has no queue"),
        ("[transports.a]\nqueue = 7\n", 2, "must be a text; it is 7"),
        ("[transports.a]\ndsn = ['postgres://u:password@h']\n", 2, "dsn: must be a text"),
        ("[transports.a]\nenabled = 'no'\n", 2, 'must be true or false; it is "no"'),
        ("[transports]\na = 'postgres://x'\nb = 'postgres://y'\n", 3, "in one database, that of"),
        ("[routing]\nA = 'x'\n", 2, 'unknown transport "x"; there are none'),
        ("[routing]\n\nA = [7]\n", 3, "must name transports, as in"),
        ("[routing]\nA = [{ handler = 'x' }]\n", 2, 'there is {"handler": "x"}'),
        ("[routing]\n'A*' = []\n", 2, "is not a pattern"),
        ("[retry]\n'*' = {}\n", 2, 'is called "default"'),
        ("[retry.A]\nmax_retries = -1\n", 2, "a whole number from 0 to 999"),
        ("[retry.A]\nmultiplier = true\n", 2, "a number from 1 to 100"),
        ("[retry.A]\njitter = nan\n", 2, "a number from 0 to 1"),
        ("[routing]\nA = '${NO_SUCH}'\n", 2, "the variable NO_SUCH is not set; set it, or"),
        (f"[transports.a]\npriority = '{'x' * 99}'\n", 2, "x..."),
        ("[retry.A]\ndelay = '90'\n", 2, 'with its unit, such as "1s" or "1000ms"; it is "90"'),
        ("[retry.A]\ndelay = 1000\n", 2, 'with its unit, such as "1s" or "1000ms"; it is 1000'),
        ("[retry.A]\nmax_delay = 1.5\n", 2, 'such as "1s" or "1000ms"; it is 1.5'),
        ("[retry.A]\nsnooze = {X = 60}\n", 2, 'such as "1s" or "1000ms"; it is 60'),
        ("[queues.q]\nretention = 0\n", 2, 'such as "1s" or "1000ms"; it is 0'),
        ("[worker]\npoll_interval = 1\n", 2, 'such as "1s" or "1000ms"; it is 1'),
        ("[retry.A]\npermanent = [7]\n", 2, "must be a list of names"),
        ("[retry.A]\ntransient = ['']\n", 2, "must be a list of names"),
        ("[retry.A]\nsnooze = ['X']\n", 2, "must be a table of classes"),
        ("[retry.A]\nsnooze = {'' = '1s'}\n", 2, "must be a table of classes"),
        ("[retry.A.retry_after]\n\nX = 'soon'\n", 3, "retry.A.retry_after.X: must be a time"),
        ("[retry.A]\nsnooze = {X = '-1s'}\n", 2, "retry.A.snooze.X: must be a time"),
        ("[retry.A]\npermanent = 'X'\ntransient = 'X'\n", 3, "is permanent already"),
        ("[retry.A]\nretry_after.X = '1s'\n\nsnooze.X = '1s'\n", 4, "is retry_after already"),
        ("[queues.q]\nlease = 1\n", 2, "from 0.1 s to 1 day,"),
        ("[worker]\npoll_interval = false\n", 2, "must be a time"),
    ],
)
def test_a_mistake(tmp_path: Path, text: str, line: int, what: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(f"symphony.toml:{line}: ")
    assert what in found
    assert "password" not in found


def test_lines_of_keys() -> None:
    text = """# a comment
    top = 1

    [a."b.c"]   # the table
    x = [
        1,   # [y]
    ]
    y = '''
    z = 1
    '''
    d.e = { f = 1 }
    [[list]]
    z = 1
    """
    assert lines_of(text) == {
        ("top",): 2,
        ("a",): 4,
        ("a", "b.c"): 4,
        ("a", "b.c", "x"): 5,
        ("a", "b.c", "y"): 8,
        ("a", "b.c", "d"): 11,
        ("a", "b.c", "d", "e"): 11,
        ("a", "b.c", "d", "e", "f"): 11,
        ("list",): 12,
        ("list", "z"): 13,
    }


def test_variables(tmp_path: Path) -> None:
    text = "[transports.a]\nqueue = '${A:-x}/${B}$${C}'\n"
    assert read(tmp_path, text, B="y").wanted["transports"]["a"]["queue"] == "x/y${C}"
    assert read(tmp_path, text, A="1", B="2").wanted["transports"]["a"]["queue"] == "1/2${C}"


def test_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYMPHONY_CONFIG", raising=False)
    assert find() is None
    write(tmp_path, "")
    assert find() == Path("symphony.toml")
    monkeypatch.setenv("SYMPHONY_CONFIG", "/else.toml")
    assert find() == Path("/else.toml")
    assert find("x.toml") == Path("x.toml")
    with pytest.raises(SymphonyError, match="cannot be read"):
        load("/nowhere/symphony.toml")


@pytest.fixture
def cli(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Commands that run in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return cli


def test_config_check(cli: Cli, tmp_path: Path, terminal: None) -> None:
    write(tmp_path, BAD)
    text = cli.run("config", "check", exit_code=1).output
    assert text.splitlines()[2] == (
        'symphony.toml:11: routing."orders.*": unknown transport "mial"; did you mean "mail"?'
    )
    assert len(text.splitlines()) == 6
    problems = cli.json("config", "check", "--json", exit_code=1)
    assert (problems[0]["file"], problems[0]["line"]) == ("symphony.toml", 4)
    write(tmp_path, GOOD)
    assert cli.run("config", "check").output == "symphony.toml is well.\n"
    assert cli.json("config", "check", "--json") == []
    assert "HINT" in cli.run("config", "check", "--config", "none.toml", exit_code=1).output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'type = "rabbitmq"\npriority = 7',
            ["priority: 7 counts in the outbox", "RabbitMQ is told"],
        ),
        ('type = "rabbitmq"\npriority = 5', []),
        ('type = "redis"\npriority = 7', ["priority: 7 counts in the outbox", "Redis has no"]),
        ('type = "redis"\npriority = 7\noutbox = false', ["what waits or is retried", "no prio"]),
        ('type = "sqs"\npriority = 0', ["priority: 0 counts in the outbox", "SQS has no"]),
        ('type = "sqs"\nordered = true', ["ordered: a standard queue keeps no order"]),
        ('type = "sqs"\ndestination = "a.fifo"', ["destination: relays keep the order"]),
        ('type = "sqs"\ndestination = "a.fifo"\nordered = true', []),
        ('type = "sqs"\ndestination = "a b"', ["destination: SQS will refuse the name"]),
        ('type = "redis"\nordered = true', ["ordered: messages of a key go out in order"]),
        ('type = "redis"\nordered = true\noutbox = false', ["not for what is published"]),
        ('type = "redis"\nordered = true\npriority = 7', ["priority: every message would be"]),
        ('priority = 7\nqueue = "q"\n[queues.q]\nordered = true', ["takes 5 only"]),
        ('type = "redis"\n[queues."outbox/t"]\nrate = "5/s"', ["what relays take"]),
    ],
)
def test_what_a_transport_does_not_get_is_told(tmp_path: Path, text: str, told: list[str]) -> None:
    brokers = {f"SYMPHONY_{each}_DSN": "sqs://x" for each in ("RABBITMQ", "REDIS", "SQS")}
    config = read(tmp_path, f"[transports.t]\n{text}", **brokers)
    lines = "\n".join(each.told(config.path) for each in config.remarks)
    assert [each for each in told if each not in lines] == []
    assert bool(lines) == bool(told)
    assert all(each.line > 1 for each in config.remarks)


PASSWORDS = ("s3cr3t/x", "s3cr3t#x", "s3cr3t?x", "s3cr3t@x/", "s3cr3t[x", "1/s3cr3t")


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("scheme", ["amqp", "amqps", "redis", "rediss"])
def test_a_password_of_a_broker_is_never_shown(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, password: str
) -> None:
    """Characters of a URL in a password make it something else, of which libraries tell a part."""
    dsn = f"{scheme}://u:{password}@127.0.0.1:1/"
    write(tmp_path, f'[transports.t]\ndsn = "{dsn}"\n')
    commands = (["config", "check"], ["transport", "setup", "t"], ["transport", "test", "t"])
    for command in (*commands, ["relay", "t"], ["config", "apply", "--yes"]):
        result = cli.run(*command, exit_code=1)
        assert "s3cr3t" not in f"{result.output}{result.stderr}", command
    kind = "redis" if scheme.startswith("redis") else "rabbitmq"
    write(tmp_path, f'[transports.t]\ntype = "{kind}"\n')
    monkeypatch.setenv(f"SYMPHONY_{kind.upper()}_DSN", dsn)
    for command in commands[1:]:
        result = cli.run(*command, exit_code=1)
        assert "HINT" in result.output
        assert "s3cr3t" not in f"{result.output}{result.stderr}", command


def test_a_new_user_is_told_what_is_missing(
    cli: Cli, tmp_path: Path, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*command: str) -> str:
        return cli.run(*command, exit_code=1).output

    assert "There is no symphony.toml here." in said("transport", "setup", "orders")
    write(tmp_path, '[transports]\nhere = "sync"\nasync = "postgres"\n')
    assert "is of type postgres" in said("transport", "setup", "async")
    assert "Its handlers run in dispatch()" in said("transport", "test", "here")
    assert 'Write [transports.orders] there, with type = "rabbitmq"' in said("relay", "orders")
    write(tmp_path, '[transports.orders]\ntype = "rabbitmq"\n')
    assert "set SYMPHONY_RABBITMQ_DSN" in said("transport", "setup", "orders")
    monkeypatch.setenv("SYMPHONY_RABBITMQ_DSN", "amqp://u:s3cr3t@127.0.0.1:1/")
    text = said("relay", "orders")
    assert "the database does not know the transport orders" in text
    assert "symphony-pg config apply" in text
    text = said("transport", "setup", "orders")
    assert "error when creating transport" not in text  # what the library logs
    assert "whom it lets in" in text
    cli.run("config", "apply", "--yes")
    Client(conn).enqueue("Pay", queue_name="outbox/orders")
    text = cli.run("transport", "list").output
    assert "orders has nobody to forward what waits: symphony-pg relay orders" in text
    told = {
        "transport": "orders",
        "state": "down",
        "since": "2030-01-01T00:00Z",
        "error": "refused",
    }
    Client(conn).heartbeat("r", ["outbox/orders"], {"relay": told})
    assert "orders, down since 2030-01-01 00:00:00: refused" in cli.run("transport", "list").output


def test_config_check_warns(cli: Cli, tmp_path: Path, terminal: None) -> None:
    write(tmp_path, '[transports.email]\ntype = "rabbitmq"\npriority = 7\n')
    lines = cli.run("config", "check").output.splitlines()
    assert lines == [
        "warning: symphony.toml:1: transports.email.dsn: it is not said where the broker is: write "
        "dsn, or set SYMPHONY_RABBITMQ_DSN",
        "warning: symphony.toml:3: transports.email.priority: 7 counts in the outbox, until a "
        "relay took it; RabbitMQ is told it, and its quorum queues take no notice before version 4",
        "symphony.toml is well, but for the warnings.",
    ]
    found = cli.json("config", "check", "--json")
    assert [(each["severity"], each["line"]) for each in found] == [("warning", 1), ("warning", 3)]


def test_config_apply(cli: Cli, tmp_path: Path, conn: Connection) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "toml_app.py").write_text(
        "from symphony_pg import Symphony\napp = Symphony()\n"
        "app.handler('EmailMessage')(lambda message: None)\n"
        "app.handler('EmailMessage', name='audit')(lambda message: None)\n"
    )
    shown = cli.json("config", "apply", "--dry-run")
    assert {(each["kind"], each["name"], each["change"]) for each in shown} >= {
        ("queue", "email", "create"),
        ("transport", "email", "create"),
        ("route", "orders.*", "create"),
        ("retry", "EmailMessage", "create"),
    }
    assert Client(conn).route_of("EmailMessage")[0].transport_name is None
    cli.run("config", "apply", exit_code=1, stdin="n\n")
    assert Client(conn).route_of("EmailMessage")[0].transport_name is None
    assert cli.json("config", "apply", "--yes", "--app", "toml_app:app") == shown
    assert cli.json("config", "apply", "--yes") == []
    assert [(each.queue_name, each.priority, each.handler_name) for each in
            Client(conn).route_of("EmailMessage")] == [
        ("email", 7, "default"), ("email", 7, "audit"),
    ]  # fmt: skip
    levels = {each.setting: each.level for each in Client(conn).retry_policy_of("EmailMessage")}
    assert levels == {
        "max_attempts": "type",
        "delay": "type",
        "multiplier": "default",
        "max_delay": "default",
        "jitter": "default",
        "permanent_errors": "type",
        "transient_errors": "type",
        "retry_after_errors": "type",
        "snooze_errors": "type",
    }
    changed = GOOD.replace('"shop.Flaky"', '"shop.Shaky"')
    write(tmp_path, changed)
    (difference,) = cli.json("config", "apply", "--dry-run")
    assert (difference["kind"], difference["name"], difference["change"]) == (
        "retry",
        "EmailMessage",
        "change",
    )
    assert difference["old"]["transient_errors"] == ["shop.Flaky"]
    assert difference["new"]["transient_errors"] == ["shop.Shaky"]
    assert difference["new"]["snooze_errors"] == {"shop.Closed": "3600.000000 s"}
    write(tmp_path, BAD)
    assert "symphony.toml:11" in cli.run("config", "apply", "--yes", exit_code=1).output


def test_config_apply_asks_people(cli: Cli, tmp_path: Path, terminal: None) -> None:
    write(tmp_path, GOOD)
    text = cli.run("config", "apply", stdin="y\n").output
    assert "transport  email" in text
    assert "null" not in text
    assert "smtplib.SMTPRecipientsRefused" in text and "…" not in text
    assert "changes are applied" in text
    assert "Nothing differs." in cli.run("config", "apply", "--dry-run").output
    write(tmp_path, GOOD.replace("max_retries = 5", "max_retries = 6"))
    text = cli.run("config", "apply", "--dry-run").output
    assert re.search(r"EmailMessage +change +max_attempts +6 +7\n$", text)


def test_consume_takes_its_defaults_from_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "toml_app2.py").write_text(
        "from symphony_pg import Symphony\napp = Symphony()\n"
        "app.handler('A')(lambda message: None)\n"
    )
    write(tmp_path, "[worker]\nmax_concurrency = 3\n")
    cli.run("enqueue", "A")
    consume = ("consume", "--app", "toml_app2:app", "--drain")
    assert cli.json(*consume)["done"] == 1
    worker = Workers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["symphony_pg.cli.consume"], "Worker", worker)
        cli.run(*consume, exit_code=1)
        assert worker.options["concurrency"] == 3
        cli.run(*consume, "--concurrency", "2", exit_code=1)
        assert worker.options["concurrency"] == 2
    write(tmp_path, "[worker]\nmax_concurrency = 0\n")
    assert "symphony.toml:2: worker.max_concurrency" in cli.run(*consume, exit_code=1).output


class Workers:
    """Notes what a worker would be made with."""

    def __call__(self, *arguments: object, **options: Any) -> None:
        self.options = options
        raise SymphonyError("seen")


def test_the_database_of_the_file(
    tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMPHONY_DSN", raising=False)
    monkeypatch.setenv("SHOP_DSN", "postgresql://127.0.0.1:1/none")
    path = str(write(tmp_path, GOOD))
    away = CliRunner().invoke(main, ["config", "apply", "--yes", "--config", path])
    assert "cannot connect" in away.output
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    assert CliRunner().invoke(main, ["config", "apply", "--yes", "--config", path]).exit_code == 0


def test_the_documentation_shows_what_happens(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    example = text.split("```toml\n")[1].split("```")[0]
    assert read(tmp_path, example).worker["concurrency"] == 5
    shown = text.split("$ symphony-pg config check\n")[1].split("```")[0]
    assert shown.splitlines() == mistakes(tmp_path, BAD)[:5]
