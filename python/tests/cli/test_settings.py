"""What can be set of a queue, a retry policy or a schedule can be set wherever it is set at all.

The list is that of the arguments of the SQL function, as tests/database compares them.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import (
    BadArgument,
    Client,
    ConfigError,
    Envelope,
    RetryPolicy,
    Symphony,
    Worker,
)
from symphony_pg.cli.access import KINDS
from symphony_pg.cli.consume import consume
from symphony_pg.cli.failed import failed
from symphony_pg.cli.policy import policy
from symphony_pg.cli.queue import queue
from symphony_pg.cli.schedule import schedule
from symphony_pg.cli.transport import transport
from symphony_pg.config import load
from symphony_pg.config.settings import BROKERS, ERRORS, QUEUE, RETRY, TRANSPORT, WORKER, Mistake
from symphony_pg.database import functions
from symphony_pg.messages.envelope import Options
from symphony_pg.schedules import Schedules
from symphony_pg.times import parse_duration
from tests.cli.helpers import Cli
from tests.helpers import Connection, one

OF_ALL_COMMANDS = {"dsn", "json"}
OUT_OF_RANGE: dict[str, list[Any]] = {
    "max_retries": [-1, 1000],
    "multiplier": [0.99, 100.01],
    "jitter": [-0.01, 1.01],
    "max_body_bytes": [0, 268435456],
    "lease": ["99ms", "86401s"],
    "idempotency_window": ["0s", "36001d"],
    "retention": ["36001d"],
    "failed_retention": ["36001d"],
    "max_snooze": ["36001d"],
    "ordered": [7],
    "key_concurrency": [-1, 10001],
    "concurrency": [-1, 100001],
    "on_failure": ["never"],
    "rate": ["0/1s", "1000001/2s", "1/361d", "1/0.9ms", "1001/1ms", "fast", "1/1", "1/"],
    "burst": [-1, 1000001],
    "key_rate": ["0/1s", "1000001/2s", "1/361d"],
}
LIMITS: dict[str, list[Any]] = {
    "max_retries": [0, 999],
    "multiplier": [1, 100],
    "jitter": [0, 1],
    "max_body_bytes": [1, 268435455],
    "lease": ["100ms", "1d"],
    "idempotency_window": ["1ms", "36000d"],
    "retention": ["0s", "36000d"],
    "failed_retention": ["0s", "36000d"],
    "max_snooze": ["0s", "36000d"],
    "ordered": [False],
    "key_concurrency": [0, 10000],
    "concurrency": [0, 100000],
    "on_failure": ["hold", "continue"],
    "rate": ["0", "1/360d", "1000000/s", "5/minute", "1000/1ms"],
    "burst": [0],
    "key_rate": ["0", "1/360d", "1000000/1s", "1/1ms"],
}


def arguments(function: str, *others: str) -> set[str]:
    return {*signature(getattr(functions, function)).parameters} - {*others}


def options(command: Any, *others: str) -> set[str]:
    return {each.name for each in command.params} - OF_ALL_COMMANDS - {*others}


def test_a_setting_of_a_queue_is_known_everywhere() -> None:
    settings = arguments("create_queue", "queue_name")
    assert arguments("configure_queue", "queue_name") == settings
    assert {kind.name for kind in QUEUE.values()} == settings
    for command in ("create", "configure"):
        assert options(queue.commands[command], "name") == settings


def test_a_setting_that_is_not_given_stays(cli: Cli, conn: Connection) -> None:
    """A queue that differs from the default in all of its settings keeps them."""
    one_each = [
        *("--max-attempts=7", "--retry-delay=2s", "--retry-multiplier=3", "--retry-max-delay=1h"),
        *("--retry-jitter=0.5", "--lease=1m", "--retention=2d", "--max-body-bytes=9"),
        *("--idempotency-window=1h", "--failed-retention=1h", "--max-snooze=1h", "--ordered"),
        *("--key-concurrency=1", "--concurrency=3", "--on-failure=hold", "--rate=1/1s"),
        *("--burst=4", "--key-rate=2/1s"),
    ]
    told = {each.removeprefix("--").split("=")[0].replace("-", "_") for each in one_each}
    assert told == arguments("create_queue", "queue_name")
    of_queue = "select to_jsonb(q) from symphony.queue as q where queue_name = %s"

    cli.run("queue", "create", "mail", *one_each)
    settings = one(conn, of_queue, "mail")
    plain = one(conn, of_queue, "default")
    assert {name for name in told if settings[name] == plain[name]} == set()
    for command, given in (*(("configure", [each]) for each in one_each), ("create", [])):
        cli.run("queue", command, "mail", *given)
        assert one(conn, of_queue, "mail") == settings, (command, given)
    cli.run("queue", "configure", "mail", "--not-ordered")
    assert one(conn, of_queue, "mail") == {**settings, "ordered": False}


def test_a_setting_of_a_retry_policy_is_known_everywhere() -> None:
    settings = arguments("set_retry_policy", "pattern")
    assert {kind.name for kind in RETRY.values()} == settings
    assert options(policy.commands["set"], "pattern") == settings


def test_a_key_of_a_schedule_is_known_everywhere() -> None:
    keys = arguments("create_schedule", "schedule_name", "schedule_type", "schedule_config")
    assert options(schedule.commands["add"], "name", "cron", "every", "at") == keys
    of_the_message = {"message_type", "body"}
    named = {"queue_name": "queue", "expires_in": "expires"}
    names = {named.get(key, key) for key in keys - of_the_message}
    for kind, without in (("cron", set()), ("every", {"timezone"}), ("once", LIVES_ON)):
        declared = {*signature(getattr(Schedules, kind)).parameters}
        assert declared - {"self", "expression", "interval", "at", "name"} == names - without


# What makes no difference to a schedule that runs one time.
LIVES_ON = {"starts_at", "ends_at", "max_runs", "jitter", "catch_up_limit", "overlap"}


def test_a_setting_of_the_worker_is_an_option_with_its_range() -> None:
    for key, kind in WORKER.items():
        (option,) = (each for each in consume.params if each.name == kind.name)
        shown = f"{option.type!r}"
        if "RANGE" in shown.upper():
            least, most = option.type.min, option.type.max  # type: ignore[attr-defined]
            assert [kind.read(least), kind.read(most)] == [least, most], key
            for beyond in (least - 1, most + 1):
                with pytest.raises(Mistake):
                    kind.read(beyond)


def test_a_setting_of_the_worker_is_an_option() -> None:
    settings = {*signature(Worker).parameters} - {"app", "dsn"}
    turned_off = {"listen", "tick", "schedules"}
    shown = {f"no_{each}" if each in turned_off else each for each in settings}
    around = ("reference", "config", "log_level", "reload", "metrics_at", "probes_at")
    beside = ("relayed", "relay_all")
    assert options(consume, *around, *beside) == shown


def test_a_pattern_is_one_for_the_file_and_the_database(conn: Connection, tmp_path: Path) -> None:
    parts = ("", "*", ".", "a", ".*", "a.b", "\n", "x" * 200, "x" * 198)
    patterns = {"".join(each) for each in product(parts, repeat=3)}
    taken = set()
    for pattern in patterns:
        with suppress(BadArgument):
            Client(conn).set_routes(pattern, [])
            taken.add(pattern)
    file = tmp_path / "symphony.toml"
    file.write_text("[routing]\n" + "\n".join(f"{json.dumps(each)} = []" for each in patterns))
    with pytest.raises(ConfigError) as caught:
        load(file)
    lines = [json.loads(each.removesuffix(" = []")) for each in file.read_text().splitlines()[1:]]
    wrong = {lines[each.line - 2] for each in caught.value.problems}
    assert patterns - wrong == taken


def test_the_keys_of_a_message_are_the_arguments_of_enqueue() -> None:
    keys = arguments("enqueue")
    assert {*Envelope.__slots__} - {"message", "plain"} == keys
    options_of_dispatch = {*signature(Symphony.envelope).parameters} - {"self", "message"}
    assert {*Options.__annotations__} == options_of_dispatch
    named = {"queue_name": "queue", "expires_in": "expires", "expires_at": "expires"}
    assert options_of_dispatch == {named.get(each, each) for each in keys} - {
        "message_type",
        "body",
    }
    assert {kind.name for kind in RETRY.values()} - {kind.name for kind in ERRORS.values()} == {
        *RetryPolicy.__slots__
    }


def test_the_keys_of_a_transport_are_the_arguments_of_create_transport(conn: Connection) -> None:
    shown = {"transport_type": "type", "queue_name": "queue"}
    keys = {shown.get(each, each) for each in arguments("create_transport", "transport_name")}
    # config is for other clients, the DSN for this one, and enabled is a verb of its own.
    assert {kind.name for kind in TRANSPORT.values()} - {"dsn", "enabled"} == keys - {"config"}
    taken = options(transport.commands["create"], "name")
    assert taken == arguments("create_transport", "transport_name")
    for priority in (-1, 0, 9, 10):
        with nullcontext() if 0 <= priority <= 9 else pytest.raises((Mistake, BadArgument)):
            TRANSPORT["priority"].read(priority)
        with nullcontext() if 0 <= priority <= 9 else pytest.raises(BadArgument):
            Client(conn).create_transport("t", priority=priority)


ENDS_OF_BROKERS: dict[str, list[Any]] = {
    "destination": ["x"],
    "outbox": [False, True],
    "ordered": [False],
    "inbox": [False],
    "inbox_retention": ["1m", "360d"],
    "batch_size": [1, 1000],
    "format": ["symphony", "cloudevents"],
    "type_header": ["x"],
    "default_type": ["x"],
    "exchange": ["x"],
    "prefetch": [1, 10000],
    "declare": [False],
    "group": ["x"],
    "max_idle": ["1s", "1d"],
    "visibility": ["1s", "12h"],
}


def test_a_setting_of_a_broker_is_taken_by_the_database(conn: Connection) -> None:
    for broker, kinds in BROKERS.items():
        for key, kind in kinds.items():
            for value in ENDS_OF_BROKERS[key]:
                given = {kind.name: kind.read(value)}
                Client(conn).create_transport(broker, broker, config=given)
                (row,) = (
                    each for each in Client(conn).list_transports() if each.transport_name == broker
                )
                assert row.config == given


@pytest.mark.parametrize(
    ("command", "option", "call"),
    [
        (failed.commands["list"], "limit", lambda client, n: client.failed_messages(at_most=n)),
        (failed.commands["stats"], "at_most", lambda client, n: client.failed_stats(at_most=n)),
        (schedule.commands["show"], "runs", lambda client, n: client.schedule_runs("s", n)),
        (schedule.commands["next"], "n", lambda client, n: client.schedule_preview("0 9 * * *", n)),
        (consume, "batch_size", lambda client, n: client.claim_batch(batch_size=n)),
    ],
)
def test_a_number_that_an_option_takes_is_taken_by_the_database(
    conn: Connection, command: Any, option: str, call: Callable[[Client, int], object]
) -> None:
    client = Client(conn)
    client.create_schedule("s", "A", "cron", {"expression": "0 9 * * *"})
    (found,) = (each for each in command.params if each.name == option)
    for number in (found.type.min, found.type.max):
        call(client, number)
    for number in (found.type.min - 1, found.type.max + 1):
        with pytest.raises(BadArgument):
            call(client, number)


def in_the_database(key: str, value: Any) -> Any:
    """Return a value as it stands in a configuration, though it is out of range."""
    if key == "max_retries":
        return value + 1
    is_duration = isinstance(value, str) and value[0].isdigit() and "/" not in value
    return f"{parse_duration(value).total_seconds()} s" if is_duration else value


@pytest.mark.parametrize(("section", "kinds"), [("retry", RETRY), ("queues", QUEUE)])
def test_the_ranges_are_those_of_the_database(
    conn: Connection, section: str, kinds: dict[str, Any]
) -> None:
    """At each limit and beyond it, the file and the database are of one opinion."""
    client = Client(conn)

    def applied(kind: Any, value: Any) -> None:
        setting = {kind.name: {"E": value} if kind.by_class else value}
        client.apply_config({section: {"A": setting}}, dry_run=True)

    for key, kind in kinds.items():
        if key in ("permanent", "transient"):
            continue
        for value in LIMITS.get(key, ["0s", "360d"]):
            applied(kind, kind.read(value))
        for value in OUT_OF_RANGE.get(key, ["361d"]):
            with pytest.raises(Mistake):
                kind.read(value)
            with pytest.raises(BadArgument):
                applied(kind, in_the_database(key, value))


def test_the_kinds_of_access_are_those_that_can_be_granted(conn: Connection) -> None:
    granted = conn.execute("select distinct access from symphony._access_list()").fetchall()
    assert {*KINDS} == {kind for (kind,) in granted}
