"""What the tests of messages share."""

import dataclasses
from datetime import datetime, timezone
from typing import Any

import msgspec
import pydantic

from symphony_pg.messages.types import message_type_of

__all__ = ["codec", "taken_apart"]


def codec(cls: type) -> Any:
    return message_type_of(cls).codec


def taken_apart(value: Any) -> Any:
    """Return the value with the class of every part, so that 1, 1.0 and True differ."""
    if dataclasses.is_dataclass(value):
        parts: Any = [taken_apart(getattr(value, each.name)) for each in dataclasses.fields(value)]
    elif isinstance(value, msgspec.Struct):
        parts = [taken_apart(getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, pydantic.BaseModel):
        parts = taken_apart(dict(value))
    elif isinstance(value, dict):
        parts = sorted((repr(key), taken_apart(item)) for key, item in value.items())
    elif isinstance(value, list | tuple):
        parts = [taken_apart(item) for item in value]
    elif isinstance(value, set | frozenset):
        parts = sorted(repr(taken_apart(item)) for item in value)
    elif isinstance(value, datetime):
        parts = (value.astimezone(timezone.utc) if value.tzinfo else value).isoformat()
    else:
        parts = value
    return type(value).__qualname__, parts
