"""The kinds of values that options take: durations, times, sizes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ..database.functions.messages import LONGEST_ID
from ..times import parse_ago, parse_datetime, parse_duration, show_duration

__all__ = [
    "ADDRESS",
    "DURATION",
    "INTERVAL",
    "LONGEST_ID",
    "MEMORY",
    "MESSAGE_ID",
    "MOMENT",
    "PAST",
]

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]  # generic for type checkers only, and only in newer versions
else:
    ParamType = click.ParamType


class Text(ParamType):
    """A value that is read from a text; a default may be one already."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text, and say what is wrong with it."""
        try:
            return self.read(value) if isinstance(value, str) else value
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)

    def read(self, text: str) -> Any:
        """Return the value; raise ValueError, whose text people read."""
        raise NotImplementedError


class _Duration(Text):
    name = "duration"

    def __init__(self, shortest: timedelta = timedelta()) -> None:
        self._shortest = shortest

    def read(self, text: str) -> timedelta:
        found = parse_duration(text)
        if found < self._shortest:
            raise ValueError(f"{text!r} is less than {show_duration(self._shortest)}")
        return found


class _Moment(Text):
    name = "time"

    def read(self, text: str) -> datetime:
        try:
            moment = parse_datetime(text)
            return moment if moment.tzinfo else moment.astimezone()
        except (ValueError, OverflowError):
            raise ValueError(
                f"{text!r} is not a time; write 2030-01-31T08:00 or with +01:00"
            ) from None


class _Past(_Moment):
    def read(self, text: str) -> datetime:
        return parse_ago(text) or super().read(text)


class _Memory(Text):
    name = "bytes"

    def read(self, text: str) -> int:
        found = re.fullmatch(r"(\d+)([KMGT]?)B?", text.strip().upper())
        if not found or not int(found[1]):
            raise ValueError(f"{text!r} is not an amount of memory; write for instance 256M or 1G")
        return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


class _Address(Text):
    name = "[host:]port"

    def read(self, text: str) -> tuple[str, int]:
        host, _, port = text.rpartition(":")
        if not port.isascii() or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{text!r} is not an address; write 9090, or 0.0.0.0:9090")
        return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


ADDRESS = _Address()
DURATION = _Duration()
INTERVAL = _Duration(shortest=timedelta(milliseconds=1))
MESSAGE_ID = click.IntRange(1, LONGEST_ID)
MEMORY = _Memory()
MOMENT = _Moment()
PAST = _Past()
