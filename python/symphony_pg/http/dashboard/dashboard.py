"""The dashboard: the pages of one database, or of several and what is wrong in each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..access import Doorkeeper, User
from ..problems import Problem, as_problem
from .database import Database, Overview
from .frame import Frame
from .pages import Pages

SEVERITIES = ("critical", "warning", "note", "well")


class Seen(NamedTuple):
    """A database at a glance, or the reason why it cannot be read."""

    name: str
    overview: Overview | None
    problem: Problem | None

    @property
    def worst(self) -> str:
        """How bad it is: "critical", "warning", "note" or "well"."""
        return self.overview.worst if self.overview else "critical"


class Dashboard:
    """All pages. A database without a name is the only one."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        doorkeeper: Doorkeeper,
        path: str,
        request_id: str,
    ) -> None:
        names = tuple(each for each in databases if each)
        self._frame = Frame(doorkeeper, path, request_id, names)
        self._pages = {
            name: Pages(self._frame, database, f"/db/{name}" if name else "")
            for name, database in databases.items()
        }
        self._has_names = bool(names)

    def close(self) -> None:
        """Close the connections that are not in use."""
        for each in self._pages.values():
            each.database.close()

    def routes(self) -> list[Route]:
        """Return what it answers."""
        first = [self._frame.route("/", self.databases)] if self._has_names else []
        return [
            *first,
            *(route for each in self._pages.values() for route in each.routes()),
            *self._frame.routes(),
        ]

    async def databases(self, request: Request, user: User) -> Response:
        """Show all databases, and what is wrong in each."""
        request_id = self._frame.request_id(request)

        async def look(name: str, database: Database) -> Seen:
            try:
                return Seen(name, await database.glance(), None)
            except Exception as error:
                return Seen(name, None, as_problem(error, request_id))

        seen = await asyncio.gather(
            *(look(name, each.database) for name, each in self._pages.items())
        )
        seen.sort(key=lambda each: SEVERITIES.index(each.worst))
        return self._frame.show(request, user, "databases.html", seen=seen)
