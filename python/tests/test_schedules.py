"""Schedules in code and on the command line, and how the database is brought in line with them."""

import asyncio
import importlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo

from symphony_pg import (
    AsyncClient,
    BadArgument,
    Client,
    Context,
    ScheduleDiff,
    ScheduleTaken,
    Symphony,
    UnknownSchedule,
    message,
)
from symphony_pg.cli import main
from tests.helpers import Connection
from tests.worker.helpers import Process, run, running, until

UTC = timezone.utc


@message("SendReport")
@dataclass
class SendReport:
    days: int = 1
    to: list[str] = field(default_factory=lambda: ["ada"])


@dataclass
class Poll:
    region: str


@pytest.fixture
def app(dsn: str) -> Iterator[Symphony]:
    with Symphony(dsn, name="shop") as app:
        yield app


def sync(app: Symphony, conn: Connection) -> dict[str, str]:
    done = Client(conn).sync_schedules(app.name, app.declarations())
    return {each.schedule_name: each.outcome for each in done}


def diff(app: Symphony, conn: Connection) -> dict[str, ScheduleDiff]:
    found = Client(conn).schedule_diff(app.name, app.declarations())
    return {each.schedule_name: each for each in found}


# The functions


def test_every_function_of_schedules(conn: Connection) -> None:
    client = Client(conn)
    next_run_at = client.create_schedule(
        "report",
        "SendReport",
        "cron",
        {"expression": "0 9 * * mon-fri"},
        {"days": 1},
        priority=7,
        headers={"tenant": "acme"},
        timezone="Europe/Paris",
        jitter=timedelta(seconds=30),
    )
    (status,) = client.schedule_status("report")
    assert status.next_run_at == next_run_at
    assert (status.body, status.headers, status.priority) == ({"days": 1}, {"tenant": "acme"}, 7)
    assert (status.jitter, status.managed_by) == (timedelta(seconds=30), None)
    assert client.pause_schedule("report") is True
    assert client.pause_schedule("report") is False
    assert client.resume_schedule("report") == next_run_at
    message_id = client.run_schedule_now("report")
    (ran,) = client.schedule_runs("report")
    assert (ran.message_id, ran.skipped) == (message_id, None)
    assert client.tick_schedules() == 0
    assert client.remove_schedule("report") is True
    assert client.remove_schedule("report") is False

    after = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert client.cron_next("30 2 * * *", after, "Europe/Paris") == datetime(
        2027, 3, 28, 1, tzinfo=UTC
    )
    assert client.cron_upcoming("@daily", 2, after) == [
        datetime(2027, 3, day, tzinfo=UTC) for day in (28, 29)
    ]
    (upcoming,) = client.schedule_preview("30 2 * * *", 1, "Europe/Paris", after)
    assert (upcoming.local_time, upcoming.changes_clock) == (datetime(2027, 3, 28, 3), True)
    (change,) = client.clock_changes("Europe/Paris", after, after + timedelta(days=1))
    assert (change.clock_before.hour, change.clock_after.hour) == (2, 3)
    with pytest.raises(Exception, match="pg_cron is not installed"):
        client.install_pg_cron()
    assert client.uninstall_pg_cron() is False


def test_the_async_client_has_them_too(dsn: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            client = AsyncClient(conn)
            await client.create_schedule("poll", "Poll", "interval", {"every": "1 hour"})
            assert [each.schedule_name for each in await client.schedule_status()] == ["poll"]
            with pytest.raises(UnknownSchedule, match="HINT"):
                await client.schedule_status("nobody")

    asyncio.run(main())


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.pause_schedule("nobody"),
        lambda client: client.resume_schedule("nobody"),
        lambda client: client.run_schedule_now("nobody"),
        lambda client: client.schedule_runs("nobody"),
        lambda client: client.schedule_preview("nobody"),
    ],
)
def test_an_unknown_schedule_has_its_own_error(
    call: Callable[[Client], object], conn: Connection
) -> None:
    with pytest.raises(UnknownSchedule, match="nobody") as caught:
        call(Client(conn))
    assert caught.value.detail == "There are these: (none)."
    assert caught.value.hint is not None


# Declarations


