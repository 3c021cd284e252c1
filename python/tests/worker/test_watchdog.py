"""What blocks the event loop is named, and SIGUSR1 tells where everything is."""

import asyncio
import logging
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Client, Symphony
from tests.helpers import Connection, Job, status, wait_until
from tests.worker.helpers import Process, running, until

APP = """
import asyncio
import os
import signal
import time
from pathlib import Path
from symphony_pg import Symphony

app = Symphony()

@app.handler("Block", timeout=2)
async def block(seconds):
    Path("started").write_text("started")
    time.sleep(seconds)

@app.handler("Wait")
async def wait(seconds):
    Path("started").write_text("started")
    await asyncio.sleep(seconds)

@app.handler("Hang")
def hang(seconds):
    Path("started").write_text("started")
    time.sleep(seconds)

def fork():
    child = os.fork()
    if child == 0:
        time.sleep(2)
        os._exit(7)
    os.kill(child, signal.SIGUSR1)
    Path("ended").write_text(str(os.waitpid(child, 0)[1]))

@app.handler("Fork")
def fork_in_thread(body):
    fork()

@app.handler("ForkAsync")
async def fork_in_event_loop(body):
    fork()
"""
# What the application has made of SIGUSR1 before the worker began, and how a child ends with that.
BEFORE = {
    "": signal.SIGUSR1,
    "signal.signal(signal.SIGUSR1, signal.SIG_IGN)": 7 << 8,
    "signal.signal(signal.SIGUSR1, lambda number, frame: os._exit(9))": 9 << 8,
}


@pytest.mark.parametrize("first_step", [True, False])
async def test_whoever_blocks_the_event_loop_is_named(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture, first_step: bool
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))

    @app.handler(Job)
    async def blocking(job: Job) -> None:
        if not first_step:
            await asyncio.sleep(0)
        time.sleep(3 if job.n else 0)

    @app.handler("Other")
    async def other(body: Any) -> None:
        await asyncio.sleep(0.1)

    with caplog.at_level(logging.WARNING):
        async with running(app, concurrency=2) as worker:
            Client(conn).enqueue("Other", 0)
            message_id = app.dispatch(Job(1))
            await until(lambda: worker.counts.claimed >= 2)
            await until(lambda: "was blocked" in caplog.text, "the word")
    name = f"blocking (message {message_id})"
    assert "the event loop is blocked for" in caplog.text
    assert f"{name}, and leases of 0.5 s cannot be extended" in caplog.text
    assert "time.sleep(3 if job.n else 0)" in caplog.text
    assert "the event loop was blocked for 3 s by the handler" in caplog.text


def test_a_handler_that_blocks_it_beyond_its_limit_ends_the_process(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))
    message_id = Client(conn).enqueue("Block", 60)
    with Process(tmp_path, APP, dsn) as worker:
        assert worker.wait() == 75
        assert "is over its limit of 2 s and cannot be cancelled: ending" in str(worker)
    Client(conn).tick()
    assert status(conn, message_id) == "pending"


@pytest.mark.parametrize("kind", ["Wait", "Hang", "Block"])
def test_sigusr1_tells_where_everything_is(
    dsn: str, conn: Connection, tmp_path: Path, kind: str
) -> None:
    message_id = Client(conn).enqueue(kind, 1.5)
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("started", tmp_path / "started")
        worker.send(signal.SIGUSR1)
        worker.until_written("SIGUSR1: ")
        worker.until_written(f'\\"message_id\\": {message_id}')
        told = worker.log.read_text()
        assert "thread MainThread" in told
        assert "asyncio.sleep(seconds)" in told if kind == "Wait" else "time.sleep(seconds)" in told
        assert "in keep_leases" in told
        wait_until(lambda: status(conn, message_id) == "completed", worker)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("message_type", ["Fork", "ForkAsync"])
def test_sigusr1_does_in_a_child_of_a_handler_what_it_did_before(
    dsn: str, conn: Connection, tmp_path: Path, message_type: str, before: str
) -> None:
    Client(conn).enqueue(message_type)
    with Process(tmp_path, f"{APP}\n{before}\n", dsn, "--drain") as worker:
        assert worker.wait() == 0
        assert "SIGUSR1: " not in str(worker)
    assert (tmp_path / "ended").read_text() == str(int(BEFORE[before]))


async def test_sigusr1_is_the_program_s_own_where_the_worker_is_a_part_of_it(
    app: Symphony,
) -> None:
    app.handler(Job)(lambda job: None)
    before = signal.getsignal(signal.SIGUSR1)
    async with running(app):
        assert signal.getsignal(signal.SIGUSR1) == before
