"""consume --reload: what starts the worker anew, and what ends it."""

import signal
import time
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.helpers import Connection, wait_until
from tests.worker.helpers import Process

APP = """
import os
import time
from pathlib import Path
from symphony_pg import Symphony

with Path("pids").open("a") as file:
    file.write(f"{os.getpid()}\\n")
GENERATE
app = Symphony()
app.handler("Job")(lambda seconds: time.sleep(seconds))
"""
SAME = 'Path("generated.py").write_text("# generated\\n")'
OTHER = 'Path("generated.py").write_text(f"# generated {time.time()}\\n")'
OTHER_AND_FAIL = OTHER + "\nraise SystemExit(7)"


def pids(folder: Path) -> list[int]:
    path = folder / "pids"
    return [int(each) for each in path.read_text().split()] if path.exists() else []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def reloading(folder: Path, dsn: str, generate: str = "") -> Process:
    return Process(folder, APP.replace("GENERATE", generate), dsn, "--reload", "--name", "w1")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_what_started_it(
    dsn: str, conn: Connection, tmp_path: Path, number: signal.Signals
) -> None:
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests run under nohup")
    client = Client(conn)
    with reloading(tmp_path, dsn) as worker:
        wait_until(lambda: client.worker_activity(), worker)
        (pid,) = pids(tmp_path)
        worker.send(number)
        wait_until(lambda: not is_running(pid), worker)
        wait_until(lambda: client.worker_activity() == [], "a worker that said goodbye")


def test_a_parent_that_ends_during_the_import_is_noticed(dsn: str, tmp_path: Path) -> None:
    with reloading(tmp_path, dsn, "time.sleep(1)") as worker:
        wait_until(lambda: pids(tmp_path), worker)
        worker.send(signal.SIGKILL)
        wait_until(lambda: not is_running(pids(tmp_path)[0]), worker)


def test_a_file_that_says_the_same_is_no_reason(dsn: str, conn: Connection, tmp_path: Path) -> None:
    with reloading(tmp_path, dsn, SAME) as worker:
        wait_until(lambda: Client(conn).worker_activity(), worker)
        time.sleep(3)
        assert len(pids(tmp_path)) <= 2, worker  # that it says the same is known from once on
        before = len(pids(tmp_path))
        (tmp_path / "worker_app.py").touch()
        (tmp_path / "generated.py").write_text("# by hand\n")
        wait_until(lambda: len(pids(tmp_path)) > before, worker)


@pytest.mark.parametrize("generate", [OTHER, OTHER_AND_FAIL])
def test_a_file_that_each_start_writes_is_a_reason_three_times(
    dsn: str, conn: Connection, tmp_path: Path, generate: str
) -> None:
    with reloading(tmp_path, dsn, generate) as worker:
        worker.until_written("generated.py changes whenever the worker starts")
        time.sleep(3)
        assert len(pids(tmp_path)) == 4, worker
        with (tmp_path / "worker_app.py").open("a") as file:
            file.write("# by hand\n")
        wait_until(lambda: len(pids(tmp_path)) == 5, worker)
        time.sleep(2)
        assert len(pids(tmp_path)) == 5, worker
        assert worker.log.read_text().count("changes whenever the worker starts") == 1
