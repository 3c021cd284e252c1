"""What the commands share: the connection, durations, and errors that fit on a screen."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
import psycopg

from ..client import Client
from ..connections import connect
from ..errors import SymphonyError
from ..server import ServerError
from ..times import parse_datetime, parse_duration

__all__ = [
    "DURATION",
    "MEMORY",
    "MOMENT",
    "ErrorsAsText",
    "as_json_option",
    "chosen_dsn",
    "connected",
    "dsn_option",
]

F = TypeVar("F", bound=Callable[..., Any])


class ErrorsAsText(click.Group):
    """A group of commands that end with exit code 1 and a readable text instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SymphonyError, ServerError) as error:
            raise click.ClickException(str(error)) from error
        except psycopg.Error as error:
            raise click.ClickException(_describe(error)) from error
        except RecursionError as error:
            raise click.ClickException(
                "a message is nested too deeply for Python\n"
                "HINT: Look at it with psql: select * from symphony.message_status(message_id)"
            ) from error


def _describe(error: psycopg.Error) -> str:
    lines = [error.diag.message_primary or str(error).strip()]
    if error.diag.message_detail:
        lines.append(f"DETAIL: {error.diag.message_detail}")
    if error.diag.message_hint:
        lines.append(f"HINT: {error.diag.message_hint}")
    return "\n".join(lines)


if TYPE_CHECKING:
    _Text = click.ParamType[Any]  # generic for type checkers only, and only in newer versions
else:
    _Text = click.ParamType


class _Duration(_Text):
    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Moment(_Text):
    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = parse_datetime(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2030-01-31T08:00 or with +01:00", param, ctx)
        return moment if moment.tzinfo else moment.astimezone()


class _Memory(_Text):
    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+)([KMGT]?)B?", value.strip().upper())
        if not found or not int(found[1]):
            self.fail(
                f"{value!r} is no amount of memory; write for instance 256M or 1G", param, ctx
            )
        return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


DURATION = _Duration()
MEMORY = _Memory()
MOMENT = _Moment()


def dsn_option(command: F) -> F:
    """Add --dsn, which may also stand before the command's name."""
    return click.option("--dsn", metavar="DSN", help="The database; see symphony-pg --help.")(
        command
    )


def as_json_option(command: F) -> F:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="JSON, also on a terminal.")(
        command
    )


def chosen_dsn(dsn: str | None) -> str | None:
    """Return the DSN of the command, or the one before the command's name."""
    given: str | None = dsn or click.get_current_context().obj
    return given


@contextmanager
def _connection(dsn: str | None) -> Iterator[psycopg.Connection[Any]]:
    with connect(chosen_dsn(dsn)) as conn:
        yield conn


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Add --dsn, and hand a Client on an autocommit connection to the command."""

    @dsn_option
    @functools.wraps(command)
    def wrapper(dsn: str | None, *args: Any, **kwargs: Any) -> None:
        with _connection(dsn) as conn:
            command(Client(conn), *args, **kwargs)

    return wrapper
