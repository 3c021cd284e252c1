"""The application that --app names, and what the database has to know of it."""

from __future__ import annotations

import importlib
import sys

import click

from ..app import Symphony
from ..client import Client

__all__ = ["declare_handlers", "load_app"]


def declare_handlers(client: Client, app: Symphony) -> list[str]:
    """Make the handlers known to the database; return the new ones as type/handler."""
    return [
        f"{declaration.arguments['message_type']}/{name}"
        for declaration in app.declarations()
        for name in client.run(declaration)
    ]


def load_app(reference: str) -> Symphony:
    """Import the application that MODULE:NAME names."""
    module_name, separator, name = reference.partition(":")
    if not separator or not module_name or not name:
        raise click.BadParameter(f"{reference!r} is not MODULE:NAME", param_hint="--app")
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise click.BadParameter(f"there is no module {error.name}", param_hint="--app") from error
    app = getattr(module, name, None)
    if not isinstance(app, Symphony):
        found = "nothing" if app is None else f"a {type(app).__name__}"
        raise click.BadParameter(
            f"{reference} is {found}, and not a Symphony application", param_hint="--app"
        )
    return app
