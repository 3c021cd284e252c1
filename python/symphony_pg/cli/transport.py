# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg transport: names for queues and for brokers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timezone
from typing import Any

import click

from ..brokers.broker import Broker, BrokerAway
from ..brokers.opening import broker_of
from ..config.result import Config
from ..database.client import Client
from ..database.functions.brokers import BrokerStatus
from ..database.functions.messages import ClaimedMessage
from ..errors import SymphonyError
from ..redaction import without_secrets
from .config import file_option
from .logs import quiet_libraries
from .options import connected, listing, options, printing
from .output import Output
from .relay import broker_settings
from .tables import Column

USUAL_FORMAT = "symphony"


def _type(row: dict[str, Any]) -> str:
    """Return the type, and the format if it is not the usual one."""
    form = (row["config"] or {}).get("format", USUAL_FORMAT)
    return str(row["transport_type"]) + ("" if form == USUAL_FORMAT else f", {form}")


TRANSPORTS = (
    Column("transport_name", "transport", least=28),
    Column("transport_type", "type", value=_type),
    Column("queue_name", "queue"),
    Column("priority", "priority", rank=1),
    Column("enabled", "enabled"),
    Column("patterns", "routed there", value=lambda row: ", ".join(row["patterns"]) or None),
)
BROKERS = (
    *TRANSPORTS[:3],
    Column("state", "broker"),
    Column("pending", "waiting"),
    *TRANSPORTS[3:],
)


@click.group()
def transport() -> None:
    """List transports, create them, hold and hand out their messages.

    A transport is a name for a queue and a priority, or for a broker behind a queue; routes lead
    message types to it.
    """


@transport.command("list")
@listing
def list_transports(client: Client, out: Output) -> None:
    """List the transports, and which message types are routed there.

    \b
    Example:
      symphony-pg transport list
    """
    brokers = {each.transport_name: each for each in client.transport_status()}
    rows = []
    transports = client.list_transports()
    for each in transports:
        broker = brokers.get(each.transport_name)
        told = {name: getattr(broker, name, None) for name in ("state", "pending", "last_error")}
        rows.append({**each._asdict(), **told})
    out.table(rows, BROKERS if brokers else TRANSPORTS, "There is no transport.")
    for each in transports:
        out.pause(each.transport_name, "disabled", each.disabled_at, each.disabled_by)
    for broker in brokers.values():
        if (text := _trouble(broker)) is not None:
            out.text(f"\n{text}", colour="yellow")


def _trouble(broker: BrokerStatus) -> str | None:
    """Return why nothing is forwarded, and what helps; None if that is as it should be."""
    name = broker.transport_name
    if broker.last_error:
        return f"{name}, {broker.state} since {broker.since:%F %T}: {broker.last_error}"
    if broker.pending and broker.enabled and not broker.relays:
        return f"{name} has nobody to forward what waits: symphony-pg relay {name}"
    return None


def _as_settings(_: click.Context, __: click.Parameter, given: Sequence[str]) -> Any:
    """Read KEY=VALUE; a value that is JSON is what it says, and any other one is a text."""
    settings = {}
    for each in given:
        key, separator, text = each.partition("=")
        if not separator:
            raise click.BadParameter(f"{each} has no =; write it as KEY=VALUE")
        try:
            settings[key] = json.loads(text)
        except ValueError:
            settings[key] = text
    return settings or None


@transport.command("create")
@click.argument("name")
@options(
    ("type transport_type", str, "Or sync, rabbitmq, redis, sqs.", "postgres"),
    ("queue queue_name", "QUEUE", "The queue its messages go into [default]."),
    ("priority", int, "Of its messages, 0 to 9; 9 goes first [5]."),
)
@click.option(
    "--set", "config", multiple=True, metavar="KEY=VALUE", callback=_as_settings,
    help="A setting of its broker, such as destination=shop.orders; may be given again.",
)  # fmt: skip
@connected
def create_transport(client: Client, out: Output, name: str, **given: Any) -> None:
    """Create the transport NAME, or change it.

    Where a broker is, and its password, symphony.toml says and not the database.

    \b
    Examples:
      symphony-pg transport create email --queue mail --priority 7
      symphony-pg transport create orders --type rabbitmq --set destination=shop.orders
      symphony-pg transport create clicks --type redis --set outbox=false
      symphony-pg transport create events --type sqs --set format=cloudevents
    """
    is_new = client.create_transport(name, **given)
    text = f"Transport {name} {'is created' if is_new else 'was there; it is as you say now'}."
    out.say(text, transport_name=name, created=is_new)


