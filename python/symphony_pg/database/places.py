"""So many places, which threads and tasks of any event loop get in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent import futures
from threading import Lock

__all__ = ["Places"]


class Places:
    """Who finds no place free waits for its turn; whoever leaves hands the place on."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[futures.Future[None]] = deque()
        self._lock = Lock()

    def take(self, seconds: float) -> bool:
        """Take a place; return False if there was none for so long."""
        if (turn := self._ask()) is None:
            return True
        try:
            turn.result(seconds)
        except futures.TimeoutError:
            return not turn.cancel()  # it may have come at the last moment
        except BaseException:
            self._leave(turn)
            raise
        return True

    async def take_async(self, seconds: float) -> bool:
        """Do what take() does, from async code."""
        if (turn := self._ask()) is None:
            return True
        try:
            # Not wait_for(), which up to Python 3.11 may swallow a cancellation.
            come, _ = await asyncio.wait([asyncio.wrap_future(turn)], timeout=seconds)
        except BaseException:
            self._leave(turn)
            raise
        return bool(come) or not turn.cancel()

    def _ask(self) -> futures.Future[None] | None:
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            turn: futures.Future[None] = futures.Future()
            self._waiting.append(turn)
            return turn

    def _leave(self, turn: futures.Future[None]) -> None:
        if not turn.cancel():
            self.give()

    def give(self) -> None:
        """Leave a place to whoever has waited for the longest time."""
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    break
            else:
                self._free += 1
                return
        turn.set_result(None)
