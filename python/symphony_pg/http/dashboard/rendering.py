"""Templates, and how numbers, times and bodies are written for people."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ...database.functions.workers import WorkerActivity
from ...redaction import SECRET_NAMES, without_secrets
from ...times import show_duration

SECRET_KEY = re.compile(rf"(?:.*[^a-z])?{SECRET_NAMES}", re.IGNORECASE | re.DOTALL)
HIDDEN = "[redacted]"
NOTHING = "\u2013"


def environment() -> Environment:
    """Return the templates, with what they use."""
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters.update(num=number, many=many, rate=rate, pretty=pretty, without=without)
    made.filters.update(age=age, ago=ago, at=moment, doing=doing, span=span)
    return made


def number(value: float | None, at_least: bool = False) -> str:
    """Write a number with its thousands apart, and + if there may be more."""
    if value is None:
        return NOTHING
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return text + "+" * at_least


def rate(value: float | None) -> str:
    """Write how many a minute: small ones with a digit more."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


def many(count: int, one: str, more: str | None = None) -> str:
    """Write a number and the thing that is counted."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def age(value: timedelta | None) -> str:
    """Write how long something takes or took."""
    return NOTHING if value is None else show_duration(max(value, timedelta()))


def span(seconds: float) -> str:
    """Write a round duration in one unit, as it stands beside a chart."""
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:g} {name}"
    return f"{seconds * 1000:g} ms" if seconds else "0"


def ago(value: datetime | None) -> str | Markup:
    """Write how long ago or how soon a time is; the time itself is its title."""
    if value is None:
        return NOTHING
    passed = datetime.now(timezone.utc) - value
    if abs(passed) < timedelta(seconds=1):
        text = "now"
    elif passed > timedelta():
        text = f"{_roughly(passed)} ago"
    else:
        text = f"in {_roughly(-passed)}"
    return _time(value, text)


def _roughly(value: timedelta) -> str:
    """Write a duration in one unit."""
    seconds = value.total_seconds()
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {name}"
    return f"{seconds:.0f} s"


def moment(value: datetime | None) -> str | Markup:
    """Write a time in UTC."""
    if value is None:
        return NOTHING
    return _time(value, f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}")


def _time(value: datetime, text: str) -> Markup:
    exact = f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), exact, escape(text)
    )


def without(error: str, error_class: str | None) -> str:
    """Write the text of an error, whose class stands beside it."""
    return error.removeprefix(f"{error_class}: ")


def doing(worker: WorkerActivity) -> list[dict[str, Any]]:
    """Return what a worker does, first what goes on after its time limit, as far as it tells."""
    stuck = worker.details.get("stuck") if isinstance(worker.details, dict) else None
    told = [(each, True) for each in stuck] if isinstance(stuck, list) else []
    told += [(each, False) for each in worker.running or []]
    return [
        {
            "message_id": each.get("message_id"),
            "message_type": each.get("message_type"),
            "seconds": seconds if isinstance(seconds := each.get("seconds"), int | float) else None,
            "is_over": is_over,
        }
        for each, is_over in told
        if isinstance(each, dict)
    ]


def pretty(value: Any) -> str:
    """Write JSON so that it can be read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def redacted(value: Any) -> Any:
    """Return JSON without what looks like a secret, by its key or by its text."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if each is not None and SECRET_KEY.fullmatch(key) else redacted(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [redacted(each) for each in value]
    return without_secrets(value) if isinstance(value, str) else value


def restored(edited: Any, original: Any) -> Any:
    """Return JSON that somebody has edited without having seen the secrets, with the secrets."""
    if edited == redacted(original):
        return original
    if isinstance(edited, dict) and isinstance(original, dict):
        shown = redacted(original)
        return {
            key: original[key]
            if key in original and each == shown[key]
            else restored(each, original.get(key))
            for key, each in edited.items()
        }
    if isinstance(edited, list) and isinstance(original, list):
        return [
            restored(each, original[place] if place < len(original) else None)
            for place, each in enumerate(edited)
        ]
    return edited
