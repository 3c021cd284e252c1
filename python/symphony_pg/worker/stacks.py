"""Stacks: where a thread or a task is at this moment."""

from __future__ import annotations

import asyncio
import io
import sys
import traceback
from itertools import dropwhile

from ..handling.failure import PACKAGE

__all__ = ["stack_of_task", "stack_of_thread"]


def stack_of_thread(thread: int | None) -> str:
    """Return where a thread is, from the handler on that it runs."""
    frame = sys._current_frames().get(thread or 0)
    if frame is None:
        return "(the thread has ended)"
    frames = traceback.extract_stack(frame)
    ours = dropwhile(lambda each: not each.filename.startswith(PACKAGE), frames)
    inner = list(dropwhile(lambda each: each.filename.startswith(PACKAGE), ours))
    return "".join(traceback.format_list(inner or frames))


def stack_of_task(task: asyncio.Task[object] | None) -> str:
    """Return where a task waits."""
    if task is None:
        return "(the task has ended)"
    text = io.StringIO()
    task.print_stack(file=text)
    return text.getvalue()
