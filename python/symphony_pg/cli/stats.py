# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg stats: the queues in numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

import click

from ..database.client import Client
from ..database.functions.queues import QueueStats
from ..times import show_duration
from .kinds import INTERVAL
from .options import as_json_option, connected
from .output import honest, is_for_people, render, to_json

__all__ = ["stats"]

COLUMNS = {
    "queue_name": "queue",
    "paused": "paused",
    "pending": "pending",
    "delayed": "delayed",
    "processing": "running",
    "failed": "failed",
    "oldest_pending_age": "oldest",
    "finished_last_minute": "done/min",
    "retried_last_hour": "retried/h",
    "mean_waiting": "waiting",
    "mean_processing": "taking",
    "idle_workers": "idle",
}


@click.command()
@click.argument("queue", required=False)
@click.option("--watch", is_flag=True, help="Show them again and again, until Ctrl-C.")
@click.option("--interval", type=INTERVAL, default="1s", show_default=True, help="With --watch.")
@connected
@as_json_option
def stats(
    client: Client, queue: str | None, watch: bool, interval: timedelta, as_json: bool
) -> None:
    """Show how full and how fast the queues are, or QUEUE.

    10,000+ means that many or more: counting stops there, and earlier where there are many queues.

    \b
    oldest     since when the message at the head has been due
    waiting    mean time from due to claimed
    taking     mean time from claimed to settled
    idle       workers that sleep until they are notified

    With --watch and JSON, each look is one line.

    \b
    Examples:
      symphony-pg stats
      symphony-pg stats mail --watch
      symphony-pg stats --json | jq '.[] | select(.failed > 0)'
    """
    if not watch:
        _show(client.queue_stats(queue), as_json)
        return
    try:
        while True:
            found = client.queue_stats(queue)
            if is_for_people(as_json):
                click.clear()
                click.echo(
                    f"{time.strftime('%H:%M:%S')}  every {show_duration(interval)}, Ctrl-C ends\n"
                )
            _show(found, as_json)
            time.sleep(interval.total_seconds())
    except KeyboardInterrupt:
        click.echo()


def _show(found: Sequence[QueueStats], as_json: bool) -> None:
    """Write the numbers, and what somebody should look after."""
    rows = [each._asdict() for each in found]
    if not is_for_people(as_json):
        click.echo(to_json(rows))
        return
    click.echo(render([honest(row) for row in rows], COLUMNS))
    for each in found:
        if each.purge_waits_for is not None:
            click.echo(f"\n{each.queue_name}: its purge waits for {each.purge_waits_for}.")
