"""What the commands share: the connection, durations, and errors that fit on a screen."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

import click
import psycopg

from ..app import Symphony
from ..client import Client
from ..config import Config
from ..connections import connect
from ..errors import SymphonyError
from ..server import ServerError
from ..times import parse_datetime, parse_duration, show_duration

__all__ = [
    "DURATION",
    "INTERVAL",
    "LONGEST_ID",
    "MEMORY",
    "MESSAGE_ID",
    "MOMENT",
    "PAST",
    "ErrorsAsText",
    "app_option",
    "as_json_option",
    "chosen_dsn",
    "connected",
    "dsn_option",
    "load_app",
]

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_ID = 2**63 - 1


class ErrorsAsText(click.Group):
    """A group of commands that end with exit code 1 and a readable text instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (text := as_text(error)) is None:
                raise
            raise click.ClickException(text) from error


def as_text(error: Exception) -> str | None:
    """Return what people should read of an error; None if that is its traceback."""
    if isinstance(error, SymphonyError | ServerError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return _describe(error)
    if isinstance(error, RecursionError):
        return (
            "the JSON is nested too deeply for Python\n"
            "HINT: Give it to the SQL function of the same name, in psql."
        )
    return None


def _describe(error: psycopg.Error) -> str:
    lines = [error.diag.message_primary or str(error).strip()]
    if error.diag.message_detail:
        lines.append(f"DETAIL: {error.diag.message_detail}")
    if error.diag.message_hint:
        lines.append(f"HINT: {error.diag.message_hint}")
    elif isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        lines.append(
            "HINT: Is it a standby? Connect to the primary, with target_session_attrs=primary"
        )
    return "\n".join(lines)


if TYPE_CHECKING:
    _Text = click.ParamType[Any]  # generic for type checkers only, and only in newer versions
else:
    _Text = click.ParamType


class _Duration(_Text):
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


class _Moment(_Text):
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
            self.fail(f"{value!r} is no time; write 2030-01-31T08:00 or with +01:00", param, ctx)


class _Application(_Text):
    name = "application"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Symphony:
        """Import the application that MODULE:NAME names."""
        if isinstance(value, Symphony):
            return value
        module_name, separator, name = value.partition(":")
        if not separator or not module_name or not name:
            self.fail(f"{value!r} is not MODULE:NAME", param, ctx)
        sys.path.insert(0, "")
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            if not _names_no_module(error, module_name):
                raise click.ClickException(_import_error(module_name, error)) from error
            if module_name.endswith(".py"):
                self.fail(f"write it as in Python: {module_name[:-3]}:{name}", param, ctx)
            self.fail(f"there is no module {error.name} here or on Python's path", param, ctx)
        app = getattr(module, name, None)
        if not isinstance(app, Symphony):
            there = [key for key, each in vars(module).items() if isinstance(each, Symphony)]
            found = f"{module_name} has no {name!r}"
            if app is not None:
                found = f"{value} is a {type(app).__name__}, and not a Symphony application"
            self.fail(f"{found}; applications in it: {', '.join(there) or 'none'}", param, ctx)
        return app


def _names_no_module(error: Exception, module_name: str) -> TypeGuard[ModuleNotFoundError]:
    """Tell whether the module itself is missing, and not one that it imports."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing is not None and f"{module_name}.".startswith(f"{missing}.")


def _import_error(module_name: str, error: Exception) -> str:
    """Return the traceback from the module on, without what led to its import."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename in (__file__, importlib.__file__):
        trace = trace.tb_next
    while trace and trace.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
        trace = trace.tb_next
    shown = "".join(traceback.format_exception(type(error), error, trace))
    return f"{module_name} cannot be imported\n{shown.rstrip()}"


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
INTERVAL = _Duration(shortest=timedelta(milliseconds=1))
MESSAGE_ID = click.IntRange(1, LONGEST_ID)
MEMORY = _Memory()
MOMENT = _Moment()
APPLICATION = _Application()
PAST = _Past()


def dsn_option(command: F) -> F:
    """Add --dsn, which may also stand before the command's name."""
    return click.option("--dsn", metavar="DSN", help="The database; see symphony-pg --help.")(
        command
    )


def load_app(reference: str) -> Symphony:
    """Import the application that --app names."""
    try:
        return APPLICATION.convert(reference, None, None)
    except click.BadParameter as error:
        error.param_hint = "--app"
        raise


def app_option(*, required: bool = False, help: str = "The application.") -> Callable[[F], F]:  # noqa: A002
    """Add --app, which imports the application."""
    return click.option(
        "--app", required=required, type=APPLICATION, metavar="MODULE:NAME", help=help
    )


def as_json_option(command: F) -> F:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="JSON, also on a terminal.")(
        command
    )


def chosen_dsn(dsn: str | None, config: Config | None = None) -> str | None:
    """Return the DSN of the command, or before its name, or of the environment, or of the file."""
    given: str | None = dsn or click.get_current_context().obj
    if given is None and config is not None and not os.environ.get("SYMPHONY_DSN"):
        return config.dsn
    return given


@contextmanager
def _connection(dsn: str | None) -> Iterator[psycopg.Connection[Any]]:
    with connect(dsn) as conn:
        yield conn


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Add --dsn, and hand a Client on an autocommit connection to the command.

    Without --dsn a command that has an --app uses the application's database.
    """

    @dsn_option
    @functools.wraps(command)
    def wrapper(dsn: str | None, *args: Any, **kwargs: Any) -> None:
        app: Symphony | None = kwargs.get("app")
        with _connection(chosen_dsn(dsn) or (app.dsn if app is not None else None)) as conn:
            command(Client(conn), *args, **kwargs)

    return wrapper
