# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg policy: how messages are retried."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import click

from ..database.client import Client
from .kinds import DURATION
from .options import as_json_option, connected
from .output import is_for_people, joined, say, table

__all__ = ["policy"]

POLICIES = {
    "pattern": "pattern",
    "max_attempts": "attempts",
    "delay": "delay",
    "multiplier": "multiplier",
    "max_delay": "max delay",
    "jitter": "jitter",
    "permanent_errors": "permanent",
    "transient_errors": "transient",
    "retry_after_errors": "retry after",
    "snooze_errors": "snooze",
}

SETTINGS = {"setting": "setting", "value": "value", "level": "level", "source": "by"}


def _waits(given: Sequence[str]) -> dict[str, float]:
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
@connected
@as_json_option
def list_policies(client: Client, as_json: bool) -> None:
    """List the retry policies of types and groups, and the default, *.

    \b
    Example:
      symphony-pg policy list
    """
    rows = [each._asdict() for each in client.list_retry_policies()]
    if is_for_people(as_json):
        for column in ("permanent_errors", "transient_errors"):
            rows = joined(rows, column)
        for column in ("retry_after_errors", "snooze_errors"):
            waits = [[f"{name}: {wait}" for name, wait in row[column].items()] for row in rows]
            rows = joined(
                [{**row, column: each} for row, each in zip(rows, waits, strict=True)], column
            )
    table(rows, as_json, POLICIES)


@policy.command("show")
@click.argument("message_type", metavar="TYPE")
@click.option("--queue", metavar="QUEUE", help="The queue [the one it is routed to].")
@connected
@as_json_option
def show_policy(client: Client, message_type: str, queue: str | None, as_json: bool) -> None:
    """Show how messages of TYPE are retried, and why.

    \b
    Example:
      symphony-pg policy show SendEmail
    """
    rows = [each._asdict() for each in client.retry_policy_of(message_type, queue)]
    table(rows, as_json, SETTINGS)


@policy.command("set")
@click.argument("pattern")
@click.option("--max-attempts", type=int, help="Deliveries a message gets before it is dead.")
@click.option("--delay", type=DURATION, help="Wait before the second attempt.")
@click.option("--multiplier", type=float, help="Factor from one wait to the next.")
@click.option("--max-delay", type=DURATION, help="The longest wait.")
@click.option("--jitter", type=float, help="Random share of a wait, up or down.")
@click.option(
    "--permanent-error",
    "permanent_errors",
    multiple=True,
    metavar="CLASS",
    help="A class of errors that is not retried; like the next three, may be given often.",
)
@click.option(
    "--transient-error",
    "transient_errors",
    multiple=True,
    metavar="CLASS",
    help="A class that is retried, though one it derives from is not.",
)
@click.option(
    "--retry-after-error",
    "retry_after_errors",
    multiple=True,
    metavar="CLASS=WAIT",
    help="A class that is retried after this wait, such as Throttled=1m.",
)
@click.option(
    "--snooze-error",
    "snooze_errors",
    multiple=True,
    metavar="CLASS=WAIT",
    help="A class that uses no attempt and comes back after this wait.",
)
@connected
@as_json_option
def set_policy(
    client: Client,
    pattern: str,
    max_attempts: int | None,
    delay: timedelta | None,
    multiplier: float | None,
    max_delay: timedelta | None,
    jitter: float | None,
    permanent_errors: tuple[str, ...],
    transient_errors: tuple[str, ...],
    retry_after_errors: tuple[str, ...],
    snooze_errors: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say how messages of PATTERN are retried.

    In place of all that was said of it before. It counts at once, also for messages under way.

    \b
    Example:
      symphony-pg policy set SendEmail --max-attempts 6 --delay 2s --permanent-error CardRefused
    """
    client.set_retry_policy(
        pattern,
        max_attempts,
        delay,
        multiplier,
        max_delay,
        jitter,
        list(permanent_errors),
        list(transient_errors),
        _waits(retry_after_errors),
        _waits(snooze_errors),
    )
    say(f"The retry policy of {pattern} is set.", {"pattern": pattern, "set": True}, as_json)


@policy.command("remove")
@click.argument("pattern")
@connected
@as_json_option
def remove_policy(client: Client, pattern: str, as_json: bool) -> None:
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
    say(text, {"pattern": pattern, "removed": existed}, as_json)
