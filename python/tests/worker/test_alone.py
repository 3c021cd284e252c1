"""What may have taken a worker down is worked on while nothing else is in hand, within reason."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from symphony_pg import Client, Symphony
from tests.helpers import Connection, known
from tests.worker.helpers import going_away, running, until

LEASE = 0.9


@pytest.fixture
def client(client: Client) -> Client:
    """A client whose queue has a short lease."""
    client.configure_queue("default", lease=timedelta(seconds=LEASE))
    return client


@dataclass
class Many:
    name: str


class Jobs:
    """Handlers that go on until they are told to end, and when each began."""

    def __init__(self, app: Symphony) -> None:
        self.began: dict[str, float] = {}
        self._ends: dict[str, asyncio.Event] = {}
        app.handler("Job")(self._work)

    async def _work(self, name: str) -> None:
        self.began[name] = time.monotonic()
        await self._ends.setdefault(name, asyncio.Event()).wait()

    def end(self, *names: str) -> None:
        for name in names:
            self._ends.setdefault(name, asyncio.Event()).set()

    async def until_begun(self, name: str) -> None:
        await until(lambda: name in self.began, f"the begin of {name}")


async def vanish_with(client: Client, body: Any, message_type: str = "Job") -> int:
    """Enqueue a message, claim it, and let the lease end."""
    message_id = client.enqueue(message_type, body)
    client.claim_batch(worker="dies", lease=timedelta(milliseconds=100))
    ticks: list[dict[str, Any]] = []

    def is_over() -> Sequence[Any]:
        ticks.append(client.tick())
        return [each for each in ticks if each["recovered"] or each["failed"]]

    await until(is_over, "the end of the lease")
    return message_id


async def test_a_suspect_is_worked_on_alone(app: Symphony, client: Client) -> None:
    jobs = Jobs(app)
    await vanish_with(client, "suspect")
    client.enqueue("Job", "before", priority=9)
    client.enqueue("Job", "after", priority=1)
    client.configure_queue("default", lease=timedelta(minutes=1))
    async with running(app, concurrency=4):
        await jobs.until_begun("before")
        await asyncio.sleep(0.2)
        assert list(jobs.began) == ["before"]
        jobs.end("before")
        await jobs.until_begun("suspect")
        await asyncio.sleep(0.2)
        assert list(jobs.began) == ["before", "suspect"]
        jobs.end("suspect")
        await jobs.until_begun("after")
        jobs.end("after")


async def test_long_work_keeps_others_waiting_for_a_lease_only(
    app: Symphony, client: Client
) -> None:
    jobs = Jobs(app)
    await vanish_with(client, "suspect")
    client.enqueue("Job", "before", priority=9)
    client.enqueue("Job", "after", priority=1)
    async with running(app, concurrency=4):
        await jobs.until_begun("after")
        jobs.end("before", "suspect", "after")
    began = jobs.began
    assert list(began) == ["before", "suspect", "after"]
    assert LEASE * 0.9 < began["suspect"] - began["before"] < LEASE * 6
    assert LEASE * 0.9 < began["after"] - began["suspect"] < LEASE * 6


async def test_a_suspect_that_waits_is_given_back_by_a_worker_that_stops(
    app: Symphony, client: Client
) -> None:
    jobs = Jobs(app)
    message_id = await vanish_with(client, "suspect")
    client.enqueue("Job", "before", priority=9)
    async with running(app, concurrency=4) as worker:
        await jobs.until_begun("before")
        await until(lambda: worker.counts.claimed == 2, "the second claim")
        jobs.end("before")
        worker.stop()
    assert (worker.counts.done, worker.counts.released) == (1, 1)
    found = known(client.conn, message_id)
    assert (found.status, found.attempt) == ("pending", 1)


async def test_a_suspect_that_waits_keeps_no_worker_that_stops_without_a_server(
    app: Symphony, client: Client, conn: Connection, dsn: str
) -> None:
    jobs = Jobs(app)
    await vanish_with(client, "suspect")
    client.configure_queue("default", lease=timedelta(minutes=5))
    client.enqueue("Job", "before", priority=9)
    with going_away(dsn, conn) as go_away:
        async with running(app, concurrency=4, grace=0) as worker:
            await jobs.until_begun("before")
            await until(lambda: worker.counts.claimed == 2, "the second claim")
            go_away()
            stopped_at = time.monotonic()
        assert time.monotonic() - stopped_at < 8


async def test_a_suspect_whose_lease_is_lost_while_it_waits_is_not_started(
    app: Symphony, client: Client, conn: Connection
) -> None:
    jobs = Jobs(app)
    await vanish_with(client, "suspect")
    client.enqueue("Job", "before", priority=9)
    client.configure_queue("default", max_attempts=2)
    async with running(app, concurrency=4) as worker:
        await jobs.until_begun("before")
        await until(lambda: worker.counts.claimed == 2, "the second claim")
        conn.execute(
            "update symphony.claim set lease_until = clock_timestamp()"
            " where claim_id = (select max(claim_id) from symphony.claim)"
        )
        await until(lambda: client.queue_stats()[0].failed == 1, "the end of the lease")
        jobs.end("before")
        client.enqueue("Job", "after")
        await jobs.until_begun("after")
        jobs.end("after")
    assert list(jobs.began) == ["before", "after"]
    assert (worker.counts.done, worker.counts.lost) == (2, 1)


async def test_a_suspect_does_not_wait_to_fill_a_batch(app: Symphony, client: Client) -> None:
    seen: list[str] = []

    @app.batch_handler(Many, size=10, max_wait=timedelta(hours=1))
    async def many(messages: list[Many]) -> None:
        seen.append("+".join(each.name for each in messages))

    client.configure_queue("default", max_attempts=1)
    message_id = await vanish_with(client, {"name": "suspect"}, "Many")
    client.enqueue("Many", {"name": "before"}, priority=9)
    assert client.retry_failed([message_id])[0].outcome == "retried"
    async with running(app, concurrency=4):
        await until(lambda: len(seen) == 2, "both")
    assert seen == ["before", "suspect"]
