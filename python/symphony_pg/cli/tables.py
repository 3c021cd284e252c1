"""Tables that fit the terminal: columns are left out by rank, and texts are cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from .cells import AtLeast, colour_of, cut, one_line, show_cell, width_of

Row = Mapping[str, Any]
GAP = "  "
NARROWEST = 4


@dataclass(frozen=True)
class Column:
    """A column for people; programs get all that is known of a row.

    name        of the value in a row
    title       above it
    rank        where there is no room, columns of the highest rank are left out first; 0: stays
    least       a text is not cut to fewer characters than these, while others can be left out
    value       makes what is shown of a row, if that is not the value itself
    """

    name: str
    title: str
    rank: int = 0
    least: int = 12
    value: Callable[[Any], Any] | None = None

    def of(self, row: Row) -> Any:
        """Return what the column shows of a row; its `at_least` names counts that were ended."""
        value = row[self.name] if self.value is None else self.value(row)
        return AtLeast(value) if self.name in row.get("at_least", ()) else value


class _Filled:
    """A column with its cells."""

    def __init__(self, column: Column, rows: Sequence[Row]) -> None:
        values = [column.of(row) for row in rows]
        self.column = column
        self.title = column.title
        self.cells = [_cell(column.name, value) for value in values]
        self.colours = [colour_of(column.name, value) for value in values]
        self.is_text = any(isinstance(value, str | dict | list) for value in values)
        self.is_time = any(isinstance(value, datetime) for value in values)
        self.is_to_the_right = not self.is_text and any(map(_is_figure, values))
        self.width = max(map(width_of, (self.title, *self.cells)))

    def least(self) -> int:
        """Return the fewest characters that are of use."""
        if not self.is_text:
            return self.width
        return min(self.width, max(self.column.least, width_of(self.title)))

    def padded(self, text: str, colour: str | None = None, bold: bool | None = None) -> str:
        """Return a text at the width of the column."""
        shown = cut(text, self.width)
        space = " " * (self.width - width_of(shown))
        styled = click.style(shown, fg=colour, bold=bold) if colour or bold else shown
        return space + styled if self.is_to_the_right else styled + space


def as_row(thing: Any) -> dict[str, Any]:
    """Return a named tuple or a mapping as the values of its fields."""
    return dict(thing._asdict() if hasattr(thing, "_asdict") else thing)


def layout(
    rows: Sequence[Row], columns: Sequence[Column], width: int | None, zone: str | None
) -> tuple[list[str], list[str]]:
    """Return the lines of a table, and the titles of the columns that were left out.

    width is that of the terminal; None: no matter how wide. zone is told above the first time.
    """
    filled = [_Filled(column, rows) for column in columns]
    if width is not None:
        _leave_out(filled, width)
    shown = [each.column for each in filled]
    times = [each for each in filled if each.is_time]
    if zone is not None and times:
        times[0].title += f" ({zone})"
        times[0].width = max(times[0].width, width_of(times[0].title))
    if width is not None:
        _narrow(filled, width)
    lines = [GAP.join(each.padded(each.title, bold=True) for each in filled)]
    lines += [
        GAP.join(each.padded(each.cells[number], each.colours[number]) for each in filled)
        for number in range(len(rows))
    ]
    left_out = [each.title for each in columns if each not in shown]
    return [line.rstrip() for line in lines], left_out


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float | timedelta) and not isinstance(value, bool)


def _cell(name: str, value: Any) -> str:
    """Return the value of a column; an id is to be copied, so its digits stand together."""
    is_id = name.endswith("_id") and isinstance(value, int)
    return str(value) if is_id else one_line(show_cell(value))


def _leave_out(filled: list[_Filled], width: int) -> None:
    """Take columns out until the others fit when they are cut."""
    while _total([each.least() for each in filled]) > width:
        rank = max(each.column.rank for each in filled)
        if rank == 0:
            break
        last = max(n for n, each in enumerate(filled) if each.column.rank == rank)
        del filled[last]


def _narrow(filled: Sequence[_Filled], width: int) -> None:
    """Cut the widest texts until the columns fit, first to what is of use."""
    for each in filled:
        each.width = min(each.width, width) if each.is_text else each.width
    for narrowest in (_Filled.least, lambda _: NARROWEST):
        while _total([each.width for each in filled]) > width:
            wide = [each for each in filled if each.is_text and each.width > narrowest(each)]
            if not wide:
                break
            max(wide, key=lambda each: each.width).width -= 1


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
