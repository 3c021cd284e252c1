"""Middleware: functions around dispatch() and around handlers; and some that many need.

    @app.middleware
    def audit(passage: Passage, next: Next) -> Any:
        print(passage.phase, passage.message_type)
        return next(passage)

The first one registered is the outermost. A middleware that does not call `next` ends the way of
the message: it is not sent, or it counts as handled. One that raises makes dispatch() raise, or the
handling fail.

A chain is all sync or all async, as its innermost part is: `def` goes around sync handlers and
dispatch(), `async def` around async handlers and dispatch_async(). One that is to go around both
has two forms, `Middleware(audit, audit_async)`. A form that is missing is refused, never skipped.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..results import finished, is_async, refuse_lazy, refuse_unfinished

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
    _passed: Any = field(default=None, repr=False, compare=False)  # where it comes out


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
            raise TypeError(f"a middleware takes (passage, next); {function!r} is not a function")
        refuse_lazy(function, f"the middleware {function!r}")
        if is_async(function):
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
    """Put middleware around a function, the first one outermost; for async code an async one."""
    for middleware in reversed(around):
        form = middleware.form(is_async, what)
        bound = _bound_async if is_async else _bound
        innermost = bound(form, innermost, f"the middleware {middleware.name}")
    return innermost


def _bound(form: Callable[[Passage, Next], Any], next_: Next, what: str) -> Next:
    def through(passage: Passage) -> Any:
        result = form(passage, next_)
        refuse_unfinished(result, what)
        return result

    return through


def _bound_async(form: Callable[[Passage, Next], Any], next_: Next, what: str) -> Next:
    async def through(passage: Passage) -> Any:
        begun: list[Coroutine[Any, Any, Any]] = []

        def step(passage: Passage) -> Any:
            begun.append(next_(passage))
            return begun[-1]

        result = await finished(await form(passage, step), what)
        for each in begun:
            _refuse_unawaited(each, what)
        return result

    return through


def _refuse_unawaited(step: Coroutine[Any, Any, Any], what: str) -> None:
    state = inspect.getcoroutinestate(step)
    if state == inspect.CORO_CREATED:
        step.close()
    if state != inspect.CORO_CLOSED:
        raise TypeError(f"{what} called next() and returned without awaiting its end")
