# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg transport: names for queues."""

from __future__ import annotations

import click

from ..database.client import Client
from .options import connected, wide_option
from .output import Output
from .pauses import tell_of_pause
from .tables import Column

__all__ = ["transport"]

TRANSPORTS = (
    Column("transport_name", "transport", least=28),
    Column("transport_type", "type"),
    Column("queue_name", "queue"),
    Column("priority", "priority", rank=1),
    Column("enabled", "enabled"),
    Column("patterns", "routed there", value=lambda row: ", ".join(row["patterns"]) or None),
)


@click.group()
def transport() -> None:
    """List transports, create them, hold and hand out their messages.

    A transport is a name for a queue and a priority; routes lead message types to it.
    """


@transport.command("list")
@connected
@wide_option
def list_transports(client: Client, out: Output) -> None:
    """List the transports, and which message types are routed there.

    \b
    Example:
      symphony-pg transport list
    """
    transports = client.list_transports()
    out.table(transports, TRANSPORTS, "There is no transport.")
    for each in transports:
        tell_of_pause(out, each.transport_name, "disabled", each.disabled_at, each.disabled_by)


@transport.command("create")
@click.argument("name")
@click.option("--type", "kind", default="postgres", show_default=True, help="Or sync.")
@click.option("--queue", metavar="QUEUE", help="The queue its messages go into [default].")
@click.option("--priority", type=int, help="Of its messages, 0 to 9; 9 goes first [5].")
@connected
def create_transport(
    client: Client,
    out: Output,
    name: str,
    kind: str,
    queue: str | None,
    priority: int | None,
) -> None:
    """Create the transport NAME, or change it.

    \b
    Example:
      symphony-pg transport create email --queue mail --priority 7
    """
    is_new = client.create_transport(name, kind, queue, priority)
    text = f"Transport {name} {'is created' if is_new else 'was there; it is as you say now'}."
    out.say(text, transport_name=name, created=is_new)


@transport.command()
@click.argument("name")
@connected
def disable(client: Client, out: Output, name: str) -> None:
    """Let the transport NAME take messages and hand out none.

    What is being processed goes on. Nothing is lost; see symphony-pg transport enable.

    \b
    Example:
      symphony-pg transport disable email
    """
    is_news = client.disable_transport(name)
    text = f"Transport {name} {'holds' if is_news else 'held'} its messages{_already(is_news)}."
    out.say(text, transport_name=name, enabled=False, changed=is_news)


@transport.command()
@click.argument("name")
@connected
def enable(client: Client, out: Output, name: str) -> None:
    """Hand out the messages of the transport NAME again.

    \b
    Example:
      symphony-pg transport enable email
    """
    is_news = client.enable_transport(name)
    text = f"Transport {name} {'is' if is_news else 'was'} enabled{_already(is_news)}."
    out.say(text, transport_name=name, enabled=True, changed=is_news)


def _already(is_news: bool) -> str:
    return "" if is_news else " already"


@transport.command("remove")
@click.argument("name")
@connected
def remove_transport(client: Client, out: Output, name: str) -> None:
    """Remove the transport NAME, if no route leads to it.

    Its messages stay in their queue.

    \b
    Example:
      symphony-pg transport remove email
    """
    existed = client.remove_transport(name)
    text = f"Transport {name} {'is gone' if existed else 'did not exist'}."
    out.say(text, transport_name=name, removed=existed)
