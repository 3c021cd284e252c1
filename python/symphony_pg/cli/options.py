"""The options that commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from ..app import Symphony
from ..config.result import Config
from ..database.acting import ActingClient
from ..database.connections import connect
from .output import Output

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


def options(*rows: tuple[Any, ...], **common: Any) -> Callable[[F], F]:
    """Add an option for each row: its name, its kind, its help, and its default if it has one.

    "type message_type" is the option --type of the parameter message_type. The kind is a type of
    click, or the metavar of a text, or bool for a flag; in a list, the option may be given again.
    """

    def add(command: F) -> F:
        for names, kind, text, *default in reversed(rows):
            name, _, parameter = names.partition(" ")
            given: dict[str, Any] = {"default": None, "help": text}
            if isinstance(kind, list):
                (kind,), given["multiple"] = kind, True
            if kind is bool:
                given |= {"is_flag": True, "default": False}
            else:
                given["metavar" if isinstance(kind, str) else "type"] = kind
            if default:
                given |= {"default": default[0], "show_default": True}
            command = click.option(f"--{name}", *filter(None, [parameter]), **given, **common)(
                command
            )
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


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Add --dsn and --json; hand a Client on an autocommit connection, and the Output.

    Without --dsn a command that has an --app uses the application's database.
    """

    @dsn_option
    @printing
    @functools.wraps(command)
    def wrapper(dsn: str | None, *args: Any, **kwargs: Any) -> None:
        app: Symphony | None = kwargs.get("app")
        with connect(chosen_dsn(dsn) or (app.dsn if app is not None else None)) as conn:
            command(ActingClient(conn), *args, **kwargs)

    return wrapper


def listing(command: Callable[..., None]) -> Callable[..., None]:
    """Do what connected() does, for a command that writes a table: with --wide, too."""
    return connected(wide_option(command))
