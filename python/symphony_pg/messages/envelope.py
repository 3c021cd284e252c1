"""An encoded message and how it is to be delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from msgspec import to_builtins

from ..times import check_moment
from .types import MARK, MessageType, message_type_of

OnExpiry = Literal["fail", "drop"]
OnDuplicate = Literal["keep", "replace"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The retry settings of one message; what is None is left to its type, queue and defaults.

    max_attempts counts deliveries: retries + 1. Waits are timedeltas or seconds.
    """

    max_attempts: int | None = None
    delay: timedelta | float | None = None
    multiplier: float | None = None
    max_delay: timedelta | float | None = None
    jitter: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was given, as the argument retry of enqueue()."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: f"{value.total_seconds():.6f} s" if isinstance(value, timedelta) else value
            for name, value in values.items()
            if value is not None
        }


class Options(TypedDict, total=False):
    """How a message is to be delivered: what envelope() takes beside it, and so does dispatch()."""

    queue: str | None
    delay: timedelta | float | None
    available_at: datetime | None
    priority: int | None
    idempotency_key: str | None
    group_key: str | None
    headers: Mapping[str, Any] | None
    retry: RetryPolicy | None
    expires: timedelta | float | datetime | None
    on_expiry: OnExpiry | None
    on_duplicate: OnDuplicate | None
    idempotency_window: timedelta | float | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encoded message and how it is to be delivered: the arguments of enqueue().

    `plain` is the body, if msgspec writes it as json.dumps() does: no NaN, no number too large.
    """

    message_type: str
    body: Any
    queue_name: str | None = None
    priority: int | None = None
    delay: timedelta | None = None
    available_at: datetime | None = None
    idempotency_key: str | None = None
    group_key: str | None = None
    headers: Mapping[str, Any] | None = None
    retry: Mapping[str, Any] | None = None
    expires_in: timedelta | None = None
    expires_at: datetime | None = None
    on_expiry: OnExpiry | None = None
    on_duplicate: OnDuplicate | None = None
    idempotency_window: timedelta | None = None
    message: Any = field(default=None, repr=False, compare=False)  # before it was encoded
    plain: Any = field(default=..., repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.available_at is not None:
            check_moment("available_at", self.available_at)
        if self.expires_at is not None:
            check_moment("expires_at", self.expires_at)

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as keyword arguments of enqueue()."""
        given = {}
        for name in ARGUMENTS:
            if (value := getattr(self, name)) is not None:
                given[name] = value
        return given


ARGUMENTS = tuple(each.name for each in fields(Envelope) if each.name not in ("message", "plain"))


def sealed(message: Any, headers: Mapping[str, Any] | None, **options: Any) -> Envelope:
    """Encode a message, to be delivered as its options say; most are seen to need no codec."""
    known: MessageType = vars(type(message)).get(MARK) or message_type_of(type(message))
    codec = known.codec
    plain: Any = ...
    try:
        if codec.is_certain(message):
            body = plain = to_builtins(message)
        else:
            body = codec.encode(message)
    except RecursionError:
        body = codec.encode(message)  # says what is wrong
    stamped = headers if known.version == 1 else known.stamped(headers)
    return Envelope(known.name, body, headers=stamped, message=message, plain=plain, **options)
