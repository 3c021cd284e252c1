"""The options that commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import psycopg

from ..app import Symphony
from ..config.result import Config
from ..database.client import Client
from ..database.connections import connect

__all__ = ["as_json_option", "chosen_dsn", "connected", "dsn_option"]

F = TypeVar("F", bound=Callable[..., Any])


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
