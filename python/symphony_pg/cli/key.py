# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg key: the keys of ordered and limited queues of which messages wait."""

from __future__ import annotations

import click

from ..database.client import Client
from .options import connected, listing
from .output import Output
from .tables import Column

KEYS = (
    Column("queue", "queue", least=20),
    Column("group_key", "key", least=28),
    Column("waiting", "waiting"),
    Column("held_by", "held by"),
    Column("held_by_is", "which is", rank=1),
    Column("available_at", "comes back", rank=2),
    Column("in_hands", "running"),
    Column("worker", "worker", rank=3),
    Column("since", "since", rank=4),
)


@click.group()
def key() -> None:
    """Look at keys of which messages wait for others, and let them go."""


@key.command("list")
@click.argument("queue", required=False)
@listing
def list_keys(client: Client, out: Output, queue: str | None) -> None:
    """List the keys of which messages wait, of QUEUE or of all queues.

    \b
    Example:
      symphony-pg key list accounts
    """
    out.table(client.blocked_keys(queue), KEYS, "Nothing waits for a key.")


@key.command()
@click.argument("queue")
@click.argument("group_key", metavar="KEY")
@connected
def release(client: Client, out: Output, queue: str, group_key: str) -> None:
    """Let the messages of KEY go on without the one that holds it.

    \b
    Example:
      symphony-pg key release accounts ada
    """
    message_id = client.release_key(queue, group_key)
    text = (
        f"Key {group_key} of queue {queue} was not held."
        if message_id is None
        else f"Key {group_key} of queue {queue} is let go: message {message_id} held it."
    )
    out.say(text, queue=queue, group_key=group_key, message_id=message_id)
