# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg config: the file symphony.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import config as configuration
from ..app import Symphony
from ..database.client import Client
from ..database.connections import connect
from ..database.functions.routing import Difference
from .application import app_option, declare_handlers
from .options import chosen_dsn, dsn_option, options, printing, wide_option
from .output import Output
from .tables import Column, Row

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = "The file [SYMPHONY_CONFIG, else ./symphony.toml]."


def use_config(context: click.Context, option: click.Parameter, path: str | None) -> Any:  # noqa: ARG001
    """Make the worker settings of the file the defaults of the other options."""
    found = configuration.find(path)
    if found is None:
        return None
    loaded = configuration.load(found)
    context.default_map = {**(context.default_map or {}), **loaded.worker}
    return loaded


def file_option(command: F) -> F:
    """Add --config, and hand over what the file says, or None if there is none."""
    return click.option(
        "--config", metavar="FILE", is_eager=True, callback=use_config, help=CONFIG
    )(command)


@click.group()
def config() -> None:
    """Check symphony.toml and bring the database to what it says."""


def _file(path: str | None) -> Path:
    return configuration.find(path) or Path(configuration.FILE)


@config.command()
@click.option("--config", "path", metavar="FILE", help=CONFIG)
@printing
def check(path: str | None, out: Output) -> None:
    """Read the file and name every mistake with its line. Exit code 1 if there is one.

    Where a transport asks for what its type lacks it warns.

    \b
    Example:
      symphony-pg config check --config symphony.toml
    """
    file = _file(path)
    problems: list[configuration.Problem] = []
    warnings: Sequence[configuration.Problem] = ()
    try:
        warnings = configuration.load(file).remarks
    except configuration.ConfigError as error:
        problems = error.problems
    found = [("error", each) for each in problems] + [("warning", each) for each in warnings]
    out.json([{"file": str(file), "severity": kind, **each._asdict()} for kind, each in found])
    for kind, each in found:
        colour, name = ("red", "") if kind == "error" else ("yellow", "warning: ")
        out.text(f"{name}{each.told(file)}", colour=colour)
    if not problems:
        out.text(f"{file} is well{', but for the warnings' if warnings else ''}.")
    if problems:
        raise SystemExit(1)


@config.command()
@click.option("--config", "path", metavar="FILE", help=CONFIG)
@app_option(help="Declare the handlers of this application too.")
@options(
    ("yes", bool, "Do not ask."),
    ("dry-run", bool, "Show the differences and change nothing."),
)
@dsn_option
@printing
@wide_option
def apply(
    path: str | None, app: Symphony | None, yes: bool, dry_run: bool, dsn: str | None, out: Output
) -> None:
    """Bring the database to what the file says, all or nothing.

    Transports, routes, queues and retry policies are written. The differences are shown first,
    all of them when it asks. What the file has no section for stays as it is; within a section it
    is just as the file says, but queues are never removed.

    \b
    Examples:
      symphony-pg config apply --dry-run
      symphony-pg config apply --yes --app shop.messages:app
    """
    loaded = configuration.load(_file(path))
    with connect(chosen_dsn(dsn, loaded)) as conn:
        client = Client(conn)
        out.wide |= not (yes or dry_run)  # nothing is cut from what a person is to agree to
        if not yes or dry_run:
            _show(out, client.apply_config(loaded.wanted, dry_run=True))
        if dry_run:
            return
        if not yes:
            click.confirm("Apply this?", abort=True, err=True)
        with conn.transaction():
            done = client.apply_config(loaded.wanted)
            if app is not None:
                declare_handlers(client, app)
        if yes:
            _show(out, done)
        else:
            out.text(f"{len(done)} changes are applied.")


def _show(out: Output, differences: Sequence[Difference]) -> None:
    if out.as_json:
        out.json(differences)
    else:
        out.table([part for each in differences for part in _parts(each)], COLUMNS, SAME)


def _parts(difference: Difference) -> Iterator[Row]:
    """Yield a row for each setting that differs; one that is set on neither side does not."""
    row, old, new = difference._asdict(), difference.old, difference.new
    if new is None or not isinstance(old or {}, dict) or not isinstance(new, dict):
        yield {**row, "setting": None}
        return
    old = old or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    for name in names or [None]:
        yield {**row, "setting": name, "old": old.get(name), "new": new.get(name)}


SAME = "Nothing differs."
COLUMNS = (
    Column("kind", "kind"),
    Column("name", "name", least=16),
    Column("change", "change"),
    Column("setting", "setting", least=18),
    Column("old", "old", least=10),
    Column("new", "new", least=10),
)
