# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg db: the schema in the database."""

from __future__ import annotations

import click

from .. import install as installation
from ..client import Client
from ..version import __version__
from .app import declare_handlers, load_app
from .options import as_json_option, connected
from .output import is_for_people, record, say, to_json

__all__ = ["db"]


@click.group()
def db() -> None:
    """Install Symphony into a database and look after it."""


@db.command()
@click.option("--app", metavar="MODULE:NAME", help="Declare the handlers of this application too.")
@connected
@as_json_option
def install(client: Client, app: str | None, as_json: bool) -> None:
    """Install the schema symphony, in one transaction.

    Any role that may create a schema will do. Running it again does no harm.

    \b
    Example:
      symphony-pg db install --dsn postgresql://localhost/shop
    """
    application = None if app is None else load_app(app)
    is_new = installation.install(client.conn)
    if application is not None:
        declare_handlers(client, application)
    text = f"Symphony {__version__} is {'installed' if is_new else 'installed already'}."
    say(text, {"version": __version__, "installed_now": is_new}, as_json)


@db.command()
@connected
@as_json_option
def upgrade(client: Client, as_json: bool) -> None:
    """Bring the schema to the version of this package.

    \b
    Example:
      symphony-pg db upgrade
    """
    is_new = installation.upgrade(client.conn)
    text = f"Symphony is {'now' if is_new else 'already'} at {__version__}."
    say(text, {"version": __version__, "upgraded_now": is_new}, as_json)


@db.command()
@connected
@as_json_option
def status(client: Client, as_json: bool) -> None:
    """Tell which version is installed; exit code 1 if it is not that of this package.

    \b
    Example:
      symphony-pg db status
    """
    found = installation.status(client.conn)
    record(found._asdict(), as_json)
    if not found.is_current:
        raise SystemExit(1)


@db.command()
def sql() -> None:
    """Print the whole installation as SQL, for DBAs and migration tools.

    It contains no psql commands and is to be run in one transaction.

    \b
    Example:
      symphony-pg db sql | psql -1 -v ON_ERROR_STOP=1 shop
    """
    click.echo(installation.sql(), nl=False)


@db.command()
@connected
@as_json_option
def check(client: Client, as_json: bool) -> None:
    """Check the invariants: no message lost, none in two places. Exit code 1 if one is broken.

    \b
    Example:
      symphony-pg db check
    """
    broken = client.check()
    if not is_for_people(as_json):
        click.echo(to_json([each._asdict() for each in broken]))
    elif not broken:
        click.echo("All invariants hold.")
    else:
        for invariant, detail in broken:
            click.echo(f"{click.style(invariant, fg='red')}: {detail}")
    if broken:
        raise SystemExit(1)
