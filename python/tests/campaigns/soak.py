"""The worker of test_soak.py, which meets every fault there is. Run as `python soak.py DSN FILE`.

Each line of FILE is a kind of message, the number that its producer gave it, and its message id.
It is written before the message is acked, so whatever is done has a witness.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from symphony_pg import BatchContext, Context, Snooze, Symphony, Worker
from symphony_pg.database.silence import answered_within

CALL_TIMEOUT = 2.0
HANDLER_TIMEOUT = 5.0
NOTE = "insert into note values (%s)"


@dataclass
class Numbered:
    """A message with the number that its producer gave it."""

    n: int


class Sync(Numbered): ...


class Async(Numbered): ...


class Batch(Numbered): ...


class Retry(Numbered): ...


class Later(Numbered): ...


class Transaction(Numbered): ...


class AsyncTransaction(Numbered): ...


class Forking(Numbered): ...


class Slow(Numbered): ...


class Followed(Numbered):
    """What the transactions of handlers dispatch."""


class OfChild(Numbered):
    """What a child of a handler dispatches."""


@dataclass
class Ping:
    """What the schedule dispatches."""


# What producers send, and how often beside the others.
KINDS: dict[type[Numbered], int] = {
    Sync: 30,
    Async: 30,
    Batch: 20,
    Retry: 5,
    Later: 5,
    Transaction: 10,
    AsyncTransaction: 10,
    Forking: 1,
    Slow: 1,
}


def make_app(dsn: str) -> Symphony:
    """Return the application, without handlers."""
    return Symphony(f"{dsn} connect_timeout=2", call_timeout=CALL_TIMEOUT, name="soak")


def add_handlers(app: Symphony, file: TextIO) -> None:
    """Add a handler for each kind."""

    def tell(message: Numbered, context: Context) -> None:
        file.write(json.dumps([type(message).__name__, message.n, context.message_id]) + "\n")
        file.flush()

    for kind in (Sync, Followed, OfChild):
        app.handler(kind)(tell)

    @app.handler(Async)
    async def in_async(message: Async, context: Context) -> None:
        await asyncio.sleep(0.001)
        tell(message, context)

    @app.batch_handler(Batch, size=20, max_wait=timedelta(seconds=0.2))
    def in_batches(messages: Sequence[Batch], context: BatchContext) -> None:
        for message in messages:
            tell(message, context.of(message))

    @app.handler(Retry)
    def retry(message: Retry, context: Context) -> None:
        if context.attempt == 1:
            raise ConnectionError("not at first")
        tell(message, context)

    @app.handler(Later, snooze={KeyError: timedelta(seconds=0.2)})
    def later(message: Later, context: Context) -> None:
        if time.time() - context.enqueued_at.timestamp() < 0.2:
            raise Snooze(0.2, "too early")
        tell(message, context)

    @app.handler(Transaction)
    def transaction(message: Transaction, context: Context) -> None:
        with context.transaction() as conn:
            with answered_within(HANDLER_TIMEOUT):  # no proxy would ever end it
                conn.execute(NOTE, [message.n])
            app.dispatch(Followed(message.n))
            tell(message, context)

    @app.handler(AsyncTransaction, timeout=HANDLER_TIMEOUT)
    async def async_transaction(message: AsyncTransaction, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute(NOTE, [message.n])
            await app.dispatch_async(Followed(message.n))
            tell(message, context)

    @app.handler(Forking)
    def forking(message: Forking, context: Context) -> None:
        if (pid := os.fork()) == 0:
            code = 1
            try:
                app.dispatch(OfChild(message.n), idempotency_key=f"child {message.n}")
                app.close()
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(pid, 0)[1]:
            raise ChildProcessError
        tell(message, context)

    @app.handler(Slow, timeout=0.5)
    async def slow(message: Slow, context: Context) -> None:
        await asyncio.sleep(2 if context.attempt == 1 else 0.1)
        tell(message, context)

    @app.every(1)
    def ping() -> Ping:
        return Ping()

    @app.handler(Ping)
    def on_ping(message: Ping) -> None: ...


async def main(dsn: str, path: str) -> None:
    """Work until SIGTERM."""
    app = make_app(dsn)
    with open(path, "a") as file:  # noqa: PTH123
        add_handlers(app, file)
        await Worker(app, concurrency=4, grace=5).run(signals=True)
    app.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
