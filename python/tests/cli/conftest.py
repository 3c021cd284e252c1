"""What the tests of the commands use."""

import time
from collections.abc import Iterator

import pytest

from symphony_pg.cli.output import Output
from tests.cli.helpers import Cli


@pytest.fixture
def cli(dsn: str) -> Cli:
    return Cli(dsn)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands believe that a person looks on, who can answer."""
    monkeypatch.setattr(Output, "is_terminal", True)
    monkeypatch.setattr(Output, "can_ask", property(lambda self: not self.as_json))


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Show times in UTC, and tables at their usual width."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
