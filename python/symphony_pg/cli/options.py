"""The options that commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click
import psycopg

from ..app import Symphony
from ..config.result import Config
from ..database.acting import ActingClient
from ..database.connections import connect
from .output import Output

__all__ = ["Given", "chosen_dsn", "connected", "dsn_option", "json_option", "options", "output"]
__all__ += ["printing", "wide_option"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Given:
    """What may stand before the name of a command, or behind it."""

    dsn: str | None = None
    out: Output = field(default_factory=Output)


def output() -> Output:
    """Return where the command writes."""
    return click.get_current_context().ensure_object(Given).out


def dsn_option(command: F) -> F:
    """Add --dsn, which may also stand before the command's name."""
    return click.option("--dsn", metavar="DSN", help="The database; see symphony-pg --help.")(
        command
    )


def options(*rows: tuple[str, Any, str], **common: Any) -> Callable[[F], F]:
    """Add an option for each row: its name, its type or else its metavar, and its help.

    "type message_type" is the option --type of the parameter message_type.
    """

    def add(command: F) -> F:
        for names, kind, text in reversed(rows):
            name, _, parameter = names.partition(" ")
            shown = {"metavar": kind} if isinstance(kind, str) else {"type": kind}
            declared = (f"--{name}", parameter) if parameter else (f"--{name}",)
            given = {"default": None, **shown, **common}  # a flag, too, may not be given
            command = click.option(*declared, help=text, **given)(command)
        return command

    return add


def _wants(setting: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def note(context: click.Context, option: click.Parameter, is_given: bool) -> None:  # noqa: ARG001
        if is_given:
            setattr(context.ensure_object(Given).out, setting, True)

    return note


json_option = click.option(
    "--json", is_flag=True, expose_value=False, is_eager=True, callback=_wants("as_json"),
    help="JSON, for programs.",
)  # fmt: skip
wide_option = click.option(
    "--wide", is_flag=True, expose_value=False, is_eager=True, callback=_wants("wide"),
    help="All columns, and nothing cut.",
)  # fmt: skip


def printing(command: Callable[..., None]) -> Callable[..., None]:
    """Add --json, and hand the Output to the command."""

    @json_option
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        command(*args, out=output(), **kwargs)

    return wrapper


def chosen_dsn(dsn: str | None, config: Config | None = None) -> str | None:
    """Return the DSN of the command, or before its name, or of the environment, or of the file."""
    given = dsn or click.get_current_context().ensure_object(Given).dsn
    if given is None and config is not None and not os.environ.get("SYMPHONY_DSN"):
        return config.dsn
    return given


@contextmanager
def _connection(dsn: str | None) -> Iterator[psycopg.Connection[Any]]:
    with connect(dsn) as conn:
        yield conn


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Add --dsn and --json; hand a Client on an autocommit connection, and the Output.

    Without --dsn a command that has an --app uses the application's database.
    """

    @dsn_option
    @json_option
    @functools.wraps(command)
    def wrapper(dsn: str | None, *args: Any, **kwargs: Any) -> None:
        app: Symphony | None = kwargs.get("app")
        with _connection(chosen_dsn(dsn) or (app.dsn if app is not None else None)) as conn:
            command(ActingClient(conn), output(), *args, **kwargs)

    return wrapper
