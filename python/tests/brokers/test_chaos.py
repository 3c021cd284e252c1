"""Kill relays, consumers, sessions and brokers at random, and count the effects afterwards.

`make chaos` runs the long form. It prints what it counted.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.brokers.chaos import DISORDER, Campaign, database
from tests.brokers.servers import Server
from tests.helpers import wait_until

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "900"))
FAULTS = int(os.environ.get("CHAOS_FAULTS", "10"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
SHARES = {"relay": 5, "consumer": 5, "session": 4, "backend": 2, "broker": 3}


def patience(server: Server) -> float:
    """Return for how many seconds to wait for all of them."""
    return 60 + MESSAGES / server.pace


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)


def faults(rng: random.Random) -> list[str]:
    """Return each kind as often as is its share, and at least once, in any order."""
    kinds = list(SHARES)
    more = rng.choices(kinds, [*SHARES.values()], k=max(0, FAULTS - len(kinds)))
    rng.shuffle(kinds)
    return [*kinds, *more]


def test_whatever_fails_each_message_takes_effect_or_has_failed(
    server: Server, tmp_path: Path, rng: random.Random
) -> None:
    """Of what is inside a transaction each effect takes place once."""
    types = {"Pay": "orders", "Ship": "orders", "Bill": "billing"}
    each = MESSAGES // len(types)
    transports: dict[str, dict[str, bool]] = {"orders": {}, "billing": {"inbox": True}}
    with database() as postgres:
        campaign = Campaign(server, postgres.dsn, tmp_path, transports, types, rng)
        started = time.monotonic()
        with campaign.running(relay=2, consumer=2):
            kinds = faults(rng)
            for place, kind in enumerate(kinds):
                for type_ in types:
                    first, last = (each * n // len(kinds) for n in (place, place + 1))
                    campaign.send(type_, range(first, last))
                time.sleep(rng.uniform(0.3, 1.5))
                campaign.disturb(kind)
            wait_until(
                lambda: (tally := campaign.tally()).settled == tally.sent.total(),
                campaign,
                patience(server),
            )
            wait_until(campaign.is_idle, campaign, patience(server))
            wait_until(lambda: campaign.left_at_broker() == 0, campaign, patience(server))
        tally = campaign.tally()
        print(
            f"\n{server.kind}: {campaign.faults.total()} faults {dict(campaign.faults)}: {tally}; "
            f"{time.monotonic() - started:.0f} s"
        )
        tally.judge()
        campaign.ask(lambda conn: conn.execute("select symphony.tick()"))
        assert campaign.ask(lambda c: c.execute("select * from symphony.check()").fetchall()) == []


def test_the_order_of_a_key_holds_when_relays_are_killed(
    server: Server, tmp_path: Path, rng: random.Random
) -> None:
    """Two relays share an ordered transport; of what goes out twice the first copy counts."""
    if not server.keeps_order_of_key:
        pytest.skip(f"{server.kind} keeps no order")
    transports = {"moves": {"ordered": True, "batch_size": 50}}
    number, kills = max(400, MESSAGES // 4), max(6, FAULTS // 3)
    with database() as postgres:
        campaign = Campaign(server, postgres.dsn, tmp_path, transports, {"Move": "moves"}, rng)
        with campaign.running(relay=2):
            for place in range(kills):
                first, last = (number * n // kills for n in (place, place + 1))
                campaign.send("Move", range(first, last))
                time.sleep(rng.uniform(0.8, 1.6))
                campaign.disturb("relay")
            wait_until(campaign.is_idle, campaign, patience(server))
        with campaign.running(consumer=1):
            wait_until(lambda: campaign.tally().settled == number, campaign, patience(server))
        tally = campaign.tally()
        print(f"\n{server.kind}, ordered: {kills} kills of two relays: {tally}")
        tally.judge()
        assert not tally.failed
        assert campaign.ask(lambda conn: conn.execute(DISORDER).fetchall()) == []


def test_what_was_confirmed_takes_effect_when_it_is_sent_directly(
    server: Server, tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: whoever is told that it is not confirmed sends it again."""
    number = max(400, MESSAGES // 4)
    monkeypatch.setenv("PRODUCE", str(number))
    with database() as postgres:
        transports = {"orders": {"outbox": False}}
        campaign = Campaign(server, postgres.dsn, tmp_path, transports, {"Ship": "orders"}, rng)
        with campaign.running(relay=1, consumer=2, producer=1):
            for kind in ["producer", *faults(rng)[: max(6, FAULTS // 2)], "producer"]:
                time.sleep(rng.uniform(0.3, 1.0))
                campaign.disturb(kind)
            wait_until(lambda: len(campaign.confirmed()) >= number, campaign, patience(server))
            wait_until(lambda: campaign.confirmed() <= campaign.tally().ended, campaign,
                       patience(server))  # fmt: skip
        tally = campaign.tally()
        print(
            f"\n{server.kind}, sent directly: {campaign.faults.total()} faults "
            f"{dict(campaign.faults)}: {len(campaign.confirmed())} confirmed, {tally}"
        )
        assert campaign.confirmed() == tally.ended
        assert not tally.effects.keys() & tally.failed.keys()
