"""A thread that looks at the event loop, which cannot look at itself while something blocks it.

It says which handler blocks it for longer than a lease, and at SIGUSR1 where everything is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from .stacks import stack_of_task, stack_of_thread

log = logging.getLogger("symphony_pg.worker")
INTERVAL = 1.0


class Watchdog:
    """Watches the event loop for the length of a with block.

    `lease` returns the seconds of the shortest lease that is held, or None; `culprit` returns what
    the handler is called that a task runs, and its time limit; `doing` says what the worker does.
    With `owns_process`, it ends the process with exit code 75 when a handler blocks the event loop
    for longer than the lease and its time limit: nothing else could.
    """

    def __init__(
        self,
        lease: Callable[[], float | None],
        culprit: Callable[[asyncio.Task[Any] | None], tuple[str, float]],
        doing: Callable[[], str],
        *,
        owns_process: bool,
    ) -> None:
        self._lease = lease
        self._culprit = culprit
        self._doing = doing
        self._owns_process = owns_process
        self._seen_at = time.monotonic()
        self._is_seen = False
        self._blamed: str | None = None
        self._requests: SimpleQueue[bool] = SimpleQueue()  # which a signal handler may put into
        self._thread = threading.Thread(target=self._watch, name="symphony-watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._requests.put(False)

    @property
    def silence(self) -> float:
        """For how many seconds the event loop has not gone round; 0 while nobody looks."""
        return time.monotonic() - self._seen_at if self._is_seen else 0.0

    async def run(self) -> None:
        """Show that the event loop goes round, until the task is cancelled."""
        self._is_seen = True
        while True:
            if self._blamed is not None:
                silent = time.monotonic() - self._seen_at
                log.warning("the event loop was blocked for %.0f s by %s", silent, self._blamed)
                self._blamed = None
            self._seen_at = time.monotonic()
            await asyncio.sleep(INTERVAL)

    def ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Let it say where everything is: a signal handler."""
        self._requests.put(True)

    def _watch(self) -> None:
        while True:
            try:
                if not self._requests.get(timeout=INTERVAL):
                    return
                log.warning("SIGUSR1: %s", self._everything())
            except Empty:
                self._look()

    def _look(self) -> None:
        silent, lease = time.monotonic() - self._seen_at, self._lease()
        if lease is None or silent <= lease:
            return
        what, limit = self._culprit(asyncio.current_task(self._loop))
        if self._blamed is None:
            self._blamed = what
            log.error(
                "the event loop is blocked for %.0f s by %s, and leases of %.1f s cannot be "
                "extended: others may be working on the same messages\n%s",
                silent,
                what,
                lease,
                stack_of_thread(self._loop_thread),
            )
        if self._owns_process and silent > limit + INTERVAL:
            log.error("%s is over its limit of %g s and cannot be cancelled: ending", what, limit)
            os._exit(os.EX_TEMPFAIL)

    def _everything(self) -> str:
        """Return what the worker does, and the stacks of all threads and tasks."""
        parts = [self._doing()]
        frames = sys._current_frames()
        for thread in threading.enumerate():
            if thread is not self._thread and (frame := frames.get(thread.ident or 0)):
                stack = "".join(traceback.format_stack(frame))
                parts.append(f"thread {thread.name}\n{stack}")
        parts += [
            f"task {task.get_name()}\n{stack_of_task(task, whole=True)}"
            for task in asyncio.all_tasks(self._loop)
        ]
        return "\n".join(parts).rstrip()
