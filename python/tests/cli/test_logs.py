"""What `symphony-pg consume` logs, and how the application may say otherwise."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Client, PermanentError, Symphony, events
from symphony_pg.handling.logged import naming
from tests.helpers import KINDS, Connection, Job, jobs
from tests.worker.helpers import Process, failing_app, run

APP = """
import asyncio
import logging
import logging.config
from symphony_pg import Symphony, message
from dataclasses import dataclass

CONFIGURE
log = logging.getLogger("shop")
log.warning("at import")
app = Symphony()

@app.message("Click")
@dataclass
class Click:
    n: int

@app.handler("Job")
def job(body):
    log.debug("debug")
    log.info("hello %s", "Ada", extra={"order": 7, "tags": {1, 2}, "level": "mine"})

@app.handler("AsyncJob")
async def async_job(body):
    await asyncio.to_thread(log.info, "hello")

@app.batch_handler(Click)
def clicks(found):
    log.info("hello")
"""
DICT_CONFIG = """
logging.config.dictConfig({
    "version": 1,
    "formatters": {"short": {"format": "%(levelname)s %(name)s [%(message_id)s] %(message)s"}},
    "filters": {"message": {"()": "symphony_pg.MessageFilter"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "formatter": "short", "filters": ["message"]},
    },
    "root": {"level": "INFO", "handlers": ["out"]},
})
"""


def logged(folder: Path, dsn: str, configure: str = "", *options: str) -> list[str]:
    """Run a worker until there is nothing to do, and return the lines it wrote."""
    with Process(folder, APP.replace("CONFIGURE", configure), dsn, "--drain", *options) as worker:
        assert worker.wait() == 0, worker
        return worker.log.read_text().splitlines()[:-1]


def test_json_lines_keep_what_is_extra(dsn: str, conn: Connection, tmp_path: Path) -> None:
    message_id = Client(conn).enqueue("Job")
    at_import, started, hello = map(json.loads, logged(tmp_path, dsn))
    assert (at_import["level"], at_import["message"]) == ("warning", "at import")
    assert "message_id" not in at_import
    assert (started["level"], started["logger"]) == ("info", "symphony_pg.worker")
    assert started["concurrency"] == 1
    del hello["at"]
    assert hello == {
        "level": "info",
        "logger": "shop",
        "message": "hello Ada",
        "order": 7,
        "tags": "{1, 2}",
        "level_": "mine",
        "message_id": message_id,
        "message_type": "Job",
        "attempt": 1,
    }


def test_every_line_of_a_handler_names_its_message(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    ids = Client(conn).enqueue_batch(
        [
            {"message_type": "AsyncJob"},
            *({"message_type": "Click", "body": {"n": n}} for n in range(2)),
        ]
    )
    found = [json.loads(line) for line in logged(tmp_path, dsn)]
    lines = {each["message_type"]: each for each in found if each["message"] == "hello"}
    assert lines["AsyncJob"]["message_id"] == ids[0]
    assert (lines["Click"]["message_id"], lines["Click"]["attempt"]) == (ids[1:], 1)


def test_the_applications_dict_config_goes_first(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    message_id = Client(conn).enqueue("Job")
    lines = logged(tmp_path, dsn, DICT_CONFIG)
    assert lines[0].startswith("WARNING shop [")
    assert lines[1].startswith("INFO symphony_pg.worker [None] ")  # it has not silenced ours
    assert lines[2:] == [f"INFO shop [{message_id}] hello Ada"]


def test_the_applications_basic_config_goes_first(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    Client(conn).enqueue("Job")
    configure = 'logging.basicConfig(level="WARNING", format="%(name)s says %(message)s")'
    assert logged(tmp_path, dsn, configure) == ["shop says at import"]
    Client(conn).enqueue("Job")
    lines = logged(tmp_path, dsn, configure, "--log-level", "info")
    assert lines[-1] == "shop says hello Ada"


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("warning", 1)])
def test_log_level(dsn: str, conn: Connection, tmp_path: Path, level: str, count: int) -> None:
    Client(conn).enqueue("Job")
    lines = logged(tmp_path, dsn, "", "--log-level", level)
    ours = [each for each in map(json.loads, lines) if each["logger"].startswith(("shop", "sym"))]
    assert len(ours) >= count if level == "debug" else len(ours) == count
    assert any(each["message"] == "debug" for each in ours) == (level == "debug")


def test_only_a_logger_of_the_application_is_configured(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    Client(conn).enqueue("Job")
    configure = """
logging.getLogger("shop").addHandler(logging.StreamHandler())
logging.getLogger("shop").setLevel("INFO")
"""
    lines = logged(tmp_path, dsn, configure)
    assert (lines[0], lines[2]) == ("at import", "hello Ada")
    assert json.loads(lines[1])["message"].endswith("starts")


@KINDS
def test_the_worker_of_a_program_names_messages_too(
    app: Symphony, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("shop")

    async def async_handler(job: Job) -> None:
        log.warning("%s", job.n, extra={"attempt": "mine"})

    def sync_handler(job: Job) -> None:
        log.warning("%s", job.n, extra={"attempt": "mine"})

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many(jobs(3))
    try:
        run(app)
    finally:
        caplog.handler.removeFilter(naming)
    found: list[Any] = [each for each in caplog.records if each.name == "shop"]
    assert [each.message_id for each in found] == ids
    assert {(each.message_type, each.attempt) for each in found} == {("Job", "mine")}


@pytest.mark.parametrize("error", [ValueError("no"), PermanentError("never")])
def test_events_carry_the_exception(
    dsn: str, conn: Connection, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    with failing_app(dsn, error) as app:
        app.on(events.Retried)(seen.append)
        app.on(events.Failed)(seen.append)
        Client(conn).enqueue("A")
        run(app, limit=1)
    assert [each.exception for each in seen] == [error]
