"""A relay or a consumer in a process of its own, for tests that kill it."""

import asyncio
import json
import sys
from typing import Any

from symphony_pg import PermanentError, Symphony, Worker
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.handling.context import Context
from symphony_pg.worker.relay import Relay

role, dsn, text = sys.argv[1:]
settings = BrokerSettings(**json.loads(text))
app = Symphony(dsn)


@app.handler("Pay")
async def pay(body: Any, context: Context) -> None:
    number = body["n"]
    async with context.transaction() as conn:
        if number % 50 == 7:
            raise PermanentError("never")
        if number % 10 == 3 and context.attempt == 1:
            raise OSError("not now")
        await conn.execute("insert into effect (n) values (%s)", [number])


if role == "relay":
    asyncio.run(Relay(settings, dsn).run())
else:
    asyncio.run(Worker(app, transport=settings, concurrency=4).run())
