# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg workers: who works, and on what; stop them, or let them pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import click

from ..database.client import Client
from ..times import show_duration
from .cells import OVERDUE
from .options import connected, listing, options
from .output import Output
from .tables import Column, Row

MOST_SHOWN = 3


@click.group()
def workers() -> None:
    """Show the workers; stop them, let them pause and go on."""


@workers.command("list")
@listing
def list_(client: Client, out: Output) -> None:
    """List the workers and what each does now.

    \b
    working    it has messages in hand
    idle       it has none
    paused     it was asked to claim nothing
    stopping   it finishes what runs, and ends
    silent     no word for 20 seconds; after 60 it is forgotten, its leases end

    A handler that goes on after its time limit is shown as OVER ITS LIMIT: its message was retried,
    and its slot is stuck until it ends.

    \b
    Example:
      symphony-pg workers list
    """
    activity = client.worker_activity()
    out.table(activity, COLUMNS, "No worker is known.")
    for each in activity:
        asked = f"asked to {each.request}"
        out.pause(each.worker, asked, each.requested_at, each.requested_by)


def _told(name: str) -> Callable[[Row], Any]:
    """Return what a worker tells of itself; it may tell as much as it likes."""
    return lambda row: row["details"].get(name)


def _pid(row: Row) -> str:
    return str(row["details"].get("pid", "-"))


def _memory(row: Row) -> str | None:
    memory = row["details"].get("memory")
    return f"{memory / 2**20:.0f} MiB" if isinstance(memory, int) else None


def _doing(row: Row) -> str | None:
    """Say what a worker does; first what goes on after its time limit, if it tells of that."""
    stuck, running = row["details"].get("stuck"), row["running"]
    over = [each for each in stuck if isinstance(each, dict)] if isinstance(stuck, list) else []
    shown = [f"{OVERDUE}: {_one(each)}" for each in over] + [_one(each) for each in running]
    if len(shown) > MOST_SHOWN:
        shown[MOST_SHOWN:] = [f"{len(shown) - MOST_SHOWN} more"]
    return ", ".join(shown) or None


def _one(message: dict[str, Any]) -> str:
    name, seconds = (
        f"{message.get('message_type')} {message.get('message_id')}",
        message.get("seconds"),
    )
    if not isinstance(seconds, int | float):
        return name
    return f"{name} ({show_duration(_seconds(seconds))})"


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 1e9))


COLUMNS = (
    Column("worker", "worker", least=48),
    Column("host", "host", rank=5, value=_told("host")),
    Column("pid", "pid", rank=5, value=_pid),
    Column("state", "state"),
    Column("queues", "queues", rank=1, value=lambda row: ", ".join(row["queues"])),
    Column("processing", "in hand", rank=2),
    Column("doing", "doing", least=20, value=_doing),
    Column("done", "done", value=_told("done")),
    Column("retried", "retried", rank=4, value=_told("retried")),
    Column("failed", "failed", rank=2, value=_told("failed")),
    Column("memory", "memory", rank=4, value=_memory),
    Column("started_at", "started", rank=4),
    Column("seen_at", "seen", rank=4),
)


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Add the ways to say which workers are meant."""
    ways = options(
        ("all everyone", bool, "All of them."),
        ("queue", "QUEUE", "Those that consume this queue."),
    )
    return click.argument("names", nargs=-1, metavar="[WORKER]...")(ways(command))


def _request(
    client: Client,
    out: Output,
    command: str,
    names: Sequence[str],
    everyone: bool,
    queue: str | None,
) -> None:
    if not names and not everyone and queue is None:
        raise click.UsageError("Name workers (see: symphony-pg workers list), --queue, or --all.")
    if names and everyone:
        raise click.UsageError("Name workers, or give --all, but not both.")
    asked = client.request_workers(command, names or None, queue)
    text = f"Asked to {command}: {', '.join(asked) or 'nobody'}."
    out.say(text, command=command, workers=asked)


@workers.command()
@connected
@_chosen
def stop(client: Client, out: Output, **chosen: Any) -> None:
    """End workers, as SIGTERM does. They finish what runs and give back the rest.

    \b
    Examples:
      symphony-pg workers stop web1:4711:9f3a
      symphony-pg workers stop --all
    """
    _request(client, out, "stop", **chosen)


@workers.command()
@connected
@_chosen
def pause(client: Client, out: Output, **chosen: Any) -> None:
    """Let workers finish what they have, and claim no more.

    \b
    Examples:
      symphony-pg workers pause web1:4711:9f3a
      symphony-pg workers pause --queue mail
    """
    _request(client, out, "pause", **chosen)


@workers.command()
@connected
@_chosen
def resume(client: Client, out: Output, **chosen: Any) -> None:
    """Let paused workers claim again.

    \b
    Example:
      symphony-pg workers resume --all
    """
    _request(client, out, "resume", **chosen)
