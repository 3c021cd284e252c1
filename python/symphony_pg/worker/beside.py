"""Relays that run beside a worker, in its process, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from .link import LAST_WORDS
from .relay import Relay
from .worker import Worker


@asynccontextmanager
async def relays_beside(
    worker: Worker, relays: Sequence[Relay], last: Sequence[Relay] = ()
) -> AsyncIterator[None]:
    """Run relays for the length of a block that runs the worker.

    They stop after it, within what is left of its grace. Unless the worker was told to stop, the
    relays in `last` run then, which end when nothing is left: what its last handlers enqueued goes
    out, too. A relay that cannot go on stops the worker, and its error is raised.
    """
    working = [asyncio.create_task(each.run()) for each in relays]
    for task in working:
        task.add_done_callback(lambda _: worker.stop())
    try:
        yield
        was_asked = worker.is_stopping
    finally:
        for each in relays:
            each.stop(within=max(worker.grace_left, LAST_WORDS))
        await asyncio.wait(working)
    for task in working:
        task.result()
    if not was_asked:
        await asyncio.gather(*(each.run() for each in last))
