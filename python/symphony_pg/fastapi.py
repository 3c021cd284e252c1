"""Symphony in a FastAPI application, or in any other one with a lifespan: a worker in its process.

    app = Symphony("postgresql:///shop")
    api = FastAPI(lifespan=lifespan(app))

For one process with little work this is all there is to do; `symphony-pg consume` is the worker for
more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from .app import Symphony
from .worker import Worker

__all__ = ["lifespan", "working"]

log = logging.getLogger("symphony_pg.worker")


def lifespan(
    app: Symphony, queues: Sequence[str] = ("default",), **options: Any
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return a lifespan: a worker runs as long as the web application does.

    The options are those of Worker. At the end running handlers get their grace, and the
    connections of `app` are closed.
    """

    @asynccontextmanager
    async def span(_: Any) -> AsyncIterator[None]:
        async with working(app, queues, **options):
            yield
        await app.aclose()

    return span


@asynccontextmanager
async def working(
    app: Symphony, queues: Sequence[str] = ("default",), **options: Any
) -> AsyncIterator[Worker]:
    """Run a worker in this event loop for the length of an async with block.

    A worker that fails is logged, and does not take the block down.
    """
    worker = Worker(app, queues, **options)
    task = asyncio.create_task(worker.run())
    task.add_done_callback(_tell)
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait([task])


def _tell(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.critical("the worker in this process has ended: %s", error, exc_info=error)
