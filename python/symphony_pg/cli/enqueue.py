# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg enqueue: one message from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from ..database.client import Client
from ..database.limits import RawJson
from ..database.silence import CALL_TIMEOUT, answered_within
from .kinds import DURATION, MOMENT
from .options import connected, options
from .output import Output


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
@options(
    ("queue queue_name", "QUEUE", "Into this queue [as its type is routed]."),
    ("priority", int, "0 to 9; 9 goes first [its route's, else 5]."),
    ("delay", DURATION, "Start so much later: 90, 1.5s, 5m, 2h, 1d."),
    ("at available_at", MOMENT, "Start then: 2030-01-31T08:00+01:00."),
    ("key idempotency_key", str, "Idempotency key: a second message is not enqueued."),
    ("replace", bool, "With --key: replace the first if it still waits."),
    ("window idempotency_window", DURATION, "How long the key is in use [as the queue says]."),
    ("group group_key", str, "What the message belongs to."),
    ("expires expires_in", DURATION, "How long after it is due it may start."),
    ("drop", bool, "With --expires: drop it then [it fails]."),
    ("header headers", ["NAME=VALUE"], "Metadata; repeatable."),
)
@connected
def enqueue(
    client: Client,
    out: Output,
    message_type: str,
    body: str,
    headers: Sequence[str],
    replace: bool,
    drop: bool,
    **given: Any,
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
            headers=dict(map(parse_header, headers)) or None,
            on_expiry="drop" if drop else None,
            on_duplicate="replace" if replace else None,
            **given,
        )
    text = f"Message {message_id} is enqueued. See: symphony-pg message show {message_id}"
    out.say(text, message_id=message_id)
