"""Middleware: around dispatch and around handlers, in both forms; and the ones that come along."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

import pytest

from symphony_pg import (
    BatchContext,
    Client,
    Context,
    Envelope,
    InMemoryTransport,
    InvalidMessage,
    Middleware,
    Next,
    Passage,
    Symphony,
    SyncTransport,
    logging_middleware,
    timing_middleware,
    transaction_middleware,
    validation_middleware,
)
from tests.helpers import KINDS, Connection, known, status
from tests.worker.helpers import run


@dataclass
class Job:
    n: int = 0

    def validate(self) -> None:
        if self.n < 0:
            raise ValueError("n: negative")


def both(name: str, seen: list[Any]) -> Middleware:
    def sync(passage: Passage, next_: Next) -> Any:
        seen.append((name, passage.phase, "in"))
        result = next_(passage)
        seen.append((name, passage.phase, "out"))
        return result

    async def async_(passage: Passage, next_: Next) -> Any:
        seen.append((name, passage.phase, "in"))
        result = await next_(passage)
        seen.append((name, passage.phase, "out"))
        return result

    return Middleware(sync, async_)


def handler_of(app: Symphony, kind: str, seen: list[Any]) -> None:
    def sync_handler(job: Job) -> None:
        seen.append(job)

    async def async_handler(job: Job) -> None:
        await asyncio.sleep(0)
        seen.append(job)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)


def test_without_middleware_the_handler_is_called_directly() -> None:
    app = Symphony(transport=InMemoryTransport())
    handler_of(app, "sync", [])
    handler = app.handlers["Job"]
    assert handler.call == handler.call_directly
    app.middleware(both("a", []), phase="dispatch")
    assert handler.call == handler.call_directly
    app.middleware(both("b", []))
    assert handler.call != handler.call_directly


@KINDS
def test_the_first_one_is_the_outermost(app: Symphony, kind: str) -> None:
    seen: list[Any] = []
    app.middleware(both("a", seen))
    handler_of(app, kind, seen)
    app.middleware(both("b", seen))
    if kind == "sync":
        app.dispatch(Job())
    else:
        asyncio.run(app.dispatch_async(Job()))
    ways = [("a", "in"), ("b", "in"), ("b", "out"), ("a", "out")]
    assert seen == [(name, "dispatch", way) for name, way in ways]
    seen.clear()
    assert run(app).done == 1
    handled: list[Any] = [(name, "handle", way) for name, way in ways]
    assert seen == [*handled[:2], Job(), *handled[2:]]


def test_a_recipe_for_your_own(app: Symphony, conn: Connection) -> None:
    """Who dispatched it: a header that is written on one side and read on the other."""
    seen: list[Any] = []

    @app.middleware
    def tenant(passage: Passage, next_: Next) -> Any:
        if passage.phase == "dispatch":
            passage.headers["tenant"] = "acme"
            passage.options["priority"] = 9
            return next_(passage)
        seen.append((passage.headers["tenant"], passage.context.attempt, passage.message_id))
        return next_(passage)

    app.handler(Job)(seen.append)
    message_id = app.dispatch(Job(), headers={"a": 1})
    found = known(conn, message_id)
    assert (found.headers, found.priority) == ({"a": 1, "tenant": "acme"}, 9)
    run(app)
    assert seen == [("acme", 1, message_id), Job()]


def test_a_middleware_may_replace_the_message_and_stop_it(app: Symphony) -> None:
    seen: list[Any] = []
    ids: list[Any] = []

    @app.middleware
    def change(passage: Passage, next_: Next) -> Any:
        if passage.message.n == 13:
            return "anything"
        passage.message = replace(passage.message, n=passage.message.n + 1)
        result = next_(passage)
        ids.append(passage.message_id)
        return result

    app.handler(Job)(seen.append)
    assert app.dispatch(Job(13)) == 0
    first = app.dispatch(Job(1))
    assert (first > 0, ids) == (True, [first])
    many = app.dispatch_many([Job(2), Job(13), app.envelope(Job(3), priority=9)])
    assert [each > 0 for each in many] == [True, False, True]
    assert run(app).done == 3
    assert sorted(job.n for job in seen) == [3, 4, 5]
    with pytest.raises(InvalidMessage, match="n: expected `int`, got `str`"):
        app.middleware(_spoil) and app.dispatch(Job(1))


def _spoil(passage: Passage, next_: Next) -> Any:
    passage.message = Job("x")  # type: ignore[arg-type]
    return next_(passage)


def test_envelopes_made_by_hand_pass_too() -> None:
    transport, seen = InMemoryTransport(), []
    app = Symphony(transport=transport)

    @app.middleware
    def look(passage: Passage, next_: Next) -> Any:
        seen.append((passage.message, passage.message_type, passage.options))
        return next_(passage)

    made = Envelope("Raw", {"a": 1}, priority=3)
    app.dispatch_many([made])
    assert seen == [({"a": 1}, "Raw", {"priority": 3})]
    assert transport.envelopes == [made]

    @app.middleware
    def other(passage: Passage, next_: Next) -> Any:
        return next_(replace(passage))

    with pytest.raises(TypeError, match="passes on the passage it was given"):
        app.dispatch(Job())


async def test_dispatch_many_async_passes_each() -> None:
    transport, seen = InMemoryTransport(), list[Any]()
    app = Symphony(transport=transport)
    app.middleware(both("a", seen))
    assert await app.dispatch_many_async([Job(1), Job(2)]) == [1, 2]
    assert seen == [("a", "dispatch", "in"), ("a", "dispatch", "out")] * 2
    assert transport.messages(Job) == [Job(1), Job(2)]


def test_a_form_that_is_missing_is_refused() -> None:
    app = Symphony(transport=InMemoryTransport())

    def sync(passage: Passage, next_: Next) -> Any:
        return next_(passage)

    async def async_(passage: Passage, next_: Next) -> Any:
        return await next_(passage)

    handler_of(app, "sync", [])
    with pytest.raises(TypeError, match=r"async_ has no sync form, and the handler .*sync_handler"):
        app.middleware(async_)
    assert app.handlers["Job"].call == app.handlers["Job"].call_directly
    app.middleware(sync)
    with pytest.raises(
        TypeError, match=r"sync has no async form, and the handler .*other is async"
    ):

        @app.handler("Other")
        async def other(body: Any) -> None: ...

    with pytest.raises(TypeError, match=r"no async form, and dispatch_async\(\) is async"):
        asyncio.run(app.dispatch_async(Job()))
    app = Symphony(transport=InMemoryTransport())
    app.middleware(async_)
    with pytest.raises(TypeError, match=r"no sync form, and dispatch\(\) is not async"):
        app.dispatch(Job())
    with pytest.raises(TypeError, match="'text' is not a function"):
        app.middleware("text")
    with pytest.raises(ValueError, match='"dispatch" or "handle"'):
        app.middleware(sync, phase="both")  # type: ignore[arg-type]


def test_an_object_may_be_a_middleware() -> None:
    seen: list[str] = []

    class Counting:
        def __call__(self, passage: Passage, next_: Next) -> Any:
            seen.append(passage.message_type)
            return next_(passage)

    class CountingAsync:
        async def __call__(self, passage: Passage, next_: Next) -> Any:
            seen.append(passage.message_type)
            return await next_(passage)

    app = Symphony(transport=InMemoryTransport())
    app.middleware(Middleware(Counting(), CountingAsync()), phase="dispatch")
    app.dispatch(Job())
    asyncio.run(app.dispatch_async(Job()))
    assert seen == ["Job", "Job"]
    assert Middleware.of(CountingAsync()).async_ is not None


@KINDS
def test_logging(app: Symphony, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "symphony_pg.messages")
    app.middleware(logging_middleware())

    def fail(body: object) -> None:
        raise RuntimeError("no")

    async def fail_async(body: object) -> None:
        raise RuntimeError("no")

    handler_of(app, kind, [])
    app.handler("Failing")(fail if kind == "sync" else fail_async)
    dispatch = app.dispatch_many if kind == "sync" else app.dispatch_many_async
    envelopes = [app.envelope(Job()), Envelope("Failing", {})]
    result: Any = dispatch(envelopes)
    first, second = asyncio.run(result) if kind == "async" else result
    run(app)
    texts = [each.message for each in caplog.records if each.name == "symphony_pg.messages"]
    assert texts == [
        "Job: dispatched",
        "Failing: dispatched",
        f"Job {first}: handled",
        f"Failing {second}: not handled: RuntimeError",
    ]


@KINDS
def test_timing(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "symphony_pg.timing")
    app = Symphony(transport=SyncTransport())
    times: list[tuple[str, float]] = []
    app.middleware(timing_middleware(lambda passage, took: times.append((passage.phase, took))))
    app.middleware(timing_middleware(), phase="dispatch")
    app.middleware(timing_middleware(slow=3600))

    def sync_handler(job: Job) -> None:
        import time

        time.sleep(0.02)

    async def async_handler(job: Job) -> None:
        await asyncio.sleep(0.02)

    if kind == "sync":
        app.handler(Job)(sync_handler)
        app.dispatch(Job())
    else:
        app.handler(Job)(async_handler)
        asyncio.run(app.dispatch_async(Job()))
    assert [phase for phase, _ in times] == ["handle", "dispatch"]
    assert 0.02 <= times[0][1] <= times[1][1] < 5
    assert [each.message.partition(" took ")[0] for each in caplog.records] == ["Job 1: dispatch"]


def test_validation(app: Symphony, conn: Connection) -> None:
    app.middleware(validation_middleware())
    seen: list[Any] = []
    app.handler(Job)(seen.append)
    with pytest.raises(InvalidMessage, match="Job: n: negative"):
        app.dispatch(Job(-1))
    bad = Client(conn).enqueue("Job", {"n": -1})
    app.dispatch(Job(1))
    counts = run(app)
    assert (counts.failed, counts.done) == (1, 1)
    assert status(conn, bad) == "failed"
    assert seen == [Job(1)]


@KINDS
def test_a_transaction_around_every_handler(app: Symphony, conn: Connection, kind: str) -> None:
    conn.execute("create table note (n int)")
    app.middleware(transaction_middleware())

    def sync_handler(job: Job, context: Context) -> None:
        context.conn.execute("insert into note values (%s)", [job.n])
        app.dispatch(Job(job.n + 100), queue="next")
        with context.transaction() as tx:  # a part of it
            assert tx is context.conn
        assert tx is context.conn
        if job.n % 2:
            raise RuntimeError("no")

    async def async_handler(job: Job, context: Context) -> None:
        await context.conn.execute("insert into note values (%s)", [job.n])
        await app.dispatch_async(Job(job.n + 100), queue="next")
        if job.n % 2:
            raise RuntimeError("no")

    Client(conn).create_queue("next")
    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    app.dispatch_many([Job(n) for n in range(4)])
    counts = run(app)
    assert (counts.done, counts.retried) == (2, 2)
    assert conn.execute("select n from note order by n").fetchall() == [(0,), (2,)]
    rows = conn.execute(
        "select (body ->> 'n')::int, txid in (select xmin::text::bigint from note) "
        "from symphony.message join symphony.lane using (lane_id) "
        "where queue_name = 'next' order by 1"
    ).fetchall()
    assert rows == [(100, True), (102, True)]  # sent by the transactions of the notes


def test_middleware_goes_around_a_batch_as_a_whole(app: Symphony, conn: Connection) -> None:
    seen: list[Any] = []
    app.middleware(both("a", seen), phase="handle")
    app.middleware(validation_middleware(), phase="handle")
    app.middleware(transaction_middleware())
    conn.execute("create table note (n int)")

    @app.batch_handler(Job)
    def work(jobs: list[Job], context: BatchContext) -> None:
        for job in jobs:
            context.conn.execute("insert into note values (%s)", [job.n])
        context.fail(jobs[1], RuntimeError("no"))

    ids = app.dispatch_many([Job(1), Job(2), Job(3)])
    counts = run(app)
    assert (counts.done, counts.retried) == (2, 1)
    assert seen == [("a", "handle", "in"), ("a", "handle", "out")]
    assert [status(conn, each) for each in ids] == ["completed", "delayed", "completed"]
    assert conn.execute("select count(*) from note").fetchone() == (3,)
