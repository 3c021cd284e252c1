"""The worker that a request runs, for platforms whose only clock is HTTP, and the tick.

A request works off what there is and ends in time. Leases make it safe that several do so at once,
and that one is killed in the middle: what it had in hand is handed out again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..database import functions
from ..database.call import run_async
from ..database.lending import Connections
from ..worker import Counts, Worker
from .figures import Figures
from .problems import Problem
from .query import parameters
from .settings import Settings

log = logging.getLogger("symphony_pg.http")
N = TypeVar("N", int, float)

LAST_SECONDS = 3.5  # for what runs to end
NEEDED = 1.5  # of these to cancel what does not, and to settle
LATE = 0.7  # within which the answer follows when the time is over
MOST = 1_000_000  # messages
TOLD = ("claimed", "done", "retried", "failed", "snoozed", "released")


class Drain:
    """Runs a worker for the length of a request, one at a time in this process."""

    def __init__(self, settings: Settings, figures: Figures) -> None:
        self._settings = settings
        self._figures = figures
        self._worker: Worker | None = None
        self._running: asyncio.Task[Counts] | None = None
        self._connections = Connections(
            settings.app.dsn,
            most=1,
            prepare_threshold=None,
            call_timeout=settings.app.call_timeout,
        )

    def stop(self) -> None:
        """Let the worker that runs end soon; it gives back what it has not begun."""
        if self._worker is not None:
            self._worker.stop()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    async def work(self, request: Request) -> Response:
        """Work off messages until nothing is left, or the time is over."""
        if request.method == "HEAD":
            raise Problem(405, "HEAD does not run a worker", headers={"Allow": "GET, POST"})
        queues, seconds, limit = self._asked(request)
        if not self._settings.app.handlers:
            raise Problem(
                503,
                "no message has a handler here",
                "The server was started without an application that has any.",
                hint="symphony-pg serve --app MODULE:NAME names one.",
            )
        if self._is_busy():
            return JSONResponse({"busy": True})
        started = time.monotonic()
        self._worker = worker = self._new_worker(queues, seconds, limit)
        self._running = running = asyncio.create_task(worker.run())
        _, late = await asyncio.wait([running], timeout=seconds)
        if late:
            running.add_done_callback(partial(_tell, what="a worker that went on"))
            log.warning("a worker has not ended within %g seconds, and goes on", seconds)
        else:
            running.result()
        counts = worker.counts.as_dict()
        log.info("a request has worked: %d done", counts["done"], extra=counts)
        left = seconds + LATE - (time.monotonic() - started)
        return JSONResponse(
            {
                **{name: counts[name] for name in TOLD},
                "remaining": await self._remaining(queues, left),
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    def _is_busy(self) -> bool:
        running = self._running
        here = asyncio.get_running_loop()
        return running is not None and running.get_loop() is here and not running.done()

    def _new_worker(self, queues: Sequence[str], seconds: float, limit: int | None) -> Worker:
        last = min(LAST_SECONDS, seconds / 2)
        return Worker(
            self._settings.app,
            queues,
            all_queues="*" in queues,
            concurrency=self._settings.concurrency,
            limit=limit,
            time_limit=seconds - last,
            grace=max(last - NEEDED, 0.1),
            drain=True,
            listen=False,
        )

    async def _remaining(self, queues: list[str], seconds: float) -> int | None:
        """Return how many messages are left, if the database says so in time.

        If it does not, nobody waits until psycopg has cancelled the question.
        """
        counting = asyncio.create_task(self._figures.remaining(queues))
        counting.add_done_callback(partial(_tell, what="counting what is left"))
        await asyncio.wait([counting], timeout=seconds)
        is_known = counting.done() and counting.exception() is None
        return counting.result() if is_known else None

    def _asked(self, request: Request) -> tuple[list[str], float, int | None]:
        given = parameters(request, "queues", "seconds", "limit")
        most = self._settings.max_seconds
        queues = [each for each in given.get("queues", "").split(",") if each]
        seconds = _number(float, given.get("seconds"), "seconds", most)
        limit = _number(int, given.get("limit"), "limit", MOST)
        return (
            queues or list(self._settings.queues),
            most if seconds is None else seconds,
            limit,
        )

    async def tick(self, request: Request) -> Response:
        """Do what time has made due, and say what that was."""
        parameters(request)
        async with self._connections.lend_async() as conn:
            with self._connections.answered():
                done: dict[str, Any] = await run_async(conn.calls, functions.tick())
        return JSONResponse(done)


def _number(kind: type[N], text: str | None, name: str, most: float) -> N | None:
    """Read a number from 1 on."""
    if text is None:
        return None
    try:
        number = kind(text)
    except ValueError:
        number = kind(0)
    if not 1 <= number <= most:
        raise Problem(400, f"{name} is a number from 1 to {most:g}")
    return number


def _tell(task: asyncio.Task[Any], what: str) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("%s has failed: %s", what, type(error).__qualname__)
