"""Handlers with a limit of their own: concurrency=…"""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from symphony_pg import Client, Symphony, message
from symphony_pg.worker import limited
from tests.helpers import KINDS, Connection, SendEmail, one
from tests.worker.helpers import run, running, until


@message("Resize")
@dataclass
class Resize:
    n: int


class Watched:
    """What ran at a time, and what ran at all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = 0
        self.most = 0
        self.done: list[int] = []

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def limited_handler(
    app: Symphony, kind: str, concurrency: int, seconds: float = 0.02, **options: Any
) -> Watched:
    """Register a handler of Resize that takes so long; return what it notes."""
    seen = Watched()
    if kind == "sync":

        @app.handler(Resize, concurrency=concurrency, **options)
        def resize(message: Resize) -> None:
            with seen:
                time.sleep(seconds)
            seen.done.append(message.n)
    else:

        @app.handler(Resize, concurrency=concurrency, **options)
        async def resize_async(message: Resize) -> None:
            with seen:
                await asyncio.sleep(seconds)
            seen.done.append(message.n)

    return seen


@KINDS
@pytest.mark.parametrize("limit", [1, 2])
def test_so_many_run_at_a_time_and_others_beside_them(
    app: Symphony, conn: Connection, kind: str, limit: int
) -> None:
    seen = limited_handler(app, kind, limit)
    sent: list[str] = []

    @app.handler(SendEmail)
    def send(message: SendEmail) -> None:
        sent.append(message.to)

    for n in range(20):
        app.dispatch(Resize(n))
        app.dispatch(SendEmail(str(n)))
    counts = run(app, concurrency=6)
    assert (counts.done, counts.failed) == (40, 0)
    assert seen.most == limit
    assert sorted(seen.done) == list(range(20))
    assert len(sent) == 20
    assert one(conn, "select count(*) from symphony.claim where open_ids <> '{}'") == 0


@KINDS
def test_what_does_not_start_soon_is_given_back(
    app: Symphony, client: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "PATIENCE", 0.05)
    seen = limited_handler(app, kind, 1, 0.5)
    for n in range(6):
        app.dispatch(Resize(n))

    async def others_get_it() -> None:
        async with running(app, concurrency=4, poll_interval=0.05) as worker:
            await until(lambda: worker.counts.released > 0, "a release")
            others: list[int] = []
            while not others:
                others = [each.message_id for each in client.claim_batch(batch_size=1)]
                await asyncio.sleep(0.005)
            await until(lambda: len(seen.done) >= 1, "the first one")

    asyncio.run(others_get_it())
    assert seen.most == 1
    (status,) = client.queue_stats("default")
    assert status.processing == 1  # that of the other one


def test_a_limit_of_messages_counts_what_was_given_back_once(
    app: Symphony, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "PATIENCE", 0.02)
    seen = limited_handler(app, "sync", 1, 0.05)
    for n in range(8):
        app.dispatch(Resize(n))
    counts = run(app, concurrency=4, limit=5)
    assert len(seen.done) == counts.done == 5


@KINDS
def test_keys_keep_their_order_when_their_handler_is_limited(
    app: Symphony, client: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "PATIENCE", 0.03)
    client.create_queue("ordered", ordered=True)
    seen = limited_handler(app, kind, 2)
    for n in range(24):
        app.dispatch(Resize(n), queue="ordered", group_key=str(n % 4))
    counts = run(app, queues=["ordered"], concurrency=6)
    assert (counts.done, counts.retried, counts.failed, counts.lost) == (24, 0, 0, 0)
    assert seen.most <= 2
    for key in range(4):
        of_key = [n for n in seen.done if n % 4 == key]
        assert of_key == sorted(of_key)


def test_a_failure_and_a_time_limit_make_room(app: Symphony) -> None:
    seen: list[int] = []

    @app.handler(Resize, concurrency=1, timeout=0.1, permanent=[ValueError, TimeoutError])
    async def resize(message: Resize) -> None:
        seen.append(message.n)
        if message.n % 2:
            raise ValueError("odd")
        await asyncio.sleep(10 if message.n == 2 else 0)

    for n in range(5):
        app.dispatch(Resize(n))
    counts = run(app, concurrency=3)
    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert (counts.done, counts.failed) == (2, 3)


def test_several_handlers_of_a_type_have_limits_of_their_own(app: Symphony) -> None:
    one_at_a_time = limited_handler(app, "sync", 1, name="one")
    two_at_a_time = limited_handler(app, "async", 2, name="two")
    run(app)  # makes the handlers known to the database
    for n in range(10):
        app.dispatch(Resize(n))
    run(app, concurrency=6)
    assert len(one_at_a_time.done) == len(two_at_a_time.done) == 10
    assert one_at_a_time.most == 1
    assert two_at_a_time.most == 2


def test_a_limit_of_nothing_is_refused(app: Symphony) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        limited_handler(app, "sync", 0)
