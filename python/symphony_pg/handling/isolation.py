"""Each message is handled in a context of its own: what it sets there, the next one does not see.

That holds for every ContextVar: those of the application, of structlog and OpenTelemetry, and the
context of decimal arithmetic.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from decimal import Context as DecimalContext
from decimal import setcontext
from typing import Any, TypeVar

T = TypeVar("T")
NAME = "symphony-handler"  # of every such task: to count them would cost more than to run them


class Isolation:
    """Makes contexts: copies of the one in which it was made. `context()` makes one."""

    def __init__(self, base: Context | None = None) -> None:
        self._base = base or copy_context()
        # An object that is changed where it is, so that a copy of the context would share it.
        values = self._base.values()
        self._decimal = next((each for each in values if isinstance(each, DecimalContext)), None)
        self.context = self._base.copy if self._decimal is None else self._with_decimal

    def after(self, prepare: Callable[[], object]) -> Isolation:
        """Return another one, in whose context something was set."""
        base = self._base.copy()
        base.run(prepare)
        return Isolation(base)

    def _with_decimal(self) -> Context:
        context = self._base.copy()
        assert self._decimal is not None
        context.run(setcontext, self._decimal.copy())
        return context


class Starter:
    """Starts tasks in the event loop that it was made in, as eager_start does from Python 3.12 on.

    They run until they wait for the first time, so that a handler that need not wait costs no turn
    of the event loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        is_usual = isinstance(self._loop, asyncio.BaseEventLoop)
        self._own = vars(self._loop) if is_usual else None  # what the event loop has of its own
        self._step: Callable[[], object]
        self._context: Context

    def start(self, work: Coroutine[Any, Any, T], context: Context) -> asyncio.Task[T]:
        """Start a task in a context, from within another task."""
        loop, own = self._loop, self._own
        if sys.version_info >= (3, 12):
            return asyncio.Task(work, loop=loop, name=NAME, context=context, eager_start=True)
        if own is None or "call_soon" in own:
            return context.run(loop.create_task, work)
        own["call_soon"] = self._take  # instead of doing the first step later, it is done here
        try:
            if sys.version_info >= (3, 11):
                task = asyncio.Task(work, loop=loop, name=NAME, context=context)
            else:
                task = context.run(asyncio.Task, work, loop=loop, name=NAME)
        finally:
            del own["call_soon"]
        current: Any = asyncio.current_task(loop)
        _leave_task(loop, current)
        try:
            self._context.run(self._step)
        finally:
            _enter_task(loop, current)
        return task

    def _take(self, step: Callable[[], object], *, context: Context) -> None:
        self._step, self._context = step, context


async def outcome_of(work: Coroutine[Any, Any, None]) -> BaseException | None:
    """Return what a coroutine raises: an exit that is raised in a task would end the event loop."""
    try:
        await work
    except BaseException as error:
        return error
    return None