def test_what_is_declared(app: Symphony) -> None:
    starts_at = datetime(2027, 1, 1, tzinfo=UTC)

    app.cron("0 9 * * mon-fri", timezone="Europe/Paris")(SendReport)

    @app.every(
        timedelta(minutes=15),
        name="poll-eu",
        queue="polls",
        priority=3,
        headers={"a": 1},
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=1),
        max_runs=5,
        jitter=30,
        catch_up="all",
        catch_up_limit=7,
        overlap="skip",
    )
    def poll() -> Poll:
        return Poll("eu")

    @app.once(datetime(2027, 1, 1, 9), timezone="Europe/Paris")
    def launch() -> SendReport:
        return SendReport(days=2)

    assert poll().region == "eu"  # what is decorated stays as it was
    assert app.declarations() == [
        {
            "schedule_name": "SendReport",
            "message_type": "SendReport",
            "body": {"days": 1, "to": ["ada"]},
            "schedule_type": "cron",
            "schedule_config": {"expression": "0 9 * * mon-fri"},
            "timezone": "Europe/Paris",
        },
        {
            "schedule_name": "poll-eu",
            "message_type": "Poll",
            "body": {"region": "eu"},
            "schedule_type": "interval",
            "schedule_config": {"every": "15 minutes"},
            "queue_name": "polls",
            "priority": 3,
            "headers": {"a": 1},
            "starts_at": "2027-01-01T00:00:00+00:00",
            "ends_at": "2027-01-02T00:00:00+00:00",
            "max_runs": 5,
            "jitter": "30 seconds",
            "catch_up": "all",
            "catch_up_limit": 7,
            "overlap": "skip",
        },
        {
            "schedule_name": "launch",
            "message_type": "SendReport",
            "body": {"days": 2, "to": ["ada"]},
            "schedule_type": "once",
            "schedule_config": {"at": "2027-01-01T09:00:00"},
            "timezone": "Europe/Paris",
        },
    ]


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (timedelta(days=2), "2 days"),
        (timedelta(hours=1), "1 hour"),
        (90, "90 seconds"),
        (timedelta(minutes=90), "90 minutes"),
        (1.5, "1.5 seconds"),
        (0, "0 seconds"),
    ],
)
def test_an_interval_in_words(app: Symphony, interval: timedelta | float, text: str) -> None:
    app.every(interval)(SendReport)
    assert app.declarations()[0]["schedule_config"] == {"every": text}


def test_the_name_must_be_new(app: Symphony) -> None:
    app.cron("0 9 * * *")(SendReport)
    with pytest.raises(ValueError, match=r"'SendReport' is declared already, by SendReport.*name="):
        app.cron("0 18 * * *")(SendReport)
    app.cron("0 18 * * *", name="evening")(SendReport)
    assert sorted(app.schedules) == ["SendReport", "evening"]


def test_what_makes_no_message_is_refused(app: Symphony) -> None:
    with pytest.raises(TypeError, match="'Poll': Poll cannot be made without region; give default"):
        app.cron("0 9 * * *")(Poll)
    with pytest.raises(TypeError, match=r"schedule 'p': .*lambda> cannot be made without region"):
        app.every(60, name="p")(lambda region: Poll(region))
    with pytest.raises(ValueError, match="no name for a schedule"):
        app.every(60)(lambda: Poll("eu"))
    with pytest.raises(TypeError, match=r"a message type is a dataclass, .*, and str is not"):
        app.every(60)(str)

    async def poll() -> Poll:
        return Poll("eu")

    with pytest.raises(TypeError, match="poll is async"):
        app.every(60)(poll)
    assert app.schedules == {}

    app.every(60, name="number")(lambda: 1)
    with pytest.raises(TypeError, match=r"schedule 'number' makes 1: .* int is not"):
        app.declarations()


# Synchronisation


