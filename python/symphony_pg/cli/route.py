# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg route: where messages of a type go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..database.client import Client
from ..database.functions.routing import Delivery
from .options import as_json_option, connected
from .output import is_for_people, render, say, table, to_json

__all__ = ["route"]

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
