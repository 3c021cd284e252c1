"""What a worker serves beside its work: /metrics, and the probes /live and /ready."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from ..worker import Worker
from .pages import Page, Pages, serving
from .prometheus import WorkerMetrics

Address = tuple[str, int]


@contextmanager
def worker_pages(
    worker: Worker,
    metrics: WorkerMetrics | None,
    metrics_at: Address | None,
    probes_at: Address | None,
) -> Iterator[list[str]]:
    """Serve what is asked for, for the length of a with block; return where. One port may do."""
    pages: dict[Address, Pages] = {}
    if metrics is not None and metrics_at is not None:
        metrics.watch(worker)
        pages[metrics_at] = {"/metrics": _metrics(metrics)}
    if probes_at is not None:
        pages[probes_at] = {**pages.get(probes_at, {}), **_probes(worker)}
    with ExitStack() as stack:
        yield [
            f"http://{host}:{stack.enter_context(serving(host, port, each))}{path}"
            for (host, port), each in pages.items()
            for path in [" ".join(each)]
        ]


def _metrics(metrics: WorkerMetrics) -> Callable[[str], Page]:
    def make(accept: str) -> Page:
        text, kind = metrics.page(accept)
        return Page(200, kind, text)

    return make


def _probes(worker: Worker) -> Pages:
    """Return the pages that answer 200, or 503 and why."""

    def page(why_not: Callable[[], str | None]) -> Callable[[str], Page]:
        def make(_: str) -> Page:
            reason = why_not()
            told = {"status": "ok"} if reason is None else {"status": "failing", "reason": reason}
            status = 200 if reason is None else 503
            return Page(status, "application/json", json.dumps(told).encode() + b"\n")

        return make

    return {"/live": page(worker.why_not_alive), "/ready": page(worker.why_not_ready)}