@transport.command()
@click.argument("name")
@connected
def disable(client: Client, out: Output, name: str) -> None:
    """Let the transport NAME take messages and hand out none.

    What is being processed goes on. Nothing is lost; see symphony-pg transport enable.

    \b
    Example:
      symphony-pg transport disable email
    """
    is_news = client.disable_transport(name)
    text = f"Transport {name} {'holds' if is_news else 'held'} its messages{_already(is_news)}."
    out.say(text, transport_name=name, enabled=False, changed=is_news)


@transport.command()
@click.argument("name")
@connected
def enable(client: Client, out: Output, name: str) -> None:
    """Hand out the messages of the transport NAME again.

    \b
    Example:
      symphony-pg transport enable email
    """
    is_news = client.enable_transport(name)
    text = f"Transport {name} {'is' if is_news else 'was'} enabled{_already(is_news)}."
    out.say(text, transport_name=name, enabled=True, changed=is_news)


def _already(is_news: bool) -> str:
    return "" if is_news else " already"


@transport.command("remove")
@click.argument("name")
@connected
def remove_transport(client: Client, out: Output, name: str) -> None:
    """Remove the transport NAME, if no route leads to it.

    Its messages stay in their queue.

    \b
    Example:
      symphony-pg transport remove email
    """
    existed = client.remove_transport(name)
    text = f"Transport {name} {'is gone' if existed else 'did not exist'}."
    out.say(text, transport_name=name, removed=existed)


PROBE_TYPE = "symphony.probe"
HINT = "Compare the dsn in symphony.toml with where the broker listens, and whom it lets in."
HINTS = {
    "sqs": "The dsn in symphony.toml has the region. Credentials are found as AWS's own programs "
    "find them: in the environment, in ~/.aws, or by the role of the machine."
}
PATIENCE = 10.0


@transport.command()
@click.argument("name")
@file_option
@printing
def setup(name: str, config: Config | None, out: Output) -> None:
    """Make what the transport NAME needs at its broker. What is there stays as it is.

    Relays and consumers do that, too, unless the file says declare = false. The database learns of
    the transport by symphony-pg config apply.

    \b
    Example:
      symphony-pg transport setup orders
    """
    count = _at_broker(config, name, lambda broker: broker.count())
    out.say(f"Transport {name} is set up; {count:,} messages wait there.", waiting=count)


@transport.command()
@click.argument("name")
@file_option
@printing
def test(name: str, config: Config | None, out: Output) -> None:
    """Send a probe to the broker of the transport NAME and back.

    It goes to a queue of its own there, beside that of the transport, whose consumers see nothing
    of it. That queue stays.

    \b
    Example:
      symphony-pg transport test orders
    """
    seconds = _at_broker(config, name, _there_and_back, is_probe=True)
    out.say(f"Transport {name}: there and back in {seconds * 1000:.1f} ms.", seconds=seconds)


def _at_broker(
    config: Config | None,
    name: str,
    work: Callable[[Broker], Coroutine[Any, Any, Any]],
    is_probe: bool = False,
) -> Any:
    quiet_libraries()
    settings = broker_settings(config, name)
    if is_probe:
        settings = settings.beside()

    async def run() -> Any:
        broker = broker_of(settings)
        await broker.open()
        try:
            return await work(broker)
        finally:
            await broker.close()

    try:
        return asyncio.run(run())
    except BrokerAway as error:
        raise SymphonyError(
            f"the broker of transport {name} is not reached",
            detail=without_secrets(str(error)),
            hint=HINTS.get(settings.type, HINT),
        ) from None


async def _there_and_back(broker: Broker) -> float:
    now = datetime.now(timezone.utc)
    probe = ClaimedMessage(
        time.time_ns(), 0, broker.settings.outbox, PROBE_TYPE, "{}", "{}", 5, 1, 1, None, now, now
    )
    started = time.monotonic()
    (error,) = await broker.publish([probe])
    if error is not None:
        raise error
    await broker.consume(1)
    found = await broker.receive(1, PATIENCE)
    if not found:
        raise BrokerAway("what was sent does not come back")
    seconds = time.monotonic() - started
    await broker.ack(found)
    return seconds
