"""Results on a terminal as tables, anywhere else as JSON."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from ..database.functions.messages import HistoryEntry, MessageStatus
from ..times import show_duration

__all__ = [
    "AtLeast",
    "history",
    "honest",
    "is_for_people",
    "joined",
    "record",
    "render",
    "say",
    "show_cell",
    "show_message",
    "table",
    "to_json",
    "with_history",
]


def is_for_people(as_json: bool) -> bool:
    """Tell whether to write for people."""
    return not as_json and sys.stdout.isatty()


def to_json(value: Any) -> str:
    """Return JSON; durations are seconds, times ISO 8601."""
    return json.dumps(value, default=_plain, indent=2 if sys.stdout.isatty() else None)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def say(text: str, values: Mapping[str, Any], as_json: bool) -> None:
    """Write a sentence for people, or the values as JSON."""
    click.echo(text if is_for_people(as_json) else to_json(values))


def record(values: Mapping[str, Any], as_json: bool) -> None:
    """Write the fields of one thing, those that are set."""
    if not is_for_people(as_json):
        click.echo(to_json(values))
        return
    shown = {name: value for name, value in values.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        label = click.style(f"{name.replace('_', ' '):<{width}}", bold=True)
        click.echo(f"{label}  {_cell(name, value)}".replace("\n", "\n" + " " * (width + 2)))


def show_message(status: MessageStatus, events: Sequence[HistoryEntry], as_json: bool) -> None:
    """Write where a message is, and its history."""
    if not is_for_people(as_json):
        click.echo(to_json(with_history(status, events)))
        return
    record(status._asdict(), as_json)
    click.echo(history(events), nl=False)


def with_history(status: MessageStatus, events: Sequence[HistoryEntry]) -> dict[str, Any]:
    """Return what is known of a message, for JSON."""
    return {**status._asdict(), "history": [event._asdict() for event in events]}


def history(events: Sequence[HistoryEntry]) -> str:
    """Return failed attempts with their tracebacks, and replays, as text."""
    lines = []
    for event in events:
        if event.event == "replayed":
            body = "" if event.old_body is None else f"; body before: {json.dumps(event.old_body)}"
            title = f"replay {event.replay}"
            lines.append((title, f"{show_cell(event.ended_at)} by {event.replayed_by}{body}", ""))
            continue
        took = event.ended_at - event.started_at if event.started_at else None
        when = f"{show_cell(event.started_at)} for {show_cell(took)}"
        what = f"{when} in {show_cell(event.worker)}: {event.event}"
        lines.append((f"attempt {event.attempt}", what, event.traceback or event.error or ""))
    parts = []
    for title, what, text in lines:
        parts.append(f"\n{click.style(title, bold=True)}  {what}\n")
        if text:
            parts.append(textwrap.indent(text.rstrip(), "  ") + "\n")
    return "".join(parts)


def table(rows: Sequence[Mapping[str, Any]], as_json: bool, columns: Mapping[str, str]) -> None:
    """Write a table with some of the columns, by name and title, or all of them as JSON."""
    if is_for_people(as_json):
        click.echo(render(rows, columns))
    else:
        click.echo(to_json(rows))


def render(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Return a table as text: numbers to the right, the rest to the left."""
    cells = [[_cell(column, row[column]) for column in columns] for row in rows]
    titles = list(columns.values())
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    to_the_right = [
        any(isinstance(row[column], int | float | timedelta) for row in rows) for column in columns
    ]

    def line(values: Sequence[str]) -> str:
        return "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, to_the_right, strict=True)
        ).rstrip()

    return "\n".join([click.style(line(titles), bold=True), *map(line, cells)])


class AtLeast(int):
    """A number that may be greater: 10,000+."""


def honest(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose numbers that may be greater say so; its `at_least` names them."""
    return {
        name: AtLeast(value) if name in row["at_least"] else value for name, value in row.items()
    }


def joined(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Return rows with the lists of a column as one text."""
    return [{**row, column: ", ".join(row[column]) or None} for row in rows]


def _cell(name: str, value: Any) -> str:
    """Return the value of a column; an id is to be copied, so its digits stand together."""
    is_id = name.endswith("_id") and isinstance(value, int)
    return str(value) if is_id else show_cell(value)


def show_cell(value: Any) -> str:
    """Return one value as it stands in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, AtLeast):
        return f"{int(value):,}+"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, timedelta):
        return show_duration(value)
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
