"""symphony-pg top: printed once, and as a screen of 80 columns and 24 lines."""

import asyncio
import json
import re
from typing import Any

import pytest
from textual.widgets import DataTable, Static

from symphony_pg import Client
from symphony_pg.cli.top_screen import Top, _told
from symphony_pg.database.functions.health import Incident
from tests.cli.helpers import Cli
from tests.helpers import Connection, fail


def test_what_is_wrong_is_in_the_first_lines(cli: Cli, client: Client) -> None:
    client.create_queue("mail")
    fail(client, 2, "SendEmail", "Boom", queue="mail")
    client.tick()
    client.conn.execute("update symphony.tick set ticked_at = ticked_at - interval '10 minutes'")
    printed = cli.run("top", "--once").output
    (first, *_) = client.health("0.1.0")
    assert first.sentence in " ".join(" ".join(printed.splitlines()[:3]).split())
    assert all(len(line) <= 80 for line in printed.splitlines()), printed
    assert "SendEmail" in printed and "Boom" in printed
    told = json.loads(cli.run("top", "--once", "--json").output)
    assert {*told} == {"incidents", "queues", "workers", "failed"}
    assert told["queues"][0]["bars"]


def test_a_locked_table_is_not_waited_for(cli: Cli, conn: Connection) -> None:
    with conn.transaction():
        conn.execute("lock table symphony.message in access exclusive mode")
        printed = cli.run("top", "--once").output
        told = json.loads(cli.run("top", "--once", "--json").output)
    assert printed.startswith("critical: Table symphony.message is locked")
    assert "cannot be read while tables are locked" in printed
    assert (told["incidents"][0]["code"], told["queues"]) == ("table_locked", None)


async def _until(is_so: Any) -> None:
    for _ in range(200):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it took too long")


async def test_keys_act(client: Client) -> None:
    client.create_queue("mail")
    fail(client, 2, "SendEmail", "Boom", queue="mail")

    def stats() -> Any:
        return {each.queue_name: each for each in Client(client.conn).queue_stats()}

    async with Top(client).run_test(size=(80, 24)) as pilot:
        queues = pilot.app.query_one("#queues", DataTable)
        await _until(lambda: queues.row_count == 2)
        assert str(pilot.app.query_one("#now", Static).render())
        await pilot.press("down", "p")
        await _until(lambda: stats()["mail"].paused)
        await _until(lambda: "mail (paused)" in str(queues.get_row_at(1)[0]))
        await pilot.press("p")
        await _until(lambda: not stats()["mail"].paused)
        failed = pilot.app.query_one("#failed", DataTable)
        await pilot.press("r")
        fail(client, 1, "SendEmail", "Boom", queue="mail")  # after it was asked
        await _until(lambda: str(failed.get_row_at(0)[-1]) == "3")
        await pilot.press("r")
        await _until(lambda: stats()["mail"].failed == 1)
        await pilot.press("slash", *"mai", "enter")
        await _until(lambda: queues.row_count == 1)
        await pilot.press("q")


async def test_the_screen_tells_causes_on_80_by_24(client: Client) -> None:
    """Whatever is wrong, the worst comes first with its cause and what helps, and all fits."""
    client.create_queue("mail")
    fail(client, 2, "SendEmail", "Boom", queue="mail")
    client.tick()
    client.conn.execute("select symphony.heartbeat('w1', '{mail}')")
    client.conn.execute("update symphony.tick set ticked_at = ticked_at - interval '3 days'")
    client.pause_queue("mail")
    (worst, *others) = client.health("0.1.0")
    assert worst.severity == "critical" and others
    async with Top(client).run_test(size=(80, 24)) as pilot:
        now = pilot.app.query_one("#now", Static)
        wanted = (worst.sentence[:20], "mail", "SendEmail", "workers: w1", "Retry")
        await _until(lambda: all(each in _screen(pilot) for each in wanted))
        lines = str(now.render()).splitlines()
        told = " ".join(" ".join(lines).split())
        assert told.startswith(
            f"{worst.severity}: {worst.sentence} {worst.cause} $ {worst.command}"
        )
        assert others[0].cause in told
        assert len(lines) <= 7 and all(len(line) <= 78 for line in lines)
        screen = _screen(pilot).splitlines()
        assert len(screen) == 24 and all(len(line) <= 80 for line in screen)
        assert [line.strip() for line in screen[: len(lines)]] == [line.strip() for line in lines]


def _screen(pilot: Any) -> str:
    """Return what is on the screen, line by line."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(each.text for each in lines)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("words", [1, 20, 200])
def test_what_is_wrong_never_takes_more_than_its_room(count: int, words: int) -> None:
    text = " ".join(["word"] * words)
    incident = Incident(1, "critical", "code", None, f"{text}.", None, f"{text}?", "a command")
    lines = str(_told([incident] * count, 78)).splitlines()
    assert len(lines) <= 7 and all(len(each) <= 78 for each in lines)
    assert lines[0].startswith("critical: word")
    more = re.search(r"and (\d) more: symphony-pg doctor$", lines[-1])
    told = sum(each.startswith("critical:") for each in lines)
    assert told + (int(more[1]) if more else 0) == count
