"""Long lists: a page shows so many of them, the most urgent, and finds the others by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

MOST = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Cut(Generic[T]):
    """What is shown of a list, of how many, and what was looked for."""

    rows: list[T]
    total: int
    find: str

    @property
    def is_cut(self) -> bool:
        """True if there are more than are shown."""
        return len(self.rows) < self.total


def cut(
    rows: Sequence[T],
    find: str,
    texts: Callable[[T], Iterable[str | None]],
    urgency: Callable[[T], Any],
    most: int = MOST,
) -> Cut[T]:
    """Return those in whose texts something was found; of too many, the most urgent.

    What comes first in the order of `urgency` is the most urgent. Those that all fit stay as they
    are.
    """
    wanted = find.casefold()
    found = [
        each
        for each in rows
        if not wanted or any(wanted in text.casefold() for text in texts(each) if text)
    ]
    shown = found if len(found) <= most else sorted(found, key=urgency)[:most]
    return Cut(shown, len(found), find)
