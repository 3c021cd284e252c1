# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg config: the file symphony.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import config as configuration
from ..app import Symphony
from ..database.client import Client
from ..database.connections import connect
from .application import app_option, declare_handlers
from .options import as_json_option, chosen_dsn, dsn_option
from .output import is_for_people, table, to_json

__all__ = ["config", "use_config"]

CONFIG = "The file [SYMPHONY_CONFIG, else ./symphony.toml]."
COLUMNS = {"kind": "kind", "name": "name", "change": "change", "old": "old", "new": "new"}


def use_config(context: click.Context, option: click.Parameter, path: str | None) -> Any:  # noqa: ARG001
    """Make the worker settings of the file the defaults of the other options."""
    found = configuration.find(path)
    if found is None:
        return None
    loaded = configuration.load(found)
    context.default_map = {**(context.default_map or {}), **loaded.worker}
    return loaded


@click.group()
def config() -> None:
    """Check symphony.toml and bring the database to what it says."""


def _file(path: str | None) -> Path:
    return configuration.find(path) or Path(configuration.FILE)


@config.command()
@click.option("--config", "path", metavar="FILE", help=CONFIG)
@as_json_option
def check(path: str | None, as_json: bool) -> None:
    """Read the file and name every mistake with its line. Exit code 1 if there is one.

    \b
    Example:
      symphony-pg config check --config symphony.toml
    """
    problems: list[configuration.Problem] = []
    lines: list[str] = []
    try:
        configuration.load(_file(path))
    except configuration.ConfigError as error:
        problems, lines = error.problems, error.lines()
    if not is_for_people(as_json):
        click.echo(to_json([{"file": str(_file(path)), **each._asdict()} for each in problems]))
    else:
        click.echo("\n".join(lines) or f"{_file(path)} is well.")
    if problems:
        raise SystemExit(1)


@config.command()
@click.option("--config", "path", metavar="FILE", help=CONFIG)
@app_option(help="Declare the handlers of this application too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the differences and change nothing.")
@dsn_option
@as_json_option
def apply(
    path: str | None, app: Symphony | None, yes: bool, dry_run: bool, dsn: str | None, as_json: bool
) -> None:
    """Bring the database to what the file says, all or nothing.

    Transports, routes, queues and retry policies are written. The differences are shown
    first. What the file has no section for stays as it is; within a
    section it is just as the file says, but queues are never removed.

    \b
    Examples:
      symphony-pg config apply --dry-run
      symphony-pg config apply --yes --app shop.messages:app
    """
    loaded = configuration.load(_file(path))
    with connect(chosen_dsn(dsn, loaded)) as conn:
        client = Client(conn)
        if not yes or dry_run:
            _show(client.apply_config(loaded.wanted, dry_run=True), as_json)
        if dry_run:
            return
        if not yes:
            click.confirm("Apply this?", abort=True, err=True)
        with conn.transaction():
            done = client.apply_config(loaded.wanted)
            if app is not None:
                declare_handlers(client, app)
        if yes:
            _show(done, as_json)
        elif is_for_people(as_json):
            click.echo(f"{len(done)} changes are applied.")


def _show(differences: list[Any], as_json: bool) -> None:
    rows = [each._asdict() for each in differences]
    if not is_for_people(as_json):
        table(rows, as_json, COLUMNS)
    elif rows:
        table(list(map(_short, rows)), as_json, COLUMNS)
    else:
        click.echo("Nothing differs.")


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is the same before and after, and what is set neither here nor there."""
    old, new = row["old"], row["new"]
    if not isinstance(old or {}, dict) or not isinstance(new or {}, dict):
        return row
    names = [name for name in {**(old or {}), **(new or {})} if _of(old, name) != _of(new, name)]
    return {**row, **{side: _part(row[side], names) for side in ("old", "new")}}


def _of(values: dict[str, Any] | None, name: str) -> Any:
    return (values or {}).get(name)


def _part(values: dict[str, Any] | None, names: list[str]) -> dict[str, Any] | None:
    return None if values is None else {name: values[name] for name in names if name in values}
