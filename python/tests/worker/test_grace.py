"""What still runs when the grace is over."""

import asyncio
import threading
import time
from contextlib import suppress

from symphony_pg import Symphony
from tests.helpers import KINDS, Connection, Job, known, status
from tests.worker.helpers import running, until


async def test_grace_ends_what_does_not_finish(app: Symphony, conn: Connection) -> None:
    outcomes: list[str] = []

    @app.handler(Job)
    async def work(job: Job) -> None:
        outcomes.append("started")
        try:
            await asyncio.sleep(60)
        finally:
            outcomes.append("cancelled")

    message_id = app.dispatch(Job())
    async with running(app, grace=0.2) as worker:
        await until(lambda: outcomes)
    assert outcomes == ["started", "cancelled"]
    assert worker.counts.retried == 1
    found = known(conn, message_id)
    assert (found.status, found.attempt) == ("delayed", 1)
    assert "was stopped" in str(found.last_error)


@KINDS
async def test_what_succeeds_soon_after_the_grace_is_done(
    app: Symphony, conn: Connection, kind: str
) -> None:
    started = threading.Event()

    def sync_handler(job: Job) -> None:
        started.set()
        time.sleep(0.5)

    async def async_handler(job: Job) -> None:
        started.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    message_id = app.dispatch(Job())
    async with running(app, grace=0) as worker:
        await until(started.is_set)
    assert (worker.counts.done, worker.counts.retried) == (1, 0)
    assert status(conn, message_id) == "completed"
