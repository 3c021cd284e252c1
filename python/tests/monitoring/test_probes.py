"""`consume --metrics-port` and `--probe-port`: what a worker serves beside its work."""

import asyncio
import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from symphony_pg import Client, Symphony, Worker
from symphony_pg.cli import main
from symphony_pg.cli.kinds import ADDRESS
from symphony_pg.monitoring.probes import worker_pages
from symphony_pg.monitoring.prometheus import WorkerMetrics
from symphony_pg.worker import worker as module
from tests.helpers import NOWHERE, Connection, wait_until
from tests.worker.helpers import Process, going_away, running, until

APP = """
import logging, threading, time
from symphony_pg import Symphony
app = Symphony()
app.handler("A")(lambda body: None)
app.handler("Slow")(lambda body: time.sleep(2))
"""
ANYWHERE = ("127.0.0.1", 0)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def probe(url: str) -> tuple[int, Any]:
    status, text = await asyncio.to_thread(get, url)
    return status, json.loads(text).get("reason")


def test_a_process(dsn: str, client: Client, tmp_path: Path) -> None:
    client.enqueue("A")
    options = ("--metrics-port", "0", "--probe-port", "localhost:0", "--time-limit", "30s")
    with Process(tmp_path, APP, dsn, *options) as worker:
        worker.until_written(" starts")
        told = json.loads(worker.log.read_text().splitlines()[0])["serving"]
        urls = {f"/{path.split(' ')[0]}": f"http://{at}" for at, path in map(_parts, told)}
        wait_until(lambda: get(f"{urls['/live']}/ready")[0] == 200, worker)
        assert get(f"{urls['/live']}/live") == (200, '{"status": "ok"}\n')
        wait_until(lambda: 'outcome="done"} 1.0' in get(f"{urls['/metrics']}/metrics")[1], worker)
        text = get(f"{urls['/metrics']}/metrics")[1]
        families = {each.name for each in text_string_to_metric_families(text)}
        assert {"symphony_handled_messages", "symphony_worker_slots"} < families
        client.enqueue("Slow")
        wait_until(lambda: client.queue_stats()[0].processing == 1, worker)
        worker.send(signal.SIGTERM)
        wait_until(lambda: get(f"{urls['/live']}/ready")[0] == 503, worker)
        assert get(f"{urls['/live']}/live")[0] == 200
        assert worker.wait() == 0


def _parts(url: str) -> tuple[str, str]:
    at, _, path = url.removeprefix("http://").partition("/")
    return at, path


async def test_ready_and_alive(app: Symphony, dsn: str, conn: Connection) -> None:
    app.handler("A")(lambda body: None)
    worker = Worker(app)
    with worker_pages(worker, None, None, ANYWHERE) as (url,):
        root = url.removesuffix("/live /ready")
        assert await probe(f"{root}/live") == (200, None)
        assert await probe(f"{root}/ready") == (503, "the worker is not connected to PostgreSQL")
    with going_away(dsn, conn) as go_away:
        async with running(app) as worker:
            with worker_pages(worker, None, None, ANYWHERE) as (url,):
                root = url.removesuffix("/live /ready")
                await until(lambda: worker.why_not_ready() is None)
                go_away()
                await until(lambda: worker.why_not_ready() is not None)
                assert (await probe(f"{root}/live"))[0] == 200
                worker.stop()
                assert await probe(f"{root}/ready") == (503, "the worker stops")


async def test_a_server_that_never_was_there_is_no_reason_to_start_anew() -> None:
    app = Symphony(NOWHERE)
    app.handler("A")(lambda body: None)
    async with running(app) as worker:
        await asyncio.sleep(0.3)
        assert worker.why_not_alive() is None
        assert worker.why_not_ready() == "the worker is not connected to PostgreSQL"


async def test_a_blocked_event_loop_is_not_alive(
    app: Symphony, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_SILENCE", 1.2)
    told: list[Any] = []

    @app.handler("Block")
    async def block(body: Any) -> None:
        time.sleep(2)
        told.append(get(f"{root}/live"))

    async with running(app) as worker:
        with worker_pages(worker, None, None, ANYWHERE) as (url,):
            root = url.removesuffix("/live /ready")
            Client(conn).enqueue("Block")
            await until(lambda: told)
            await asyncio.sleep(1.1)
            assert worker.why_not_alive() is None
    (status, text), *_ = told
    assert status == 503
    assert json.loads(text)["reason"].startswith("the event loop is blocked for 2 s")


async def test_stuck_handlers_are_not_alive(app: Symphony, conn: Connection) -> None:
    app.handler("Stuck", timeout=0.2)(lambda body: time.sleep(1.5))
    Client(conn).configure_queue("default", max_attempts=1)
    async with running(app, concurrency=2) as worker:
        Client(conn).enqueue("Stuck")
        await until(lambda: worker.slots()["stuck"] == 1)
        assert worker.why_not_alive() is None
        await until(lambda: worker.slots() == {"idle": 2, "busy": 0, "stuck": 0})


def test_one_port_may_serve_both(app: Symphony) -> None:
    with worker_pages(Worker(app), WorkerMetrics(app), ANYWHERE, ANYWHERE) as (url,):
        root = url.partition("/metrics")[0]
        assert url == f"{root}/metrics /live /ready"
        assert [get(root + path)[0] for path in ("/metrics", "/live", "/ready", "/")] == [
            *(200, 200, 503, 404),
        ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9090", ("127.0.0.1", 9090)),
        (":9090", ("127.0.0.1", 9090)),
        ("0.0.0.0:9090", ("0.0.0.0", 9090)),
        ("[::1]:9090", ("::1", 9090)),
        ("localhost:0", ("localhost", 0)),
        ("x", None),
        ("127.0.0.1", None),
        ("localhost:65536", None),
        ("localhost:\u0665", None),
    ],
)
def test_addresses(text: str, address: Any) -> None:
    if address is not None:
        assert ADDRESS.read(text) == address
        return
    with pytest.raises(ValueError, match="is not an address"):
        ADDRESS.read(text)


def test_a_port_that_is_taken(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "probed_app.py").write_text(APP)
    monkeypatch.syspath_prepend(str(tmp_path))
    with worker_pages(Worker(Symphony(dsn)), None, None, ANYWHERE) as (url,):
        taken = url.partition("//")[2].partition("/")[0]
        options = ["consume", "--app", "probed_app:app", "--drain", "--probe-port", taken]
        result = CliRunner().invoke(main, ["--dsn", dsn, *options])
    assert result.exit_code == 1
    assert "cannot listen on 127.0.0.1" in result.output and "HINT" in result.output
