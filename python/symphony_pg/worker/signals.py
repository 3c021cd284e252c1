"""SIGTERM and SIGINT: the first one asks for the end, the second one is the end. SIGHUP asks, too.

SIGUSR1 asks where everything is, which the watchdog tells.

SIGTERM is caught before the application is imported, since PID 1 of a container has no default
action: a signal that nobody has asked for is lost to it. SIGINT breaks the import, as ever.

A child that a handler forks gets back what was there before: it is no worker, and a parent that
ends it would wait in vain. Signals are blocked meanwhile: one that is sent at once waits.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
CAUGHT = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
_active: list[Signals] = []
_forking = threading.local()


class Signals:
    """Catches the signals for the length of a with block, in the main thread."""

    def __init__(self) -> None:
        self.was_caught = False
        self._before: dict[int, Any] = {}
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> Signals:
        self._catch(signal.SIGTERM)
        if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # not under nohup
            self._catch(signal.SIGHUP)
        _active.append(self)
        return self

    def _catch(self, number: int) -> None:
        self.catch(number, self._caught)

    def catch(self, number: int, action: Callable[[int, FrameType | None], None]) -> None:
        """Let a signal do that until the end of the block, and not in children."""
        if number not in self._before:
            self._before[number] = signal.signal(number, action)

    def __exit__(self, *_: object) -> None:
        if self in _active:
            _active.remove(self)
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def leave(self) -> None:
        """Let the signals do in a child what they did before."""
        for number, handler in self._before.items():
            if getattr(getattr(handler, "func", None), "__module__", "") == "asyncio.runners":
                handler = signal.default_int_handler  # there is no event loop in it
            signal.signal(number, handler or signal.SIG_DFL)

    def ask(self, stop: Callable[[], None]) -> None:
        """Call this at the first signal; at once, if that has come already."""
        self._stop = stop
        self._catch(signal.SIGINT)
        if self.was_caught:
            stop()

    def _caught(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Not a callback of the event loop: a handler that blocks that would put it off.
        if not self.was_caught:
            self.was_caught = True
            if self._stop is not None:
                self._stop()
        elif number != signal.SIGHUP:  # of which a terminal that is closed may send two
            os._exit(128 + number)


def _before_fork() -> None:
    if _active:
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, CAUGHT)


def _after_fork() -> None:
    mask = vars(_forking).pop("mask", None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _in_child() -> None:
    while _active:
        _active.pop().leave()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
