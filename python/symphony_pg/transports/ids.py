"""Ids for messages that are published, and not stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from ..database.process import here

FEWEST, MOST = 1000, 10000  # that are drawn at a time


class Ids:
    """Ids that were drawn from the database, many at a time; a forked child draws its own."""

    def __init__(self) -> None:
        self._drawn: dict[int, deque[int]] = {}  # by process

    def take(self, count: int) -> Iterator[int] | None:
        """Return so many; None: some are to be drawn before."""
        drawn, taken = self._of_process(), list[int]()
        try:
            while len(taken) < count:
                taken.append(drawn.popleft())  # threads need no lock for that
        except IndexError:
            drawn.extendleft(reversed(taken))
            return None
        return iter(taken)

    def add(self, ids: Iterable[int]) -> None:
        """Have more to give."""
        self._of_process().extend(ids)

    def to_draw(self, count: int) -> int:
        """Return how many to draw where so many are needed."""
        return min(max(count - len(self._of_process()), FEWEST), MOST)

    def _of_process(self) -> deque[int]:
        return self._drawn.setdefault(here.pid, deque())
