"""Middleware: functions around dispatch() and around handlers; and some that many need.

    @app.middleware
    def audit(envelope: Passage, next: Next) -> Any:
        print(envelope.phase, envelope.message_type)
        return next(envelope)

The first one registered is the outermost. A middleware that does not call `next` ends the way of
the message: it is not sent, or it counts as handled. One that raises makes dispatch() raise, or the
handling fail.

A chain is all sync or all async, as its innermost part is: `def` goes around sync handlers and
dispatch(), `async def` around async handlers and dispatch_async(). One that is to go around both
has two forms, `Middleware(audit, audit_async)`. A form that is missing is refused, never skipped.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .codec import InvalidMessage

__all__ = [
    "Middleware",
    "Next",
    "Passage",
    "Phase",
    "logging_middleware",
    "timing_middleware",
    "transaction_middleware",
    "validation_middleware",
]

Phase = Literal["dispatch", "handle"]


@dataclass(slots=True)
class Passage:
    """A message on its way through the middleware.

    phase         "dispatch" or "handle"
    message       the message, which may be replaced; for a batch handler the list of them
    message_type  its wire name
    headers       its metadata; what is added in the phase "dispatch" travels with it
    options       phase "dispatch": queue, delay, priority, … as given to dispatch(); may be changed
    context       phase "handle": what the handler gets as its second argument
    message_id    phase "handle", and after next() in "dispatch"; 0 while it is not sent
    """

    phase: Phase
    message: Any
    message_type: str
    headers: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    context: Any = None
    message_id: int = 0


Next = Callable[[Passage], Any]
SyncForm = Callable[[Passage, Next], Any]
AsyncForm = Callable[[Passage, Next], Awaitable[Any]]


@dataclass(frozen=True)
class Middleware:
    """A middleware in its sync form, its async form, or both; for one phase, or for both."""

    sync: SyncForm | None = None
    async_: AsyncForm | None = None
    phase: Phase | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            form = self.sync or self.async_
            object.__setattr__(self, "name", getattr(form, "__qualname__", repr(form)))

    @classmethod
    def of(cls, function: Any, phase: Phase | None = None) -> Middleware:
        """Make one of a function, or limit one to a phase."""
        if phase not in (None, "dispatch", "handle"):
            raise ValueError(f'the phase is "dispatch" or "handle", not {phase!r}')
        if isinstance(function, Middleware):
            return replace(function, phase=phase or function.phase)
        if not callable(function):
            raise TypeError(f"a middleware takes (envelope, next), and {function!r} is no function")
        call = function if inspect.isroutine(function) else function.__call__
        if inspect.iscoroutinefunction(call):
            return cls(async_=function, phase=phase)
        return cls(sync=function, phase=phase)

    def form(self, is_async: bool, what: str) -> Callable[[Passage, Next], Any]:
        """Return the form for a chain; raise TypeError if there is none."""
        found = self.async_ if is_async else self.sync
        if found is None:
            missing, kind = ("async", "async") if is_async else ("sync", "not async")
            raise TypeError(
                f"the middleware {self.name} has no {missing} form, and {what} is {kind}; "
                "give it both, Middleware(form, async_form), or limit it with phase="
            )
        return found


def chain(around: list[Middleware], is_async: bool, what: str, innermost: Next) -> Next:
    """Put middleware around a function, the first one outermost."""
    for middleware in reversed(around):
        innermost = _bound(middleware.form(is_async, what), innermost)
    return innermost


def _bound(form: Callable[[Passage, Next], Any], next_: Next) -> Next:
    return lambda passage: form(passage, next_)


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
