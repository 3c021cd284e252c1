"""Middleware that many applications need; each is a function that makes one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..messages.codec import InvalidMessage
from ..sending.middleware import Middleware, Next, Passage

__all__ = [
    "logging_middleware",
    "timing_middleware",
    "transaction_middleware",
    "validation_middleware",
]


def _around(block: Callable[[Passage], AbstractContextManager[None]], name: str) -> Middleware:
    """Make both forms of a middleware that is a with block around `next`."""

    def sync(envelope: Passage, next_: Next) -> Any:
        with block(envelope):
            return next_(envelope)

    async def async_(envelope: Passage, next_: Next) -> Any:
        with block(envelope):
            return await next_(envelope)

    return Middleware(sync, async_, name=name)


def logging_middleware(
    logger: logging.Logger | None = None, level: int = logging.INFO
) -> Middleware:
    """Log each message that was dispatched or handled, and each that was not, and which error."""
    log = logger or logging.getLogger("symphony_pg.messages")
    done = {"dispatch": "dispatched", "handle": "handled"}

    @contextmanager
    def logged(envelope: Passage) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            kind = type(error).__qualname__  # its text may hold secrets
            log.warning("%s: not %s: %s", _named(envelope), done[envelope.phase], kind)
            raise
        log.log(level, "%s: %s", _named(envelope), done[envelope.phase])

    return _around(logged, "logging_middleware")


def _named(envelope: Passage) -> str:
    number = f" {envelope.message_id}" if envelope.message_id else ""
    return f"{envelope.message_type}{number}"


def timing_middleware(
    report: Callable[[Passage, float], None] | None = None, *, slow: float = 0.0
) -> Middleware:
    """Measure the time of everything further in, in seconds; log it, or hand it to `report`.

    Times below `slow` are left out.
    """
    log = logging.getLogger("symphony_pg.timing")

    def tell(envelope: Passage, seconds: float) -> None:
        log.info("%s: %s took %.1f ms", _named(envelope), envelope.phase, seconds * 1000)

    @contextmanager
    def timed(envelope: Passage) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            if seconds >= slow:
                (report or tell)(envelope, seconds)

    return _around(timed, "timing_middleware")


def validation_middleware() -> Middleware:
    """Call the message's own validate(), if it has one, for what types alone cannot say.

    A ValueError of it is an InvalidMessage: dispatch() raises it, and no retry can help.
    """

    @contextmanager
    def validated(envelope: Passage) -> Iterator[None]:
        messages = envelope.message if isinstance(envelope.message, list) else [envelope.message]
        for message in messages:
            validate = getattr(message, "validate", None)
            if getattr(validate, "__self__", None) is message:  # not pydantic's class method
                assert validate is not None
                try:
                    validate()
                except ValueError as error:
                    raise InvalidMessage(f"{envelope.message_type}: {error}") from error
        yield

    return _around(validated, "validation_middleware")


def transaction_middleware() -> Middleware:
    """Open context.transaction() around each handler, which finds the connection as context.conn.

    What it writes there, what it dispatches, and the ack commit together, or not at all.
    """

    def transaction(envelope: Passage, next_: Next) -> Any:
        with envelope.context.transaction():
            return next_(envelope)

    async def transaction_async(envelope: Passage, next_: Next) -> Any:
        async with envelope.context.transaction():
            return await next_(envelope)

    return Middleware(transaction, transaction_async, "handle", "transaction_middleware")
