"""The kinds of values that options take: durations, times, sizes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ..database.functions.messages import LONGEST_ID
from ..times import parse_ago, parse_datetime, parse_duration, show_duration

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]  # generic for type checkers only, and only in newer versions
else:
    ParamType = click.ParamType


class Text(ParamType):
    """A value that is read from a text; a default may be one already.

    `read` raises ValueError, whose text people read.
    """

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text, and say what is wrong with it."""
        try:
            return self.read(value) if isinstance(value, str) else value
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


def _interval(text: str) -> timedelta:
    found = parse_duration(text)
    if found < SHORTEST:
        raise ValueError(f"{text!r} is less than {show_duration(SHORTEST)}")
    return found


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time; write 2030-01-31T08:00 or with +01:00") from None


def _memory(text: str) -> int:
    found = re.fullmatch(r"(\d+)([KMGT]?)B?", text.strip().upper())
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} is not an amount of memory; write for instance 256M or 1G")
    return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not an address; write 9090, or 0.0.0.0:9090")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


SHORTEST = timedelta(milliseconds=1)
ADDRESS = Text("[host:]port", _address)
DURATION = Text("duration", parse_duration)
INTERVAL = Text("duration", _interval)
MESSAGE_ID = click.IntRange(1, LONGEST_ID)
MEMORY = Text("bytes", _memory)
MOMENT = Text("time", _moment)
PAST = Text("time", lambda text: parse_ago(text) or _moment(text))
PORT = click.IntRange(0, 65535)
