"""Schedules in code, and how the database is brought in line with them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from threading import Barrier

import psycopg
import pytest

from symphony_pg import BadArgument, Client, ScheduleDiff, ScheduleTaken, Symphony, message
from tests.helpers import Connection

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
        expires=timedelta(minutes=10),
        on_expiry="drop",
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
            "expires_in": "10 minutes",
            "on_expiry": "drop",
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
