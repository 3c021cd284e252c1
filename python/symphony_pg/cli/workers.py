# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg workers: who works, and on what; stop them, or let them pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import click

from ..database.client import Client
from ..database.functions.workers import WorkerActivity
from ..times import show_duration
from .options import as_json_option, connected
from .output import is_for_people, render, say, to_json

__all__ = ["workers"]

COLUMNS = {
    "worker": "worker",
    "host": "host",
    "pid": "pid",
    "state": "state",
    "queues": "queues",
    "processing": "in hand",
    "doing": "doing",
    "done": "done",
    "retried": "retried",
    "failed": "failed",
    "memory": "memory",
    "started_at": "started",
    "seen_at": "seen",
}

MOST_SHOWN = 3


@click.group()
def workers() -> None:
    """Show the workers; stop them, let them pause and go on."""


@workers.command("list")
@connected
@as_json_option
def list_(client: Client, as_json: bool) -> None:
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
    rows = client.worker_activity()
    if is_for_people(as_json):
        shown = render([_for_people(each) for each in rows], COLUMNS)
        click.echo(shown if rows else "No worker is known.")
    else:
        click.echo(to_json([each._asdict() for each in rows]))


def _for_people(worker: WorkerActivity) -> dict[str, Any]:
    """Return a row of the table; a worker may tell as much of itself as it likes."""
    told = {name: worker.details.get(name) for name in ("host", "done", "retried", "failed")}
    memory = worker.details.get("memory")
    return {
        **worker._asdict(),
        **told,
        "pid": str(worker.details.get("pid", "-")),
        "queues": ", ".join(worker.queues),
        "doing": _doing(worker.running, worker.details.get("stuck")),
        "memory": f"{memory / 2**20:.0f} MiB" if isinstance(memory, int) else None,
    }


def _doing(running: Sequence[dict[str, Any]], stuck: Any) -> str | None:
    """Say what a worker does; first what goes on after its time limit, if it tells of that."""
    over = (
        [each for each in stuck or () if isinstance(each, dict)] if isinstance(stuck, list) else []
    )
    shown = [f"{_one(each)} OVER ITS LIMIT" for each in over] + [_one(each) for each in running]
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


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Add the ways to say which workers are meant."""
    for decorate in (
        as_json_option,
        click.option("--queue", metavar="QUEUE", help="Those that consume this queue."),
        click.option("--all", "everyone", is_flag=True, help="All of them."),
        click.argument("names", nargs=-1, metavar="[WORKER]..."),
    ):
        command = decorate(command)
    return command


def _request(
    client: Client,
    command: str,
    names: Sequence[str],
    everyone: bool,
    queue: str | None,
    as_json: bool,
) -> None:
    if not names and not everyone and queue is None:
        raise click.UsageError("Name workers (see: symphony-pg workers list), --queue, or --all.")
    if names and everyone:
        raise click.UsageError("Name workers, or give --all, but not both.")
    asked = client.request_workers(command, names or None, queue)
    text = f"Asked to {command}: {', '.join(asked) or 'nobody'}."
    say(text, {"command": command, "workers": asked}, as_json)


@workers.command()
@connected
@_chosen
def stop(client: Client, **chosen: Any) -> None:
    """End workers, as SIGTERM does. They finish what runs and give back the rest.

    \b
    Examples:
      symphony-pg workers stop web1:4711:9f3a
      symphony-pg workers stop --all
    """
    _request(client, "stop", **chosen)


@workers.command()
@connected
@_chosen
def pause(client: Client, **chosen: Any) -> None:
    """Let workers finish what they have, and claim no more.

    \b
    Examples:
      symphony-pg workers pause web1:4711:9f3a
      symphony-pg workers pause --queue mail
    """
    _request(client, "pause", **chosen)


@workers.command()
@connected
@_chosen
def resume(client: Client, **chosen: Any) -> None:
    """Let paused workers claim again.

    \b
    Example:
      symphony-pg workers resume --all
    """
    _request(client, "resume", **chosen)
