"""The settings that symphony.toml knows, and what each must be.

Which there are, the arguments of create_queue() and set_retry_policy() say, and their ranges are
constraints of the database: tests compare these lists with both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from ..times import parse_duration


class Mistake(Exception):  # noqa: N818
    """A value is not what it should be, which is the text."""


class Kind(NamedTuple):
    """What a setting must be, and its name in the database or the worker."""

    name: str
    read: Callable[[Any], Any]
    by_class: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Mistake("a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Mistake("true or false")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise Mistake(" or ".join(f'"{word}"' for word in words))
        return str(value)

    return read


def _names(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise Mistake('a list of names, such as ["ValueError", "shop.CardRefused"]')
    return values


def _number(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not least <= number <= most:
            raise Mistake(f"a number from {least:g} to {most:g}")
        return number

    return read


def _integer(least: int, most: int, plus: int = 0) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
            number = int(value)
        if number is None or not least <= number <= most:
            raise Mistake(f"a whole number from {least} to {most}")
        return number + plus

    return read


def _seconds(
    least: float, most: float, made: Callable[[float], Any] = float
) -> Callable[[Any], Any]:
    """Read "1s", "5m" or "200ms", and make something of it; a bare number is refused."""
    days = "1 day" if most == DAY else f"{most / DAY:g} days"

    def read(value: Any) -> Any:
        seconds = None
        if isinstance(value, str) and re.search("[a-z]", value):
            try:
                seconds = parse_duration(value).total_seconds()
            except ValueError:
                seconds = None
        if seconds is None or not least <= seconds <= most:
            raise Mistake(
                f'a time from {least:g} s to {days}, with its unit, such as "1s" or "1000ms"'
            )
        return made(seconds)

    return read


def _whole(seconds: float) -> int:
    if seconds % 1:
        raise Mistake('whole seconds, such as "30s"')
    return int(seconds)


def _rate(value: Any) -> str:
    """Read "100/1s", "100/s" or "5/minute" as the database writes it; "0" is no rate."""
    if value == "0" or (value == 0 and not isinstance(value, bool)):
        return "0"
    found = (
        re.fullmatch(r"\s*(\d{1,7})\s*/\s*(\S.*?)\s*", value) if isinstance(value, str) else None
    )
    if found is not None:
        messages, period = int(found[1]), UNITS.get(found[2], found[2])
        with suppress(ValueError):
            seconds = parse_duration(
                period if period[0].isdigit() else f"1{period}"
            ).total_seconds()
            if (
                re.search("[a-z]", period)
                and 1 <= messages <= min(1e6, seconds * 1e6)
                and 0.001 <= seconds <= YEAR
            ):
                return f"{messages}/{seconds:.6f} s"
    raise Mistake('a rate, such as "100/1s" or "5/minute": no more than a million a second, or 0')


_interval = partial(_seconds, made="{:.6f} s".format)  # as the database reads it
_duration = partial(_seconds, made=lambda seconds: timedelta(seconds=seconds))

DAY = 86400.0
YEAR = 360 * DAY  # as PostgreSQL compares intervals
UNITS = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d"}
TRANSPORT = {
    "type": Kind("type", _text),
    "dsn": Kind("dsn", _text),
    "queue": Kind("queue", _text),
    "priority": Kind("priority", _integer(0, 9)),
    "enabled": Kind("enabled", _flag),
}
BROKER = {
    "destination": Kind("destination", _text),
    "outbox": Kind("outbox", _flag),
    "ordered": Kind("ordered", _flag),
    "inbox": Kind("inbox", _flag),
    "inbox_retention": Kind("inbox_retention", _interval(60, YEAR)),
    "batch_size": Kind("batch_size", _integer(1, 1000)),
    "format": Kind("format", _one_of("symphony", "cloudevents")),
    "type_header": Kind("type_header", _text),
    "default_type": Kind("default_type", _text),
}
BROKERS = {
    "redis": {
        **BROKER,
        "group": Kind("group", _text),
        "max_idle": Kind("max_idle", _seconds(1, DAY)),
        "prefetch": Kind("prefetch", _integer(1, 10000)),
        "declare": Kind("declare", _flag),
    },
    "rabbitmq": {
        **BROKER,
        "exchange": Kind("exchange", _text),
        "prefetch": Kind("prefetch", _integer(1, 10000)),
        "declare": Kind("declare", _flag),
    },
    "sqs": {
        **BROKER,
        "visibility": Kind("visibility", _seconds(1, DAY / 2, _whole)),
        "prefetch": Kind("prefetch", _integer(1, 10000)),
        "declare": Kind("declare", _flag),
    },
}


def _waiting(prefix: str = "") -> dict[str, Kind]:
    """Return the settings that a retry policy and a queue have in common."""
    return {
        "max_retries": Kind("max_attempts", _integer(0, 999, plus=1)),
        "delay": Kind(f"{prefix}delay", _interval(0, YEAR)),
        "multiplier": Kind(f"{prefix}multiplier", _number(1, 100)),
        "max_delay": Kind(f"{prefix}max_delay", _interval(0, YEAR)),
        "jitter": Kind(f"{prefix}jitter", _number(0, 1)),
    }


ERRORS = {
    "permanent": Kind("permanent_errors", _names),
    "transient": Kind("transient_errors", _names),
    "retry_after": Kind("retry_after_errors", _interval(0, YEAR), by_class=True),
    "snooze": Kind("snooze_errors", _interval(0, YEAR), by_class=True),
}
RETRY = {**_waiting(), **ERRORS}
QUEUE = {
    **_waiting("retry_"),
    "lease": Kind("lease", _interval(0.1, DAY)),
    "retention": Kind("retention", _interval(0, 100 * YEAR)),
    "max_body_bytes": Kind("max_body_bytes", _integer(1, 268435455)),
    "idempotency_window": Kind("idempotency_window", _interval(0.000001, 100 * YEAR)),
    "failed_retention": Kind("failed_retention", _interval(0, 100 * YEAR)),
    "max_snooze": Kind("max_snooze", _interval(0, 100 * YEAR)),
    "ordered": Kind("ordered", _flag),
    "key_concurrency": Kind("key_concurrency", _integer(0, 10000)),
    "concurrency": Kind("concurrency", _integer(0, 100000)),
    "on_failure": Kind("on_failure", _one_of("continue", "hold")),
    "rate": Kind("rate", _rate),
    "burst": Kind("burst", _integer(0, 1000000)),
    "key_rate": Kind("key_rate", _rate),
}

WORKER = {
    "batch_size": Kind("batch_size", _integer(1, 1000)),
    "max_concurrency": Kind("concurrency", _integer(1, 1000)),
    "poll_interval": Kind("poll_interval", _duration(0.001, DAY)),
    "handler_timeout": Kind("handler_timeout", _duration(0.001, 30 * DAY)),
}
