"""Middleware that many applications need; each is a function that makes one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from ..messages.codec import InvalidMessage
from ..results import refuse_unfinished
from ..sending.bus import Bus
from ..sending.middleware import Middleware, Next, Passage, Phase


def around(
    block: Callable[[Passage], AbstractContextManager[None]], name: str, phase: Phase | None = None
) -> Middleware:
    """Make both forms of a middleware that is a with block around `next`."""

    def sync(passage: Passage, next_: Next) -> Any:
        with block(passage):
            return next_(passage)

    async def async_(passage: Passage, next_: Next) -> Any:
        with block(passage):
            return await next_(passage)

    return Middleware(sync, async_, phase, name)


def logging_middleware(
    logger: logging.Logger | None = None, level: int = logging.INFO
) -> Middleware:
    """Log each message that was dispatched or handled, and each that was not, and which error."""
    log = logger or logging.getLogger("symphony_pg.messages")
    done = {"dispatch": "dispatched", "handle": "handled"}

    @contextmanager
    def logged(passage: Passage) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            kind = type(error).__qualname__  # its text may hold secrets
            log.warning("%s: not %s: %s", _named(passage), done[passage.phase], kind)
            raise
        log.log(level, "%s: %s", _named(passage), done[passage.phase])

    return around(logged, "logging_middleware")


def _named(passage: Passage) -> str:
    number = f" {passage.message_id}" if passage.message_id else ""
    return f"{passage.message_type}{number}"


def timing_middleware(
    report: Callable[[Passage, float], None] | None = None, *, slow: float = 0.0
) -> Middleware:
    """Measure the time of everything further in, in seconds; log it, or hand it to `report`.

    Times below `slow` are left out.
    """
    log = logging.getLogger("symphony_pg.timing")

    def tell(passage: Passage, seconds: float) -> None:
        log.info("%s: %s took %.1f ms", _named(passage), passage.phase, seconds * 1000)

    @contextmanager
    def timed(passage: Passage) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            if seconds >= slow:
                refuse_unfinished((report or tell)(passage, seconds), "the report of times")

    return around(timed, "timing_middleware")


def validation_middleware() -> Middleware:
    """Call the message's own validate(), if it has one, for what types alone cannot say.

    A ValueError of it is an InvalidMessage: dispatch() raises it, and no retry can help.
    """

    @contextmanager
    def validated(passage: Passage) -> Iterator[None]:
        messages = passage.message if isinstance(passage.message, list) else [passage.message]
        for message in messages:
            validate = getattr(message, "validate", None)
            if getattr(validate, "__self__", None) is message:  # not pydantic's class method
                assert validate is not None
                try:
                    refuse_unfinished(validate(), f"validate() of {passage.message_type}")
                except ValueError as error:
                    raise InvalidMessage(f"{passage.message_type}: {error}") from error
        yield

    return around(validated, "validation_middleware")


def transaction_middleware() -> Middleware:
    """Open context.transaction() around each handler, which finds the connection as context.conn.

    What it writes there, what it dispatches, and the ack commit together, or not at all.
    """
    return _transactions("transaction_middleware", lambda _: True)


def use_transactions(bus: Bus, queue_name: str) -> None:
    """Open context.transaction() around handlers of what comes from a queue, unless it is open."""
    name = f"transactions of {queue_name}"

    def is_wanted(passage: Passage) -> bool:
        return passage.context.queue_name == queue_name and passage.context.conn is None

    if all(each.name != name for each in bus.around("handle")):
        bus.add(_transactions(name, is_wanted))


def _transactions(name: str, is_wanted: Callable[[Passage], bool]) -> Middleware:
    def block(passage: Passage) -> Any:
        return passage.context.transaction() if is_wanted(passage) else nullcontext()

    def transaction(passage: Passage, next_: Next) -> Any:
        with block(passage):
            return next_(passage)

    async def transaction_async(passage: Passage, next_: Next) -> Any:
        async with block(passage):
            return await next_(passage)

    return Middleware(transaction, transaction_async, "handle", name)
