"""OpenTelemetry: a span where a message is sent, and one where it is handled.

The headers of the message carry `traceparent` and `tracestate`, so the two belong together: the
span of each attempt links to that of the sender. A message that was enqueued with SQL links to its
sender if the sender gave headers => '{"traceparent": …}'.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from psycopg.conninfo import conninfo_to_dict

from ..extras import needing
from ..handling.middlewares import around
from ..sending.middleware import Middleware, Passage
from ..version import __version__
from . import conventions as names
from .handled import contexts_of, is_failure, texts_of

if TYPE_CHECKING:
    from opentelemetry.context import Context as OtelContext
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Link, Span, TracerProvider


HEADERS = ("traceparent", "tracestate", "baggage")
MOST_LINKS = 128
DEFAULT_PORT = 5432
SECONDS = "s"
MESSAGES = "{message}"


def otel_middleware(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    parent: Literal["link", "child"] = "link",
    baggage: bool = False,
    dsn: str | None = None,
) -> Middleware:
    """Make spans and measurements of what is dispatched and handled.

    Without providers it takes the global ones. With `dsn`, that of the application, they tell on
    which server and port the database is, and nothing else of it. With parent="child" the span of a
    handler is part of the sender's trace, in place of one that links to it; that of a batch only
    links. With `baggage` the sender's baggage travels along, and the handler finds it.

    Spans have the classes of errors and not their texts, which may hold secrets.
    """
    if parent not in ("link", "child"):
        raise ValueError(f'the parent is "link" or "child", not {parent!r}')
    with needing("otel_middleware()", "symphony-pg[otel]"):
        spans = _Spans(tracer_provider, meter_provider, parent == "child", baggage, _server(dsn))
    return around(spans.around, "otel_middleware")


class _Spans:
    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        is_child: bool,
        baggage: bool,
        server: dict[str, Any],
    ) -> None:
        from opentelemetry import context, metrics, trace
        from opentelemetry.baggage.propagation import W3CBaggagePropagator
        from opentelemetry.propagators.composite import CompositePropagator
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._context = context
        self._is_child = is_child
        self._server = server
        self._baggage = W3CBaggagePropagator() if baggage else None
        self._propagator = CompositePropagator(
            [TraceContextTextMapPropagator(), *([self._baggage] if self._baggage else [])]
        )
        self._tracer = trace.get_tracer("symphony_pg", __version__, tracer_provider)
        meter = metrics.get_meter("symphony_pg", __version__, meter_provider)
        self._sent = meter.create_counter(names.SENT_MESSAGES, MESSAGES)
        self._consumed = meter.create_counter(names.CONSUMED_MESSAGES, MESSAGES)
        self._sending, self._handling = (
            meter.create_histogram(
                name, SECONDS, explicit_bucket_boundaries_advisory=names.SECONDS_BETWEEN
            )
            for name in (names.OPERATION_DURATION, names.PROCESS_DURATION)
        )

    def around(self, passage: Passage) -> AbstractContextManager[None]:
        if passage.phase == "dispatch":
            return self._around_dispatch(passage)
        return self._around_handler(passage)

    @contextmanager
    def _around_dispatch(self, passage: Passage) -> Iterator[None]:
        queue = passage.options.get("queue_name")
        common = {**_common(names.SEND, queue), **self._server}
        # Where no queue is named, the routes in the database say where it goes.
        span = self._tracer.start_span(
            f"{names.SEND} {queue or passage.message_type}",
            kind=self._trace.SpanKind.PRODUCER,
            attributes={
                **common,
                **_of_message(passage.message_type, passage.headers),
                **_given({names.PRIORITY: passage.options.get("priority")}),
            },
        )
        with self._timed(span, common, self._sending, self._sent, 1):
            self._propagator.inject(passage.headers)
            yield
            if passage.message_id:
                span.set_attribute(names.MESSAGE_ID, str(passage.message_id))

    @contextmanager
    def _around_handler(self, passage: Passage) -> Iterator[None]:
        found = contexts_of(passage)
        first = found[0]
        common = {**_common(names.PROCESS, first.queue_name), **self._server}
        senders = [self._extracted(each.headers) for each in found]
        attributes = {
            **common,
            names.MESSAGE_TYPE: passage.message_type,
            **_given({names.CLIENT_ID: first.worker}),
        }
        if isinstance(passage.message, list):
            attributes[names.MESSAGE_COUNT] = len(found)
        else:
            attributes |= _of_message(passage.message_type, first.headers)
            attributes[names.MESSAGE_ID] = str(first.message_id)
            attributes[names.BODY_SIZE] = first.body_size
            attributes[names.ATTEMPT] = first.attempt
            attributes[names.PRIORITY] = first.priority
        is_child = self._is_child and not isinstance(passage.message, list)
        with self._carried(first.headers):
            span = self._tracer.start_span(
                f"{names.PROCESS} {first.queue_name}",
                context=senders[0] if is_child else None,
                kind=self._trace.SpanKind.CONSUMER,
                attributes=attributes,
                links=None if is_child else self._links(senders),
            )
            with self._timed(span, common, self._handling, self._consumed, len(found)):
                yield

    @contextmanager
    def _timed(
        self, span: Span, common: dict[str, Any], durations: Any, counter: Any, count: int
    ) -> Iterator[None]:
        """Make the span the current one; measure, and note the class of an error."""
        started = time.perf_counter()
        measured = dict(common)
        use = self._trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )
        try:
            with use:
                try:
                    yield
                except BaseException as error:
                    if is_failure(error):
                        kind = type(error)
                        measured[names.ERROR_TYPE] = f"{kind.__module__}.{kind.__qualname__}"
                        span.set_attribute(names.ERROR_TYPE, measured[names.ERROR_TYPE])
                        span.set_status(self._trace.StatusCode.ERROR)
                    raise
        finally:
            durations.record(time.perf_counter() - started, measured)
            counter.add(count, measured)

    def _extracted(self, headers: Mapping[str, Any]) -> OtelContext:
        return self._propagator.extract(texts_of(headers, HEADERS), self._context.Context())

    def _links(self, senders: list[OtelContext]) -> list[Link]:
        known = [self._trace.get_current_span(each).get_span_context() for each in senders]
        return [self._trace.Link(each) for each in known if each.is_valid][:MOST_LINKS]

    @contextmanager
    def _carried(self, headers: Mapping[str, Any]) -> Iterator[None]:
        """Let the handler find the sender's baggage."""
        if self._baggage is None:
            yield
            return
        token = self._context.attach(self._baggage.extract(texts_of(headers, HEADERS)))
        try:
            yield
        finally:
            self._context.detach(token)


def _server(dsn: str | None) -> dict[str, Any]:
    """Return where the database is; of several servers it is not known which one answers."""
    known = conninfo_to_dict(dsn or "")
    address, port = str(known.get("host") or known.get("hostaddr") or ""), str(known.get("port"))
    if not address or "," in address:
        return {}
    return {
        names.SERVER_ADDRESS: address,
        names.SERVER_PORT: int(port) if port.isdecimal() else DEFAULT_PORT,
    }


def _common(operation: str, queue: str | None) -> dict[str, Any]:
    """Return what spans and measurements have; the name of an operation is that of its type."""
    return {
        names.SYSTEM: names.SYMPHONY,
        names.OPERATION_NAME: operation,
        names.OPERATION_TYPE: operation,
        **_given({names.DESTINATION: queue}),
    }


def _of_message(message_type: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    found = texts_of(headers, ("correlation_id", "handler"))
    return {
        names.MESSAGE_TYPE: message_type,
        **_given({names.CONVERSATION_ID: found.get("correlation_id")}),
        **_given({names.CONSUMER_GROUP: found.get("handler")}),
    }


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
