# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg message: where messages are, and what happened to them."""

from __future__ import annotations

from typing import Any

import click

from ..database.client import Client
from ..database.functions.messages import STATES
from ..errors import UnknownMessage
from .kinds import MESSAGE_ID, PAST
from .options import connected, listing, options
from .output import Output
from .tables import Column

MOST = 10000
MESSAGES = (
    Column("message_id", "id"),
    Column("queue", "queue"),
    Column("type", "type"),
    Column("status", "state"),
    Column("attempt", "attempt", 3),
    Column("enqueued_at", "enqueued", 1),
    Column("available_at", "due", 2),
    Column("worker", "worker", 4),
    Column("last_error", "last error", 2, least=20),
)
ERRORS = (
    Column("queue_name", "queue"),
    Column("message_type", "type"),
    Column("error_class", "class"),
    Column("attempts", "attempts"),
    Column("retried", "retried", 1),
    Column("failed", "failed", 1),
    Column("next_at", "next", 2),
    Column("example_error", "example", 3, least=20),
)


@click.group()
def message() -> None:
    """List messages, look at one, cancel it, run it, ask why it waits."""


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


@message.command("list")
@options(
    ("state", click.Choice(STATES), "In this state."),
    ("queue queue_name", "QUEUE", "In this queue."),
    ("type message_type", "TYPE", "Of this type."),
    ("since", PAST, "Enqueued since then: a time, or 2h for two hours ago."),
    ("until", PAST, "Enqueued until then."),
    ("key idempotency_key", "KEY", "With this idempotency key."),
    ("group group_key", "KEY", "With this group key."),
    ("correlation correlation_id", "ID", "With this correlation id."),
    ("limit at_most", click.IntRange(1, MOST), "Rows of a page.", 50),
    ("before before_id", MESSAGE_ID, "Those before; the last page says."),
)
@listing
def list_(client: Client, out: Output, at_most: int, **filters: Any) -> None:
    """List messages, newest first, without their bodies.

    It looks at 10,000 messages; if none of the rest was looked at, it says how to go on.

    \b
    Examples:
      symphony-pg message list --state processing
      symphony-pg message list --queue mail --type SendEmail --since 2h
    """
    found = client.list_messages(**filters, at_most=at_most)
    messages = [each for each in found if each.message_id is not None]
    if out.as_json:
        out.json(found)
        return
    out.table(messages, MESSAGES, "There is no such message.")
    more = found[-1].more_before if len(messages) < len(found) else None
    if len(messages) == at_most:
        more = messages[-1].message_id
    if more is not None:
        out.text(f"More: --before {more}")


@message.command()
@options(
    ("queue queue_name", "QUEUE", "In this queue."),
    ("type message_type", "TYPE", "Of this type."),
    ("error-class", "CLASS", "With this class of error."),
    ("since", PAST, "Since then: a time, or 2h for two hours ago [10m]."),
)
@listing
def errors(client: Client, out: Output, **filters: Any) -> None:
    """Count the attempts that failed lately, by class of error.

    \b
    Examples:
      symphony-pg message errors
      symphony-pg message errors --queue mail --since 1h
    """
    out.table(client.recent_errors(**filters), ERRORS, "No attempt has failed.")


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
def run(client: Client, out: Output, message_id: int) -> None:
    """Run a message now that waits for its time or a retry.

    \b
    Example:
      symphony-pg message run 42
    """
    client.run_message_now(message_id)
    out.say(f"Message {message_id} runs as soon as a worker is free.", message_id=message_id)


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
