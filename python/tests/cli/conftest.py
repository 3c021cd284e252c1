"""What the tests of the commands use."""

import sys

import pytest

from tests.cli.helpers import Cli


@pytest.fixture
def cli(dsn: str) -> Cli:
    return Cli(dsn)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands write for people."""
    for name, module in list(sys.modules.items()):
        if name.startswith("symphony_pg.cli") and hasattr(module, "is_for_people"):
            monkeypatch.setattr(module, "is_for_people", lambda as_json: not as_json)
