"""structlog: what a handler logs says which message it is about."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import LogCapture

from symphony_pg import Symphony
from symphony_pg.monitoring import structlog_middleware
from tests.helpers import KINDS, Job
from tests.worker.helpers import run


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    capture = LogCapture()
    structlog.configure(processors=[merge_contextvars, capture])
    yield capture.entries
    structlog.reset_defaults()


@KINDS
def test_lines_name_their_message(app: Symphony, lines: list[Any], kind: str) -> None:
    log = structlog.get_logger()
    app.middleware(structlog_middleware())
    if kind == "sync":
        app.handler(Job)(lambda job: log.info("working", n=job.n))
    else:

        async def handle(job: Job) -> None:
            await asyncio.sleep(0.01 * (3 - job.n))
            log.info("working", n=job.n)

        app.handler(Job)(handle)
    ids = [app.dispatch(Job(n), headers={"correlation_id": f"c{n}"}) for n in range(3)]
    run(app, concurrency=3)
    log.info("over")
    assert len(lines) == 4
    for line in lines[:-1]:
        n = line["n"]
        assert line == {
            "event": "working",
            "log_level": "info",
            "n": n,
            "message_id": ids[n],
            "message_type": "Job",
            "queue_name": "default",
            "attempt": 1,
            "correlation_id": f"c{n}",
        }
    assert lines[-1] == {"event": "over", "log_level": "info"}


def test_lines_of_a_batch(app: Symphony, lines: list[Any]) -> None:
    log = structlog.get_logger()
    app.middleware(structlog_middleware())
    app.batch_handler(Job)(lambda jobs: log.info("working"))
    ids = app.dispatch_many([Job(1), Job(2)])
    run(app)
    assert [line["message_ids"] for line in lines] == [ids]


@pytest.mark.parametrize("name", ["opentelemetry", "sentry_sdk", "structlog"])
def test_a_library_that_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from symphony_pg import WrongState, monitoring

    for each in [*sys.modules]:
        if each.partition(".")[0] == name:
            monkeypatch.delitem(sys.modules, each)
    monkeypatch.setitem(sys.modules, name, None)
    make: Any = {
        "opentelemetry": monitoring.otel_middleware,
        "sentry_sdk": monitoring.sentry_middleware,
        "structlog": monitoring.structlog_middleware,
    }[name]
    with pytest.raises(WrongState, match=f"needs the package {name}") as caught:
        make()
    assert "pip install" in (caught.value.hint or "")
