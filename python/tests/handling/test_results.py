"""What a handler, a middleware or a listener gives back and has not run is never a success."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from symphony_pg import (
    InMemoryTransport,
    Middleware,
    Next,
    Passage,
    Symphony,
    SyncTransport,
    events,
    timing_middleware,
    validation_middleware,
)
from tests.helpers import KINDS, Connection, Job, jobs, status
from tests.worker.helpers import run

Handler = Callable[..., Any]


def plainly_decorated(function: Handler) -> Handler:
    @functools.wraps(function)
    def wrapper(*arguments: Any) -> Any:
        return function(*arguments)

    return wrapper


async def coroutine(job: Any) -> None:
    await asyncio.sleep(0)


def generator(job: Any) -> Iterator[int]:
    yield 1


async def async_generator(job: Any) -> AsyncIterator[int]:
    yield 1


class Awaiting:
    def __await__(self) -> Iterator[None]:
        yield


class AsyncCall:
    async def __call__(self, job: Any) -> None:
        await asyncio.sleep(0)


LAZY = {
    "a decorated async function": plainly_decorated(coroutine),
    "a lambda around one": lambda job: coroutine(job),
    "a decorated generator": plainly_decorated(generator),
    "a decorated async generator": plainly_decorated(async_generator),
    "an awaitable object": lambda job: Awaiting(),
    "a Future": lambda job: Future[None](),
    "a map": lambda job: map(print, [job]),
}


@pytest.mark.parametrize("handler", LAZY.values(), ids=LAZY.keys())
def test_a_handler_whose_result_has_not_run_fails(
    app: Symphony, conn: Connection, handler: Handler
) -> None:
    app.handler(Job, permanent=[TypeError])(handler)
    message_id = app.dispatch(Job())
    counts = run(app)
    assert (counts.done, counts.failed) == (0, 1)
    assert status(conn, message_id) == "failed"


@pytest.mark.parametrize("handler", LAZY.values(), ids=LAZY.keys())
def test_it_fails_without_a_worker_too(handler: Handler) -> None:
    memory, sync = InMemoryTransport(), SyncTransport(raises=True)
    app = Symphony(transport=memory)
    app.handler(Job)(handler)
    app.dispatch(Job())
    with pytest.raises(TypeError, match="which has not run to its end"):
        memory.run_all()
    with pytest.raises(TypeError, match="which has not run to its end"):
        app.dispatch(Job(), transport=sync)


@pytest.mark.parametrize("handler", LAZY.values(), ids=LAZY.keys())
def test_a_batch_handler_whose_result_has_not_run_fails(app: Symphony, handler: Handler) -> None:
    app.batch_handler(Job, size=2, permanent=[TypeError])(handler)
    app.dispatch_many(jobs(2))
    counts = run(app)
    assert (counts.done, counts.failed) == (0, 2)


@pytest.mark.parametrize("inner", [coroutine(0), Awaiting()], ids=["a coroutine", "an awaitable"])
def test_what_an_async_handler_returns_is_awaited(app: Symphony, inner: Any) -> None:
    seen = []

    async def later(job: Job) -> None:
        await inner
        seen.append(job.n)

    @app.handler(Job)
    async def handle(job: Job) -> Any:
        return later(job)

    app.dispatch(Job(1))
    assert run(app).done == 1
    assert seen == [1]


@pytest.mark.parametrize(
    "function",
    [generator, async_generator, functools.partial(generator), Job, AsyncCall],
    ids=["generator", "async generator", "partial", "class", "class with async __call__"],
)
def test_a_function_whose_call_runs_nothing_is_refused(app: Symphony, function: Any) -> None:
    for register in (app.handler(Job), app.batch_handler(Job), app.middleware):
        with pytest.raises(TypeError, match=r"contains yield|is a class"):
            register(function)
    with pytest.raises(TypeError, match=r"contains yield|is a class"):
        app.on(events.Handled)(function)
    assert not app.handlers


@pytest.mark.parametrize(
    "function",
    [
        AsyncCall(),
        functools.partial(AsyncCall()),
        functools.partial(coroutine),
        AsyncCall().__call__,
    ],
    ids=["object", "partial of an object", "partial", "method"],
)
def test_async_functions_are_known_in_any_guise(app: Symphony, function: Any) -> None:
    app.handler(Job)(function)
    assert app.handlers["Job"].is_async
    app.dispatch(Job())
    assert run(app).done == 1
    with pytest.raises(TypeError, match="a listener is a plain function"):
        app.on(events.Handled)(function)


def not_awaiting(passage: Passage, next_: Next) -> Any:
    return next_(passage)


async def dropping(passage: Passage, next_: Next) -> None:
    next_(passage)


async def leaving_behind(passage: Passage, next_: Next) -> None:
    TASKS.append(asyncio.ensure_future(next_(passage)))
    await asyncio.sleep(0)


TASKS: list[Any] = []
FORGETFUL: dict[str, list[Any]] = {
    "sync": [plainly_decorated(dropping), lambda passage, next_: map(next_, [passage])],
    "async": [dropping, leaving_behind],
}


@KINDS
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("is_covered", [False, True])
def test_a_middleware_that_forgets_to_await_fails_the_message(
    app: Symphony, kind: str, number: int, is_covered: bool
) -> None:
    async def handle_async(job: Job) -> None:
        await asyncio.sleep(0.05)

    def covering(passage: Passage, next_: Next) -> None:
        next_(passage)

    async def covering_async(passage: Passage, next_: Next) -> None:
        await next_(passage)

    if is_covered:  # by one that returns nothing of what it got
        app.middleware(Middleware(covering, covering_async), phase="handle")
    app.middleware(FORGETFUL[kind][number], phase="handle")
    app.handler(Job, permanent=[TypeError])(handle_async if kind == "async" else lambda job: None)
    app.dispatch(Job())
    counts = run(app)
    assert (counts.done, counts.failed) == (0, 1)


async def test_dispatch_does_not_take_a_message_that_nobody_sends(app: Symphony) -> None:
    app.middleware(Middleware(FORGETFUL["sync"][0], dropping), phase="dispatch")
    with pytest.raises(TypeError, match="which has not run to its end"):
        app.dispatch(Job())
    with pytest.raises(TypeError, match="without awaiting its end"):
        await app.dispatch_async(Job())


def test_an_async_middleware_may_return_what_is_to_be_awaited(app: Symphony) -> None:
    seen = []

    async def pass_on(passage: Passage, next_: Next) -> Any:
        return next_(passage)

    app.middleware(pass_on, phase="handle")

    @app.handler(Job)
    async def handle(job: Job) -> None:
        seen.append(job.n)

    app.dispatch(Job(1))
    assert run(app).done == 1
    assert seen == [1]


def test_a_listener_that_returns_a_coroutine_is_an_error_in_the_log(
    app: Symphony, caplog: pytest.LogCaptureFixture
) -> None:
    app.handler(Job)(lambda job: None)
    app.on(events.Handled)(plainly_decorated(coroutine))
    app.dispatch(Job())
    with caplog.at_level(logging.ERROR):
        assert run(app).done == 1
    assert "a listener to Handled failed: TypeError" in caplog.text


async def test_the_helpers_of_middleware_are_held_to_the_same(app: Symphony) -> None:
    class Valid(Job):
        async def validate(self) -> None:
            raise ValueError("never looked at")

    app.middleware(validation_middleware(), phase="dispatch")
    with pytest.raises(TypeError, match=r"validate\(\) of Valid returned a coroutine"):
        app.dispatch(Valid())

    async def report(passage: Passage, seconds: float) -> None:
        raise AssertionError("never called")

    late: Any = report

    app.middleware(timing_middleware(late), phase="dispatch")
    with pytest.raises(TypeError, match="the report of times returned a coroutine"):
        app.dispatch(Job())

    app = Symphony(transport=SyncTransport(sleep=asyncio.sleep))

    @app.handler(Job)
    def fail(job: Job) -> None:
        raise ValueError

    with pytest.raises(TypeError, match="sleep returned a coroutine"):
        app.dispatch(Job())
