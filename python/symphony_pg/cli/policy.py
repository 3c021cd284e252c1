# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg policy: how messages are retried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from ..database.client import Client
from .kinds import DURATION
from .options import connected, listing, options
from .output import Output
from .tables import Column, Row


def _classes(name: str) -> Callable[[Row], str | None]:
    return lambda row: ", ".join(row[name]) or None


def _class_waits(name: str) -> Callable[[Row], str | None]:
    return lambda row: ", ".join(f"{each}: {wait}" for each, wait in row[name].items()) or None


POLICIES = (
    Column("pattern", "pattern", least=28),
    Column("max_attempts", "attempts"),
    Column("delay", "delay"),
    Column("multiplier", "multiplier", rank=2),
    Column("max_delay", "max delay"),
    Column("jitter", "jitter", rank=2),
    Column("permanent_errors", "permanent", value=_classes("permanent_errors")),
    Column("transient_errors", "transient", rank=1, value=_classes("transient_errors")),
    Column("retry_after_errors", "retry after", rank=1, value=_class_waits("retry_after_errors")),
    Column("snooze_errors", "snooze", rank=1, value=_class_waits("snooze_errors")),
)

SETTINGS = (
    Column("setting", "setting"),
    Column("value", "value"),
    Column("level", "level"),
    Column("source", "by"),
)


def _waits(context: click.Context, option: click.Parameter, given: Sequence[str]) -> Any:  # noqa: ARG001
    """Read CLASS=WAIT."""
    waits = {}
    for each in given:
        name, found, wait = each.partition("=")
        if not (name and found):
            raise click.UsageError(f"{each} is not CLASS=WAIT, such as Throttled=1m")
        waits[name] = DURATION.convert(wait, None, None).total_seconds()
    return waits


@click.group()
def policy() -> None:
    """Show and change how messages are retried.

    Each value is told by the first of these that has it: the call of enqueue(), the message type,
    the queue (symphony-pg queue configure), and the default, whose pattern is *.
    """


@policy.command("list")
@listing
def list_policies(client: Client, out: Output) -> None:
    """List the retry policies of types and groups, and the default, *.

    \b
    Example:
      symphony-pg policy list
    """
    out.table(client.list_retry_policies(), POLICIES, "There is no retry policy.")


@policy.command("show")
@click.argument("message_type", metavar="TYPE")
@options(("queue", "QUEUE", "The queue [the one it is routed to]."))
@listing
def show_policy(client: Client, out: Output, message_type: str, queue: str | None) -> None:
    """Show how messages of TYPE are retried, and why.

    \b
    Example:
      symphony-pg policy show SendEmail
    """
    out.table(client.retry_policy_of(message_type, queue), SETTINGS, "It has no settings.")


@policy.command("set")
@click.argument("pattern")
@options(
    ("max-attempts", int, "Deliveries a message gets before it is dead."),
    ("delay", DURATION, "Wait before the second attempt."),
    ("multiplier", float, "Factor from one wait to the next."),
    ("max-delay", DURATION, "The longest wait."),
    ("jitter", float, "Random share of a wait, up or down."),
)
@options(
    ("permanent-error permanent_errors", ["CLASS"],
     "A class of errors that is not retried; like the next three, may be given often."),
    ("transient-error transient_errors", ["CLASS"],
     "A class that is retried, though one it derives from is not."),
)  # fmt: skip
@options(
    ("retry-after-error retry_after_errors", ["CLASS=WAIT"],
     "A class that is retried after this wait, such as Throttled=1m."),
    ("snooze-error snooze_errors", ["CLASS=WAIT"],
     "A class that uses no attempt and comes back after this wait."),
    callback=_waits,
)  # fmt: skip
@connected
def set_policy(client: Client, out: Output, pattern: str, **settings: Any) -> None:
    """Say how messages of PATTERN are retried.

    In place of all that was said of it before. It counts at once, also for messages under way.

    \b
    Example:
      symphony-pg policy set SendEmail --max-attempts 6 --delay 2s --permanent-error CardRefused
    """
    client.set_retry_policy(pattern, **settings)
    out.say(f"The retry policy of {pattern} is set.", pattern=pattern, set=True)


@policy.command("remove")
@click.argument("pattern")
@connected
def remove_policy(client: Client, out: Output, pattern: str) -> None:
    """Remove the retry policy of PATTERN.

    Of * the values come back that it had at first.

    \b
    Example:
      symphony-pg policy remove SendEmail
    """
    existed = client.remove_retry_policy(pattern)
    text = f"{pattern} {'has no retry policy any more' if existed else 'had no retry policy'}."
    if pattern == "*":
        text = "The default is as it was at first."
    out.say(text, pattern=pattern, removed=existed)
