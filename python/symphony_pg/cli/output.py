"""Results on a terminal as tables, anywhere else as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from ..times import show_duration

__all__ = ["is_for_people", "record", "say", "show_cell", "table", "to_json"]


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
        click.echo(f"{label}  {show_cell(value)}".replace("\n", "\n" + " " * (width + 2)))


def table(rows: Sequence[Mapping[str, Any]], as_json: bool, columns: Mapping[str, str]) -> None:
    """Write a table with some of the columns, by name and title, or all of them as JSON."""
    if is_for_people(as_json):
        click.echo(render(rows, columns))
    else:
        click.echo(to_json(rows))


def render(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Return a table as text: numbers to the right, the rest to the left."""
    cells = [[show_cell(row[column]) for column in columns] for row in rows]
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


def show_cell(value: Any) -> str:
    """Return one value as it stands in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, timedelta):
        return show_duration(value)
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
