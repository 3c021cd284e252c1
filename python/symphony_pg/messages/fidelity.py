"""Whether a message survives JSON: the same values of the same classes come back."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

Found = tuple[str, str]  # where, and what is wrong there

# A subclass of a plain type, such as Django's SafeString, is a value of its base.
BASES: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    Decimal: Decimal,
    datetime: datetime.isoformat,  # is a date, too, so it comes first
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda value: timedelta(value.days, value.seconds, value.microseconds),
    UUID: str,
    bytes: lambda value: memoryview(value).tobytes(),
    bytearray: lambda value: memoryview(value).tobytes(),
}
PLAIN = frozenset({*BASES, list, dict, set, frozenset})


def base_value(value: Any) -> Any:
    """Return what msgspec is to write for a value that it does not know; raise TypeError."""
    for kind, convert in BASES.items():
        if isinstance(value, kind):
            return convert(value)
    raise TypeError(f"expected a JSON value, got {_shown(value)}")


@functools.lru_cache(maxsize=4096)
def attributes(cls: Any) -> tuple[tuple[str, str], ...] | None:
    """Return the fields that are sent: their names in Python and in JSON. None: it has no fields.

    A field with init=False is not sent: the class computes it.
    """
    if dataclasses.is_dataclass(cls):
        return tuple((field.name, field.name) for field in dataclasses.fields(cls) if field.init)
    if issubclass(cls, msgspec.Struct):
        return tuple(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    return None


def difference(sent: Any, back: Any) -> Found | None:
    """Say where and how a value that was read back is not what was sent."""
    kind = type(back)
    if type(sent) is not kind and not _is_value_of(sent, kind):
        wanted = f"expected `{kind.__name__}`, got `{type(sent).__name__}`"
        return unstorable(sent) or ("", wanted)
    parts, others = _parts(sent), _parts(back)
    if parts is None or others is None:
        if sent == back or _is_same_time(sent, back):
            return None
        return "", f"{_shown(sent)} does not come back from JSON as it is"
    for (step, part), (_, other) in zip(parts, others, strict=False):
        if found := difference(part, other):
            return f"{step}{found[0]}", found[1]
    return (parts[len(others)][0], "is lost in JSON") if len(parts) > len(others) else None


def _is_value_of(value: Any, kind: type) -> bool:
    wanted = (int, float) if kind is float else kind  # an int is a float, too
    return kind in PLAIN and isinstance(value, wanted) and not isinstance(value, bool)


def _is_same_time(sent: Any, back: Any) -> bool:
    # An hour that a clock shows twice is never equal to one of another zone.
    return isinstance(back, datetime) and bool(sent.isoformat() == back.isoformat())


def unstorable(value: Any) -> Found | None:
    """Say where a value holds what JSON or PostgreSQL cannot hold."""
    for step, part in _parts(value) or ():
        if found := unstorable(part):
            return f"{step}{found[0]}", found[1]
    wanted = None
    if isinstance(value, str) and "\0" in value:
        wanted = "a string without NUL characters, which PostgreSQL cannot store"
    elif isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value):
        wanted = "Unicode text"
    elif isinstance(value, float | Decimal) and not Decimal(value).is_finite():
        wanted = "a finite number"
    elif _json(plain(value)) is None:
        wanted = "a JSON value"
    return None if wanted is None else ("", f"expected {wanted}, got {_shown(value)}")


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    """Take a value apart: each part after the step that leads to it."""
    names = attributes(value.__class__)
    if names is not None:
        return [(f".{wire}", getattr(value, name, msgspec.UNSET)) for name, wire in names]
    if isinstance(value, dict):
        return [(_step(key), each) for key, item in value.items() for each in (key, item)]
    if isinstance(value, list | tuple | set | frozenset):
        return [(f"[{place}]", item) for place, item in enumerate(_in_order(value))]
    return None


def _step(key: Any) -> str:
    text = str(key)
    return f".{text}" if text.isprintable() else f"[{_shown(key)}]"


def plain(value: Any) -> Any:
    """Return the value with lists and dicts in place of all that msgspec would write otherwise.

    Fields that are not sent are left out, and a set has always the same order.
    """
    names = attributes(value.__class__)
    if names is not None:
        sent = ((wire, getattr(value, name, msgspec.UNSET)) for name, wire in names)
        parts = {wire: plain(part) for wire, part in sent if part is not msgspec.UNSET}
        config = getattr(value, "__struct_config__", None)
        if config is not None and config.tag is not None:
            parts = {config.tag_field: config.tag, **parts}
        return list(parts.values()) if config is not None and config.array_like else parts
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in _in_order(value)]
    return value


def _in_order(items: Any) -> Iterable[Any]:
    if not isinstance(items, set | frozenset):
        return items  # type: ignore[no-any-return]
    return sorted(items, key=lambda item: _json(plain(item)) or b"")


def _json(value: Any) -> bytes | None:
    try:
        return msgspec.json.encode(value, enc_hook=base_value)
    except (TypeError, ValueError):
        return None


def _shown(value: Any) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an integer of thousands of digits
        shown = f"a very long {type(value).__name__}"
    return shown if len(shown) <= 60 else shown[:57] + "..."
