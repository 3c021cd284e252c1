"""Stacks: where a thread or a task is at this moment."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Iterator
from itertools import dropwhile
from types import FrameType
from typing import Any

from ..handling.failure import PACKAGE

AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")
FRAMES = ("cr_frame", "gi_frame", "ag_frame")


def stack_of_thread(thread: int | None) -> str:
    """Return where a thread is, from the handler on that it runs."""
    frame = sys._current_frames().get(thread or 0)
    if frame is None:
        return "(the thread has ended)\n"
    return _from_handler_on(traceback.extract_stack(frame))


def stack_of_task(task: asyncio.Task[Any], *, whole: bool = False) -> str:
    """Return where a task is, or waits, from the handler on that it runs."""
    frames = [(frame, frame.f_lineno) for frame in _frames(task.get_coro())]
    if not frames:
        return "(the task has ended)\n"
    stack = traceback.StackSummary.extract(iter(frames))
    return "".join(stack.format()) if whole else _from_handler_on(stack)


def _frames(waiting: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of those that it awaits."""
    while waiting is not None:
        frame = _first(waiting, FRAMES)
        if frame is not None:
            yield frame
        waiting = _first(waiting, AWAITED)


def _first(thing: Any, names: tuple[str, ...]) -> Any:
    return next((getattr(thing, name) for name in names if hasattr(thing, name)), None)


def _from_handler_on(stack: traceback.StackSummary) -> str:
    ours = dropwhile(lambda each: not each.filename.startswith(PACKAGE), stack)
    handler = list(dropwhile(lambda each: each.filename.startswith(PACKAGE), ours))
    return "".join(traceback.format_list(handler or stack))
