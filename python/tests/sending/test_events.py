"""Events: each one is told, with what it is about; a listener can do no harm."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from symphony_pg import (
    Client,
    InMemoryTransport,
    PermanentError,
    Symphony,
    SyncTransport,
    events,
)
from symphony_pg.events import (
    Event,
    Failed,
    Handled,
    Lost,
    Received,
    Retried,
    Sending,
    Sent,
    WorkerIdle,
    WorkerStarted,
    WorkerStopped,
)
from tests.helpers import KINDS, Connection, Job
from tests.worker.helpers import run, running, until

ALL = (
    *(Sending, Sent, Received, Handled, Failed, Retried, Lost),
    *(WorkerStarted, WorkerIdle, WorkerStopped),
)


def record(app: Symphony) -> list[Any]:
    seen: list[Any] = []
    for kind in ALL:
        app.on(kind)(seen.append)
    return seen


def of(seen: list[Any], kind: type[Event]) -> list[Any]:
    return [each for each in seen if type(each) is kind]


def test_every_event_is_in_the_list() -> None:
    assert set(ALL) == {
        each
        for each in vars(events).values()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    }


@KINDS
def test_each_event_of_a_message(app: Symphony, conn: Connection, kind: str) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0))
    seen = record(app)

    def sync_handler(job: Job) -> None:
        if job.n == 1 and not of(seen, Retried):
            raise RuntimeError("once")
        if job.n == 2:
            raise PermanentError("never")

    async def async_handler(job: Job) -> None:
        sync_handler(job)

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many([Job(n) for n in range(3)])
    assert [(type(each), each.envelope.message) for each in seen] == [
        *((Sending, Job(n)) for n in range(3)),
        *((Sent, Job(n)) for n in range(3)),
    ]
    assert [each.message_id for each in of(seen, Sent)] == ids
    seen.clear()
    run(app, name="me")
    names = [type(each).__name__ for each in seen]
    assert (names[0], names[-1]) == ("WorkerStarted", "WorkerStopped")
    assert [each.message.message_id for each in of(seen, Received)] == [*ids, ids[1]]
    assert [each.message.message_id for each in of(seen, Handled)] == [ids[0], ids[1]]
    assert all(each.seconds >= 0 for each in of(seen, Handled))
    (retried,), (failed,) = of(seen, Retried), of(seen, Failed)
    assert (retried.message.message_id, retried.error_class) == (ids[1], "RuntimeError")
    assert retried.available_at.tzinfo is not None
    assert failed.message.message_id == ids[2]
    assert failed.error.endswith("PermanentError: never")
    (started,), (stopped,) = of(seen, WorkerStarted), of(seen, WorkerStopped)
    assert (started.worker, started.queues) == ("me", ["default"])
    assert (stopped.worker, stopped.counts["done"], stopped.counts["failed"]) == ("me", 2, 1)


@pytest.mark.parametrize("listen", [True, False])
async def test_a_worker_is_idle_once_each_time(app: Symphony, listen: bool) -> None:
    seen: list[Any] = []
    app.on(WorkerIdle)(seen.append)
    app.handler(Job)(lambda job: None)
    async with running(app, listen=listen, poll_interval=0.1) as worker:
        await until(lambda: seen)
        await asyncio.sleep(0.5)
        assert len(seen) == 1
        app.dispatch(Job())
        await until(lambda: len(seen) == 2)
        assert worker.counts.done == 1


def test_events_of_what_cannot_be_handled(app: Symphony, conn: Connection) -> None:
    seen = record(app)
    app.handler(Job)(lambda job: None)
    Client(conn).configure_queue("default", max_snooze=timedelta(0))  # no other worker will come
    Client(conn).enqueue("Nobody")
    Client(conn).enqueue("Job", {"n": "x"})
    run(app)
    assert len(of(seen, Received)) == 1
    assert not of(seen, Handled)
    assert sorted(each.message.message_type for each in of(seen, Failed)) == ["Job", "Nobody"]


def test_events_of_a_batch_are_those_of_its_messages(app: Symphony) -> None:
    seen = record(app)

    @app.batch_handler(Job)
    def work(jobs: list[Job], context: Any) -> None:
        context.fail(jobs[0], PermanentError("no"))

    first, second = app.dispatch_many([Job(1), Job(2)])
    run(app)
    assert [each.message.message_id for each in of(seen, Received)] == [first, second]
    assert [each.message.message_id for each in of(seen, Handled)] == [second]
    assert [each.message.message_id for each in of(seen, Failed)] == [first]


def test_a_listener_that_raises_harms_nothing(
    app: Symphony, caplog: pytest.LogCaptureFixture
) -> None:
    def bad(event: Any) -> None:
        raise SystemExit("out") if isinstance(event, Handled) else RuntimeError("no")

    for kind in ALL:
        app.on(kind)(bad)
    heard: list[Any] = []
    app.on(Sent)(heard.append)
    fails = [RuntimeError("once")]

    @app.handler(Job)
    def work(job: Job) -> None:
        if fails and job.n == 2:
            raise fails.pop()

    app.dispatch_many([Job(n) for n in range(3)])
    counts = run(app)
    assert (counts.done, counts.retried) == (2, 1)
    assert len(heard) == 3
    for kind in (Sending, Sent, Received, Handled, Retried, WorkerStarted, WorkerStopped):
        assert f"a listener to {kind.__name__} failed" in caplog.text


def test_local_transports_tell_them_too() -> None:
    app = Symphony(transport=SyncTransport(max_attempts=2))
    seen = record(app)

    @app.handler(Job)
    def work(job: Job) -> None:
        raise RuntimeError("no")

    app.dispatch(Job())
    names = [type(each).__name__ for each in seen]
    assert names == ["Sending", "Received", "Retried", "Received", "Failed", "Sent"]
    seen.clear()
    with app.using(InMemoryTransport()) as memory:
        app.dispatch(Job())
        memory.run_all(raises=False)  # what becomes of it is for the database to say
    assert [type(each).__name__ for each in seen] == ["Sending", "Sent", "Received"]


def test_what_is_not_a_listener() -> None:
    app = Symphony(transport=InMemoryTransport())

    async def listener(event: Sent) -> None: ...

    with pytest.raises(TypeError, match="is async"):
        app.on(Sent)(listener)
    nothing: list[Any] = [Event, "handled", int]
    for kind in nothing:
        with pytest.raises(TypeError, match="is not an event"):
            app.on(kind)(print)


def test_only_who_is_asked_pays() -> None:
    app = Symphony(transport=InMemoryTransport())
    app.handler(Job)(lambda job: None)
    handler = app.handlers["Job"]
    for kind in (Sent, Failed, WorkerIdle):
        app.on(kind)(print)
    assert handler.call == handler.call_directly
    app.on(Handled)(print)
    assert handler.call != handler.call_directly
