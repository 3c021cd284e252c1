"""The heartbeat: what a worker tells of itself, and what is asked of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..database import functions
from ..waiting import Flag
from .link import Link

INTERVAL = 5.0
STATM = Path("/proc/self/statm")


class Heartbeat:
    """Beats every few seconds, and at once after beat().

    `describe` returns what to tell, and `work` what handlers did since the last beat; `obey` gets
    what is asked: stop, pause, or None.
    """

    def __init__(
        self,
        describe: Callable[[], Mapping[str, Any]],
        work: Callable[[], Sequence[Mapping[str, Any]] | None],
        obey: Callable[[str | None], None],
    ) -> None:
        self._describe = describe
        self._work = work
        self._obey = obey
        self._due = Flag()

    def beat(self) -> None:
        """Tell the news at once, and listen."""
        self._due.set()

    async def run(self, link: Link, worker: str, queues: Sequence[str]) -> None:
        """Beat until the task is cancelled."""
        while True:
            self._due.clear()
            told = functions.heartbeat(worker, queues, self._describe(), self._work())
            self._obey(await link.run(told))
            await self._due.wait(INTERVAL)

    async def end(self, link: Link, worker: str, queues: Sequence[str]) -> None:
        """Tell what handlers did since the last beat."""
        if work := self._work():
            await link.run(functions.heartbeat(worker, queues, self._describe(), work))


def resident_memory() -> int:
    """Return how many bytes of memory the process has; where that is not told, had at most."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        import resource  # only here, since Windows has none

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
