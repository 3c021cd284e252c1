"""`symphony-pg schedule`, and the other commands that look at schedules."""

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection, known
from tests.worker.helpers import Process

UTC = timezone.utc
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
    found = known(conn, message_id)
    assert (found.body, found.priority) == ({"days": 1}, 7)
    assert [row["message_id"] for row in cli.json("schedule", "show", "report")["runs"]] == [
        message_id
    ]
    assert cli.json("schedule", "remove", "report")["removed"] is True
    assert cli.json("schedule", "remove", "report")["removed"] is False


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
    lines = cli.run("schedule", "list", "--wide").output.splitlines()
    assert lines[0].split()[:3] == ["schedule", "when", "zone"]
    assert [line.split()[0] for line in lines[1:]] == ["past", "poll", "report", "poll:"]
    assert lines[4].startswith("poll: paused since ")
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
