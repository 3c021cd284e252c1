"""Sentry: what reaches its transport, which keeps it in memory."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from symphony_pg import Client, PermanentError, RetryAfter, Snooze, Symphony
from symphony_pg.monitoring import sentry_middleware
from tests.helpers import KINDS, Connection, Job
from tests.worker.helpers import run


class InMemory(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.transactions: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            into = {"event": self.events, "transaction": self.transactions}.get(item.type or "")
            if into is not None and item.payload.json is not None:
                into.append(item.payload.json)


@pytest.fixture
def sentry() -> Iterator[InMemory]:
    transport = InMemory()
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        transport=transport,
        traces_sample_rate=1.0,
        default_integrations=False,
    )
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.init()


def failing(app: Symphony, kind: str, error: Exception) -> None:
    if kind == "sync":

        def handle(job: Job) -> None:
            raise error
    else:

        async def handle(job: Job) -> None:  # type: ignore[misc]
            raise error

    app.handler(Job)(handle)


@KINDS
def test_each_attempt_is_reported_as_what_it_is(
    app: Symphony, conn: Connection, sentry: InMemory, kind: str
) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0), max_attempts=2)
    app.middleware(sentry_middleware())
    failing(app, kind, ValueError("no such address"))
    message_id = app.dispatch(Job())
    run(app)
    assert [each["level"] for each in sentry.events] == ["warning", "error"]
    first, last = sentry.events
    assert first["exception"]["values"][-1]["type"] == "ValueError"
    assert last["tags"] == {
        "symphony.message_type": "Job",
        "symphony.queue": "default",
        "symphony.attempt": "2 of 2",
    }
    assert last["contexts"]["symphony"] == {"message_ids": [message_id]}
    handled, again = sentry.transactions
    assert handled["contexts"]["trace"]["op"] == "queue.process"
    assert handled["transaction"] == "Job"
    assert again["contexts"]["trace"]["status"] == "internal_error"
    data = again["contexts"]["trace"]["data"]
    assert data["messaging.message.id"] == message_id
    assert data["messaging.message.retry.count"] == 1
    assert data["messaging.message.receive.latency"] > 0
    assert data["messaging.message.body.size"] == len('{"n": 1}')


def test_the_trace_goes_on_where_the_message_is_handled(app: Symphony, sentry: InMemory) -> None:
    app.middleware(sentry_middleware())
    app.handler(Job)(lambda job: None)
    with sentry_sdk.start_transaction(name="request"):
        app.dispatch(Job(), queue="default")
    run(app)
    request, handled = sentry.transactions
    (span,) = request["spans"]
    assert (span["op"], span["data"]["messaging.destination.name"]) == ("queue.publish", "default")
    trace = handled["contexts"]["trace"]
    assert trace["trace_id"] == request["contexts"]["trace"]["trace_id"]
    assert trace["parent_span_id"] == span["span_id"]
    assert trace["status"] == "ok"
    assert sentry.events == []


@pytest.mark.parametrize(
    ("error", "levels"),
    [(Snooze(60), []), (RetryAfter(60), []), (PermanentError("x"), ["error"])],
    ids=lambda each: type(each).__name__,
)
def test_what_is_no_failure_is_not_reported(
    app: Symphony, sentry: InMemory, error: Exception, levels: list[str]
) -> None:
    app.middleware(sentry_middleware())
    failing(app, "sync", error)
    app.dispatch(Job())
    run(app)
    assert [each["level"] for each in sentry.events] == levels


def test_only_the_last_attempt(app: Symphony, conn: Connection, sentry: InMemory) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0), max_attempts=3)
    app.middleware(sentry_middleware(retries=False))
    failing(app, "sync", ValueError())
    app.dispatch(Job())
    run(app)
    assert [each["level"] for each in sentry.events] == ["error"]


def test_a_batch(app: Symphony, sentry: InMemory) -> None:
    app.middleware(sentry_middleware())

    def handle(jobs: list[Job]) -> None:
        raise ValueError

    app.batch_handler(Job)(handle)
    ids = app.dispatch_many([Job(1), Job(2)])
    run(app, limit=2)
    assert sentry.events[0]["contexts"]["symphony"] == {"message_ids": ids}


def test_headers_that_anybody_wrote(app: Symphony, conn: Connection, sentry: InMemory) -> None:
    app.middleware(sentry_middleware())
    app.handler(Job)(lambda job: None)
    Client(conn).enqueue("Job", {"n": 1}, headers={"sentry-trace": 7, "baggage": ["x"]})
    Client(conn).enqueue("Job", {"n": 1}, headers={"sentry-trace": "x", "baggage": "y"})
    run(app)
    assert len(sentry.transactions) == 2


def test_without_init_nothing_happens(app: Symphony) -> None:
    app.middleware(sentry_middleware())
    app.handler(Job)(lambda job: None)
    app.dispatch(Job())
    assert run(app).done == 1
