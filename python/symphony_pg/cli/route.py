# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg route: where messages of a type go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..database.client import Client
from ..database.functions.routing import Delivery
from .options import connected, listing
from .output import Output
from .tables import Column

ROUTES = (
    Column("pattern", "pattern", least=28),
    Column("transport_name", "transport"),
    Column("handler_name", "handler"),
    Column("transport_type", "type", rank=2),
    Column("queue_name", "queue"),
    Column("priority", "priority", rank=1),
    Column("enabled", "enabled"),
)

DELIVERIES = (
    Column("delivery", "delivery"),
    *ROUTES[1:],
    Column("direct", "direct", rank=2),
    Column("max_attempts", "attempts", rank=3),
)


@click.group()
def route() -> None:
    """Show and change where messages go: by type or by group.

    The type itself wins, then the longest group, then *; all routes of the winning pattern apply.
    """


@route.command("list")
@listing
def list_routes(client: Client, out: Output) -> None:
    """List the routes.

    Those of one pattern are in the order of their deliveries.

    \b
    Example:
      symphony-pg route list
    """
    out.table(client.list_routes(), ROUTES, "There is no route.")


@route.command("show")
@click.argument("message_type", metavar="TYPE")
@listing
def show_route(client: Client, out: Output, message_type: str) -> None:
    """Show which deliveries a message of TYPE gets, and why.

    There is one for each transport and each declared handler. Who names a queue takes no route.

    \b
    Example:
      symphony-pg route show orders.created
    """
    deliveries = client.route_of(message_type)
    out.text(_why(message_type, deliveries) + "\n")
    out.table(deliveries, DELIVERIES, "It gets none.")
    for name in dict.fromkeys(each.transport_name for each in deliveries if each.direct):
        out.text(f"\ndispatch() of Python publishes to {name}, and SQL cannot.", colour="yellow")
    for name in dict.fromkeys(each.transport_name for each in deliveries if not each.enabled):
        text = f"\n{name} is disabled and holds them: symphony-pg transport enable {name}"
        out.text(text, colour="yellow")


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
def set_routes(client: Client, out: Output, pattern: str, transports: tuple[str, ...]) -> None:
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
    out.say(text, pattern=pattern, routes=count)


@route.command("remove")
@click.argument("pattern")
@connected
def remove_routes(client: Client, out: Output, pattern: str) -> None:
    """Remove the routes of PATTERN.

    What they led goes by the next pattern that fits.

    \b
    Example:
      symphony-pg route remove 'orders.*'
    """
    client.set_routes(pattern, [])
    out.say(f"{pattern} has no routes.", pattern=pattern, routes=0)
