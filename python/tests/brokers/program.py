"""A relay, a consumer or a producer in a process of its own, for tests that kill it.

Run as `python program.py relay|consumer|producer DSN FILE TRANSPORTS`, the last as JSON. What a
handler does outside the database is a line of FILE, and what it does there is a row of the table
`effect`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import psycopg

from symphony_pg import (
    Config,
    Context,
    Envelope,
    PermanentError,
    Snooze,
    Symphony,
    SymphonyError,
    Worker,
)
from symphony_pg.brokers import rabbitmq, redis, sqs
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.worker.relay import Relay

PATIENCE = 3.0  # with a broker that does not answer
EFFECT = "insert into effect (type, key, n) values (%s, %s, %s)"


def cause_trouble(number: int, context: Context) -> None:
    """Fail for good, fail once, or come back later, for one message in five."""
    if number % 50 == 7:
        raise PermanentError("never")
    if number % 10 == 3 and context.attempt == 1:
        raise OSError("not now")
    if number % 10 == 5 and random.random() < 0.5:
        raise Snooze(0.1, "not yet")


def application(dsn: str, file: int) -> Symphony:
    """Return handlers that take effect once (Pay, Bill, Move), and at least once (Ship)."""
    app = Symphony(dsn)

    @app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute(EFFECT, ["Pay", context.group_key, body["n"]])
            cause_trouble(body["n"], context)

    @app.handler("Bill")  # its transport has an inbox
    def bill(body: Any, context: Context) -> None:
        context.conn.execute(EFFECT, ["Bill", context.group_key, body["n"]])
        cause_trouble(body["n"], context)

    @app.handler("Ship")
    async def ship(body: Any, context: Context) -> None:
        cause_trouble(body["n"], context)
        os.write(file, f"{body['n']}\n".encode())

    @app.handler("Move")
    async def move(body: Any, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute(EFFECT, ["Move", context.group_key, body["n"]])

    @app.handler("Die")  # its transport has an inbox
    async def die(body: Any, context: Context) -> None:
        await context.conn.execute(EFFECT, ["Die", None, body["n"]])
        if context.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    return app


async def produce(dsn: str, settings: BrokerSettings, path: str) -> None:
    """Send numbers directly, and again what was not confirmed; note what was."""
    wanted = {"transports": {settings.name: {"type": settings.type}}}
    config = Config(Path("symphony.toml"), None, wanted, {}, {settings.name: settings})
    app = Symphony(dsn, config=config)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    done = len(os.read(file, 10**8).split())
    while True:
        numbers = range(done, min(done + 20, int(os.environ["PRODUCE"])))
        try:
            await app.dispatch_many_async([Envelope("Ship", {"n": n}) for n in numbers])
        except (SymphonyError, psycopg.Error):
            await asyncio.sleep(0.1)
            continue
        os.write(file, "".join(f"{n}\n" for n in numbers).encode())
        done += len(numbers)
        await asyncio.sleep(0.02)


async def main(role: str, dsn: str, path: str, text: str) -> None:
    rabbitmq.PATIENCE = redis.PATIENCE = sqs.PATIENCE = PATIENCE
    transports = [BrokerSettings(**each) for each in json.loads(text)]
    if role == "producer":
        await produce(dsn, transports[0], f"{path}.confirmed")
    if role == "relay":
        workers: list[Worker] = [Relay(each, dsn) for each in transports]
    else:
        file = os.open(Path(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        app = application(dsn, file)
        workers = [
            Worker(app, transport=each, concurrency=1 if each.settings.get("ordered") else 4)
            for each in transports
        ]
    await asyncio.gather(*(each.run() for each in workers))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    asyncio.run(main(*sys.argv[1:]))
