# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg message: what happened to a message."""

from __future__ import annotations

import click

from ..database.client import Client
from ..errors import UnknownMessage
from .kinds import MESSAGE_ID
from .options import connected
from .output import Output

__all__ = ["message"]


@click.group()
def message() -> None:
    """Look at a message, cancel it, ask why it is not running."""


@message.command()
@click.argument("message_id", type=MESSAGE_ID)
@connected
def show(client: Client, out: Output, message_id: int) -> None:
    """Show where a message is, each attempt that failed, and why.

    \b
    Example:
      symphony-pg message show 42
    """
    found = client.message_status(message_id)
    if found is None:
        raise UnknownMessage(
            f"there is no message {message_id}",
            detail="It never existed, it was cancelled, or its retention is over.",
            hint="Compare the id with what enqueue returned.",
        )
    out.message(found, client.message_history(message_id))


@message.command()
@click.argument("message_id", type=MESSAGE_ID)
@connected
def cancel(client: Client, out: Output, message_id: int) -> None:
    """Remove a message before it starts. Exit code 1 if it is too late.

    \b
    Example:
      symphony-pg message cancel 42
    """
    cancelled = client.cancel(message_id)
    text = (
        f"Message {message_id} is cancelled."
        if cancelled
        else f"Too late: message {message_id} has started or is finished."
    )
    out.say(text, message_id=message_id, cancelled=cancelled)
    if not cancelled:
        raise SystemExit(1)


@message.command()
@click.argument("message_id", type=MESSAGE_ID)
@connected
def why(client: Client, out: Output, message_id: int) -> None:
    """Say in one sentence why a message is not running.

    \b
    Example:
      symphony-pg message why 42
    """
    reason = client.why_not_running(message_id)
    out.say(reason, message_id=message_id, reason=reason)
