"""A process that works and relays ends within one grace, and nothing is lost or counted."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.brokers.bench import NAME, Bench
from tests.helpers import Connection, known, one, wait_until
from tests.proxy import Proxy
from tests.worker.helpers import Process, until

FILE = """
[transports.orders]
dsn = "{dsn}"
destination = "{destination}"
"""
APP = """
import asyncio
from dataclasses import dataclass
from pathlib import Path
from symphony_pg import Symphony, message

@message("Pay")
@dataclass
class Pay:
    n: int

app = Symphony()

@app.handler("Job")
async def job(seconds):
    await app.dispatch_async(Pay(n=-1))
    with Path("started").open("a") as file:
        file.write("started\\n")
    await asyncio.sleep(seconds)
"""
MESSAGES = {"rabbitmq": 20000, "redis": 20000, "sqs": 1000}
PAYS = {"message_type": "Pay", "queue_name": "outbox/orders"}


def configured(folder: Path, bench: Bench, dsn: str) -> None:
    text = FILE.format(dsn=dsn, destination=bench.destination)
    (folder / "symphony.toml").write_text(text)


def forwarded(client: Client) -> int:
    return next(int(each.value) for each in client.metrics()
                if each.metric == "symphony_transport_forwarded_total")  # fmt: skip


async def test_sigterm_while_both_have_messages_in_flight(
    bench: Bench, conn: Connection, tmp_path: Path
) -> None:
    messages = MESSAGES[bench.server.kind]
    configured(tmp_path, bench, bench.server.dsn)
    bench.client.set_routes("*", [])
    bench.client.set_routes("Pay", [NAME])
    (job,) = bench.client.enqueue_batch([{"message_type": "Job", "body": 3}])
    with Process(tmp_path, APP, bench.dsn, "--relay", NAME, "--grace", "20s") as process:
        process.until_written("started\n", tmp_path / "started")
        bench.client.enqueue_batch([{**PAYS, "body": {"n": n}} for n in range(messages)])
        wait_until(lambda: forwarded(bench.client) > 0, process)
        before = forwarded(bench.client)
        process.send(signal.SIGTERM)
        asked = time.monotonic()
        assert process.wait() == 0, process
        seconds = time.monotonic() - asked
    after, (stats,) = forwarded(bench.client), bench.client.queue_stats("outbox/orders")
    attempts = one(conn, "select max(attempt) from symphony.message")
    waiting = bench.client.purge_queue("outbox/orders")  # which counts all of them
    async with bench.broker() as broker:
        there = await broker.count()
    print(
        f"\n{bench.server.kind}: {before} of {messages + 1} forwarded at SIGTERM, {after} at the "
        f"end {seconds:.1f} s later; {there} at the broker, {waiting} wait"
    )
    assert before < messages + 1
    assert seconds < 20
    assert bench.status(job) == "completed"
    assert there == after
    assert (stats.processing, stats.delayed, stats.failed) == (0, 0, 0)
    assert after + waiting == messages + 1
    assert attempts == 0


def test_a_worker_and_its_relays_share_one_grace(bench: Bench, tmp_path: Path) -> None:
    """A handler takes all of it, and the broker says nothing."""
    proxy = Proxy("127.0.0.1", bench.server.port)
    through = bench.server.dsn.replace(f":{bench.server.port}", f":{proxy.port}")
    configured(tmp_path, bench, through)
    bench.client.set_routes("*", [])
    options = ("--relay", NAME, "--grace", "2s")
    with Process(tmp_path, APP, bench.dsn, *options) as process:
        first = bench.client.enqueue("Pay", {"n": 0}, queue_name="outbox/orders")
        wait_until(lambda: bench.status(first) == "forwarded", process)
        proxy.refuses_news = True
        proxy.silence()
        job = bench.client.enqueue("Job", 60)
        ids = bench.client.enqueue_batch([{**PAYS, "body": {"n": n}} for n in range(5)])
        process.until_written("started\n", tmp_path / "started")
        wait_until(lambda: {bench.status(each) for each in ids} == {"processing"}, process)
        asked = time.monotonic()
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process
        seconds = time.monotonic() - asked
    print(f"\n{bench.server.kind}: a grace of 2 s took {seconds:.1f} s")
    assert seconds < 2 + 8
    assert [bench.status(each) for each in ids] == ["pending"] * 5
    assert {known(bench.client.conn, each).attempt for each in ids} == {0}
    assert bench.status(job) == "delayed"  # as ever


async def test_a_consumer_that_finds_no_broker_sees_the_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled, too, but a library in between may swallow that."""
    monkeypatch.setattr("symphony_pg.worker.worker.LAST_WORDS", 600.0)
    bench.app.handler("Pay")(lambda body: None)
    proxy = Proxy("127.0.0.1", bench.server.port)
    proxy.is_off = True
    bench.through = bench.server.dsn.replace(f":{bench.server.port}", f":{proxy.port}")
    async with bench.consuming() as worker:
        await until(lambda: worker.why_not_ready() == "the worker is not connected to its broker")
        await asyncio.sleep(1)
        asked = time.monotonic()
    assert time.monotonic() - asked < 20
    proxy.close()
