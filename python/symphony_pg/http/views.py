"""The end points that only look."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..monitoring.prometheus import Exposition
from .access import Doorkeeper
from .figures import Figures
from .openapi import document
from .query import parameters


class Views:
    """Status, figures and metrics."""

    def __init__(self, figures: Figures, doorkeeper: Doorkeeper, path: str, cron_path: str) -> None:
        self._figures = figures
        self._doorkeeper = doorkeeper
        self._exposition = Exposition()
        self._paths = (path, cron_path)

    async def live(self, _: Request) -> Response:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"})

    async def status(self, request: Request) -> Response:
        """Say whether messages are worked off, as far as the database knows; to viewers, more."""
        user = await self._doorkeeper.identify(request)
        state = await self._figures.state.get()
        shown = state if user is not None else {"status": state["status"]}
        return JSONResponse(shown, 503 if state["status"] == "down" else 200)

    async def queue_depth(self, request: Request) -> Response:
        """Say how full the queues are."""
        given = parameters(request, "queue")
        return JSONResponse({"queues": await self._figures.depth(given.get("queue"))})

    async def failed(self, request: Request) -> Response:
        """Say how many messages have failed, by queue, type and class of error."""
        given = parameters(request, "queue", "type", "error_class")
        groups = await self._figures.failed(
            given.get("queue"), given.get("type"), given.get("error_class")
        )
        return JSONResponse({"groups": groups})

    async def metrics(self, request: Request) -> Response:
        """Answer a scrape of Prometheus."""
        try:
            samples = await self._figures.samples.get()
        except Exception:
            self._exposition.errors += 1
            raise
        text, kind = self._exposition.of(samples, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": kind})

    async def openapi(self, request: Request) -> Response:
        """Describe all this, where it is mounted."""
        mounted_at = request.scope.get("root_path") or "/"
        return JSONResponse({**document(*self._paths), "servers": [{"url": mounted_at}]})
