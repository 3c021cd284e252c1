"""`manage.py symphony …`: what symphony-pg does, with the database of Django's settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ....cli import main
from ... import django_dsn

APP = "symphony_pg.django:app"


class Command(BaseCommand):  # type: ignore[misc]
    """Hands everything on to symphony-pg.

    The application is settings.SYMPHONY_APP, else the one of symphony_pg.django.
    """

    help = "Symphony's commands: manage.py symphony --help"
    requires_system_checks: Sequence[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Take the arguments as they are."""
        _prepare()
        sys.argv = [argv[0], *argv[2:]]  # from which consume --reload starts itself again
        main.main(args=argv[2:], prog_name=f"{Path(argv[0]).name} {argv[1]}")

    def add_arguments(self, parser: Any) -> None:
        """Let call_command("symphony", "db", "check") work."""
        parser.add_argument("args", nargs="*")

    def handle(self, *args: str, **options: Any) -> None:  # noqa: ARG002
        """Run a command; an error is raised."""
        _prepare()
        main.main(args=list(args), standalone_mode=False)


def _prepare() -> None:
    os.environ.setdefault("SYMPHONY_APP", getattr(settings, "SYMPHONY_APP", APP))
    os.environ["SYMPHONY_DSN"] = django_dsn()
