"""Every function of schedules through Client and AsyncClient."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from symphony_pg import AsyncClient, Client, UnknownSchedule
from tests.helpers import Connection

UTC = timezone.utc


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
