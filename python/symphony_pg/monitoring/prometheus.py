"""Prometheus: the metrics of the database, and those that each worker has of its own.

symphony.metrics() makes the samples of the database, in one query; FAMILIES tells their kinds. All
labels have bounds: queues, schedules, transports, and what an application registers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..app import Symphony
from ..database.functions.figures import Sample
from ..events import Failed, Handled, Lost, Retried
from ..extras import needing
from ..handling.middlewares import around
from ..messages.codec import decode_json
from ..sending.middleware import Passage
from ..version import __version__
from ..worker import Worker
from .handled import contexts_of, texts_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class Family(NamedTuple):
    """A metric: its kind, and what it is."""

    kind: str
    text: str


FAMILIES = {
    "symphony_build_info": Family("gauge", "Versions of the package and of the schema."),
    "symphony_queue_messages": Family("gauge", "Messages in a queue, by state."),
    "symphony_queue_oldest_pending_age_seconds": Family(
        "gauge", "For how long the message at the head has been due."
    ),
    "symphony_queue_paused": Family("gauge", "1 while nothing is handed out."),
    "symphony_queue_enqueued": Family("counter", "Messages that came into the queue."),
    "symphony_queue_claimed": Family("counter", "Messages that were handed out."),
    "symphony_queue_completed": Family("counter", "Messages that were acknowledged."),
    "symphony_queue_retried": Family("counter", "Attempts that failed and are repeated."),
    "symphony_queue_failed": Family("counter", "Messages that failed for good."),
    "symphony_queue_returned": Family("counter", "Messages that were given back."),
    "symphony_queue_wait_seconds": Family("histogram", "From due to claimed."),
    "symphony_queue_waiting_keys": Family("gauge", "Messages that wait for others of their key."),
    "symphony_incidents": Family("gauge", "What is wrong now, as symphony-pg doctor tells it."),
    "symphony_workers": Family("gauge", "Workers of a queue, by state."),
    "symphony_schedule_next_run_timestamp_seconds": Family("gauge", "When a schedule runs next."),
    "symphony_last_tick_timestamp_seconds": Family("gauge", "When tick() ran last."),
    "symphony_transport_disabled": Family("gauge", "1 while a transport holds its messages."),
    "symphony_transport_up": Family("gauge", "1 while a relay reaches the broker."),
    "symphony_transport_relays": Family("gauge", "Relays that are alive."),
    "symphony_transport_consumers": Family("gauge", "Workers that consume from the broker."),
    "symphony_transport_pending_messages": Family("gauge", "Messages that are not forwarded yet."),
    "symphony_transport_forwarded": Family("counter", "Messages that the broker has confirmed."),
    "symphony_scrape_errors": Family("counter", "Scrapes that could not read the database."),
}
SUFFIXES = ("_total", "_bucket", "_sum", "_count")


class Exposition:
    """Writes samples as Prometheus reads them; counts the scrapes that failed in `errors`."""

    def __init__(self) -> None:
        with needing("the metrics", "symphony-pg[prometheus]"):
            import prometheus_client.exposition  # noqa: F401 (says early that it is missing)
        self.errors = 0

    def of(self, samples: Iterable[Sample], accept: str) -> tuple[bytes, str]:
        """Return the text, and its content type, in the format that was asked for."""
        own = Sample("symphony_scrape_errors_total", {}, self.errors)
        return _written(lambda: _families([*samples, own]), accept)


def _families(samples: Iterable[Sample]) -> Iterator[Metric]:
    from prometheus_client.core import Metric
    from prometheus_client.utils import floatToGoString

    found: dict[str, Metric] = {}
    for name, labels, value in sorted(samples, key=_place):
        family = _family_of(name)
        if family not in found:
            kind, text = FAMILIES[family]
            found[family] = Metric(family, text, kind)
        if "le" in labels:
            labels = {**labels, "le": floatToGoString(labels["le"])}  # type: ignore[no-untyped-call]
        if family == "symphony_build_info":
            labels = {"version": __version__, **labels}
        found[family].add_sample(name, {**labels}, value)
    yield from found.values()


def _place(sample: Sample) -> tuple[Any, ...]:
    """Sort the buckets of a histogram by their bounds, and its sums behind them."""
    labels = sample.labels
    others = [each for each in labels.items() if each[0] != "le"]
    bound = float(labels.get("le", "inf"))
    return _family_of(sample.metric), sorted(others), bound, sample.metric


@lru_cache(1000)
def _family_of(name: str) -> str:
    for suffix in SUFFIXES:
        if name not in FAMILIES and name.removesuffix(suffix) in FAMILIES:
            return name.removesuffix(suffix)
    return name


def _written(collect: Callable[[], Iterable[Metric]], accept: str) -> tuple[bytes, str]:
    from prometheus_client.exposition import choose_encoder

    class Registry:
        """As much of a CollectorRegistry as an encoder needs."""

        @staticmethod
        def collect() -> Iterable[Metric]:
            return collect()

    encode, kind = choose_encoder(accept)
    return encode(Registry), kind


class WorkerMetrics:
    """What one worker measures of itself; made before its Worker, which is told to `watch`.

    The metrics that the application itself has registered with prometheus_client are shown, too.
    """

    def __init__(self, app: Symphony) -> None:
        with needing("--metrics-port", "symphony-pg[prometheus]"):
            from prometheus_client import CollectorRegistry, Counter, Histogram
        self._registry: CollectorRegistry = CollectorRegistry()
        self._worker: Worker | None = None
        of_handler = ("message_type", "handler")
        self._durations = Histogram(
            "symphony_handler_duration_seconds",
            "How long handlers take; a batch handler with all its messages.",
            of_handler,
            registry=self._registry,
        )
        self._handled = Counter(
            "symphony_handled_messages",
            "Messages that handlers were called with, and what became of them.",
            (*of_handler, "outcome"),
            registry=self._registry,
        )
        self._lost = Counter(
            "symphony_leases_lost",
            "Claims whose lease was lost while handlers ran.",
            ("queue",),
            registry=self._registry,
        )
        self._known = app.handlers
        app.middleware(around(self._timed, "the metrics", "handle"))
        app.on(Handled)(self._count("done"))
        app.on(Retried)(self._count("retried"))
        app.on(Failed)(self._count("failed"))
        app.on(Lost)(lambda event: self._lost.labels(event.queue_name).inc())

    def watch(self, worker: Worker) -> None:
        """Show the slots and the counts of a worker, too."""
        self._worker = worker
        self._registry.register(self)

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text, and its content type."""
        from prometheus_client import REGISTRY

        def collect() -> Iterator[Metric]:
            yield from self._registry.collect()
            yield from REGISTRY.collect()

        return _written(collect, accept)

    def collect(self) -> Iterator[Metric]:
        """Return what is read from the worker at each scrape."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        assert self._worker is not None
        slots = GaugeMetricFamily(
            "symphony_worker_slots", "Slots for handlers, by state.", labels=["state"]
        )
        for state, number in self._worker.slots().items():
            slots.add_metric([state], number)
        yield slots
        counts = CounterMetricFamily(
            "symphony_worker_messages", "Messages, by what the worker did.", labels=["outcome"]
        )
        for outcome, number in self._worker.counts.as_dict().items():
            counts.add_metric([outcome], number)
        yield counts

    @contextmanager
    def _timed(self, passage: Passage) -> Iterator[None]:
        handler = _handler_of(contexts_of(passage)[0].headers)
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self._durations.labels(passage.message_type, handler).observe(seconds)

    def _count(self, outcome: str) -> Callable[[Any], None]:
        def count(event: Handled | Retried | Failed) -> None:
            message = event.message
            if message.message_type in self._known:
                handler = _handler_of(message.headers)
                self._handled.labels(message.message_type, handler, outcome).inc()

        return count


def _handler_of(headers: Any) -> str:
    """Return which handler a delivery is for; its headers may be text."""
    if isinstance(headers, str):
        if "handler" not in headers:
            return "default"
        headers = decode_json(headers)
    return texts_of(headers, ("handler",)).get("handler", "default")
