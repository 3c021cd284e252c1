"""Relays that run beside a worker, in its process, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from .relay import Relay
from .worker import Worker

__all__ = ["relays_beside"]


@asynccontextmanager
async def relays_beside(
    worker: Worker, make: Callable[[bool], Sequence[Relay]], *, drain: bool
) -> AsyncIterator[None]:
    """Run relays for the length of a block that runs the worker.

    They stop after it: what its last handlers enqueue goes out, too. With `drain`, they forward
    what is there then. A relay that cannot go on stops the worker, and its error is raised.
    `make` returns the relays; those that end when nothing is left, if it is called with True.
    """
    relays = make(False)
    working = [asyncio.create_task(each.run()) for each in relays]
    for task in working:
        task.add_done_callback(lambda _: worker.stop())
    try:
        yield
        was_asked = worker.is_stopping
    finally:
        for each in relays:
            each.stop()
        await asyncio.wait(working)
    for task in working:
        task.result()
    if drain and not was_asked:
        await asyncio.gather(*(each.run() for each in make(True)))
