"""What a worker does with the schedules that its application declares."""

import asyncio
import logging
import time
from dataclasses import dataclass

import pytest
from psycopg.conninfo import make_conninfo

from symphony_pg import BadArgument, Client, Context, Symphony, message
from tests.helpers import Connection
from tests.worker.helpers import run, running, until


@message("SendReport")
@dataclass
class SendReport:
    days: int = 1


@dataclass
class Poll:
    region: str = "eu"


def test_a_worker_fires_what_is_declared(app: Symphony, conn: Connection) -> None:
    seen: list[tuple[str, str]] = []

    @app.every(1, name="pulse")
    def pulse() -> Poll:
        return Poll()

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
    Client(conn).sync_schedules(app.name, app.declarations())
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
