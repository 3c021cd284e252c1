"""Helpers for the tests of the worker: run one, wait for a condition, run one as a process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from symphony_pg import Client, Symphony, Worker
from symphony_pg.worker import Counts
from tests.helpers import TIMEOUT, Connection, end_other_sessions, status, wait_until

W = TypeVar("W", bound=Worker)


def run(app: Symphony, **options: Any) -> Counts:
    """Run a worker until the queues are drained."""
    return asyncio.run(Worker(app, **{"drain": True, **options}).run())


def running(app: Symphony, **options: Any) -> AbstractAsyncContextManager[Worker]:
    """Run a worker for the length of a block."""
    return at_work(Worker(app, **options))


@asynccontextmanager
async def at_work(worker: W) -> AsyncIterator[W]:
    """Let a worker run for the length of a block."""
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


def until_taken_back(conn: Connection, message_id: int) -> None:
    """Tick until a message is out of the hands of a worker that has gone."""

    def is_taken_back() -> bool:
        Client(conn).tick()
        return status(conn, message_id) != "processing"

    wait_until(is_taken_back, "the end of the lease")


@contextmanager
def going_away(dsn: str, conn: Connection) -> Iterator[Callable[[], None]]:
    """Give a block the means to let its database be away for all but one, until it ends."""
    allow = sql.SQL("alter database {} allow_connections {}")
    name = sql.Identifier(conn.info.dbname)
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as admin:

        def go_away() -> None:
            admin.execute(allow.format(name, sql.Literal(False)))
            end_other_sessions(conn)

        try:
            yield go_away
        finally:
            admin.execute(allow.format(name, sql.Literal(True)))


def failing_app(dsn: str, error: BaseException, **options: Any) -> Symphony:
    """Return an application whose handler of "A" raises an error."""
    app = Symphony(dsn, **options)

    @app.handler("A")
    def handle(body: Any) -> None:
        raise error

    return app


class Process:
    """`symphony-pg consume` in a process of its own, and what it has written."""

    def __init__(self, folder: Path, app: str, dsn: str, *options: str) -> None:
        (folder / "worker_app.py").write_text(app)
        self.log = folder / "worker.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "symphony_pg.cli", "--json", "consume"),
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

    def __str__(self) -> str:
        return f"a worker that wrote:\n{self.log.read_text()}"

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(TIMEOUT)

    def until_written(self, text: str, path: Path | None = None) -> None:
        path = path or self.log
        wait_until(lambda: path.exists() and text in path.read_text(), self)
