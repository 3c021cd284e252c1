"""The worker as a process: signals, a server that restarts, an application that is not there."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import NOWHERE, ROOT, TIMEOUT, Connection, status, wait_until
from tests.worker.helpers import Process, until_taken_back

APP = """
import asyncio
import time
from pathlib import Path
from symphony_pg import Symphony

app = Symphony()

@app.handler("Job")
def job(seconds):
    with Path("started").open("a") as file:
        file.write("started\\n")
    time.sleep(seconds)

@app.handler("AsyncJob")
async def async_job(seconds):
    job(0)
    await asyncio.to_thread(time.sleep, seconds)

@app.handler("Block")
async def block(seconds):
    job(seconds)
"""


def enqueue(conn: Connection, *seconds: float) -> list[int]:
    return Client(conn).enqueue_batch([{"message_type": "Job", "body": each} for each in seconds])


def test_sigterm_finishes_what_runs_and_releases_the_rest(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    ids = enqueue(conn, 0, 0.6, 0, 0, 0)
    # The first message shows that handlers are fast, so the worker claims the others together.
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("started\nstarted\n", tmp_path / "started")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        report = json.loads(worker.log.read_text().splitlines()[-1])
    assert (report["done"], report["released"]) == (2, 3)
    assert [status(conn, each) for each in ids] == ["completed"] * 2 + ["pending"] * 3
    messages = Client(conn).claim_batch(batch_size=10)
    assert [message.attempt for message in messages] == [1, 1, 1]


def test_a_second_signal_ends_at_once_and_loses_nothing(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=0.5))
    (message_id,) = enqueue(conn, 60)
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("started", tmp_path / "started")
        worker.send(signal.SIGINT)
        worker.until_written("stopping")
        worker.send(signal.SIGINT)
        assert worker.wait() == 128 + signal.SIGINT
    until_taken_back(conn, message_id)
    (message,) = Client(conn).claim_batch()
    assert (message.message_id, message.attempt) == (message_id, 2)


def test_a_stuck_thread_does_not_keep_the_process(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    (message_id,) = enqueue(conn, 60)
    with Process(tmp_path, APP, dsn, "--grace", "200ms") as worker:
        worker.until_written("started", tmp_path / "started")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
    assert status(conn, message_id) == "delayed"


def test_a_thread_of_an_async_handler_does_not_keep_the_process(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    message_id = Client(conn).enqueue("AsyncJob", 60)
    with Process(tmp_path, APP, dsn, "--grace", "200ms") as worker:
        worker.until_written("started", tmp_path / "started")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        assert json.loads(worker.log.read_text().splitlines()[-1])["retried"] == 1
    assert status(conn, message_id) == "delayed"


def test_a_stuck_thread_does_not_hide_an_error(dsn: str, conn: Connection, tmp_path: Path) -> None:
    enqueue(conn, 60)
    with Process(tmp_path, APP, dsn, "--grace", "200ms", "--concurrency", "2") as worker:
        worker.until_written("started", tmp_path / "started")
        Client(conn).drop_queue("default", force=True)
        assert worker.wait() == 1
        assert worker.log.read_text().splitlines()[-3].startswith("Error: ")


def test_a_second_signal_ends_a_handler_that_blocks_the_event_loop(
    dsn: str, tmp_path: Path, conn: Connection
) -> None:
    Client(conn).enqueue("Block", 60)
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("started", tmp_path / "started")
        worker.send(signal.SIGTERM)
        time.sleep(0.2)
        assert worker.process.poll() is None
        worker.send(signal.SIGTERM)
        assert worker.wait() == 128 + signal.SIGTERM


def test_a_restart_of_the_server_is_survived(data_dir: Path, tmp_path: Path) -> None:
    with Server(data_dir=data_dir) as server:
        port = server.port
        with psycopg.connect(server.dsn) as conn:
            install(conn)
            enqueue(conn, 0.5, 0, 0)
        worker = Process(tmp_path, APP, server.dsn)
        worker.until_written("started", tmp_path / "started")
    with worker:
        worker.until_written("no connection")
        with Server(data_dir=data_dir, port=port) as server:
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                ids = enqueue(conn, 0, 0)
                client = Client(conn)
                wait_until(lambda: client.queue_stats()[0].finished_last_hour >= 5, worker)
                assert [status(conn, each) for each in ids] == ["completed"] * 2
            worker.send(signal.SIGTERM)
            assert worker.wait() == 0
            assert "connected again" in worker.log.read_text()


def test_a_server_that_is_being_set_up_is_waited_for(data_dir: Path, tmp_path: Path) -> None:
    with Server(data_dir=data_dir) as server:
        port, dsn = server.port, make_conninfo(server.dsn, dbname="later")
    with Process(tmp_path, APP, dsn) as worker:
        worker.until_written("Connection refused")
        with Server(data_dir=data_dir, port=port) as server:
            worker.until_written("does not exist")
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                conn.execute("create database later template template0")
            worker.until_written("schema")  # it is there now, and what is wrong can be said
            assert worker.wait() == 1


def test_a_limit_that_ends_the_wait_for_a_server_is_no_success(tmp_path: Path) -> None:
    with Process(tmp_path, APP, NOWHERE, "--drain", "--time-limit", "500ms") as worker:
        assert worker.wait() == 1
        assert "Error: cannot connect to PostgreSQL\nDETAIL: " in worker.log.read_text()


def test_consume_as_json_lines(dsn: str, conn: Connection, tmp_path: Path) -> None:
    enqueue(conn, 0)
    Client(conn).enqueue("Nobody")
    with Process(tmp_path, APP, dsn, "--drain") as worker:
        assert worker.wait() == 0
        lines = [json.loads(line) for line in worker.log.read_text().splitlines()]
    started, warning, report = lines
    assert (started["level"], started["queues"]) == ("info", ["default"])
    assert started["handlers"] == ["AsyncJob", "Block", "Job"]
    assert warning["level"] == "warning"
    assert "no handler for the message type 'Nobody'" in warning["message"]
    assert (report["done"], report["snoozed"], report["failed"]) == (1, 1, 0)


def test_consume_in_a_pipe(dsn: str, conn: Connection, tmp_path: Path) -> None:
    """Without --json it is text, with nothing that only a terminal understands."""
    Client(conn).enqueue("Nobody")
    (tmp_path / "piped_app.py").write_text(APP)
    command = (sys.executable, "-m", "symphony_pg.cli", "consume", "--app", "piped_app:app")
    done = subprocess.run(
        [*command, "--drain"],
        cwd=tmp_path,
        env={**os.environ, "SYMPHONY_DSN": dsn, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    assert re.match(r"symphony-pg .+\nqueues    default\nhandlers  ", done.stdout)
    assert re.search(r"\n0 done, 1 snoozed in [\d.]+ s, [\d.,]+ a second\n$", done.stdout)
    start, line, *_ = done.stderr.splitlines()
    assert start.endswith(" starts")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000 WARNING .*'Nobody'", line)
    assert "\r" not in done.stdout and "\x1b" not in done.stdout


def test_the_example_works(dsn: str, conn: Connection) -> None:
    conn.execute("create table clicks (email_id int primary key, count int)")
    client = Client(conn)
    client.enqueue_batch(
        [{"message_type": "CountClick", "body": {"email_id": 7}}] * 3
        + [{"message_type": "SendEmail", "body": {"to": "nobody", "subject": "x"}}]
    )
    examples = ROOT / "examples"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "symphony_pg.cli",
            "--json",
            "consume",
            "--app",
            "emails:app",
            "--drain",
        ],
        cwd=examples,
        env={**os.environ, "SYMPHONY_DSN": dsn},
        stdout=subprocess.PIPE,
        check=True,
        timeout=TIMEOUT,
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["done"], report["failed"]) == (3, 1)
    assert conn.execute("select * from clicks").fetchall() == [(7, 3)]
