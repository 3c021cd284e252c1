"""The tasks of a worker, and the first failure among them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from .link import Stopped

log = logging.getLogger("symphony_pg.worker")


class Crew:
    """Starts tasks; one that fails, or that somebody else cancels, ends the worker by `stop`."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self._stop = stop
        self._is_ending = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task whose failure ends the worker."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        return task

    def end(self) -> None:
        """Take it for no failure that tasks are cancelled from now on."""
        self._is_ending = True

    def note(self, error: BaseException | None) -> None:
        """Remember an error, unless there was another one before."""
        self.failure = self.failure or error

    def fail(self, error: BaseException) -> None:
        """End the worker for an error."""
        self.note(error)
        self._stop()

    def was_cancelled(self, task: asyncio.Task[None]) -> BaseException | None:
        """Return the error that a task was cancelled, if it was not by us."""
        if self._is_ending:
            return None
        name = getattr(task.get_coro(), "__qualname__", task.get_name())
        log.error(
            "something that a handler called has cancelled %s of this worker, which ends", name
        )
        return RuntimeError(f"a task of the worker was cancelled: {name}")

    def _on_done(self, task: asyncio.Task[None]) -> None:
        error = self.was_cancelled(task) if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Stopped):
            self.fail(error)
