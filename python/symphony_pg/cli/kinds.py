"""The kinds of values that options take: durations, times, sizes."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from ..times import parse_datetime, parse_duration, show_duration

__all__ = ["DURATION", "INTERVAL", "LONGEST_ID", "MEMORY", "MESSAGE_ID", "MOMENT", "PAST"]

LONGEST_ID = 2**63 - 1

if TYPE_CHECKING:
    Text = click.ParamType[Any]  # generic for type checkers only, and only in newer versions
else:
    Text = click.ParamType


class _Duration(Text):
    name = "duration"

    def __init__(self, shortest: timedelta = timedelta()) -> None:
        self._shortest = shortest

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            found = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found < self._shortest:
            self.fail(f"{value!r} is less than {show_duration(self._shortest)}", param, ctx)
        return found


class _Moment(Text):
    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = parse_datetime(value)
            return moment if moment.tzinfo else moment.astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time; write 2030-01-31T08:00 or with +01:00", param, ctx)


class _Past(_Moment):
    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, str):
            with suppress(ValueError):
                ago = parse_duration(value)
                try:
                    return datetime.now(timezone.utc) - ago
                except OverflowError:
                    self.fail(f"{value!r} is too long ago", param, ctx)
        return super().convert(value, param, ctx)


class _Memory(Text):
    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+)([KMGT]?)B?", value.strip().upper())
        if not found or not int(found[1]):
            self.fail(
                f"{value!r} is not an amount of memory; write for instance 256M or 1G", param, ctx
            )
        return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


DURATION = _Duration()
INTERVAL = _Duration(shortest=timedelta(milliseconds=1))
MESSAGE_ID = click.IntRange(1, LONGEST_ID)
MEMORY = _Memory()
MOMENT = _Moment()
PAST = _Past()