def test_sync_creates_changes_and_leaves_alone(app: Symphony, conn: Connection) -> None:
    app.cron("0 9 * * *")(SendReport)
    app.every(3600, name="poll")(lambda: Poll("eu"))
    assert sync(app, conn) == {"SendReport": "created", "poll": "created"}
    before = Client(conn).schedule_status()
    assert [each.managed_by for each in before] == ["shop", "shop"]

    assert sync(app, conn) == {"SendReport": "unchanged", "poll": "unchanged"}
    assert Client(conn).schedule_status() == before

    app.schedules.clear()
    app.cron("0 9 * * *", timezone="Europe/Paris")(SendReport)
    assert sync(app, conn) == {"SendReport": "changed", "poll": "orphaned"}
    assert [each.timezone for each in Client(conn).schedule_status()] == ["Europe/Paris", "UTC"]


def test_a_paused_schedule_stays_paused(app: Symphony, conn: Connection) -> None:
    app.cron("0 9 * * *")(SendReport)
    sync(app, conn)
    Client(conn).pause_schedule("SendReport")
    paused = Client(conn).schedule_status()
    assert sync(app, conn) == {"SendReport": "unchanged"}
    assert Client(conn).schedule_status() == paused

    app.schedules.clear()
    app.cron("0 10 * * *")(SendReport)
    assert sync(app, conn) == {"SendReport": "changed"}
    assert [each.enabled for each in Client(conn).schedule_status()] == [False]


def test_only_the_own_schedules_are_changed(app: Symphony, conn: Connection, dsn: str) -> None:
    client = Client(conn)
    client.create_schedule("SendReport", "SendReport", "cron", {"expression": "0 1 * * *"})
    client.create_schedule("by hand", "Poll", "cron", {"expression": "0 1 * * *"})
    app.every(3600, name="A")(SendReport)
    app.cron("0 9 * * *")(SendReport)
    with pytest.raises(ScheduleTaken, match="made by hand") as caught:
        sync(app, conn)
    assert "--take-over" in (caught.value.hint or "")
    assert [each.schedule_name for each in client.schedule_status()] == ["SendReport", "by hand"]

    done = client.sync_schedules(app.name, app.declarations(), take_over=True)
    assert [(each.schedule_name, each.outcome) for each in done] == [
        ("A", "created"),
        ("SendReport", "changed"),
    ]
    assert done[1].changes["managed_by"] == [None, "shop"]
    with Symphony(dsn, name="other") as other:
        other.cron("0 9 * * *")(SendReport)
        assert diff(other, conn)["SendReport"].outcome == "taken"
        with pytest.raises(ScheduleTaken, match='Application "shop"'):
            sync(other, conn)


def test_a_wrong_declaration_names_its_schedule_and_changes_nothing(
    app: Symphony, conn: Connection
) -> None:
    app.every(60, name="a")(SendReport)
    app.cron("0 9 * * monday", name="b")(SendReport)
    for compare in (sync, diff):
        with pytest.raises(BadArgument, match='schedule "b": invalid weekday "MONDAY"') as caught:
            compare(app, conn)
        assert "FRI#2" in (caught.value.hint or "")
    assert Client(conn).schedule_status() == []


def test_workers_that_start_at_once_agree(dsn: str, conn: Connection) -> None:
    threads, schedules = 8, 20
    apps = [Symphony(dsn, name="shop") for _ in range(threads)]
    for expression, outcome in (("0 9 * * *", "created"), ("0 10 * * *", "changed")):
        for app in apps:
            app.schedules.clear()
            for number in range(schedules):
                app.cron(expression, name=f"job {number}")(SendReport)
        start = Barrier(threads, timeout=20)

        def work(app: Symphony, start: Barrier = start) -> list[str]:
            with psycopg.connect(dsn, autocommit=True) as own:
                start.wait()
                return list(sync(app, own).values())

        with ThreadPoolExecutor(threads) as pool:
            outcomes = [each for found in pool.map(work, apps) for each in found]
        assert outcomes.count(outcome) == schedules
        assert outcomes.count("unchanged") == schedules * (threads - 1)
    assert len(Client(conn).schedule_status()) == schedules


# The worker


