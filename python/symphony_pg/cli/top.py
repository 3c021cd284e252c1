# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg top: what is wrong, queues, workers and what failed, on one screen."""

from __future__ import annotations

import click

from ..database.client import Client
from ..errors import BadArgument
from ..extras import needing
from .doctor import say_incidents
from .glance import Glance, glance
from .options import connected, options
from .output import Output
from .tables import Column

QUEUES = (
    Column("queue_name", "queue", least=20),
    Column("paused", "paused", rank=2),
    Column("pending", "pending"),
    Column("processing", "running"),
    Column("failed", "failed"),
    Column("oldest_pending_age", "oldest", rank=1),
)
WORKERS = (
    Column("worker", "worker", least=20),
    Column("state", "state"),
    Column("processing", "running"),
)
GROUPS = (
    Column("message_type", "failed", least=20),
    Column("error_class", "error", least=16),
    Column("queue_name", "queue", rank=1),
    Column("messages", "messages"),
)


@click.command()
@options(("once", bool, "Print it, and end."))
@connected
def top(client: Client, out: Output, once: bool) -> None:
    """Show what is wrong, queues, workers and failures on a screen.

    \b
    arrows     choose a queue, or a group of failed messages; Tab changes the table
    p          pause the queue, or resume it
    r          retry the group; it asks first, and leaves what fails after that
    /          only queues with this in their name
    q          end

    The bars are the messages that were handed out in each of the last 10 minutes.

    \b
    Examples:
      symphony-pg top
      symphony-pg top --once
    """
    if once:
        _print(out, glance(client))
        return
    if out.as_json:
        raise BadArgument("top shows a screen", hint="Write top --once --json.")
    with needing("top", "symphony-pg[top]"):
        from .top_screen import Top
    Top(client).run()


def _print(out: Output, seen: Glance) -> None:
    if out.as_json:
        out.json({
            "incidents": seen.incidents,
            **({
                "queues": [each.queue._asdict() | {"bars": each.bars} for each in seen.lines],
                "workers": seen.workers,
                "failed": seen.groups,
            } if seen.is_whole else dict.fromkeys(("queues", "workers", "failed"))),
        })  # fmt: skip
        return
    say_incidents(out, seen.incidents, cause_first=True)
    out.text("")
    if not seen.is_whole:
        out.text("Queues, workers and failures cannot be read while tables are locked.")
        return
    bars = {each.queue.queue_name: each.bars for each in seen.lines}
    shown = Column("bars", "10 min", value=lambda row: bars[row["queue_name"]])
    out.table([each.queue for each in seen.lines], (*QUEUES, shown), "There is no queue.")
    out.text("")
    out.table(seen.workers, WORKERS, "No worker is known.")
    out.text("")
    out.table(seen.groups, GROUPS, "No message has failed for good.")
