"""Each message is handled in a context of its own: what it sets there, the next one does not see.

That holds for every ContextVar: those of the application, of structlog and OpenTelemetry, and the
context of decimal arithmetic.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from decimal import Context as DecimalContext
from decimal import setcontext
from typing import Any, TypeVar

__all__ = ["Isolation", "outcome_of", "start_task"]

T = TypeVar("T")


class Isolation:
    """Makes contexts: copies of the one in which it was made."""

    def __init__(self, base: Context | None = None) -> None:
        self._base = base or copy_context()
        # An object that is changed where it is, so that a copy of the context would share it.
        values = self._base.values()
        self._decimal = next((each for each in values if isinstance(each, DecimalContext)), None)

    def after(self, prepare: Callable[[], object]) -> Isolation:
        """Return another one, in whose context something was set."""
        base = self._base.copy()
        base.run(prepare)
        return Isolation(base)

    def context(self) -> Context:
        """Return a context for one message."""
        context = self._base.copy()
        if self._decimal is not None:
            context.run(setcontext, self._decimal.copy())
        return context


def start_task(work: Coroutine[Any, Any, T], context: Context) -> asyncio.Task[T]:
    """Start a task in a context; at once, where Python can."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, context=context, eager_start=True)
    if sys.version_info >= (3, 11):
        return loop.create_task(work, context=context)
    return context.run(loop.create_task, work)


async def outcome_of(work: Coroutine[Any, Any, None]) -> BaseException | None:
    """Return what a coroutine raises: an exit that is raised in a task would end the event loop."""
    try:
        await work
    except BaseException as error:
        return error
    return None
