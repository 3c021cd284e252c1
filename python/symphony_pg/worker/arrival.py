"""What a worker does with the database before it claims: versions, handlers and schedules."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import psycopg

from ..app import Symphony
from ..database import functions
from ..database.install import ensure_installed
from ..database.translation import translated
from ..errors import AccessDenied, NotInstalled
from ..version import check_compatible
from .link import Link

log = logging.getLogger("symphony_pg.worker")
VERSION = "select symphony.version()"


class Arrival:
    """Sees to it that the database fits the application, and knows what that declares.

    `installs` lets it install the schema that is not there; without `declares` the schedules in
    the database stay as they are.
    """

    def __init__(self, app: Symphony, dsn: str | None, *, installs: bool, declares: bool) -> None:
        self._app = app
        self._dsn = dsn
        self._installs = installs
        self._declares = declares and bool(app.schedules)

    async def check_version(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Raise an error if this version of the package cannot work with that of the schema."""
        try:
            with translated():
                row = await (await conn.execute(VERSION)).fetchone()
        except NotInstalled:
            if not self._installs:
                raise
            await asyncio.to_thread(ensure_installed, self._dsn)
            return
        assert row is not None
        check_compatible(row[0])

    async def declare(self, link: Link) -> None:
        """Tell the database which handlers and schedules the application has."""
        for declaration in self._app.handler_declarations():
            await link.run(declaration)
        if not self._declares:
            return
        call = functions.sync_schedules(self._app.name, self._app.declarations())
        try:
            found = await link.run(call)
        except AccessDenied as error:
            log.warning("schedules are not synchronised, which takes a producer: %s", error.message)
            return
        for each in found:
            if each.outcome == "orphaned":
                log.warning(
                    "schedule %s is declared no longer and goes on; to end it: "
                    "symphony-pg schedule remove %s",
                    each.schedule_name,
                    each.schedule_name,
                )
            elif each.outcome != "unchanged":
                log.info("schedule %s is %s", each.schedule_name, each.outcome)