def test_a_worker_fires_what_is_declared(app: Symphony, conn: Connection) -> None:
    seen: list[tuple[str, str]] = []

    @app.every(1, name="pulse")
    def pulse() -> Poll:
        return Poll("eu")

    @app.handler(Poll)
    def handle(poll: Poll, context: Context) -> None:
        seen.append((poll.region, context.headers["scheduled_at"]))

    async def main() -> None:
        async with running(app):
            await until(lambda: len(seen) >= 2, "two runs")

    asyncio.run(main())
    assert {region for region, _ in seen} == {"eu"}
    assert len({at for _, at in seen}) == len(seen)
    fired = Client(conn).schedule_runs("pulse", 1000)
    assert len(fired) == Client(conn).schedule_status("pulse")[0].run_count >= 2


def test_a_worker_may_leave_the_schedules_alone(app: Symphony, conn: Connection) -> None:
    app.cron("0 9 * * *")(SendReport)
    run(app, schedules=False)
    assert Client(conn).schedule_status() == []
    run(app)
    assert [each.schedule_name for each in Client(conn).schedule_status()] == ["SendReport"]


def test_a_worker_does_not_start_with_a_wrong_schedule(app: Symphony) -> None:
    app.every(0.2)(SendReport)
    with pytest.raises(BadArgument, match='schedule "SendReport": an interval needs'):
        run(app)


