"""Helpers for the tests of the worker: run one, wait for a condition, run one as a process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from symphony_pg import Client, Symphony, Worker
from symphony_pg.worker import Counts
from tests.helpers import Connection

TIMEOUT = 20.0


def run(app: Symphony, **options: Any) -> Counts:
    """Run a worker until the queues are drained."""
    return asyncio.run(Worker(app, **{"drain": True, **options}).run())


@asynccontextmanager
async def running(app: Symphony, **options: Any) -> AsyncIterator[Worker]:
    """Run a worker for the length of a block."""
    worker = Worker(app, **options)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.005)


def status(conn: Connection, message_id: int) -> str:
    """Return the status of a message."""
    found = Client(conn).message_status(message_id)
    assert found is not None
    return found.status


class Process:
    """`symphony-pg consume` in a process of its own, and what it has written."""

    def __init__(self, folder: Path, app: str, dsn: str, *options: str) -> None:
        (folder / "worker_app.py").write_text(app)
        self.log = folder / "worker.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "symphony_pg.cli", "consume"),
                    *("--app", "worker_app:app", *options),
                ],
                cwd=folder,
                env={**os.environ, "SYMPHONY_DSN": dsn},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(TIMEOUT)

    def until_written(self, text: str, path: Path | None = None) -> None:
        deadline = time.monotonic() + TIMEOUT
        path = path or self.log
        while not path.exists() or text not in path.read_text():
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.log.read_text()}"
            time.sleep(0.01)
