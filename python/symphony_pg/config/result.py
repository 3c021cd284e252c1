"""What symphony.toml says, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SymphonyError
from .broker import BrokerSettings


class Problem(NamedTuple):
    """A mistake in the file."""

    line: int
    where: str
    text: str

    def told(self, path: Path) -> str:
        """Return it as file:line: where: text."""
        return f"{path}:{self.line}: {self.where and self.where + ': '}{self.text}"


class ConfigError(SymphonyError):
    """The file cannot be used; `problems` are all of its mistakes."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = sorted(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return the problems, a line for each."""
        return [each.told(self.path) for each in self.problems]


@dataclass(frozen=True)
class Config:
    """What the file says, in the words of apply_config() and of the worker.

    `remarks` are what it asks for and does not get.
    """

    path: Path
    dsn: str | None = None
    wanted: dict[str, Any] = field(default_factory=dict)
    worker: dict[str, Any] = field(default_factory=dict)
    brokers: dict[str, BrokerSettings] = field(default_factory=dict)
    remarks: tuple[Problem, ...] = ()

    @property
    def has_sync(self) -> bool:
        """True if a transport runs its handlers in the process that dispatches."""
        transports = self.wanted.get("transports", {}).values()
        return any(transport["type"] == "sync" for transport in transports)

    @property
    def has_direct(self) -> bool:
        """True if the process that dispatches publishes to a broker."""
        return any(each.is_direct for each in self.brokers.values())
