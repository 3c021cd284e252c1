"""The application that --app names, and what the database has to know of it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from typing import TypeGuard

import click

from ..app import Symphony
from ..database.client import Client
from .errors import Problem
from .kinds import Text
from .options import F


def declare_handlers(client: Client, app: Symphony) -> list[str]:
    """Make the handlers known to the database; return the new ones as type/handler."""
    return [
        f"{declaration.arguments['message_type']}/{name}"
        for declaration in app.handler_declarations()
        for name in client.run(declaration)
    ]


def _imported(text: str) -> Symphony:
    """Import the application that MODULE:NAME names."""
    module_name, separator, name = text.partition(":")
    if not separator or not module_name or not name:
        raise ValueError(f"{text!r} is not MODULE:NAME")
    sys.path.insert(0, "")
    try:
        _set_up_django()
        module = importlib.import_module(module_name)
    except Exception as error:
        if not _names_no_module(error, module_name):
            raise Problem(_import_error(module_name, error)) from error
        if module_name.endswith(".py"):
            raise ValueError(f"write it as in Python: {module_name[:-3]}:{name}") from None
        raise ValueError(f"there is no module {error.name} here or on Python's path") from None
    app = getattr(module, name, None)
    if not isinstance(app, Symphony):
        there = [key for key, each in vars(module).items() if isinstance(each, Symphony)]
        found = f"{module_name} has no {name!r}"
        if app is not None:
            found = f"{text} is a {type(app).__name__}, and not a Symphony application"
        raise ValueError(f"{found}; applications in it: {', '.join(there) or 'none'}")
    return app


def _set_up_django() -> None:
    """Make Django ready, where the environment names its settings: models are imported then."""
    if os.environ.get("DJANGO_SETTINGS_MODULE") and importlib.util.find_spec("django"):
        import django

        django.setup()


def _names_no_module(error: Exception, module_name: str) -> TypeGuard[ModuleNotFoundError]:
    """Tell whether the module itself is missing, and not one that it imports."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing is not None and f"{module_name}.".startswith(f"{missing}.")


def _import_error(module_name: str, error: Exception) -> str:
    """Return the traceback from the module on, without what led to its import."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename in (__file__, importlib.__file__):
        trace = trace.tb_next
    while trace and trace.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
        trace = trace.tb_next
    shown = "".join(traceback.format_exception(type(error), error, trace))
    return f"{module_name} cannot be imported\n{shown.rstrip()}"


APPLICATION = Text("application", _imported)


def load_app(reference: str) -> Symphony:
    """Import the application that --app names."""
    try:
        app: Symphony = APPLICATION.convert(reference, None, None)
    except click.BadParameter as error:
        error.param_hint = "--app"
        raise
    return app


def app_option(*, required: bool = False, help: str = "The application.") -> Callable[[F], F]:  # noqa: A002
    """Add --app, which imports the application."""
    return click.option(
        "--app",
        required=required,
        type=APPLICATION,
        envvar="SYMPHONY_APP",
        metavar="MODULE:NAME",
        help=help,
    )
