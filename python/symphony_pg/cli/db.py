# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg db: the schema in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..app import Symphony
from ..database import install as installation
from ..database.client import Client
from ..version import __version__
from .access import WAITING
from .application import app_option, declare_handlers
from .doctor import say_incidents
from .options import connected
from .output import Output

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def db() -> None:
    """Install Symphony into a database and look after it."""


def _schedules_options(command: F) -> F:
    """Add --app and --take-over."""
    command = click.option(
        "--take-over", is_flag=True, help="Also change schedules that others have made."
    )(command)
    return app_option(help="Create and change the schedules that it declares.")(command)


@db.command()
@_schedules_options
@connected
def install(client: Client, out: Output, app: Symphony | None, take_over: bool) -> None:
    """Install the schema symphony, in one transaction.

    Any role that may create a schema will do. Running it again does no harm.

    With --app it then creates and changes the schedules that the application declares. One that is
    as declared is not touched, a paused one stays paused, and none is removed. Before, `symphony-pg
    schedule diff` shows what would be done.

    \b
    Examples:
      symphony-pg db install --dsn postgresql://localhost/shop
      symphony-pg db install --app shop.messages:app
    """
    is_new = installation.install(client.conn)
    if app is not None:
        declare_handlers(client, app)
    text = f"Symphony {__version__} is {'installed' if is_new else 'installed already'}."
    values = {"version": __version__, "installed_now": is_new}
    _tell_with_schedules(text, values, client, out, app, take_over)


def _tell_with_schedules(
    text: str,
    values: dict[str, Any],
    client: Client,
    out: Output,
    app: Symphony | None,
    take_over: bool,
) -> None:
    """Synchronise the schedules of the application, if there is one, and say all that was done."""
    if app is not None:
        done = client.sync_schedules(app.name, app.declarations(), take_over)
        values["schedules"] = done
        text = "\n".join(
            [text, *(f"Schedule {each.schedule_name} is {each.outcome}." for each in done)]
        )
    out.say(text, **values)


@db.command()
@_schedules_options
@connected
def upgrade(client: Client, out: Output, app: Symphony | None, take_over: bool) -> None:
    """Make functions, views and access anew, as this package has them.

    What was changed by hand is mended. Messages are not touched. With --app the schedules of the
    application are brought in line too.

    \b
    Examples:
      symphony-pg db upgrade
      symphony-pg db upgrade --app shop.messages:app
    """
    installation.upgrade(client.conn)
    text = f"Symphony is at {__version__}; functions, views and access are made anew."
    waiting = [each for each in client.list_access() if each.state != "granted"]
    values: dict[str, Any] = {"version": __version__, "waiting_access": waiting}
    _tell_with_schedules(text, values, client, out, app, take_over)
    for each in waiting:
        out.text(f"{each.access} {each.role_name} {each.state}.", colour="yellow")
    if waiting:
        out.text(WAITING)


@db.command()
@connected
def status(client: Client, out: Output) -> None:
    """Tell which version is installed, and what is wrong.

    What is wrong is told as by `symphony-pg doctor`.

    Exit code 1 if the version is not that of this package.

    \b
    Example:
      symphony-pg db status
    """
    found = installation.status(client.conn)
    values: dict[str, Any] = found._asdict()
    if not found.is_current:
        out.record(values)
        raise SystemExit(1)
    wrong = client.health()
    if out.as_json:
        values["incidents"] = wrong
    out.record(values)
    say_incidents(out, wrong)


@db.command()
def sql() -> None:
    """Print the installation as SQL, for DBAs and migration tools.

    It contains no psql commands and is to be run in one transaction.

    \b
    Example:
      symphony-pg db sql | psql -1 -v ON_ERROR_STOP=1 shop
    """
    click.echo(installation.sql(), nl=False)


@db.command()
@connected
def rebase(client: Client, out: Output) -> None:
    """Adapt the queues to this server after a dump was restored. Whatever ticks or claims does it.

    It is safe at any time; where it is not needed it does nothing.

    \b
    Example:
      symphony-pg db rebase
    """
    out.record(client.rebase())


@db.command()
@connected
def check(client: Client, out: Output) -> None:
    """Check the invariants: no message lost, none in two places. Exit code 1 if one is broken.

    It reads all messages, says on a terminal how far it is, and can be ended by Ctrl-C.

    \b
    Example:
      symphony-pg db check
    """
    if out.is_terminal and not out.as_json:
        client.conn.add_notice_handler(lambda told: click.echo(told.message_primary, err=True))
    broken = client.check()
    out.json(broken)
    if not broken:
        out.text("All invariants hold.")
    for invariant, detail in broken:
        out.text(f"{click.style(invariant, fg='red')}: {detail}")
    if broken:
        raise SystemExit(1)
