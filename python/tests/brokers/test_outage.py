"""A broker, or PostgreSQL, that is off for a while. `make chaos` lets it be off for a minute."""

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

from symphony_pg.handling.context import Context
from symphony_pg.worker.relay import Relay
from tests.brokers.bench import NAME, Bench
from tests.brokers.chaos import Campaign, database
from tests.brokers.servers import Server
from tests.cli.helpers import Cli
from tests.helpers import Connection, known, one, wait_until
from tests.worker.helpers import going_away, until

OFF = float(os.environ.get("OUTAGE_SECONDS", "3"))
MESSAGES = int(os.environ.get("OUTAGE_MESSAGES", "1000"))
LEFT = "select (select count(*) from symphony.inbox), (select count(*) from effect)"


def metrics(bench: Bench) -> dict[str, float]:
    """Return what is measured of the transport."""
    return {
        each.metric.removeprefix("symphony_transport_"): each.value
        for each in bench.client.metrics()
        if each.labels.get("transport") == NAME
    }


async def rate_of(relay: Relay, total: int) -> float:
    """Wait until so many messages are forwarded; return the rate from the first to the last."""
    before = relay.counts.done
    await asyncio.to_thread(wait_until, lambda: relay.counts.done > before, "the first", OFF + 60)
    first, started = relay.counts.done, time.monotonic()
    await asyncio.to_thread(wait_until, lambda: relay.counts.done >= total, "all", OFF + 240)
    return (total - first) / max(time.monotonic() - started, 1e-9)


async def test_a_broker_that_is_off_is_told_of_and_caught_up_with(
    bench: Bench, conn: Connection
) -> None:
    """No attempt is used, and the order stays. The rates are printed."""
    seen: list[tuple[int, int]] = []

    @bench.app.handler("Pay")
    def pay(body: Any, context: Context) -> None:
        seen.append((context.message_id, context.attempt))

    def enqueue() -> list[int]:
        batch = [{"message_type": "Pay", "body": n} for n in range(MESSAGES)]
        return bench.client.enqueue_batch(batch)

    async with bench.relaying() as relay:
        ids = enqueue()
        usual = await rate_of(relay, MESSAGES)
        await asyncio.to_thread(bench.server.kill)
        off_since = time.monotonic()
        try:
            late = enqueue()
            state = bench.client.transport_status
            await until(lambda: state()[0].state == "down", "the outage is told")
            await asyncio.sleep(max(0.0, off_since + OFF - time.monotonic()))
            why = bench.client.why_not_running(late[-1])
            doctor = Cli(bench.dsn).run("doctor", exit_code=1).output
            measured = metrics(bench)
            attempts = {known(conn, each).attempt for each in late}
        finally:
            await asyncio.to_thread(bench.server.start)
        caught_up = await rate_of(relay, 2 * MESSAGES)
    async with bench.consuming(concurrency=1) as worker:
        patience = OFF + 2 * MESSAGES / bench.server.pace
        await asyncio.to_thread(
            wait_until, lambda: worker.counts.done == 2 * MESSAGES, "all", patience
        )
    print(
        f"\n{bench.server.kind}: off for {OFF:.0f} s; {usual:.0f} messages/s before and "
        f"{caught_up:.0f} after\n{why}\n{doctor}"
    )
    assert f'The broker of transport "{NAME}" has been down since' in why
    assert f'The broker of transport "{NAME}" has been down for' in doctor
    assert " object at 0x" not in why
    assert attempts <= {0, 1}
    assert (measured["up"], measured["relays"], measured["consumers"]) == (0, 1, 0)
    assert measured["forwarded_total"] == MESSAGES
    assert measured["pending_messages"] == MESSAGES
    after = metrics(bench)
    assert (after["forwarded_total"], after["pending_messages"]) == (2 * MESSAGES, 0)
    expected = [(each, 1) for each in [*ids, *late]]
    assert (seen if bench.server.keeps_order else sorted(seen)) == expected


async def test_what_fails_while_postgresql_is_off_comes_home_later(
    bench: Bench, conn: Connection
) -> None:
    """The delivery is kept until PostgreSQL has heard what became of it."""
    attempts: list[int] = []
    is_off = asyncio.Event()

    @bench.app.handler("Pay")
    async def pay(body: Any, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt == 1:
            await is_off.wait()
            raise OSError("not now")

    sent = bench.client.enqueue("Pay", {})
    async with bench.relaying() as relay, bench.consuming() as worker:
        await until(lambda: relay.counts.done == 1 and worker.counts.claimed == 1, "the delivery")
        with going_away(bench.dsn, conn) as go_away:
            go_away()
            is_off.set()
            await asyncio.sleep(min(OFF, 5))
            assert worker.counts.retried == 0
        await until(lambda: worker.counts.done == 1, f"the second attempt, {attempts}")
    assert attempts == [1, 2]
    assert [each.event for each in bench.client.message_history(sent)] == ["retry"]
    assert bench.client.failed_messages() == []


def test_a_consumer_that_dies_before_its_commit_leaves_no_effect(
    server: Server, tmp_path: Path
) -> None:
    """With an inbox the receipt and the effect are one: the next delivery does both."""
    transports, types = {"letters": {"inbox": True}}, {"Die": "letters"}
    with database() as postgres:
        campaign = Campaign(server, postgres.dsn, tmp_path, transports, types, random.Random(1))
        campaign.send("Die", [1])
        with campaign.running(relay=1, consumer=1):
            (victim,) = [each for each in campaign.processes if each.role == "consumer"]
            wait_until(lambda: not victim.is_running, campaign)
            assert campaign.ask(lambda conn: one(conn, LEFT)) == (0, 0)
            victim.start()
            wait_until(lambda: campaign.tally().settled == 1, campaign)
        assert campaign.ask(lambda conn: one(conn, LEFT)) == (1, 1)
        campaign.tally().judge()
