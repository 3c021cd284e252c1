"""A worker in the process of a web application."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from symphony_pg import Symphony
from symphony_pg.fastapi import lifespan, working
from tests.helpers import NOWHERE, Connection, Job, status, wait_until
from tests.worker.helpers import until


def test_a_lifespan(app: Symphony, conn: Connection) -> None:
    api = FastAPI(lifespan=lifespan(app))
    app.handler(Job)(lambda job: None)

    @api.post("/jobs")
    async def enqueue() -> int:
        return await app.dispatch_async(Job())

    with TestClient(api) as client:
        message_id = client.post("/jobs").json()
        wait_until(lambda: status(conn, message_id) == "completed", "the worker")


def test_the_schema_is_installed_if_it_is_not_there(empty_dsn: str) -> None:
    with Symphony(empty_dsn) as app:
        app.handler(Job)(lambda job: None)
        with TestClient(FastAPI(lifespan=lifespan(app, install=True))):
            wait_until(lambda: _dispatched(app), "the schema")


def _dispatched(app: Symphony) -> bool:
    try:
        return app.dispatch(Job()) > 0
    except Exception:
        return False


async def test_what_runs_gets_its_grace(app: Symphony, conn: Connection) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    @app.handler(Job)
    async def handle(job: Job) -> None:
        started.set()
        await may_end.wait()

    message_id = app.dispatch(Job())
    async with working(app):
        await started.wait()
        asyncio.get_running_loop().call_later(0.3, may_end.set)
    assert status(conn, message_id) == "completed"


async def test_a_worker_that_fails_is_told_of_and_nothing_else_ends(
    empty_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Symphony(empty_dsn)
    app.handler(Job)(lambda job: None)
    async with working(app):
        await until(lambda: "the worker in this process has ended" in caplog.text)
    assert "symphony-pg db install" in caplog.text


async def test_a_server_that_is_away_does_not_hold_up_the_end() -> None:
    app = Symphony(NOWHERE)
    app.handler(Job)(lambda job: None)

    async def work() -> None:
        async with working(app):
            await asyncio.sleep(0.2)

    await asyncio.wait_for(work(), 10)
