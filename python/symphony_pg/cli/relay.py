# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg relay: what hands the messages of outboxes to their brokers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import click

from ..config.broker import BrokerSettings
from ..config.result import Config
from ..errors import UnknownTransport, WrongState
from ..worker import Counts
from ..worker.relay import Relay
from ..worker.signals import Signals
from .config import file_option
from .kinds import DURATION
from .logs import LEVEL, configure_logging, start_logging
from .options import chosen_dsn, dsn_option, options, printing
from .output import Output

log = logging.getLogger("symphony_pg.worker")


@click.command()
@click.argument("transports", nargs=-1, metavar="[TRANSPORT]...")
@options(
    ("all all_transports", bool, "All that the file has."),
    ("drain", bool, "End when there is nothing to forward."),
    ("grace", DURATION, "What the broker gets to confirm when the relay is stopped.", "10s"),
    ("no-listen", bool, "Poll only: for transaction poolers."),
)
@file_option
@options(("log-level", LEVEL, "What is logged [info]."))
@dsn_option
@printing
def relay(
    transports: Sequence[str],
    all_transports: bool,
    drain: bool,
    grace: Any,
    no_listen: bool,
    config: Config | None,
    log_level: str | None,
    dsn: str | None,
    out: Output,
) -> None:
    """Forward what is enqueued for TRANSPORTS to their brokers.

    Every confirm is awaited. As long as a broker is away, what is in hand is kept and published
    again: no attempt is used, and the order stays. Several relays of a transport share its work.

    \b
    Examples:
      symphony-pg relay orders
      symphony-pg relay --all --config /etc/symphony.toml
    """
    start_logging(out)
    configure_logging(log_level)
    if all_transports == bool(transports):
        raise click.UsageError("Name transports, or give --all.")
    chosen = chosen_brokers(config, transports)
    relays = [
        Relay(
            each,
            chosen_dsn(dsn, config),
            drain=drain,
            grace=grace.total_seconds(),
            listen=not no_listen,
        )
        for each in chosen
    ]
    for each in chosen:
        out.text(f"{each.name}: {each.outbox} to {each.type} {each.destination}")
    with Signals() as signals:
        counts = asyncio.run(_run(relays, signals))
    done = sum(each.done for each in counts)
    out.say(
        f"{done:,} forwarded, {sum(each.failed for each in counts):,} failed",
        **{each.name: count.as_dict() for each, count in zip(chosen, counts, strict=True)},
    )


async def _run(relays: Sequence[Relay], signals: Signals) -> list[Counts]:
    def stop() -> None:
        for each in relays:
            each.stop()

    signals.ask(stop)
    working = [asyncio.create_task(each.run()) for each in relays]
    try:
        return await asyncio.gather(*working)
    finally:
        stop()
        await asyncio.wait(working)


def chosen_brokers(config: Config | None, names: Sequence[str]) -> list[BrokerSettings]:
    """Return what the file says of transports, of all that lead to brokers if none is named."""
    known = {} if config is None else config.brokers
    chosen = [broker_settings(config, each) for each in names or known]
    if not chosen:
        raise WrongState(
            "there is nothing to forward",
            detail="symphony.toml has no transport that leads to a broker.",
            hint='Write one: [transports.orders] with type = "rabbitmq" and its dsn.',
        )
    return chosen


def broker_settings(config: Config | None, name: str) -> BrokerSettings:
    """Return what the file says of a transport; raise UnknownTransport if that is nothing."""
    known = {} if config is None else config.brokers
    if name in known:
        return known[name]
    listed = f"There are these: {', '.join(known) or '(none)'}."
    if config is None:
        detail, hint = (
            "There is no symphony.toml here.",
            "Go where it is, or name it with --config.",
        )
    elif name in config.wanted.get("transports", ()):
        kind = config.wanted["transports"][name]["type"]
        detail = f"{config.path} says that it is of type {kind}. {listed}"
        hint = "A worker takes from its queue: symphony-pg consume --app MODULE:NAME QUEUE."
        if kind == "sync":
            hint = "Its handlers run in dispatch(); nothing is to be forwarded or consumed."
    else:
        detail = f"{config.path} has none of that name. {listed}"
        hint = f'Write [transports.{name}] there, with type = "rabbitmq", or redis, or sqs.'
    raise UnknownTransport(
        f"no transport {name!r} leads to a broker",
        detail=f"Where brokers are, symphony.toml says. {detail}",
        hint=hint,
    )
