"""Errors that fit on a screen."""

from __future__ import annotations

from typing import IO, Any

import click
import psycopg

from ..errors import SymphonyError
from ..server import ServerError
from .cells import without_codes

STANDBY = "Is it a standby? Connect to the primary, with target_session_attrs=primary"


class Problem(click.ClickException):
    """An error whose first word has the colour of a problem."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the text to standard error."""
        title = click.style("Error:", fg="red", bold=True)
        text = f"{title} {without_codes(self.format_message())}"
        click.echo(text, file=file, err=file is None, color=self.show_color)


class ErrorsAsText(click.Group):
    """A group of commands that end with exit code 1 and a readable text instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (text := as_text(error)) is None:
                raise
            raise Problem(text) from error


def as_text(error: Exception) -> str | None:
    """Return what people should read of an error; None if that is its traceback."""
    if isinstance(error, SymphonyError | ServerError):
        return str(error)
    if isinstance(error, psycopg.Error):
        told = error.diag
        is_standby = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
        text = told.message_primary or str(error).strip()
        hint = told.message_hint or (STANDBY if is_standby else None)
        return str(SymphonyError(text, detail=told.message_detail, hint=hint))
    if isinstance(error, RecursionError):
        return (
            "the JSON is nested too deeply for Python\n"
            "HINT: Give it to the SQL function of the same name, in psql."
        )
    return None
