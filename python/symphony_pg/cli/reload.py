"""symphony-pg consume --reload: a worker that is started anew when its program changes."""

from __future__ import annotations

import hashlib
import importlib.util
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType

import click

from .lifeline import Child

LOOK_INTERVAL_MS = 200
MOST_IN_A_ROW = 3
STARTING = 1.0  # what is noticed so soon after a start may have been written by it


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
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name)
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, command.on_signal)
    reasons = _Reasons()
    looks = watch(
        *_folders(app),
        watch_filter=PythonFilter(),
        stop_event=command.stopped,
        rust_timeout=LOOK_INTERVAL_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    for changes in looks:
        is_starting = command.is_starting()
        names = reasons.among({Path(path) for _, path in changes}, is_starting)
        if names:
            click.echo(f"changed: {', '.join(names)}; the worker is started anew", err=True)
        if names or not command.was_started:
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


class _Reasons:
    """Files that have changed, and whether that is a reason to start the worker anew.

    It is not if a file says what it said before. Nor if it is the worker that changes it, whenever
    it starts: that would go on without end.
    """

    def __init__(self) -> None:
        self._contents: dict[Path, bytes | None] = {}
        self._in_a_row: Counter[Path] = Counter()

    def among(self, paths: Iterable[Path], is_starting: bool) -> list[str]:
        """Return the names of those that are a reason."""
        return [path.name for path in sorted(paths) if self._is_one(path, is_starting)]

    def _is_one(self, path: Path, is_starting: bool) -> bool:
        content = _content(path)
        if path in self._contents and self._contents[path] == content:
            return False
        self._contents[path] = content
        if not is_starting:
            del self._in_a_row[path]
            return True
        self._in_a_row[path] += 1
        if self._in_a_row[path] == MOST_IN_A_ROW + 1:
            click.echo(
                f"{path.name} changes whenever the worker starts, which is no reason any more to "
                "start it anew; let the application write it elsewhere, or only when it differs",
                err=True,
            )
        return self._in_a_row[path] <= MOST_IN_A_ROW


def _content(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:  # it was removed
        return None


class _Command:
    """A process that is started again and again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._child: Child | None = None
        self._is_over = False
        self._started_at: float | None = None
        self.stopped = threading.Event()

    @property
    def was_started(self) -> bool:
        """True after the first start."""
        return self._child is not None

    def is_starting(self) -> bool:
        """Tell whether the application is being imported, or was a moment ago."""
        if self._child is None:
            return False
        if self._started_at is None:
            if not self._child.says_ready() and self._child.process.poll() is None:
                return True
            self._started_at = time.monotonic()
        return time.monotonic() - self._started_at < STARTING

    def on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Pass a signal on, and start nothing any more."""
        self.stopped.set()
        if self._child is not None:
            self._child.send(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    def restart(self) -> None:
        """End the process as SIGTERM does, wait for it, and start it."""
        if self._child is not None:
            self._child.send(signal.SIGTERM)
            self._child.wait()
        if not self.stopped.is_set():
            self._child = Child(self._command)
            self._is_over, self._started_at = False, None

    def ended_with(self) -> int | None:
        """Return the exit code when the process has ended by itself, once; else None."""
        code = None if self._child is None or self._is_over else self._child.process.poll()
        self._is_over = self._is_over or code is not None
        return code

    def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        return 0 if self._child is None else self._child.wait()
