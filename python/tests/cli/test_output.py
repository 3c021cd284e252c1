"""What every command has in common: tables that fit, JSON on demand, colours, one zone."""

import json
import re
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from symphony_pg import Client
from symphony_pg.cli import main
from symphony_pg.cli.cells import AtLeast, cut, show_cell, width_of
from symphony_pg.cli.tables import Column, layout
from tests.cli.helpers import Cli
from tests.helpers import Connection, fail

NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)


pytestmark = pytest.mark.usefixtures("in_utc")


def shown(rows: list[dict[str, Any]], columns: list[Column], width: int | None) -> list[str]:
    return [click.unstyle(line) for line in layout(rows, columns, width, "UTC")[0]]


def test_columns_are_left_out_by_rank() -> None:
    columns = [Column("a", "aaaa"), Column("b", "bbbb", rank=1), Column("c", "cccc", rank=2)]
    rows = [{"a": 1, "b": 2, "c": 3}]
    assert shown(rows, columns, 16) == ["aaaa  bbbb  cccc", "   1     2     3"]
    assert shown(rows, columns, 15) == ["aaaa  bbbb", "   1     2"]
    assert shown(rows, columns, 9) == ["aaaa", "   1"]
    assert shown(rows, columns, 1) == ["aaaa", "   1"]
    left_out = [layout(rows, columns, width, None)[1] for width in (16, 15, 9, None)]
    assert left_out == [[], ["cccc"], ["bbbb", "cccc"], []]


def test_a_text_is_cut_before_a_column_is_left_out() -> None:
    columns = [Column("a", "name", least=8), Column("b", "n", rank=1)]
    rows = [{"a": "abcdefghijkl", "b": 7}]
    assert shown(rows, columns, 15) == ["name          n", "abcdefghijkl  7"]
    assert shown(rows, columns, 11) == ["name      n", "abcdefg…  7"]
    assert shown(rows, columns, 10) == ["name", "abcdefghi…"]
    assert shown(rows, columns, 5) == ["name", "abcd…"]


def test_the_widest_text_is_cut() -> None:
    columns = [Column("a", "a"), Column("b", "b")]
    rows = [{"a": "x" * 10, "b": "y" * 50}]
    assert shown(rows, columns, 40)[1] == f"{'x' * 10}  {'y' * 27}…"


def test_a_cell_is_one_line_of_plain_characters() -> None:
    row = {"a": "one\n  two\tthree\x1b[31m\x9b\r"}
    assert shown([row], [Column("a", "a")], 80)[1] == "one two three�[31m��"


def test_wide_characters_take_two_columns() -> None:
    assert (width_of("日本"), width_of("e\u0301")) == (4, 1)
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"


def test_the_zone_is_said_above_the_first_time_that_is_shown() -> None:
    columns = [Column("a", "first", rank=1), Column("b", "then")]
    rows = [{"a": NOON, "b": NOON}]
    assert shown(rows, columns, 80)[0] == "first (UTC)          then"
    assert shown(rows, columns, 30) == ["then (UTC)", "2030-01-01 12:00:00"]
    assert shown([{"a": None, "b": NOON}], columns, 80)[0] == "first  then (UTC)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (12345, "12,345"),
        (AtLeast(10000), "10,000+"),
        (timedelta(seconds=90), "1 min 30 s"),
        (NOON, "2030-01-01 12:00:00"),
        ({"a": "é"}, '{"a": "é"}'),
    ],
)
def test_a_cell(value: Any, text: str) -> None:
    assert show_cell(value) == text


def test_a_count_that_was_ended_is_a_number_for_programs() -> None:
    assert json.dumps(AtLeast(10000)) == "10000"
    lines = shown([{"n": AtLeast(10000)}, {"n": 7}], [Column("n", "n")], 80)
    assert lines == ["      n", "10,000+", "      7"]


VALUES = st.one_of(
    st.text(max_size=60), st.integers(), st.booleans(), st.none(), st.just(NOON), st.floats()
)


@given(
    rows=st.lists(st.fixed_dictionaries(dict.fromkeys("abcd", VALUES)), max_size=4),
    width=st.integers(20, 120),
)
def test_any_table_fits_while_its_first_column_does(rows: list[Any], width: int) -> None:
    rows = [{**row, "a": str(row["a"])} for row in rows]
    columns = [Column(each, each, rank=rank) for rank, each in enumerate("abcd")]
    for line in shown(rows, columns, width):
        assert width_of(line) <= width
        assert line.isprintable() or not line.isascii()


