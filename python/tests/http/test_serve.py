"""`symphony-pg serve`: a process of its own, what it refuses, and one that is killed."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from symphony_pg import Client
from symphony_pg.cli import main
from tests.helpers import TIMEOUT, Connection, one, wait_until
from tests.http.helpers import SECRET, VIEWER, WORKER, bearer

APP = """
import pathlib, time
from symphony_pg import Symphony

app = Symphony()

@app.handler("Slow")
def slow(body, context):
    time.sleep(body["seconds"])
    with pathlib.Path("done.txt").open("a") as file:
        file.write(f"{context.message_id}\\n")
"""
SECRETS = {"SYMPHONY_WORKER_SECRETS": SECRET, "SYMPHONY_VIEWER_TOKENS": VIEWER}


class Served:
    """`symphony-pg serve` in a process of its own."""

    def __init__(self, folder: Path, dsn: str, *options: str, **environment: str) -> None:
        (folder / "served_app.py").write_text(APP)
        self.log = folder / "serve.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "symphony_pg.cli", "serve", "--port", "0", *options],
                cwd=folder,
                env={**os.environ, "SYMPHONY_DSN": dsn, "PYTHONUNBUFFERED": "1", **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __str__(self) -> str:
        return f"a server that wrote:\n{self.log.read_text()}"

    @property
    def url(self) -> str:
        found = wait_until(
            lambda: re.search(r"serving +(http://\S+?)/api", self.log.read_text()), self
        )
        assert found is not None
        return found[1]

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        asked = urllib.request.Request(f"{self.url}{path}", headers=dict(headers or {}))
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
            return json.load(answer)


@contextmanager
def served(
    folder: Path, dsn: str, *options: str, environment: Mapping[str, str] = SECRETS
) -> Iterator[Served]:
    server = Served(folder, dsn, *options, **environment)
    try:
        wait_until(lambda: _answers(server), server)
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def _answers(server: Served) -> bool:
    try:
        return bool(server.get("/api/symphony/live") == {"status": "ok"})
    except OSError:
        return False


def test_it_serves_and_ends(dsn: str, client: Client, tmp_path: Path) -> None:
    client.enqueue("Slow", {"seconds": 0})
    with served(tmp_path, dsn, "--app", "served_app:app") as server:
        assert "127.0.0.1" in server.url
        assert server.get(WORKER, bearer(SECRET))["done"] == 1
        assert server.get("/api/symphony/queue-depth", bearer(VIEWER))["queues"]
        assert "token" not in server.log.read_text()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT) in (0, -signal.SIGTERM)
    assert "Traceback" not in server.log.read_text()


def test_without_tokens_one_is_made(dsn: str, tmp_path: Path) -> None:
    with served(tmp_path, dsn, environment={}) as server:
        token = re.search(r"token +(\S+)", server.log.read_text())
        assert token is not None, server
        assert server.get("/api/symphony/failed", bearer(token[1])) == {"groups": []}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            server.get("/api/symphony/failed")
        with pytest.raises(urllib.error.HTTPError, match="503"):
            server.get(WORKER, bearer(SECRET))


def test_without_an_application_the_clock_ticks_and_no_worker_runs(
    dsn: str, client: Client, tmp_path: Path
) -> None:
    client.enqueue("Slow", {"seconds": 0})
    with served(tmp_path, dsn) as server:
        asked = urllib.request.Request(
            f"{server.url}/api/symphony/tick", headers=bearer(SECRET), method="POST"
        )
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
            assert json.load(answer)["ran"] is True
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            server.get(WORKER, bearer(SECRET))
        told = json.load(refused.value)["detail"]
    assert told.startswith("No message has a handler here."), told
    assert told.endswith("symphony-pg serve --app MODULE:NAME names one."), told
    assert client.queue_stats()[0].pending == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_another_address_is_refused_without_tokens(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*SECRETS, "SYMPHONY_OPERATOR_TOKENS", "CRON_SECRET"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["serve", "--host", host])
    assert result.exit_code == 1
    assert f"{host} is not this computer alone" in result.output
    assert "HINT: Set SYMPHONY_VIEWER_TOKENS" in result.output


def test_sigterm_ends_a_request_that_works(dsn: str, client: Client, tmp_path: Path) -> None:
    client.enqueue_batch([{"message_type": "Slow", "body": {"seconds": 0.3}}] * 200)
    answers: list[Any] = []
    with served(tmp_path, dsn, "--app", "served_app:app") as server:
        asking = threading.Thread(target=lambda: answers.append(server.get(WORKER, bearer(SECRET))))
        asking.start()
        wait_until((tmp_path / "done.txt").exists, server)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(TIMEOUT)
        asking.join()
        assert time.monotonic() - began < 8
    (answer,) = answers
    assert answer["done"] + answer["remaining"] == 200
    assert answer["remaining"] > 0  # it ended early; what it had claimed and not begun waits again
    assert client.queue_stats()[0].processing == 0


def test_a_server_that_is_killed_in_the_middle_loses_nothing(
    dsn: str, conn: Connection, client: Client, tmp_path: Path
) -> None:
    client.configure_queue("default", lease=timedelta(seconds=1), retry_delay=timedelta(0))
    ids = client.enqueue_batch([{"message_type": "Slow", "body": {"seconds": 0.02}}] * 150)
    done = tmp_path / "done.txt"
    with served(tmp_path, dsn, "--app", "served_app:app") as server:
        asking = threading.Thread(target=lambda: _ask(server), daemon=True)
        asking.start()
        wait_until(lambda: done.exists() and len(done.read_text().split()) > 30, server)
        server.process.kill()
        server.process.wait()
        asking.join()
    before = len(set(done.read_text().split()))
    assert before < 150

    def drained() -> bool:
        answer = server.get(f"{WORKER}?seconds=5", bearer(SECRET))
        assert "busy" not in answer
        return bool(
            one(
                conn,
                "select pending + processing + delayed = 0 from symphony.queue_stats('default')",
            )
        )

    server.log.unlink()
    with served(tmp_path, dsn, "--app", "served_app:app") as server:
        wait_until(drained, server, 60)
    assert {int(each) for each in done.read_text().split()} == {*ids}
    assert {client.message_status(each).status for each in ids} == {"completed"}  # type: ignore[union-attr]


def _ask(server: Served) -> None:
    try:
        server.get(WORKER, bearer(SECRET))
    except Exception:
        return
    raise AssertionError("the server was to be killed meanwhile")
