"""Processes: children of handlers, and signals that come early."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.helpers import TIMEOUT, Connection, status, wait_until
from tests.worker.helpers import Process

APP = """
import asyncio
import multiprocessing
import os
import signal
import time
from pathlib import Path
from symphony_pg import Symphony

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background
app = Symphony()
fork = multiprocessing.get_context("fork")

def sleep():
    time.sleep(60)

def end(start):
    child = start()
    time.sleep(0.2)
    os.kill(child, number)
    for _ in range(100):
        found, code = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(code)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "it did not end"

def forked():
    child = os.fork()
    if not child:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            os._exit(1)
        os._exit(0)
    return child

def handle(kind):
    global number
    number = signal.SIGINT if kind == "fork, SIGINT" else signal.SIGTERM
    if kind == "Process":
        process = fork.Process(target=sleep)
        process.start()
        process.terminate()
        process.join(5)
        code = process.exitcode
        process.kill()
    elif kind == "Pool":
        with fork.Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
        pool.join()  # which waits for what terminate() has ended
        code = -signal.SIGTERM
    else:
        code = end(forked)
    Path("code").write_text(str(int(code) if code != "it did not end" else code))

@app.handler("Sync")
def sync(kind):
    handle(kind)

@app.handler("Async")
async def in_event_loop(kind):
    handle(kind)
"""
WAITS = """
import time
from pathlib import Path
from symphony_pg import Symphony

Path("importing").write_text("importing\\n")
time.sleep(1)
app = Symphony()
app.handler("Job")(lambda message: Path("handled").touch())
"""
KINDS = ("Process", "Pool", "fork", "fork, SIGINT")


@pytest.mark.parametrize("message_type", ["Sync", "Async"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_child_of_a_handler_ends_as_any_process_does(
    dsn: str, conn: Connection, tmp_path: Path, kind: str, message_type: str
) -> None:
    message_id = Client(conn).enqueue(message_type, kind)
    with Process(tmp_path, APP, dsn) as worker:
        wait_until(lambda: status(conn, message_id) == "completed", worker)
        expected = 1 if kind == "fork, SIGINT" else -signal.SIGTERM
        assert (tmp_path / "code").read_text() == str(expected), worker
        worker.send(signal.SIGTERM)  # the worker has its own signals still
        assert worker.wait() == 0
        assert json.loads(worker.log.read_text().splitlines()[-1])["done"] == 1


def test_a_signal_that_comes_during_the_import_counts(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    message_id = Client(conn).enqueue("Job")
    with Process(tmp_path, WAITS, dsn) as worker:
        worker.until_written("importing\n", tmp_path / "importing")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        assert json.loads(worker.log.read_text().splitlines()[-1])["claimed"] == 0
    assert status(conn, message_id) == "pending"


def test_a_second_signal_during_the_import_ends_at_once(dsn: str, tmp_path: Path) -> None:
    with Process(tmp_path, WAITS.replace("sleep(1)", "sleep(60)"), dsn) as worker:
        worker.until_written("importing\n", tmp_path / "importing")
        worker.send(signal.SIGTERM)
        worker.send(signal.SIGTERM)

        def has_ended() -> bool:
            worker.send(signal.SIGTERM)  # once more: two that are pending together are one
            return worker.process.poll() is not None

        wait_until(has_ended, worker)
        assert worker.wait() == 128 + signal.SIGTERM


def _can_be_pid_1() -> bool:
    command = ["unshare", "--fork", "--pid", "true"]
    return (
        shutil.which("unshare") is not None
        and not subprocess.run(command, check=False, capture_output=True).returncode
    )


@pytest.mark.skipif(not _can_be_pid_1(), reason="nobody may be PID 1 here")
def test_pid_1_hears_a_signal_during_the_import(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "worker_app.py").write_text(WAITS)
    command = [sys.executable, "-m", "symphony_pg.cli", "--dsn", dsn, "consume"]
    with subprocess.Popen(
        ["unshare", "--fork", "--pid", "--kill-child", *command, "--app", "worker_app:app"],
        cwd=tmp_path,
    ) as process:
        try:
            wait_until((tmp_path / "importing").exists, "the import")
            (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            subprocess.run(["kill", "-TERM", child], check=True)
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()


@pytest.mark.skipif(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, reason="under nohup")
def test_a_terminal_that_is_closed_lets_handlers_finish(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    app = WAITS.replace("time.sleep(1)", "").replace(
        'Path("handled").touch()', '(Path("handled").touch(), time.sleep(1))'
    )
    message_id = Client(conn).enqueue("Job")
    with Process(tmp_path, app, dsn) as worker:
        wait_until((tmp_path / "handled").exists, worker)
        worker.send(signal.SIGHUP)
        worker.send(signal.SIGHUP)
        assert worker.wait() == 0
    assert status(conn, message_id) == "completed"
