# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg queue: queues and their settings."""

from __future__ import annotations

from typing import Any

import click

from ..database.client import Client
from .kinds import DURATION
from .options import connected, listing, options
from .output import Output
from .stats import COLUMNS, tell_of_keys
from .tables import Column, as_row

ON_FAILURE = click.Choice(["continue", "hold"])
SETTINGS = (Column("setting", "setting"), Column("value", "value"), Column("origin", "from"))


@click.group()
def queue() -> None:
    """Create queues, change their settings, pause and empty them."""


_settings = options(
    ("max-attempts", int, "Deliveries of a message before it fails for good [4]."),
    ("retry-delay", DURATION, "Wait before the second attempt [1s]."),
    ("retry-multiplier", float, "Factor from one wait to the next [2]."),
    ("retry-max-delay", DURATION, "The longest wait [30s]."),
    ("retry-jitter", float, "Random share of a wait, up or down [0.1]."),
    ("lease", DURATION, "How long a worker holds a message without a word [30s]."),
    ("retention", DURATION, "How long completed messages are kept [1d]."),
    ("max-body-bytes", int, "The largest body [1048576]."),
    ("idempotency-window", DURATION, "How long an idempotency key counts [1d]."),
    ("failed-retention", DURATION, "How long failed messages are kept [0s: for ever]."),
    ("max-snooze", DURATION, "How long a message may be put off [7d]."),
    ("ordered/--not-ordered", None, "Work on the messages of a key one by one, in order."),
    ("key-concurrency", int, "Messages of a key in hands at a time [0: no limit]."),
    ("concurrency", int, "Messages in hands at a time [0: no limit]."),
    ("on-failure", ON_FAILURE, "What a failed one does to its ordered key [continue]."),
    ("rate", str, "Messages handed out in a time, such as 100/1s or 5/minute [0: no limit]."),
    ("burst", int, "How many of them at once [0: as many as the rate names]."),
    ("key-rate", str, "The same as --rate for those of each key [0: no limit]."),
)


@queue.command()
@click.argument("name")
@_settings
@connected
def create(client: Client, out: Output, name: str, **settings: Any) -> None:
    """Create the queue NAME, or apply the settings to it if it exists.

    \b
    Example:
      symphony-pg queue create mail --max-attempts 6 --retry-delay 2s
    """
    is_new = client.create_queue(name, **settings)
    text = f"Queue {name} {'is created' if is_new else 'was there; settings are applied'}."
    out.say(text, queue_name=name, created=is_new)


@queue.command()
@click.argument("name")
@_settings
@connected
def configure(client: Client, out: Output, name: str, **settings: Any) -> None:
    """Change settings of the queue NAME; those not given stay.

    \b
    Example:
      symphony-pg queue configure mail --retention 7d
    """
    client.configure_queue(name, **settings)
    out.say(f"Queue {name} is configured.", queue_name=name, configured=True)


@queue.command("list")
@listing
def list_(client: Client, out: Output) -> None:
    """List the queues and how full they are.

    \b
    Example:
      symphony-pg queue list
    """
    columns = COLUMNS[:6]
    names = [*(each.name for each in columns), "at_least", "paused_at", "paused_by"]
    stats = client.queue_stats()
    rows = [{name: row[name] for name in names} for row in map(as_row, stats)]
    out.table(rows, columns, "There is no queue.")
    for each in stats:
        out.pause(each.queue_name, "paused", each.paused_at, each.paused_by)
        tell_of_keys(out, each)


@queue.command()
@click.argument("name")
@listing
def show(client: Client, out: Output, name: str) -> None:
    """Show the settings of the queue NAME, and what holds its messages.

    \b
    Example:
      symphony-pg queue show mail
    """
    settings = client.queue_settings(name)
    holds = client.queue_holds(name)
    if out.as_json:
        out.json({"queue_name": name, "settings": settings, "holds": holds})
        return
    for hold in holds:
        out.text(f"{click.style(hold.hold, fg='yellow')}: {hold.detail}")
    if not holds:
        out.text("Nothing holds its messages.")
    out.text("")
    out.table(settings, SETTINGS, "")


@queue.command()
@click.argument("name")
@connected
def pause(client: Client, out: Output, name: str) -> None:
    """Stop handing out messages of the queue NAME; what runs goes on.

    \b
    Example:
      symphony-pg queue pause mail
    """
    is_news = client.pause_queue(name)
    text = f"Queue {name} is paused{'' if is_news else ' already'}."
    out.say(text, queue_name=name, paused=True, changed=is_news)


@queue.command()
@click.argument("name")
@connected
def resume(client: Client, out: Output, name: str) -> None:
    """Hand out messages of the queue NAME again.

    \b
    Example:
      symphony-pg queue resume mail
    """
    is_news = client.resume_queue(name)
    text = f"Queue {name} {'goes on' if is_news else 'was not paused'}."
    out.say(text, queue_name=name, paused=False, changed=is_news)


@queue.command()
@click.argument("name")
@options(("yes", bool, "Do not ask."))
@connected
def purge(client: Client, out: Output, name: str, yes: bool) -> None:
    """Remove every pending message of the queue NAME.

    It asks first, and then removes no more than it has counted.

    \b
    Example:
      symphony-pg queue purge mail --yes
    """
    found = client.purge_preview(name)
    if not yes:
        count = f"{found.messages:,}{' or more' if found.at_least else ''}"
        click.confirm(f"Remove every pending message of {name}, {count} now?", abort=True, err=True)
    messages = client.purge_queue(name, None if yes else found.seen)
    text = f"Nothing is pending in queue {name}; messages removed: {messages:,}."
    out.say(text, queue_name=name, purged=True, messages=messages)


@queue.command()
@click.argument("name")
@options(("force", bool, "Even if it holds messages; they are lost."))
@connected
def drop(client: Client, out: Output, name: str, force: bool) -> None:
    """Remove the queue NAME.

    \b
    Example:
      symphony-pg queue drop mail
    """
    existed = client.drop_queue(name, force)
    text = f"Queue {name} {'is gone' if existed else 'did not exist'}."
    out.say(text, queue_name=name, dropped=existed)
