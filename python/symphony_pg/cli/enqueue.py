# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg enqueue: one message from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from ..database.client import Client
from ..database.limits import RawJson
from ..database.silence import CALL_TIMEOUT, answered_within
from .kinds import DURATION, MOMENT
from .options import connected
from .output import Output

__all__ = ["as_raw_json", "enqueue", "parse_body", "parse_header"]


def parse_body(text: str) -> RawJson:
    """Read a body, which is JSON; '-' reads it from standard input."""
    if text == "-":
        text = sys.stdin.read()
    try:
        return as_raw_json(text)
    except ValueError as error:
        raise click.BadParameter(f"the body is not JSON: {error}") from error


def as_raw_json(text: str) -> RawJson:
    """Return JSON as it is written, to the last digit; raise ValueError if it is not JSON."""
    json.loads(text, parse_float=str, parse_int=str)
    return RawJson(text)


def parse_header(text: str) -> tuple[str, str]:
    """Read NAME=VALUE."""
    name, separator, value = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--header")
    return name, value


@click.command()
@click.argument("message_type", metavar="TYPE")
@click.argument("body", default="{}")
@click.option("--queue", metavar="QUEUE", help="Into this queue [as its type is routed].")
@click.option("--priority", type=int, help="0 to 9; 9 goes first [its route's, else 5].")
@click.option("--delay", type=DURATION, help="Start so much later: 90, 1.5s, 5m, 2h, 1d.")
@click.option("--at", type=MOMENT, help="Start then: 2030-01-31T08:00+01:00.")
@click.option("--key", metavar="TEXT", help="Idempotency key: a second message is not enqueued.")
@click.option("--replace", is_flag=True, help="With --key: replace the first if it still waits.")
@click.option("--window", type=DURATION, help="How long the key is in use [as the queue says].")
@click.option("--group", metavar="TEXT", help="What the message belongs to.")
@click.option("--expires", type=DURATION, help="How long after it is due it may start.")
@click.option("--drop", is_flag=True, help="With --expires: drop it then [it fails].")
@click.option("--header", metavar="NAME=VALUE", multiple=True, help="Metadata; repeatable.")
@connected
def enqueue(
    client: Client,
    out: Output,
    message_type: str,
    body: str,
    queue: str | None,
    priority: int | None,
    delay: timedelta | None,
    at: datetime | None,
    key: str | None,
    replace: bool,
    window: timedelta | None,
    group: str | None,
    expires: timedelta | None,
    drop: bool,
    header: Sequence[str],
) -> None:
    """Enqueue a message of TYPE with BODY. It is JSON; '-' reads it from standard input.

    \b
    Examples:
      symphony-pg enqueue SendEmail '{"to": "ada@example.com"}'
      symphony-pg enqueue SendEmail - --queue mail --priority 9 < body.json
      symphony-pg enqueue Remind '{"id": 7}' --delay 1h30m --key remind-7
      symphony-pg enqueue Index '{"id": 7}' --delay 10s --key index-7 --replace
      symphony-pg enqueue SendCode '{"code": 1234}' --expires 5m --drop
    """
    with answered_within(CALL_TIMEOUT):
        message_id = client.enqueue(
            message_type,
            parse_body(body),
            queue_name=queue,
            priority=priority,
            delay=delay,
            available_at=at,
            idempotency_key=key,
            group_key=group,
            headers=dict(map(parse_header, header)) or None,
            expires_in=expires,
            on_expiry="drop" if drop else None,
            on_duplicate="replace" if replace else None,
            idempotency_window=window,
        )
    text = f"Message {message_id} is enqueued. See: symphony-pg message show {message_id}"
    out.say(text, message_id=message_id)
