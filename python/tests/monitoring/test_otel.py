"""OpenTelemetry: spans across enqueue, retry and handling, through the in-memory exporter."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import (
    error_attributes,
    messaging_attributes,
    server_attributes,
)
from opentelemetry.semconv._incubating.metrics import messaging_metrics
from opentelemetry.trace import SpanKind, StatusCode

from symphony_pg import Client, Context, PermanentError, RetryAfter, Snooze, Symphony
from symphony_pg.monitoring import conventions, otel_middleware
from symphony_pg.outcomes import AlreadyDone
from tests.helpers import KINDS, Connection, Job, known
from tests.worker.helpers import run

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Seen:
    """An application whose spans and measurements are kept in memory."""

    def __init__(self, app: Symphony, **options: Any) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.traces = TracerProvider()
        self.traces.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])
        app.middleware(
            otel_middleware(tracer_provider=self.traces, meter_provider=self.meters, **options)
        )

    def spans(self, kind: SpanKind | None = None) -> list[ReadableSpan]:
        found = self._exporter.get_finished_spans()
        return [each for each in found if kind in (None, each.kind)]

    def handled(self) -> list[ReadableSpan]:
        return self.spans(SpanKind.CONSUMER)

    def sent(self) -> list[ReadableSpan]:
        return self.spans(SpanKind.PRODUCER)

    def measured(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def seen(app: Symphony) -> Iterator[Seen]:
    found = Seen(app)
    yield found
    found.traces.shutdown()
    found.meters.shutdown()


def linked(span: ReadableSpan) -> list[tuple[int, int]]:
    return [(each.context.trace_id, each.context.span_id) for each in span.links]


def of(span: ReadableSpan) -> tuple[int, int]:
    found = span.get_span_context()
    assert found is not None
    return found.trace_id, found.span_id


@KINDS
def test_from_enqueue_over_a_retry_to_the_end(
    app: Symphony, conn: Connection, seen: Seen, kind: str
) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0))

    def work(context: Context) -> None:
        assert trace.get_current_span().is_recording()
        if context.attempt == 1:
            raise KeyError("secret")
        app.dispatch(Job(2), queue="default")

    if kind == "sync":
        app.handler("First")(lambda body, context: work(context))
    else:

        async def handle(body: Any, context: Context) -> None:
            await asyncio.to_thread(work, context)

        app.handler("First")(handle)
    app.handler(Job)(lambda job: None) if kind == "sync" else app.handler(Job)(_nothing)
    with seen.traces.get_tracer("test").start_as_current_span("request") as request:
        message_id = app.dispatch(
            Job(1),
            queue="default",
            headers={"correlation_id": "order-7"},
            priority=7,
        )
    # The same journey for a type whose handler fails at first.
    Client(conn).enqueue("First", headers={"traceparent": PARENT})
    run(app, name="me")

    (sent, sent_by_handler) = seen.sent()
    assert (sent.name, sent.kind) == ("send default", SpanKind.PRODUCER)
    assert sent.parent is not None and sent.parent.span_id == request.get_span_context().span_id
    assert dict(sent.attributes or {}) == {
        "messaging.system": "symphony",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "default",
        "messaging.message.id": str(message_id),
        "messaging.message.conversation_id": "order-7",
        "symphony.message.type": "Job",
        "symphony.message.priority": 7,
    }
    header = known(conn, message_id).headers["traceparent"]
    assert header[:-3] == "00-{:032x}-{:016x}".format(*of(sent))

    handled = seen.handled()
    jobs = [each for each in handled if (each.attributes or {})["symphony.message.type"] == "Job"]
    first, again = [each for each in handled if each not in jobs]
    for span in (first, again):  # SQL sent it, and said by whom
        assert [f"00-{a:032x}-{b:016x}-01" for a, b in linked(span)] == [PARENT]
        assert span.parent is None
        assert span.name == "process default"
    assert [(each.attributes or {})["symphony.message.attempt"] for each in (first, again)] == [
        1,
        2,
    ]
    assert (first.status.status_code, again.status.status_code) == (
        StatusCode.ERROR,
        StatusCode.UNSET,
    )
    assert (first.attributes or {})["error.type"] == "builtins.KeyError"
    assert "secret" not in str(first.to_json())
    assert [linked(each) for each in jobs] == [[of(sent)], [of(sent_by_handler)]]
    assert sent_by_handler.parent is not None
    assert sent_by_handler.parent.span_id == of(again)[1]
    assert dict(jobs[0].attributes or {}) == {
        "messaging.system": "symphony",
        "messaging.client.id": "me",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": str(message_id),
        "messaging.message.conversation_id": "order-7",
        "messaging.message.body.size": len('{"n": 1}'),
        "symphony.message.type": "Job",
        "symphony.message.attempt": 1,
        "symphony.message.priority": 7,
    }


async def _nothing(job: Job) -> None: ...


def test_a_handler_as_a_child(app: Symphony, conn: Connection) -> None:
    seen = Seen(app, parent="child")
    app.handler(Job)(lambda job: None)
    app.dispatch(Job())
    Client(conn).enqueue("Job", {"n": 1})  # by nobody who traces
    run(app)
    (sent,), (handled, alone) = seen.sent(), seen.handled()
    assert handled.parent is not None
    assert (handled.parent.trace_id, handled.parent.span_id) == of(sent)
    assert linked(handled) == [] and alone.parent is None


def test_a_batch_links_to_all_its_senders(app: Symphony, seen: Seen) -> None:
    sizes: list[int] = []
    app.batch_handler(Job, size=200)(lambda jobs: sizes.append(len(jobs)))
    app.dispatch_many([Job(n) for n in range(150)])
    run(app, batch_size=200)
    sent = [of(each) for each in seen.sent()]
    assert len(sent) == 150
    (span,) = seen.handled()
    assert linked(span) == sent[:128]
    assert sizes == [150]
    assert (span.attributes or {})["messaging.batch.message_count"] == 150


@pytest.mark.parametrize(
    "error", [Snooze(60), RetryAfter(60), AlreadyDone([])], ids=lambda each: type(each).__name__
)
def test_what_is_put_off_or_done_is_no_error(
    app: Symphony, seen: Seen, error: BaseException
) -> None:
    def handle(job: Job) -> None:
        raise error

    app.handler(Job)(handle)
    app.dispatch(Job())
    run(app)
    (span,) = seen.handled()
    assert span.status.status_code == StatusCode.UNSET
    assert "error.type" not in (span.attributes or {})


@pytest.mark.parametrize(
    "headers",
    [{}, {"traceparent": 7}, {"traceparent": "x"}, {"traceparent": None, "tracestate": []}],
    ids=str,
)
def test_headers_that_anybody_wrote(
    app: Symphony, conn: Connection, seen: Seen, headers: dict[str, Any]
) -> None:
    app.handler(Job)(lambda job: None)
    Client(conn).enqueue("Job", {"n": 1}, headers=headers)
    run(app)
    (span,) = seen.handled()
    assert linked(span) == []


@pytest.mark.parametrize(("body", "size"), [("é", 4), ({"a": [1, 2]}, 13), (7, 1)], ids=str)
def test_the_size_of_a_body_is_in_bytes(
    app: Symphony, conn: Connection, seen: Seen, body: Any, size: int
) -> None:
    told: list[int] = []

    def handle(_: Any, context: Context) -> None:
        told.append(context.body_size)

    app.handler("Any")(handle)
    Client(conn).enqueue("Any", body)
    run(app)
    (span,) = seen.handled()
    assert (span.attributes or {})["messaging.message.body.size"] == told[0] == size


@pytest.mark.parametrize("is_wanted", [True, False])
def test_baggage(app: Symphony, is_wanted: bool) -> None:
    Seen(app, baggage=is_wanted)
    found: list[Any] = []
    app.handler(Job)(lambda job: found.append(baggage.get_baggage("tenant")))
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        app.dispatch(Job())
    finally:
        context.detach(token)
    run(app)
    assert found == (["acme"] if is_wanted else [None])


def test_a_dispatch_that_fails(app: Symphony, seen: Seen) -> None:
    with pytest.raises(Exception, match="nowhere"):
        app.dispatch(Job(), queue="nowhere")
    (span,) = seen.sent()
    assert span.status.status_code == StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "symphony_pg.UnknownQueue"
    assert "messaging.message.id" not in (span.attributes or {})


def test_a_message_that_waits_for_its_handler_and_its_routes(app: Symphony, seen: Seen) -> None:
    app.handler("First")(lambda body: app.dispatch(Job()) and None)
    app.handler(Job)(lambda job: None)
    app.dispatch(Job())
    (span,) = seen.sent()
    assert span.name == "send Job"  # the routes in the database say where it goes
    assert "messaging.destination.name" not in (span.attributes or {})


def test_measurements(app: Symphony, seen: Seen) -> None:
    def handle(job: Job) -> None:
        if job.n:
            raise PermanentError

    app.handler(Job)(handle)
    app.dispatch_many([Job(0), Job(1), Job(0)])
    run(app)
    measured = seen.measured()
    assert {*measured} == {
        conventions.SENT_MESSAGES,
        conventions.CONSUMED_MESSAGES,
        conventions.OPERATION_DURATION,
        conventions.PROCESS_DURATION,
    }
    assert [each.value for each in measured["messaging.client.sent.messages"]] == [3]
    consumed = {
        dict(each.attributes).get("error.type"): each.value
        for each in measured["messaging.client.consumed.messages"]
    }
    assert consumed == {None: 2, "symphony_pg.PermanentError": 1}
    assert sum(each.count for each in measured["messaging.process.duration"]) == 3
    for name in (conventions.OPERATION_DURATION, conventions.PROCESS_DURATION):
        for each in measured[name]:
            assert tuple(each.explicit_bounds) == conventions.SECONDS_BETWEEN


def test_a_parent_that_is_neither() -> None:
    with pytest.raises(ValueError, match="link"):
        otel_middleware(parent="both")  # type: ignore[arg-type]


def test_names_are_those_of_the_conventions() -> None:
    """The package of the conventions that is installed knows each of them."""
    attributes = [
        *vars(messaging_attributes).items(),
        *vars(server_attributes).items(),
        *vars(error_attributes).items(),
    ]
    metrics = [*vars(messaging_metrics).items()]
    known = {value for _, value in (*attributes, *metrics) if isinstance(value, str)}
    ours = {
        name: value
        for name, value in vars(conventions).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("SENTRY")
    }
    theirs = {
        each for each in ours.values() if each.startswith(("messaging.", "server.", "error."))
    }
    assert theirs <= known
    assert {conventions.SEND, conventions.PROCESS} <= {
        each.value for each in messaging_attributes.MessagingOperationTypeValues
    }
    others = {*ours.values()} - theirs - {conventions.SEND, conventions.PROCESS, "symphony"}
    assert all(each.startswith("symphony.") for each in others)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("postgresql://ada:secret@db.example.com:6432/shop", ("db.example.com", 6432)),
        ("host=/var/run/postgresql dbname=shop", ("/var/run/postgresql", 5432)),
        ("hostaddr=10.0.0.7 port=5433", ("10.0.0.7", 5433)),
        ("postgresql://a:5432,b:5433/shop", (None, None)),  # it is not known which one answers
        ("dbname=shop", (None, None)),
        (None, (None, None)),
    ],
    ids=str,
)
def test_where_the_database_is(app: Symphony, given: str | None, told: tuple[Any, Any]) -> None:
    seen = Seen(app, dsn=given)
    app.handler(Job)(lambda job: None)
    app.dispatch(Job(), queue="default")
    run(app)
    spans = seen.spans()
    assert len(spans) == 2
    points = [each for name in seen.measured().values() for each in name]
    for each in (*spans, *points):
        found = dict(each.attributes or {})
        assert (found.get("server.address"), found.get("server.port")) == told
        assert "secret" not in str(found)
