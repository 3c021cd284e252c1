"""The queues of a worker: those it was given, or all there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from ..database import functions
from ..errors import UnknownQueue, WrongState
from .link import Link

log = logging.getLogger("symphony_pg.worker")

LOOK_INTERVAL = 2.0
MANY_QUEUES = 200


class Queues:
    """What a worker works off. With `are_all`, `names` follows what is created and dropped.

    `names` stays the same list, so whoever has it sees the queues of the moment.
    """

    def __init__(self, names: Sequence[str], *, are_all: bool, exclude: Sequence[str]) -> None:
        self.names = [] if are_all else list(names)
        self.are_all = are_all
        self._exclude = frozenset(exclude)

    async def look(self, link: Link) -> None:
        """Find the queues there are, if all are wanted; raise WrongState if there is nothing."""
        if not self.are_all:
            return
        found = await link.run(functions.list_queues())
        if not (names := [name for name in found if name not in self._exclude]):
            raise WrongState(
                "there is no queue to work off",
                detail=f"There are these, and all are excluded: {', '.join(found) or '(none)'}.",
                hint="Create one: symphony-pg queue create NAME",
            )
        if not self.names and (unknown := self._exclude.difference(found)):
            log.warning("excluded, but not there: %s", ", ".join(sorted(unknown)))
        self.names[:] = names

    async def follow(self, link: Link) -> None:
        """Look every few seconds, less often with many queues, until the task is cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL * max(1.0, len(self.names) / MANY_QUEUES))
            await self.look(link)

    async def served(self, link: Link, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something with the queues, and begin anew if all are wanted and one was dropped."""
        while True:
            try:
                return await work()
            except UnknownQueue:
                if not self.are_all:
                    raise
                await self.look(link)
