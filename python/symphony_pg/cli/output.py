"""Where the commands write: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import click

from ..database.functions.messages import HistoryEntry, MessageStatus
from .cells import colour_of, show_cell, without_codes, zone
from .tables import Column, as_row, layout


def is_dumb() -> bool:
    """Tell whether the terminal can only show lines."""
    return os.environ.get("TERM") == "dumb"


def has_no_colour() -> bool:
    """Tell whether colours are not wanted: see no-color.org."""
    return is_dumb() or bool(os.environ.get("NO_COLOR"))


class Output:
    """Writes what a command has to say, for people or, with --json, for programs.

    A pipe gets what a terminal gets, without colours.
    """

    def __init__(self) -> None:
        self.as_json = False
        self.wide = False
        self._has_told_zone = False

    @property
    def is_terminal(self) -> bool:
        """True if a person looks on."""
        return sys.stdout.isatty()

    @property
    def is_live(self) -> bool:
        """True if what was written can be written over."""
        return not self.as_json and self.is_terminal and not is_dumb()

    @property
    def can_ask(self) -> bool:
        """True if there is somebody to answer."""
        return not self.as_json and self.is_terminal and sys.stdin.isatty()

    def say(self, text: str, **values: Any) -> None:
        """Write a sentence, or the values that it tells."""
        if self.as_json:
            self.json(values)
        else:
            click.echo(without_codes(text))

    def text(self, text: str = "", *, colour: str | None = None, bold: bool | None = None) -> None:
        """Write lines for people."""
        if not self.as_json:
            is_plain = not colour and not bold
            click.echo(text if is_plain else click.style(without_codes(text), fg=colour, bold=bold))

    def json(self, value: Any, *, one_line: bool = False) -> None:
        """Write a value for programs: rows are objects, durations seconds, times ISO 8601."""
        if self.as_json:
            indent = 2 if self.is_terminal and not one_line else None
            if isinstance(value, dict):
                value = {name: _with_objects(each) for name, each in value.items()}
            click.echo(json.dumps(_with_objects(value), default=_plain, indent=indent))

    def cell(self, value: Any) -> str:
        """Return a value as text; the first time has its zone."""
        if isinstance(value, datetime) and not self._has_told_zone:
            self._has_told_zone = True
            return f"{show_cell(value)} {zone()}"
        return show_cell(value)

    def table(self, things: Sequence[Any], columns: Sequence[Column], empty: str) -> None:
        """Write a table with some of the columns, or all that is known of the rows."""
        rows = [as_row(each) for each in things]
        if self.as_json:
            self.json(rows)
        elif not rows:
            click.echo(empty)
        else:
            lines, hint = self._laid_out(rows, columns)
            click.echo("\n".join(lines))
            if hint:
                click.echo(hint)

    def groups(
        self, things: Sequence[Any], columns: Sequence[Column], title_of: Callable[[Any], str]
    ) -> None:
        """Write a table for people in parts, each below a title, which is a problem."""
        things = sorted(things, key=title_of)
        (head, *lines), hint = self._laid_out([as_row(each) for each in things], columns)
        pairs = zip(things, lines, strict=True)
        for title, group in groupby(pairs, lambda pair: title_of(pair[0])):
            self.text(title, colour="red", bold=True)
            click.echo("\n".join([head, *(line for _, line in group)]) + "\n")
            told = f" ({zone()})"
            head = head.replace(told, " " * len(told))
        if hint:
            click.echo(hint)

    def _laid_out(
        self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]
    ) -> tuple[list[str], str | None]:
        """Return the lines of a table, and how to see what is not in it."""
        width = None if self.wide else shutil.get_terminal_size((80, 24)).columns
        lines, left_out = layout(rows, columns, width, None if self._has_told_zone else zone())
        self._has_told_zone = True
        if not left_out or not self.is_terminal:
            return lines, None
        return lines, click.style(f"--wide also shows: {', '.join(left_out)}", dim=True)

    def pause(self, name: str, state: str, since: datetime | None, by: str | None) -> None:
        """Write below a table who paused something, and since when, if anybody did."""
        if since is not None:
            self.text(f"{name}: {state} since {self.cell(since)} by {by}.", colour="yellow")

    def record(self, thing: Any) -> None:
        """Write the fields of one thing, those that are set."""
        values = as_row(thing)
        if self.as_json:
            self.json(values)
            return
        shown = {name: value for name, value in values.items() if value is not None}
        width = max(map(len, shown), default=0)
        for name, value in shown.items():
            label = click.style(f"{name.replace('_', ' '):<{width}}", bold=True)
            is_id = name.endswith("_id") and isinstance(value, int)
            text = str(value) if is_id else self.cell(value)
            text = text.replace("\n", "\n" + " " * (width + 2))
            colour = colour_of(name, value)
            click.echo(f"{label}  {click.style(text, fg=colour) if colour else text}")

    def message(self, status: MessageStatus, events: Sequence[HistoryEntry]) -> None:
        """Write where a message is, and its history."""
        if self.as_json:
            self.json(with_history(status, events))
        else:
            self.record(status)
            self.history(events)

    def history(self, events: Sequence[HistoryEntry]) -> None:
        """Write failed attempts with their tracebacks, and replays."""
        for event in events:
            title, what, text = self._event(event)
            click.echo(f"\n{click.style(title, bold=True)}  {what}")
            if text:
                click.echo(textwrap.indent(without_codes(text.rstrip()), "  "))

    def _event(self, event: HistoryEntry) -> tuple[str, str, str]:
        """Return a title, a line and the text below it."""
        if event.event == "replayed":
            body = "" if event.old_body is None else f"; body before: {json.dumps(event.old_body)}"
            what = f"{self.cell(event.ended_at)} by {event.replayed_by}{body}"
            return f"replay {event.replay}", what, ""
        if event.event == "expired":
            return "expired", f"{self.cell(event.ended_at)}", event.error or ""
        took = event.ended_at - event.started_at if event.started_at else None
        when = f"{self.cell(event.started_at)} for {self.cell(took)}"
        what = f"{when} in {self.cell(event.worker)}: {event.event}"
        return f"attempt {event.attempt}", what, event.traceback or event.error or ""


def with_history(status: MessageStatus, events: Sequence[HistoryEntry]) -> dict[str, Any]:
    """Return what is known of a message, for programs."""
    return {**status._asdict(), "history": [event._asdict() for event in events]}


def _with_objects(value: Any) -> Any:
    """Return a list of named tuples as one of objects, and anything else as it is."""
    if not isinstance(value, list):
        return value
    return [each._asdict() if hasattr(each, "_asdict") else each for each in value]


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
