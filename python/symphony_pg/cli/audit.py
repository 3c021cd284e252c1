# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg audit: who did what."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from ..database.client import Client
from .kinds import PAST
from .options import connected, wide_option
from .output import Output
from .tables import Column

__all__ = ["audit"]

MOST = 10000


def _what(row: Any) -> str:
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in row["arguments"].items()
    )


COLUMNS = (
    Column("done_at", "done"),
    Column("role_name", "role"),
    Column("actor", "actor", 1),
    Column("action", "action"),
    Column("arguments", "with", 2, least=20, value=_what),
    Column("affected", "affected", 3),
    Column("application", "application", 4),
)


@click.command()
@click.argument("subject", required=False)
@click.option("--action", metavar="FUNCTION", help="Done by this function, such as pause_queue.")
@click.option("--role", "role_name", metavar="ROLE", help="Done by this role.")
@click.option("--actor", metavar="NAME", help="Done by who says to be this.")
@click.option("--since", type=PAST, help="Done since then: a time, or 2h for two hours ago.")
@click.option("--until", type=PAST, help="Done until then.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Rows of a page."
)
@click.option("--before", "before_id", type=int, help="The page behind; the last page names it.")
@connected
@wide_option
def audit(
    client: Client, out: Output, limit: int, before_id: int | None, **filters: str | datetime | None
) -> None:
    """Tell who did what, newest first.

    With SUBJECT it is what was done to that: the name of a queue, schedule, transport, message type
    or role. The role was checked by the server. The actor is who the command said that it was used
    by: SYMPHONY_ACTOR, or else user@host.

    \b
    Examples:
      symphony-pg audit --since 1d
      symphony-pg audit mail --action pause_queue
    """
    found = client.audit(**filters, before_id=before_id, at_most=limit)  # type: ignore[arg-type]
    out.table(found, COLUMNS, "Nothing was done.")
    if len(found) == limit and not out.as_json:
        out.text(f"More: --before {found[-1].audit_id}")
