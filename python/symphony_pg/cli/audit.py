# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg audit: who did what."""

from __future__ import annotations

import json
from typing import Any

import click

from ..database.client import Client
from .kinds import PAST
from .options import listing, options
from .output import Output
from .tables import Column

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
@options(
    ("action", "FUNCTION", "Done by this function, such as pause_queue."),
    ("role role_name", "ROLE", "Done by this role."),
    ("actor", "NAME", "Done by who says to be this."),
    ("since", PAST, "Done since then: a time, or 2h for two hours ago."),
    ("until", PAST, "Done until then."),
    ("limit at_most", click.IntRange(1, MOST), "Rows of a page.", 50),
    ("before before_id", int, "The page behind; the last page names it."),
)
@listing
def audit(client: Client, out: Output, at_most: int, **filters: Any) -> None:
    """Tell who did what, newest first.

    With SUBJECT it is what was done to that: the name of a queue, schedule, transport, message type
    or role. The role was checked by the server. The actor is who the command said that it was used
    by: SYMPHONY_ACTOR, or else user@host.

    \b
    Examples:
      symphony-pg audit --since 1d
      symphony-pg audit mail --action pause_queue
    """
    found = client.audit(**filters, at_most=at_most)
    out.table(found, COLUMNS, "Nothing was done.")
    if len(found) == at_most and not out.as_json:
        out.text(f"More: --before {found[-1].audit_id}")