def test_a_worker_tells_of_orphans(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    app.cron("0 9 * * *")(SendReport)
    sync(app, conn)
    app.schedules.clear()
    app.every(3600, name="poll")(SendReport)
    with caplog.at_level(logging.INFO, "symphony_pg.worker"):
        run(app)
    assert "schedule poll is created" in caplog.text
    assert "symphony-pg schedule remove SendReport" in caplog.text
    assert len(Client(conn).schedule_status()) == 2


def test_a_worker_that_may_not_says_so_and_works(
    dsn: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"schedule_worker_{time.time_ns()}"
    conn.execute(f"create role {role} login password 'secret'")
    try:
        Client(conn).grant_access(role, "consumer")
        app = Symphony(make_conninfo(dsn, user=role, password="secret"))
        app.cron("0 9 * * *")(SendReport)
        app.handler(SendReport)(lambda message: None)
        Client(conn).enqueue("SendReport", {})
        with caplog.at_level(logging.WARNING, "symphony_pg.worker"):
            assert run(app).done == 1
        assert "not synchronised" in caplog.text
    finally:
        Client(conn).revoke_access(role, "consumer")
        conn.execute(f"drop owned by {role}")
        conn.execute(f"drop role {role}")


# The commands


class Cli:
    """Runs commands against one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, *arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["--dsn", self.dsn, *arguments])
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, exit_code=exit_code).stdout)


@pytest.fixture
def cli(dsn: str) -> Cli:
    return Cli(dsn)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("output", "schedule"):
        monkeypatch.setattr(
            sys.modules[f"symphony_pg.cli.{module}"], "is_for_people", lambda as_json: not as_json
        )


APP = """
from dataclasses import dataclass
from pathlib import Path
from symphony_pg import Symphony

app = Symphony(name="shop")

@app.cron("0 9 * * mon-fri", timezone="Europe/Paris", name="report")
@app.message("SendReport")
@dataclass
class SendReport:
    days: int = 1

@app.every(1, name="pulse")
def pulse():
    return SendReport(days=2)

@app.handler(SendReport)
def send(report):
    with Path("sent").open("a") as file:
        file.write(f"sent {report.days}\\n")
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module with an application."""
    (tmp_path / "schedules_app.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "schedules_app:app"
    sys.modules.pop("schedules_app", None)


def test_add_list_show_and_the_rest(cli: Cli, conn: Connection) -> None:
    added = cli.json(
        *("schedule", "add", "report", "SendReport", '{"days": 1}', "--cron", "0 9 * * *"),
        *("--timezone", "Europe/Paris", "--queue", "default", "--priority", "7"),
        *("--header", "tenant=acme", "--jitter", "30s", "--catch-up", "skip", "--max-runs", "9"),
    )
    assert added["schedule_name"] == "report"
    cli.run("schedule", "add", "poll", "Poll", "--every", "1h30m", "--overlap", "skip")
    cli.run(
        *("schedule", "add", "launch", "Launch", "--at", "2099-01-31 08:00"),
        *("--timezone", "America/New_York"),
    )
    rows = {row["schedule_name"]: row for row in cli.json("schedule", "list")}
    assert sorted(rows) == ["launch", "poll", "report"]
    assert datetime.fromisoformat(rows["launch"]["next_run_at"]) == datetime(
        2099, 1, 31, 13, tzinfo=UTC
    )
    assert rows["poll"]["schedule_config"] == {"every": "90 minutes"}
    assert rows["report"]["headers"] == {"tenant": "acme"}
    assert (rows["report"]["jitter"], rows["report"]["catch_up"]) == (30.0, "skip")

    assert cli.json("schedule", "pause", "report")["changed"] is True
    assert cli.json("schedule", "pause", "report")["changed"] is False
    assert cli.json("schedule", "show", "report")["enabled"] is False
    assert cli.json("schedule", "resume", "report")["next_run_at"] == added["next_run_at"]
    message_id = cli.json("schedule", "run", "report")["message_id"]
    found = Client(conn).message_status(message_id)
    assert found is not None
    assert (found.body, found.priority) == ({"days": 1}, 7)
    assert [row["message_id"] for row in cli.json("schedule", "show", "report")["runs"]] == [
        message_id
    ]
    assert cli.json("schedule", "remove", "report")["removed"] is True
    assert cli.json("schedule", "remove", "report")["removed"] is False


@pytest.mark.usefixtures("terminal")
def test_tables_for_people(cli: Cli, conn: Connection) -> None:
    text = cli.run("schedule", "add", "report", "SendReport", "--cron", "0 9 * * *").output
    assert "Schedule report runs next at 20" in text
    cli.run("schedule", "add", "poll", "Poll", "--every", "15m")
    cli.run("schedule", "add", "past", "Poll", "--at", "2099-01-31 08:00")
    cli.run("schedule", "pause", "poll")
    conn.execute("update symphony.schedule set next_run_at = null where schedule_name = 'past'")
    conn.execute(
        "update symphony.schedule set enabled = false, last_error = 'SY001: no queue' "
        "where schedule_name = 'report'"
    )
    lines = cli.run("schedule", "list").output.splitlines()
    assert lines[0].split()[:3] == ["schedule", "when", "zone"]
    assert [line.split()[0] for line in lines[1:]] == ["past", "poll", "report"]
    assert "at 2099-01-31T08:00:00" in lines[1]
    assert " done " in lines[1]
    assert "every 15 minutes" in lines[2]
    assert " paused " in lines[2]
    assert " broken " in lines[3]
    assert "SY001: no queue" in cli.run("schedule", "show", "report").output
    assert "runs next at" in cli.run("schedule", "resume", "report").output
    assert "Message " in cli.run("schedule", "run", "report").output
    assert "skipped because" in cli.run("schedule", "show", "report").output
    assert "is gone" in cli.run("schedule", "remove", "report").output
    assert "did not exist" in cli.run("schedule", "remove", "report").output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["add", "a", "A", "--cron", "0 9 * * monday"], "HINT: A weekday is 0-7"),
        (["add", "a", "A", "--every", "100ms"], "a second or longer"),
        (["add", "a", "A", "--at", "soon"], "HINT: A time without an offset"),
        (["add", "a", "A", "--every", "1h", "--queue", "nowhere"], "nowhere"),
        (["add", "a", "A", "--every", "1h", "--catch-up", "some"], "schedule_catch_up_is_known"),
        (["add", "a", "A", "--every", "1h", "--timezone", "Mars/Utopia"], "Mars/Utopia"),
        (["show", "nobody"], "There are these: (none)."),
        (["pause", "nobody"], "There are these: (none)."),
        (["resume", "nobody"], "There are these: (none)."),
        (["run", "nobody"], "There are these: (none)."),
        (["next", "nobody"], "There are these: (none)."),
        (["next", "61 * * * *"], "HINT: A minute is 0-59"),
        (["next", "@daily", "--timezone", "CET"], "HINT: Write UTC or a name"),
    ],
)
def test_mistakes_are_explained(cli: Cli, arguments: list[str], text: str) -> None:
    assert text in cli.run("schedule", *arguments, exit_code=1).output


@pytest.mark.parametrize("when", [[], ["--cron", "@daily", "--every", "1h"]])
def test_add_takes_one_kind_of_time(cli: Cli, when: list[str]) -> None:
    assert (
        "--cron, --every and --at"
        in cli.run("schedule", "add", "a", "A", *when, exit_code=2).output
    )


def next_lines(cli: Cli, *arguments: str) -> list[str]:
    return [
        " ".join(line.split())
        for line in cli.run("schedule", "next", *arguments).output.splitlines()
    ]


@pytest.mark.usefixtures("terminal")
def test_next_marks_the_clocks_going_forward(cli: Cli) -> None:
    assert next_lines(
        cli, "30 2 * * *", "-n", "3", "--timezone", "Europe/Paris", "--from", "2027-03-27T00:00Z"
    ) == [
        "Europe/Paris UTC",
        "Sat 2027-03-27 02:30:00 +01:00 Sat 2027-03-27 01:30:00",
        "-- Sun 2027-03-28: clocks go forward 02:00 → 03:00",
        "Sun 2027-03-28 03:00:00 +02:00 Sun 2027-03-28 01:00:00",
        "Mon 2027-03-29 02:30:00 +02:00 Mon 2027-03-29 00:30:00",
    ]


@pytest.mark.usefixtures("terminal")
def test_next_marks_the_clocks_going_back(cli: Cli) -> None:
    cli.run(*("schedule", "add", "poll", "Poll", "--cron", "*/30 2 * * *"))
    assert next_lines(
        cli, "poll", "-n", "4", "--timezone", "Europe/Paris", "--from", "2027-10-31T00:00Z"
    ) == [
        "Europe/Paris UTC",
        "Sun 2027-10-31 02:30:00 +02:00 Sun 2027-10-31 00:30:00",
        "-- Sun 2027-10-31: clocks go back 03:00 → 02:00",
        "Sun 2027-10-31 02:00:00 +01:00 Sun 2027-10-31 01:00:00",
        "Sun 2027-10-31 02:30:00 +01:00 Sun 2027-10-31 01:30:00",
        "Mon 2027-11-01 02:00:00 +01:00 Mon 2027-11-01 01:00:00",
    ]


@pytest.mark.usefixtures("terminal")
def test_next_knows_half_an_hour_a_lost_day_and_many_changes(cli: Cli) -> None:
    at = ("--from", "2027-04-01T00:00Z", "-n", "1")
    assert next_lines(cli, "0 0 9 4 *", "--timezone", "Australia/Lord_Howe", *at)[1:] == [
        "-- Sun 2027-04-04: clocks go back 02:00 → 01:30",
        "Fri 2027-04-09 00:00:00 +10:30 Thu 2027-04-08 13:30:00",
    ]
    apia = ("--timezone", "Pacific/Apia", "--from", "2011-12-30T00:00Z", "-n", "1")
    assert next_lines(cli, "0 12 * * *", *apia)[1:] == [
        "-- Fri 2011-12-30: clocks go forward 2011-12-30 00:00 → 2011-12-31 00:00",
        "Sat 2011-12-31 00:00:00 +14:00 Fri 2011-12-30 10:00:00",
    ]
    paris = ("--timezone", "Europe/Paris", "--from", "2027-04-01T00:00Z", "-n", "2")
    assert next_lines(cli, "0 0 29 2 *", *paris)[2:] == [
        "Tue 2028-02-29 00:00:00 +01:00 Mon 2028-02-28 23:00:00",
        "-- the clocks are changed 8 times",
        "Sun 2032-02-29 00:00:00 +01:00 Sat 2032-02-28 23:00:00",
    ]
    assert cli.run("schedule", "add", "past", "A", "--at", "2099-01-01").exit_code == 0
    assert next_lines(cli, "past", "--from", "2100-01-01T00:00Z") == ["past does not run again."]


def test_next_as_json(cli: Cli) -> None:
    first, second = cli.json(
        *("schedule", "next", "30 2 * * *", "-n", "2", "--timezone", "Europe/Paris"),
        *("--from", "2027-03-27T00:00Z"),
    )
    assert first["clock_changes"] == []
    assert (second["run_at"], second["local_time"], second["utc_offset"], second["zone"]) == (
        "2027-03-28T01:00:00+00:00",
        "2027-03-28T03:00:00",
        7200.0,
        "Europe/Paris",
    )
    assert second["clock_changes"] == [
        {
            "changed_at": "2027-03-28T01:00:00+00:00",
            "clock_before": "2027-03-28T02:00:00",
            "clock_after": "2027-03-28T03:00:00",
            "mark": "Sun 2027-03-28: clocks go forward 02:00 → 03:00",
        }
    ]


def test_diff_and_install(cli: Cli, conn: Connection, shop: str) -> None:
    found = cli.json("schedule", "diff", "--app", shop, exit_code=1)
    assert [(row["schedule_name"], row["outcome"]) for row in found] == [
        ("pulse", "new"),
        ("report", "new"),
    ]
    assert Client(conn).schedule_status() == []
    done = cli.json("db", "install", "--app", shop)
    assert [row["outcome"] for row in done["schedules"]] == ["created", "created"]
    assert cli.json("db", "upgrade", "--app", shop)["schedules"][0]["outcome"] == "unchanged"
    found = cli.json("schedule", "diff", "--app", shop)
    assert {row["outcome"] for row in found} == {"unchanged"}
    cli.run("schedule", "pause", "report")
    assert cli.json("schedule", "diff", "--app", shop, exit_code=1)[1]["enabled"] is False


@pytest.mark.usefixtures("terminal")
def test_diff_for_people(cli: Cli, conn: Connection, shop: str) -> None:
    client = Client(conn)
    text = cli.run("schedule", "diff", "--app", shop, exit_code=1).output
    assert "+ report  new, runs next at 20" in text
    assert "Schedule report is created." in cli.run("db", "install", "--app", shop).output
    text = cli.run("schedule", "diff", "--app", shop).output
    assert text == "2 of 2 schedules are as application shop declares them.\n"

    client.create_schedule("report", "SendReport", "cron", {"expression": "0 8 * * *"}, {"days": 1})
    client.pause_schedule("pulse")
    old = {
        "schedule_name": "old",
        "message_type": "Old",
        "schedule_type": "cron",
        "schedule_config": {"expression": "@daily"},
    }
    client.sync_schedules("shop", [old])
    text = cli.run("schedule", "diff", "--app", shop, exit_code=1).output
    assert "= pulse  paused" in text
    assert "~ report  changed" in text
    assert (
        '    schedule_config  {"expression": "0 8 * * *"} → {"expression": "0 9 * * mon-fri"}'
        in text
    )
    assert "    timezone         UTC → Europe/Paris" in text
    assert "- old  orphaned\n    To end it: symphony-pg schedule remove old" in text

    conn.execute(
        "update symphony.schedule set enabled = false, last_error = 'SY001: no queue' "
        "where schedule_name = 'pulse'"
    )
    conn.execute("update symphony.schedule set managed_by = 'web' where schedule_name = 'report'")
    text = cli.run("schedule", "diff", "--app", shop, exit_code=1).output
    assert "= pulse  broken\n    SY001: no queue" in text
    assert "! report  taken: it belongs to application web" in text
    assert (
        'Application "web" declares it, too.'
        in cli.run("db", "install", "--app", shop, exit_code=1).output
    )
    text = cli.run("db", "install", "--app", shop, "--take-over").output
    assert "Schedule report is changed." in text
    assert "Schedule old is orphaned." in text


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("schedules_app", "not MODULE:NAME"),
        ("schedules_apq:app", "no module"),
        ("schedules_app:pulse", "a function"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_an_application_that_is_none(cli: Cli, reference: str, text: str) -> None:
    assert text in cli.run("schedule", "diff", "--app", reference, exit_code=2).output


def test_consume_synchronises_and_fires(dsn: str, conn: Connection, tmp_path: Path) -> None:
    with Process(tmp_path, APP, dsn, "--no-schedules", "--time-limit", "1s") as worker:
        assert worker.wait() == 0
    assert Client(conn).schedule_status() == []
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("sent 2\nsent 2\n", tmp_path / "sent")
        assert "schedule pulse is created" in worker.log.read_text()
    assert Client(conn).schedule_status("pulse")[0].run_count >= 2
