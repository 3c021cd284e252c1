# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg stats: the queues in numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import click

from ..database.client import Client
from ..database.functions.queues import QueueStats
from ..database.silence import CALL_TIMEOUT, answered_within
from ..times import show_duration
from .kinds import INTERVAL
from .options import listing, options
from .output import Output
from .tables import Column, as_row


def _rate(a_minute: float) -> float:
    """Return messages a minute with as many places as say something."""
    return round(a_minute, 1) if 0 < a_minute < 10 else round(a_minute)


COLUMNS = (
    Column("queue_name", "queue", least=28),
    Column("paused", "paused", rank=3),
    Column("pending", "pending"),
    Column("delayed", "delayed", rank=2),
    Column("processing", "running"),
    Column("failed", "failed"),
    Column("failed_last_hour", "failed/h", rank=1),
    Column("oldest_pending_age", "oldest"),
    Column("inflow", "in/min", value=lambda row: _rate(row["inflow"])),
    Column("outflow", "out/min", value=lambda row: _rate(row["outflow"])),
    Column("backlog_lasts", "lasts", rank=1),
    Column("finished_last_minute", "done/min", rank=4),
    Column("retried_last_hour", "retried/h", rank=6),
    Column("mean_waiting", "waiting", rank=4),
    Column("mean_processing", "taking", rank=4),
    Column("idle_workers", "idle", rank=5),
)


@click.command()
@click.argument("queue", required=False)
@options(
    ("watch", bool, "Show them again and again, until Ctrl-C."),
    ("interval", INTERVAL, "With --watch.", "1s"),
)
@listing
def stats(client: Client, out: Output, queue: str | None, watch: bool, interval: timedelta) -> None:
    """Show how full and how fast the queues are, or QUEUE.

    10,000+ means that many or more: counting stops there, and earlier where there are many queues.
    What is pending is counted to the end, as long as somebody ticks.

    \b
    oldest     since when the message at the head has been due
    in/min     messages a minute that came in, over the last 5 minutes
    out/min    messages a minute that were handed out, likewise
    lasts      how long what is pending lasts, if that goes on; -: it does not become less
    waiting    mean time from due to claimed
    taking     mean time from claimed to settled
    idle       workers that sleep until they are notified

    With --watch and --json, each look is one line.

    \b
    Examples:
      symphony-pg stats
      symphony-pg stats mail --watch
      symphony-pg stats --json | jq '.[] | select(.failed > 0)'
    """
    if not watch:
        _show(out, client.queue_stats(queue))
        return
    try:
        while True:
            with answered_within(CALL_TIMEOUT):
                rows = client.queue_stats(queue)
            _again(out, rows, interval)
            time.sleep(interval.total_seconds())
    except KeyboardInterrupt:
        click.echo()


def _show(out: Output, rows: Sequence[QueueStats]) -> None:
    """Write the numbers, and what somebody should look after."""
    out.table(rows, COLUMNS, "There is no queue.")
    for each in rows:
        out.pause(each.queue_name, "paused", each.paused_at, each.paused_by)
        tell_of_keys(out, each)
        if each.purge_waits_for is not None:
            text = f"\n{each.queue_name}: its purge waits for {each.purge_waits_for}."
            out.text(text, colour="yellow")
        if each.why_at_least is not None:
            out.text(f"\n{each.queue_name}: {each.why_at_least}")


def tell_of_keys(out: Output, queue: QueueStats) -> None:
    """Write how many messages wait for their keys, if any does."""
    if queue.waiting:
        messages = out.cell(Column("waiting", "").of(as_row(queue)))
        out.text(f"{queue.queue_name}: {messages} wait for their keys: symphony-pg key list")


def _again(out: Output, rows: Sequence[QueueStats], interval: timedelta) -> None:
    """Write the numbers in place of those before."""
    if out.as_json:
        out.json(rows, one_line=True)
        return
    if out.is_live:
        click.clear()
    now = datetime.now(timezone.utc)
    out.text(f"{out.cell(now)}  every {show_duration(interval)}, Ctrl-C ends\n")
    _show(out, rows)
    if not out.is_live:
        out.text()
