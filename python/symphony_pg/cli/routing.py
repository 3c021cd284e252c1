# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg transport, route, policy: where messages go and how they are retried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import click

from ..client import Client
from ..functions import Delivery
from .options import DURATION, as_json_option, connected
from .output import is_for_people, render, say, table, to_json

__all__ = ["policy", "route", "transport"]

F = TypeVar("F", bound=Callable[..., Any])

TRANSPORTS = {
    "transport_name": "transport",
    "transport_type": "type",
    "queue_name": "queue",
    "priority": "priority",
    "enabled": "enabled",
    "patterns": "routed there",
}
ROUTES = {
    "pattern": "pattern",
    "transport_name": "transport",
    "handler_name": "handler",
    "transport_type": "type",
    "queue_name": "queue",
    "priority": "priority",
    "enabled": "enabled",
}
DELIVERIES = {"delivery": "delivery", **{k: v for k, v in ROUTES.items() if k != "pattern"}}
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


@click.group()
def transport() -> None:
    """List transports, create them, hold and hand out their messages.

    A transport is a name for a queue and a priority; routes lead message types to it.
    """


def _joined(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [{**row, column: ", ".join(row[column]) or None} for row in rows]


def _waits(given: Sequence[str]) -> dict[str, float]:
    """Read CLASS=WAIT."""
    waits = {}
    for each in given:
        name, found, wait = each.partition("=")
        if not (name and found):
            raise click.UsageError(f"{each} is not CLASS=WAIT, such as Throttled=1m")
        waits[name] = DURATION.convert(wait, None, None).total_seconds()
    return waits


@transport.command("list")
@connected
@as_json_option
def list_transports(client: Client, as_json: bool) -> None:
    """List the transports, and which message types are routed there.

    \b
    Example:
      symphony-pg transport list
    """
    rows = [each._asdict() for each in client.list_transports()]
    if is_for_people(as_json):
        rows = _joined(rows, "patterns")
    table(rows, as_json, TRANSPORTS)


@transport.command("create")
@click.argument("name")
@click.option("--type", "kind", default="postgres", show_default=True, help="Or sync.")
@click.option("--queue", metavar="QUEUE", help="The queue its messages go into [default].")
@click.option("--priority", type=int, help="Of its messages, 0 to 9; 9 goes first [5].")
@connected
@as_json_option
def create_transport(
    client: Client, name: str, kind: str, queue: str | None, priority: int | None, as_json: bool
) -> None:
    """Create the transport NAME, or change it.

    \b
    Example:
      symphony-pg transport create email --queue mail --priority 7
    """
    is_new = client.create_transport(name, kind, queue, priority)
    text = f"Transport {name} {'is created' if is_new else 'was there; it is as you say now'}."
    say(text, {"transport_name": name, "created": is_new}, as_json)


@transport.command()
@click.argument("name")
@connected
@as_json_option
def disable(client: Client, name: str, as_json: bool) -> None:
    """Let the transport NAME take messages and hand out none.

    What is being processed goes on. Nothing is lost; see symphony-pg transport enable.

    \b
    Example:
      symphony-pg transport disable email
    """
    is_news = client.disable_transport(name)
    text = f"Transport {name} {'holds' if is_news else 'held'} its messages{_already(is_news)}."
    say(text, {"transport_name": name, "enabled": False, "changed": is_news}, as_json)


@transport.command()
@click.argument("name")
@connected
@as_json_option
def enable(client: Client, name: str, as_json: bool) -> None:
    """Hand out the messages of the transport NAME again.

    \b
    Example:
      symphony-pg transport enable email
    """
    is_news = client.enable_transport(name)
    text = f"Transport {name} {'is' if is_news else 'was'} enabled{_already(is_news)}."
    say(text, {"transport_name": name, "enabled": True, "changed": is_news}, as_json)


def _already(is_news: bool) -> str:
    return "" if is_news else " already"


@transport.command("remove")
@click.argument("name")
@connected
@as_json_option
def remove_transport(client: Client, name: str, as_json: bool) -> None:
    """Remove the transport NAME, if no route leads to it.

    Its messages stay in their queue.

    \b
    Example:
      symphony-pg transport remove email
    """
    existed = client.remove_transport(name)
    text = f"Transport {name} {'is gone' if existed else 'did not exist'}."
    say(text, {"transport_name": name, "removed": existed}, as_json)


@click.group()
def route() -> None:
    """Show and change where messages go: by type or by group.

    The type itself wins, then the longest group, then *; all routes of the winning pattern apply.
    """


@route.command("list")
@connected
@as_json_option
def list_routes(client: Client, as_json: bool) -> None:
    """List the routes.

    Those of one pattern are in the order of their deliveries.

    \b
    Example:
      symphony-pg route list
    """
    table([each._asdict() for each in client.list_routes()], as_json, ROUTES)


@route.command("show")
@click.argument("message_type", metavar="TYPE")
@connected
@as_json_option
def show_route(client: Client, message_type: str, as_json: bool) -> None:
    """Show which deliveries a message of TYPE gets, and why.

    There is one for each transport and each declared handler. Who names a queue takes no route.

    \b
    Example:
      symphony-pg route show orders.created
    """
    deliveries = client.route_of(message_type)
    if not is_for_people(as_json):
        click.echo(to_json([each._asdict() for each in deliveries]))
        return
    click.echo(_why(message_type, deliveries) + "\n")
    click.echo(render([each._asdict() for each in deliveries], DELIVERIES))
    for name in dict.fromkeys(each.transport_name for each in deliveries if not each.enabled):
        click.echo(f"\n{name} is disabled and holds them: symphony-pg transport enable {name}")


def _why(message_type: str, deliveries: Sequence[Delivery]) -> str:
    pattern = deliveries[0].pattern
    what = "a delivery" if len(deliveries) == 1 else f"{len(deliveries)} deliveries"
    if pattern is None:
        return f'{message_type} gets {what}: no route fits, so it goes to the queue "default".'
    if pattern == message_type:
        return f"{message_type} gets {what}: it has routes of its own."
    return f"{message_type} gets {what}: by the routes of {pattern}."


@route.command("set")
@click.argument("pattern")
@click.argument("transports", nargs=-1, required=True, metavar="TRANSPORT[=HANDLER]...")
@connected
@as_json_option
def set_routes(client: Client, pattern: str, transports: tuple[str, ...], as_json: bool) -> None:
    """Route PATTERN to these transports, and to no others.

    TRANSPORT=HANDLER is for that handler only.

    \b
    Examples:
      symphony-pg route set SendEmail email
      symphony-pg route set 'orders.*' async slow=audit
    """
    parts = [each.partition("=") for each in transports]
    routes: list[Any] = [
        {"transport": name, "handler": handler} if separator else name
        for name, separator, handler in parts
    ]
    count = client.set_routes(pattern, routes)
    text = f"{pattern} has {count} route{'' if count == 1 else 's'}."
    say(text, {"pattern": pattern, "routes": count}, as_json)


@route.command("remove")
@click.argument("pattern")
@connected
@as_json_option
def remove_routes(client: Client, pattern: str, as_json: bool) -> None:
    """Remove the routes of PATTERN.

    What they led goes by the next pattern that fits.

    \b
    Example:
      symphony-pg route remove 'orders.*'
    """
    client.set_routes(pattern, [])
    say(f"{pattern} has no routes.", {"pattern": pattern, "routes": 0}, as_json)


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
            rows = _joined(rows, column)
        for column in ("retry_after_errors", "snooze_errors"):
            waits = [[f"{name}: {wait}" for name, wait in row[column].items()] for row in rows]
            rows = _joined(
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
