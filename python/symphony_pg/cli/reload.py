"""symphony-pg consume --reload: a worker that is started anew when its program changes."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

__all__ = ["run_reloading"]

LOOK_INTERVAL_MS = 200


def run_reloading(app: str) -> int:
    """Run this command without --reload, anew after each change; return its exit code.

    A worker that ends by itself ends us, too. One that fails, for a syntax error say, has written
    why, and the next change gives it another chance.
    """
    try:
        from watchfiles import PythonFilter, watch
    except ModuleNotFoundError as error:
        raise click.UsageError(
            "--reload needs the package watchfiles. Install it: pip install 'symphony-pg[reload]'"
        ) from error

    arguments = [each for each in sys.argv[1:] if each != "--reload"]
    command = _Command([sys.executable, "-m", "symphony_pg.cli", *arguments])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, command.on_signal)
    looks = watch(
        *_folders(app),
        watch_filter=PythonFilter(),
        stop_event=command.stopped,
        rust_timeout=LOOK_INTERVAL_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    for changes in looks:
        if changes and command.was_started:
            names = ", ".join(sorted({Path(path).name for _, path in changes}))
            click.echo(f"changed: {names}; the worker is started anew", err=True)
        if changes or not command.was_started:
            command.restart()
        elif (code := command.ended_with()) is not None:
            if code == 0:
                return 0
            click.echo(f"the worker ended with code {code}; waiting for a change", err=True)
    return command.wait()


def _folders(app: str) -> Sequence[Path]:
    """Return what to watch: where we are, and the application's package if it is elsewhere."""
    here = Path.cwd()
    package = app.partition(":")[0].partition(".")[0]
    sys.path.insert(0, "")
    try:
        found = importlib.util.find_spec(package) if package else None
    except (ImportError, ValueError):  # the worker will tell
        found = None
    if found is None or found.origin is None:
        return [here]
    folder = Path(found.origin).resolve().parent
    return [here] if folder.is_relative_to(here) else [here, folder]


class _Command:
    """A process that is started again and again.

    It has a session of its own, so that Ctrl-C reaches it once: through us.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False
        self.stopped = threading.Event()

    @property
    def was_started(self) -> bool:
        """True after the first start."""
        return self._process is not None

    def on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Pass a signal on, and start nothing any more."""
        self.stopped.set()
        self._send(number)

    def _send(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def restart(self) -> None:
        """End the process as SIGTERM does, wait for it, and start it."""
        self._send(signal.SIGTERM)
        self.wait()
        if not self.stopped.is_set():
            self._process = subprocess.Popen(self._command, start_new_session=True)
            self._is_over = False

    def ended_with(self) -> int | None:
        """Return the exit code when the process has ended by itself, once; else None."""
        code = None if self._process is None or self._is_over else self._process.poll()
        self._is_over = self._is_over or code is not None
        return code

    def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        return 0 if self._process is None else self._process.wait()
