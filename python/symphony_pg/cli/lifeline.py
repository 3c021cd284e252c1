"""A line between a process and the one that started it: each end notices when the other is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress

from ..worker.signals import Signals

VARIABLE = "SYMPHONY_LIFELINE"
READY = b"r"


class Child:
    """A process that is started with a lifeline, in a session of its own.

    So Ctrl-C reaches it once: through us. When we are gone, however that came about, it stops.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        with theirs:
            self.process = subprocess.Popen(
                command,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                env={**os.environ, VARIABLE: str(theirs.fileno())},
            )

    def says_ready(self) -> bool:
        """Tell, once, whether it has said that it is ready."""
        try:
            return self._line.recv(1) == READY
        except OSError:  # nothing was said
            return False

    def send(self, number: int) -> None:
        """Send a signal, if it is running still."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        code = self.process.wait()
        self._line.close()
        return code


class Parent:
    """What started this process and is to outlive it, if there is such a thing."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._line: socket.socket | None = None
        if (number := os.environ.pop(VARIABLE, None)) is not None:
            self._line = socket.socket(fileno=int(number))
            self._line.set_inheritable(False)
            threading.Thread(target=self._watch, args=[self._line], daemon=True).start()

    def ready(self) -> None:
        """Say that the application is there."""
        if self._line is not None:
            with suppress(OSError):  # the parent is gone, which is noticed elsewhere
                self._line.send(READY)

    def _watch(self, line: socket.socket) -> None:
        with suppress(OSError):
            while line.recv(1):
                pass
        if not self._signals.was_caught:
            os.kill(os.getpid(), signal.SIGTERM)
