"""Threads for libraries that block."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """Does work in so many threads at most, which no end of the process waits for.

    A ThreadPoolExecutor would be waited for: by a server that falls silent, past any grace.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do something as soon as a thread is free; call this from one thread only."""
        future: Future[T] = Future()
        self._work.put((future, work))
        if not self._idle.acquire(blocking=False) and self._started < self._most:
            self._started += 1
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return future

    def _run(self) -> None:
        while (given := self._work.get()) is not None:
            future, work = given
            if future.set_running_or_notify_cancel():
                try:
                    result = work()
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del given, future, work
            self._idle.release()

    def close(self) -> None:
        """Take no more; what is being done comes to its end by itself."""
        for _ in range(self._started):
            self._work.put(None)
