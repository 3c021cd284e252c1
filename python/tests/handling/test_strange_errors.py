"""Whatever an error does when it is described, its message fails plainly and says why."""

import asyncio
import builtins
import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from symphony_pg import (
    BadArgument,
    ClaimedMessage,
    Client,
    InMemoryTransport,
    PermanentError,
    RetryAfter,
    Snooze,
    Symphony,
    SyncTransport,
    events,
)
from symphony_pg.handling.failure import Failure, forget_traceback
from tests.helpers import KINDS, Connection, Job, jobs
from tests.worker.helpers import run

# It came with Python 3.11.
GROUP: Any = getattr(builtins, "ExceptionGroup", lambda text, members: ValueError(text))
NOW = datetime.now(timezone.utc)
MESSAGE = ClaimedMessage(1, 2, "q", "A", "{}", {}, 5, 1, 4, None, NOW, NOW)


class Uninitialised(RetryAfter):
    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


class UninitialisedSnooze(Snooze):
    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise SystemExit("no text")


class Nameless(type):
    @property
    def __mro__(cls) -> Any:
        raise RuntimeError("no bases")

    @property
    def __module__(cls) -> Any:  # type: ignore[override]
        raise RuntimeError("no module")


class MaskedError(Exception, metaclass=Nameless):
    pass


