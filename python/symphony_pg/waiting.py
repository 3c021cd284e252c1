"""Waiting in async code: for a flag, with a time limit, and before another attempt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Wait for something, but not longer; raise asyncio.TimeoutError.

    Up to Python 3.11, asyncio.wait_for() forgets that it was cancelled if the work ends at that
    moment, so a loop around it would go on for ever.
    """
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait([doing], timeout=seconds)
        if doing.done():
            return doing.result()
        raise asyncio.TimeoutError
    finally:
        if not doing.cancel() and not doing.cancelled():
            doing.exception()  # is known, whoever hears of it


class Flag:
    """What asyncio.Event is, and wait() has a time limit.

    Up to Python 3.11, asyncio.wait_for() makes a task for each wait, which costs a worker that has
    little to do as much as its work. A cancelled wait is cancelled, whatever comes with it.
    """

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: set[asyncio.Future[bool]] = set()

    def is_set(self) -> bool:
        """Tell whether set() was called after the last clear()."""
        return self._is_set

    def set(self) -> None:
        """Wake whoever waits, and let nobody wait until clear()."""
        self._is_set = True
        for waiter in self._waiters:
            _tell(waiter, True)

    def clear(self) -> None:
        """Let those wait who come from now on."""
        self._is_set = False

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until set() is called; return False if it was not for so long."""
        if self._is_set:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _tell, waiter, False)
        self._waiters.add(waiter)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()


def _tell(waiter: asyncio.Future[bool], is_set: bool) -> None:
    if not waiter.done():
        waiter.set_result(is_set)


class Backoff:
    """Waits before another attempt, or until a flag is set; `attempts` have failed in a row."""

    def __init__(self, stopped: Flag) -> None:
        self.attempts = 0
        self._stopped = stopped

    def reset(self) -> None:
        """Note that an attempt has succeeded."""
        self.attempts = 0

    async def wait(self) -> None:
        """Wait longer after each attempt that failed, and never exactly as long as others do."""
        seconds = min(LONGEST_WAIT, FIRST_WAIT * 2**self.attempts)
        self.attempts = min(self.attempts + 1, 10)
        await self._stopped.wait(seconds * random.uniform(0.5, 1))  # noqa: S311
