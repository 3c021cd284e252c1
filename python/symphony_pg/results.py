"""What a function gave back that is still to be awaited or iterated: nothing of it has run yet."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

UNFINISHED = (Awaitable, Generator, AsyncGenerator, Future, map, filter)
AWAIT = "write async def where it is called, and await it"
ITERATE = "iterate over it before you return"


def is_async(function: Any) -> bool:
    """Tell whether calls of a function are to be awaited, as far as one can see it."""
    while isinstance(function, partial | staticmethod):
        function = function.func if isinstance(function, partial) else function.__func__
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


def refuse_lazy(function: Any, what: str) -> None:
    """Raise TypeError for a function whose call would only make an object, and run nothing."""
    if isinstance(function, type):
        raise TypeError(f"{what} is a class: give a function, or an object that can be called")
    call = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    for each in (function, call):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TypeError(f"{what} contains yield, so a call of it would run nothing")


def refuse_unfinished(result: Any, what: str) -> None:
    """Raise TypeError if what a function returned is still to be awaited or iterated."""
    if not isinstance(result, UNFINISHED):
        return
    if isinstance(result, Coroutine | Generator):
        with suppress(Exception):
            result.close()
    remedy = AWAIT if isinstance(result, Awaitable | Future) else ITERATE
    kind = type(result).__qualname__
    raise TypeError(f"{what} returned a {kind}, which has not run to its end: {remedy}")


async def finished(result: Any, what: str) -> Any:
    """Return a result once it is there; raise TypeError if it is still to be iterated."""
    while isinstance(result, Awaitable):
        result = await result
    refuse_unfinished(result, what)
    return result
