# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg access: which role may do what."""

from __future__ import annotations

import click

from ..database.client import Client
from .options import connected, listing, options
from .output import Output
from .tables import Column

KINDS = ("enqueuer", "producer", "consumer", "operator", "observer")
COLUMNS = (
    Column("role_name", "role"),
    Column("access", "access"),
    Column("queues", "queues", value=lambda row: row["queues"] and ", ".join(row["queues"])),
    Column("state", "state"),
)
WAITING = "What waits: symphony-pg access restore grants it, and revoke removes it."
kind = click.argument("kind", metavar="ACCESS", type=click.Choice(KINDS))


@click.group()
def access() -> None:
    """Let roles do their task, and see which may do what."""


@access.command("list")
@listing
def list_(client: Client, out: Output) -> None:
    """List which role was granted what, and what waits.

    What waits belongs to a role that is gone, has another name now, or was that of another server.

    \b
    Example:
      symphony-pg access list
    """
    listed = client.list_access()
    out.table(listed, COLUMNS, "No role was granted anything.")
    if any(each.state != "granted" for each in listed):
        out.text(WAITING)


@access.command()
@click.argument("role")
@kind
@options(("queue queues", [str], "Only this queue; may be repeated."))
@connected
def grant(client: Client, out: Output, role: str, kind: str, queues: tuple[str, ...]) -> None:
    """Let ROLE be enqueuer, producer, consumer, operator or observer.

    With --queue it may use these queues and no others, whatever was granted before.

    \b
    Examples:
      symphony-pg access grant web enqueuer --queue mail
      symphony-pg access grant shop_worker consumer
    """
    client.grant_access(role, kind, queues or None)
    extent = f" of {', '.join(queues)}" if queues else ""
    out.say(
        f"Role {role} is {kind}{extent}.", role_name=role, access=kind, queues=list(queues) or None
    )


@access.command()
@click.argument("role")
@kind
@connected
def revoke(client: Client, out: Output, role: str, kind: str) -> None:
    """Take an access back from ROLE.

    \b
    Example:
      symphony-pg access revoke web enqueuer
    """
    client.revoke_access(role, kind)
    out.say(f"Role {role} is no {kind}.", role_name=role, access=kind, revoked=True)


@access.command()
@connected
def restore(client: Client, out: Output) -> None:
    """Grant what waits to the roles of these names.

    Access waits after a dump was restored, or after a role was renamed or made anew. Look at
    `symphony-pg access list` before: a role that has the name may be another one now.

    \b
    Example:
      symphony-pg access restore
    """
    out.table(client.restore_access(), COLUMNS, "Nothing waits.")
