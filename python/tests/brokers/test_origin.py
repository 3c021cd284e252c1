"""Two databases at one broker: each has a message 1."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import psycopg

from symphony_pg import Client, Context, PermanentError, Symphony
from symphony_pg.database.install import install
from symphony_pg.worker.relay import Relay
from tests.brokers.bench import NAME, Bench
from tests.helpers import one
from tests.worker.helpers import at_work, running, until


async def test_ids_of_another_database_are_not_ours(bench: Bench, empty_dsn: str) -> None:
    """A service consumes with a database of its own what another one sends, and tries it again."""
    effects: Counter[str] = Counter()
    app = Symphony(empty_dsn)

    @app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        async with context.transaction():
            if context.attempt == 1:
                raise PermanentError("never") if body == "bad" else OSError("not now")
        effects[body] += 1

    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        install(conn)
        theirs = Client(conn)
        theirs.create_transport(NAME, bench.server.kind, config={**bench.settings.settings})
        theirs.set_retry_policy("*", 3, delay=timedelta(seconds=0.05), multiplier=1, jitter=0)
        own = [theirs.enqueue("Own", n, queue_name="outbox/orders") for n in range(3)]
        held = theirs.claim_batch(["outbox/orders"], 100)
        sent = [bench.client.enqueue("Pay", each) for each in ("a", "b", "bad")]
        assert sent == own
        async with (
            bench.relaying(),
            at_work(Relay(bench.settings, empty_dsn)),
            running(app, transport=bench.settings) as worker,
        ):
            await until(lambda: worker.counts.failed == 1 and len(effects) == 2, "all")
            late = [bench.client.enqueue("Pay", f"late {n}") for n in range(5)]
            await until(lambda: len(effects) == 7, "those whose ids were given there, too")
        assert effects == Counter(["a", "b", *(f"late {n}" for n in range(5))])
        (failed,) = theirs.failed_messages()
        assert failed.message_id not in own
        assert failed.body == "bad"
        assert theirs.ack(held[0].claim_id) == 3
        assert one(conn, "select count(*) from symphony.inbox where message_key ~ '/'") >= 5
    assert len(late) == 5
    assert bench.client.failed_messages() == []