def invoke(cli: Cli, *arguments: str, **environment: str) -> Result:
    """Run a command as on a terminal that shows colours."""
    return CliRunner().invoke(main, ["--dsn", cli.dsn, *arguments], color=True, env=environment)


def test_json_is_asked_for_before_or_after_the_name(cli: Cli) -> None:
    assert cli.run("queue", "list").stdout.startswith("queue    paused")
    for arguments in (("queue", "list", "--json"), ("--json", "queue", "list")):
        assert json.loads(cli.run(*arguments).stdout)[0]["queue_name"] == "default"


def test_problems_have_a_colour(cli: Cli, client: Client) -> None:
    fail(client)
    client.pause_queue("default")
    assert "\x1b[31m1\x1b[0m" in invoke(cli, "stats").output
    assert "\x1b[33myes\x1b[0m" in invoke(cli, "queue", "list").output
    stuck = {"stuck": [{"message_type": "A", "message_id": 7, "seconds": 60}]}
    client.heartbeat("w", ["default"], stuck)
    text = invoke(cli, "workers", "list", "--wide").output
    assert "\x1b[31mOVER ITS LIMIT: A 7 (1 min 0 s)\x1b[0m" in text
    assert "\x1b[31mfailed\x1b[0m" in invoke(cli, "message", "show", "1").output
    assert invoke(cli, "stats", "nope").stderr.startswith("\x1b[31m\x1b[1mError:\x1b[0m queue")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_are_left_out_where_they_are_not_wanted(
    cli: Cli, client: Client, environment: dict[str, str]
) -> None:
    fail(client)
    for arguments in (("stats",), ("failed", "list"), ("message", "show", "1"), ("stats", "nope")):
        assert "\x1b" in invoke(cli, *arguments, TERM="xterm", NO_COLOR="").output
        assert "\x1b" not in invoke(cli, *arguments, **environment).output


def test_a_dumb_terminal_is_not_cleared(
    cli: Cli, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    cleared: list[int] = []
    monkeypatch.setattr(click, "clear", lambda: cleared.append(1))
    assert "done/min" in invoke(cli, "stats", "--watch", TERM="dumb").output
    assert cleared == []
    invoke(cli, "stats", "--watch", TERM="xterm")
    assert cleared == [1]


def test_what_was_left_out_is_told_on_a_terminal(cli: Cli, request: pytest.FixtureRequest) -> None:
    assert "--wide" not in cli.run("stats").output
    request.getfixturevalue("terminal")
    assert cli.run("stats").output.endswith(
        "--wide also shows: paused, delayed, done/min, retried/h, waiting, taking, idle\n"
    )
    assert "--wide" not in cli.run("stats", "--wide").output
    assert "idle" in cli.run("--wide", "stats").output.splitlines()[0]


def test_the_terminal_tells_its_width(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "idle" in cli.run("stats").output
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, cli.run("stats").output.splitlines())) <= 60  # figures are not cut


def test_the_zone_is_said_once(cli: Cli, client: Client) -> None:
    fail(client)
    fail(client, error_class="Other")
    client.create_schedule(
        "report", "Report", "cron", {"expression": "@daily"}, timezone="Asia/Tokyo"
    )
    for arguments in (
        ("failed", "list", "--wide"),
        ("failed", "stats", "--wide"),
        ("message", "show", "1"),
        ("schedule", "show", "report"),
        ("schedule", "list", "--wide"),
    ):
        text = cli.run(*arguments).output
        assert len(re.findall(r"\bUTC\b", text)) == 1, text


def test_an_error_cannot_write_over_the_screen(cli: Cli, conn: Connection) -> None:
    client = Client(conn)
    assert "\x1b" not in cli.run("policy", "remove", "\x1b[2J").output
    client.enqueue("A")
    (message,) = client.claim_batch()
    error = "first\n\x1b[2Jgone\r\x07"
    client.nack_with_backoff(message.claim_id, message.message_id, error, retryable=False)
    for arguments in (("failed", "list"), ("failed", "show", "1"), ("message", "show", "1")):
        text = cli.run(*arguments).output
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    assert "�[2Jgone" in text
