"""What ends, pauses, widens and restarts a worker: limits, requests, --all, --reload."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from symphony_pg import Client, Symphony, UnknownWorker
from symphony_pg.cli import main
from symphony_pg.database.functions.workers import WorkerActivity
from symphony_pg.worker.heartbeat import resident_memory
from tests.helpers import TIMEOUT, Connection, status, wait_until
from tests.worker.helpers import Process, running, until

APP = """
import time
from pathlib import Path
from symphony_pg import Symphony

app = Symphony()
hoard = []

@app.handler("Job")
def job(seconds):
    Path("started").open("a").write("started\\n")
    time.sleep(seconds)

@app.handler("Fail")
def fail(body):
    time.sleep(0.02)
    raise OSError("no")

@app.handler("Hoard")
def keep(megabytes):
    hoard.append(bytearray(megabytes << 20))
"""


def report(worker: Process) -> dict[str, Any]:
    """Return what the worker said when it ended by itself."""
    assert worker.wait() == 0, worker.log.read_text()
    told: dict[str, Any] = json.loads(worker.log.read_text().splitlines()[-1])
    return told


def test_the_failure_limit_ends_it_and_gives_back_the_rest(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    Client(conn).enqueue_batch([{"message_type": "Fail"}] * 200)
    with Process(tmp_path, APP, dsn, "--failure-limit", "7") as worker:
        told = report(worker)
        assert "attempts failed, the limit" in worker.log.read_text()
    # Those that failed before the worker heard of the seventh count as well: a tenth of a second.
    assert 7 <= told["retried"] <= 30
    assert told["claimed"] == told["retried"] + told["released"]
    assert Client(conn).queue_stats()[0].processing == 0


def test_the_memory_limit_ends_it_between_claims(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    ids = Client(conn).enqueue_batch([{"message_type": "Hoard", "body": 60}] * 20)
    with Process(tmp_path, APP, dsn, "--memory-limit", "240M", "--batch-size", "1") as worker:
        told = report(worker)
        assert "bytes in memory, the limit is 251658240" in worker.log.read_text()
    assert 1 <= told["done"] < 20
    assert told["claimed"] == told["done"] + told["released"]
    states = [status(conn, each) for each in ids]
    assert states.count("pending") == 20 - told["done"]


def test_memory_is_what_the_process_has() -> None:
    before = resident_memory()
    hoard = bytearray(os.urandom(1) * (64 << 20))
    assert 60 << 20 < resident_memory() - before < 80 << 20
    assert len(hoard) == 64 << 20


def test_a_request_reaches_an_idle_worker_at_once(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    client = Client(conn)
    with Process(tmp_path, APP, dsn, "--name", "w1") as worker:
        wait_until(lambda: client.queue_stats()[0].idle_workers, worker)
        assert [each.state for each in client.worker_activity()] == ["idle"]
        assert client.request_workers("pause", ["w1"]) == ["w1"]
        worker.until_written("paused, as was asked")
        wait_until(lambda: client.queue_stats()[0].idle_workers == 0, worker)
        message_id = client.enqueue("Job", 0)
        time.sleep(0.5)
        assert status(conn, message_id) == "pending"
        assert [each.state for each in client.worker_activity()] == ["paused"]
        client.request_workers("resume")
        wait_until(lambda: status(conn, message_id) == "completed", worker)
        client.request_workers("stop", queue_name="default")
        assert report(worker)["done"] == 1
    assert client.worker_activity() == []
    with pytest.raises(UnknownWorker) as refused:
        client.request_workers("stop", ["w1"])
    assert refused.value.detail == "There is no worker."


async def test_a_busy_worker_tells_what_it_does_and_hears_with_its_heartbeat(
    dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_pg.worker.heartbeat.INTERVAL", 0.1)
    client = Client(conn)
    app = Symphony(dsn)
    go_on = threading.Event()

    @app.handler("Wait")
    def wait(is_first: bool) -> None:
        assert is_first or go_on.wait(TIMEOUT)

    bodies = [True, False, True, True]
    ids = client.enqueue_batch([{"message_type": "Wait", "body": each} for each in bodies])
    async with running(app, name="w1", listen=False) as worker:

        def shown() -> WorkerActivity:
            return client.worker_activity()[0]

        await until(lambda: client.worker_activity() and shown().running)
        seen = shown()
        assert (seen.state, seen.processing, seen.details["pid"]) == ("working", 3, os.getpid())
        (doing,) = seen.running
        assert (doing["message_id"], doing["message_type"]) == (ids[1], "Wait")
        assert 0 <= doing["seconds"] < 10
        client.request_workers("stop")
        await until(lambda: shown().details.get("state") == "stopping")
        # It says so, and gives back what it has not begun, in either order.
        expected = ["processing", "pending", "pending"]
        await until(lambda: [status(conn, each) for each in ids[1:]] == expected)
        go_on.set()
        await until(lambda: not client.worker_activity())
        assert (worker.counts.done, worker.counts.released) == (2, 2)


def test_a_request_to_an_earlier_process_of_the_name_is_forgotten(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    client = Client(conn)
    client.heartbeat("w1", ["default"])
    client.request_workers("stop", ["w1"])
    client.enqueue("Job", 0)
    with Process(tmp_path, APP, dsn, "--name", "w1", "--limit", "1") as worker:
        assert report(worker)["done"] == 1


def test_all_takes_up_new_queues_and_leaves_out_excluded_ones(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    client = Client(conn)
    client.create_queue("bulk")
    bulk = client.enqueue("Job", 0, queue_name="bulk")
    with Process(tmp_path, APP, dsn, "--all", "--exclude", "bulk", "--exclude", "later") as worker:
        first = client.enqueue("Job", 0)
        wait_until(lambda: status(conn, first) == "completed", worker)
        assert "excluded, but not there: later" in worker.log.read_text()
        client.create_queue("new")
        ids = [client.enqueue("Job", 0, queue_name="new")]
        wait_until(lambda: status(conn, ids[0]) == "completed", worker)
        # It listens to the new queue as well.
        new = client.queue_stats("new")
        wait_until(lambda: client.queue_stats("new")[0].idle_workers == 1, worker)
        assert new
        client.drop_queue("new", force=True)
        time.sleep(2.5)
        last = client.enqueue("Job", 0)
        wait_until(lambda: status(conn, last) == "completed", worker)
        worker.send(signal.SIGTERM)
        assert report(worker)["done"] == 3
    assert status(conn, bulk) == "pending"


def test_no_queue_waits_for_ever_behind_a_busy_one(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    client = Client(conn)
    client.create_queue("a")
    client.create_queue("z")
    jobs = [{"message_type": "Job", "body": 0.05, "queue_name": queue} for queue in "a" * 400]
    client.enqueue_batch(jobs)
    last = client.enqueue("Job", 0, queue_name="z")
    with Process(tmp_path, APP, dsn, "--all", "--batch-size", "5") as worker:
        wait_until(lambda: status(conn, last) == "completed", worker)
        assert client.queue_stats("a")[0].pending > 100


def test_without_any_queue_it_says_so(dsn: str, conn: Connection, tmp_path: Path) -> None:
    with Process(tmp_path, APP, dsn, "--all", "--exclude", "default") as worker:
        assert worker.wait() == 1
        assert "there is no queue to work off" in worker.log.read_text()


def test_reload_starts_it_anew_when_a_file_changes(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    client = Client(conn)
    with Process(tmp_path, APP, dsn, "--reload", "--name", "w1") as worker:
        path = tmp_path / "worker_app.py"
        first = client.enqueue("Job", 0)
        wait_until(lambda: status(conn, first) == "completed", worker)
        second = client.enqueue("Job", 0.5)
        wait_until(lambda: status(conn, second) == "processing", worker)
        path.write_text(APP + "this is no Python")
        worker.until_written("SyntaxError")
        worker.until_written("the worker ended with code 1; waiting for a change")
        assert status(conn, second) == "completed"
        third = client.enqueue("New")
        path.write_text(APP + '\n@app.handler("New")\ndef new(body): pass\n')
        wait_until(lambda: status(conn, third) == "completed", worker)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        assert worker.log.read_text().count("changed: worker_app.py; the worker") == 2
    assert client.worker_activity() == []


def test_reload_ends_with_a_worker_that_ends(dsn: str, conn: Connection, tmp_path: Path) -> None:
    Client(conn).enqueue("Job", 0)
    with Process(tmp_path, APP, dsn, "--reload", "--limit", "1") as worker:
        assert report(worker)["done"] == 1


def test_reload_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = CliRunner().invoke(main, ["consume", "--app", "x:y", "--reload"])
    assert result.exit_code == 2
    assert "pip install 'symphony-pg[reload]'" in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["mail", "--all"], "Name queues, or give --all"),
        (["--exclude", "mail"], "which is not given"),
        (["--memory-limit", "many"], "write for instance 256M"),
        (["--memory-limit", "0"], "write for instance 256M"),
    ],
)
def test_options_that_make_no_sense(arguments: list[str], text: str) -> None:
    result = CliRunner().invoke(main, ["consume", "--app", "x:y", *arguments])
    assert result.exit_code == 2
    assert text in result.output