class LiarError(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return Snooze


class HidingError(Exception):
    @property
    def __traceback__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no traceback")

    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no cause")


class OddSyntaxError(SyntaxError):
    text: Any = 4
    lineno: Any = "x"


class Unreadable:
    def __str__(self) -> str:
        raise RuntimeError("not readable")


def with_wait(wait: Any) -> RetryAfter:
    error = RetryAfter(1, "the real text")
    error.wait = wait
    return error


def with_until(until: Any) -> Snooze:
    error = Snooze(NOW, "the real text")
    error.until = until
    return error


PLAIN: dict[str, tuple[Callable[[], BaseException], str]] = {
    "RetryAfter without __init__": (lambda: Uninitialised("the real text"), "the real text"),
    "Snooze without __init__": (lambda: UninitialisedSnooze("the real text"), "the real text"),
    "RetryAfter for ever": (lambda: RetryAfter(timedelta.max, "the real text"), "the real text"),
    "RetryAfter back in time": (lambda: RetryAfter(-1, "the real text"), "the real text"),
    "RetryAfter of a text": (lambda: with_wait("5 minutes"), "the real text"),
    "RetryAfter of a number": (lambda: with_wait(5), "the real text"),
    "Snooze for ever": (lambda: Snooze(timedelta.max, "the real text"), "the real text"),
    "Snooze back in time": (lambda: Snooze(timedelta(-1), "the real text"), "the real text"),
    "Snooze until a text": (lambda: with_until("tomorrow"), "the real text"),
    "__str__ that exits": (SpeechlessError, "Speechless"),
    "a metaclass without names": (lambda: MaskedError("the real text"), "the real text"),
    "another class": (lambda: LiarError("the real text"), "the real text"),
    "no traceback and no cause": (lambda: HidingError("the real text"), "the real text"),
    "a strange SyntaxError": (lambda: OddSyntaxError("the real text"), "OddSyntaxError"),
    "a huge text": (lambda: ValueError("x" * 10**7 + "the real text"), "the real text"),
    "surrogates and NULs": (lambda: ValueError("\udc80\x00 the real text"), "the real text"),
    "a class with surrogates": (lambda: surrogate()("the real text"), "the real text"),
    "a class of a long name": (lambda: type("E" * 10**6, (Exception,), {})("the real text"), "E"),
    "a wide group": (lambda: group(100_000), "the real text"),
    "a deep group": (lambda: deep(10_000, nested), "the real text"),
    "a long chain": (lambda: deep(100_000, chained), "the real text"),
    "SystemExit": (lambda: SystemExit("the real text"), "the real text"),
    "KeyboardInterrupt": (lambda: KeyboardInterrupt("the real text"), "the real text"),
    "GeneratorExit": (lambda: GeneratorExit("the real text"), "the real text"),
    "CancelledError": (lambda: asyncio.CancelledError("the real text"), "the real text"),
    "StopIteration": (lambda: StopIteration("the real text"), "StopIteration"),
    "StopAsyncIteration": (lambda: StopAsyncIteration("the real text"), "the real text"),
}


def surrogate() -> type[Exception]:
    kind = type("E", (Exception,), {})
    kind.__qualname__ = "E\udc80"
    return kind


def group(count: int) -> Any:
    return GROUP("the real text", [ValueError(n) for n in range(count)])


def nested(error: Exception) -> Any:
    return GROUP("the real text", [error])


def chained(error: Exception) -> Exception:
    outer = ValueError("the real text")
    outer.__cause__ = error
    return outer


def deep(count: int, around: Callable[[Exception], Exception]) -> Exception:
    error: Exception = ValueError("the real text")
    for _ in range(count):
        error = around(error)
    return error


@pytest.mark.parametrize(("make", "text"), PLAIN.values(), ids=PLAIN.keys())
def test_any_error_can_be_described(make: Callable[[], BaseException], text: str) -> None:
    error = make()
    started = time.process_time()
    try:
        raise error
    except BaseException:
        failure = Failure.of(MESSAGE, error)
    assert time.process_time() - started < 2
    assert text in failure.error
    assert failure.exception is error
    for kept in (failure.error, failure.traceback or "", *(failure.error_bases or ())):
        assert len(kept.encode()) <= 8000
    assert len(failure.error_class) <= 200
    forget_traceback(error)
    assert vars(BaseException)["__traceback__"].__get__(error) is None


@KINDS
def test_each_is_a_plain_failure_and_the_worker_goes_on(
    app: Symphony, conn: Connection, kind: str
) -> None:
    errors = list(PLAIN.items())

    def handle(job: Job) -> None:
        make, _ = errors[job.n][1]
        raise make()

    async def handle_async(job: Job) -> None:
        handle(job)

    app.handler(Job)(handle_async if kind == "async" else handle)
    client = Client(conn)
    client.configure_queue("default", retry_delay=timedelta(hours=1))
    ids = app.dispatch_many(jobs(len(errors)))
    counts = run(app, concurrency=2)
    assert (counts.retried, counts.failed, counts.snoozed, counts.lost) == (len(errors), 0, 0, 0)
    for message_id, (name, (_, text)) in zip(ids, errors, strict=True):
        found = client.message_status(message_id)
        assert found is not None
        assert (found.status, found.attempt) == ("delayed", 1), name
        assert text in (found.last_error or ""), name


def test_a_wait_that_is_refused_is_told(app: Symphony, conn: Connection) -> None:
    @app.handler(Job)
    def handle(job: Job) -> None:
        raise RetryAfter(timedelta.max, "busy")

    Client(conn).configure_queue("default", retry_delay=timedelta(hours=1))
    message_id = app.dispatch(Job())
    run(app)
    (event,) = Client(conn).message_history(message_id)
    assert event.error is not None
    first, second = event.error.splitlines()
    assert first == "symphony_pg.RetryAfter: busy"
    assert second.startswith(
        "It is retried as usual, because its wait was refused: retry_after must"
    )


@pytest.mark.parametrize("name", [name for name in PLAIN if name[0] in "RS"])
def test_without_a_worker_it_is_the_same(name: str) -> None:
    make, text = PLAIN[name]
    if not isinstance(make(), Exception):
        return
    memory = InMemoryTransport()
    app = Symphony(transport=memory)

    @app.handler(Job)
    def handle(job: Job) -> None:
        raise make()

    app.dispatch(Job())
    app.dispatch(Job(), transport=SyncTransport(max_attempts=2))
    assert memory.run_all(raises=False) == 1
    assert memory.runs[0].failure is not None
    assert text in memory.runs[0].failure.error


def test_a_reason_may_be_anything(app: Symphony, conn: Connection) -> None:
    reasons: list[Any] = [ValueError("closed"), 7, Unreadable()]

    @app.handler(Job)
    def handle(job: Job) -> None:
        raise Snooze(60, reason=reasons[job.n])

    ids = app.dispatch_many(jobs(3))
    assert run(app).snoozed == 3
    found = [Client(conn).message_status(each) for each in ids]
    assert [each and each.last_error for each in found] == ["closed", "7", "symphony_pg.Snooze"]


def test_a_moment_has_a_time_zone() -> None:
    with pytest.raises(BadArgument, match="has no time zone"):
        Snooze(datetime(2030, 1, 1))


NOT_NOW = PermanentError("not now")


@KINDS
@pytest.mark.parametrize("link", ["itself", "cause", "context", "notes"])
def test_one_error_for_many_messages_does_not_grow(app: Symphony, kind: str, link: str) -> None:
    def handle(job: Job) -> None:
        if link == "itself":
            raise NOT_NOW
        if link == "notes":
            NOT_NOW.__dict__.setdefault("__notes__", []).append("a note")
            raise NOT_NOW
        try:
            raise NOT_NOW
        except PermanentError as error:
            raise ValueError(job.n) from (error if link == "cause" else None)

    async def handle_async(job: Job) -> None:
        handle(job)

    app.handler(Job, permanent=[ValueError])(handle_async if kind == "async" else handle)
    app.dispatch_many(jobs(300))
    assert run(app, concurrency=2).failed == 300
    assert len(traceback.extract_tb(NOT_NOW.__traceback__)) < 10
    assert len(getattr(NOT_NOW, "__notes__", ())) <= 100


def test_the_traceback_is_that_of_this_raise(app: Symphony, conn: Connection) -> None:
    def one() -> None:
        raise NOT_NOW

    def two() -> None:
        raise NOT_NOW

    app.handler(Job)(lambda job: one() if job.n % 2 else two())
    ids = app.dispatch_many(jobs(4))
    run(app)
    for n, message_id in enumerate(ids):
        (event,) = Client(conn).message_history(message_id)
        assert event.traceback is not None
        assert event.traceback.count("raise NOT_NOW") == 1
        assert ("in one" in event.traceback) == bool(n % 2)


def test_listeners_get_the_exception_with_its_tracebacks(app: Symphony) -> None:
    seen: list[Any] = []
    errors = []

    @app.handler(Job, permanent=[RuntimeError])
    def handle(job: Job) -> None:
        try:
            raise KeyError("the cause")
        except KeyError as cause:
            raise RuntimeError from cause

    @app.on(events.Failed)
    def listen(event: events.Failed) -> None:
        error = event.exception
        assert error is not None
        errors.append(error)
        for each in (error, error.__cause__):
            assert each is not None
            seen.append([frame.name for frame in traceback.extract_tb(each.__traceback__)])

    app.dispatch_many(jobs(3))
    run(app)
    assert [names[-1] for names in seen] == ["handle"] * 6
    assert max(map(len, seen)) < 10
    assert [each.__traceback__ for each in errors] == [None] * 3


def test_the_messages_of_a_batch_share_one_description(app: Symphony, conn: Connection) -> None:
    @app.batch_handler(Job, size=3)
    def handle(batch: list[Job]) -> None:
        raise NOT_NOW

    ids = app.dispatch_many(jobs(3))
    assert run(app).failed == 3
    for message_id in ids:
        (event,) = Client(conn).message_history(message_id)
        assert event.traceback is not None
        assert "in handle" in event.traceback


def test_one_error_raised_in_many_threads_at_once_is_told_each_time(app: Symphony) -> None:
    together = threading.Barrier(4)

    @app.handler(Job)
    def handle(job: Job) -> None:
        together.wait(10)
        raise NOT_NOW

    app.dispatch_many(jobs(40))
    assert run(app, concurrency=4).failed == 40
