"""Message types: classes with a wire name, and the codec that turns them into JSON and back.

    @message("SendEmail")
    @dataclass
    class SendEmail:
        to: str
        subject: str

The wire name is what other languages and the database see, so it outlives a renamed class. A class
without the decorator goes by its own name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from .codec import DataclassCodec

__all__ = ["Codec", "message", "message_type_of"]

C = TypeVar("C", bound=type)


class Codec(Protocol):
    """Turns messages of one class into JSON values, and JSON text into messages."""

    def prepare(self) -> None:
        """Raise TypeError if the class cannot be used as a message."""

    def encode(self, message: Any) -> Any:
        """Return the message as a JSON value; raise InvalidMessage if a field does not fit."""

    def decode(self, body: str) -> Any:
        """Return the message; raise InvalidMessage if the body does not fit."""


class MessageType:
    """A class of messages: its wire name and its codec."""

    __slots__ = ("cls", "codec", "name")

    def __init__(self, cls: type, name: str | None = None) -> None:
        if not dataclasses.is_dataclass(cls):
            raise TypeError(f"a message type is a dataclass, and {cls.__qualname__} is not")
        self.cls = cls
        self.name = name or cls.__name__
        self.codec: Codec = DataclassCodec(cls)


@overload
def message(name: C) -> C: ...


@overload
def message(name: str | None = None) -> Callable[[C], C]: ...


def message(name: Any = None) -> Any:
    """Give a dataclass a wire name (its own, by default): `@message` or `@message("SendEmail")`."""
    if isinstance(name, type):
        return message()(name)

    def decorate(cls: C) -> C:
        # The attribute is the decorator's only trace; subclasses do not inherit the name.
        cls.__symphony_message__ = MessageType(cls, name)  # type: ignore[attr-defined]
        return cls

    return decorate


def message_type_of(cls: type) -> MessageType:
    """Return the message type of a class, which is made on the first call if need be."""
    found = cls.__dict__.get("__symphony_message__")
    if not isinstance(found, MessageType):
        found = MessageType(cls)
        cls.__symphony_message__ = found  # type: ignore[attr-defined]
    return found
