"""Message types: classes with a wire name and a version, and the codec that turns them into JSON.

    @message("SendEmail", version=2)
    @dataclass
    class SendEmail:
        to: str
        subject: str

The wire name is what other languages and the database see, so it outlives a renamed class. A class
without the decorator goes by its own name. The class is a dataclass, a msgspec Struct or a
pydantic model.

The version travels in the header "version"; without that header it is 1. A body of an older version
goes through the upcasters, from each version to the next, before it is decoded.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar, overload

import msgspec

from ..outcomes import Snooze
from .codec import InvalidMessage, MsgspecCodec
from .declaration import NotDefinedYet
from .fidelity import unstorable
from .misfit import exact_json

C = TypeVar("C", bound=type)
Upcaster = Callable[[Any], Any]
VERSION = "version"  # the header
MARK = "__symphony_message__"  # the attribute of a class


class NewerVersion(Snooze):
    """A message of a version that this program does not know yet: it is left to newer workers.

    It uses no attempt, for as long as its queue's max_snooze.
    """

    WAIT = timedelta(minutes=1)

    def __init__(self, name: str, version: int, known: int) -> None:
        super().__init__(
            self.WAIT,
            f"{name} is of version {version}, and this program knows {known}; "
            "it comes back later, for a worker that is up to date",
        )


class Codec(Protocol):
    """Turns messages of one class into JSON values, and JSON text into messages.

    `is_certain` is quick to say that a message is right and consists of plain JSON values, or of
    what msgspec makes such values of by itself; it may say no to others that are right as well.
    """

    is_certain: Callable[[Any], bool]

    def prepare(self) -> None:
        """Raise TypeError if the class cannot be used as a message."""

    def encode(self, message: Any) -> Any:
        """Return the message as a JSON value; raise InvalidMessage if a field does not fit."""

    def decode(self, body: str) -> Any:
        """Return the message; raise InvalidMessage if the body does not fit."""


class MessageType:
    """A class of messages: its wire name, its version, its codec and its upcasters."""

    __slots__ = ("cls", "codec", "name", "upcasters", "version")

    def __init__(self, cls: type, name: str | None = None, version: int = 1) -> None:
        if type(version) is not int or version < 1:
            raise ValueError(f"the version of {cls.__qualname__} is 1, 2, 3, …, not {version!r}")
        self.cls = cls
        self.name = name or cls.__name__
        self.version = version
        self.codec: Codec = _codec_for(cls)
        self.upcasters: dict[int, Upcaster] = {}
        with suppress(NotDefinedYet):  # then before the first use
            self.codec.prepare()

    def prepare(self) -> None:
        """Raise TypeError if the class cannot be used, or a step between versions is missing."""
        self.codec.prepare()
        for version in range(min(self.upcasters, default=self.version), self.version):
            if version not in self.upcasters:
                raise TypeError(
                    f"{self.name} has an upcaster from version {min(self.upcasters)}, "
                    f"but none from version {version}"
                )

    def upcaster(self, from_version: int, function: Upcaster) -> None:
        """Register the function that turns bodies of a version into those of the next one."""
        if not 1 <= from_version < self.version:
            raise ValueError(
                f"{self.name} is of version {self.version}: "
                f"there is nothing to upcast from version {from_version}"
            )
        if from_version in self.upcasters:
            raise ValueError(f"{self.name} has an upcaster from version {from_version} already")
        self.upcasters[from_version] = function

    def stamped(self, headers: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the headers with the version; version 1 goes without saying."""
        if self.version == 1:
            return headers
        return {**(headers or {}), VERSION: self.version}

    def decode(self, body: str, headers: Any) -> Any:
        """Return the message; `headers` is a mapping, or its JSON text."""
        if self.version != 1 or VERSION in headers:
            version = _version_in(json.loads(headers) if isinstance(headers, str) else headers)
            if version > self.version:
                raise NewerVersion(self.name, version, self.version)
            if version < self.version:
                body = self._upcast(body, version)
        return self.codec.decode(body)

    def _upcast(self, body: str, version: int) -> str:
        values = json.loads(body, parse_float=Decimal)
        for step in range(version, self.version):
            if step not in self.upcasters:
                raise InvalidMessage(f"{self.name} has no upcaster from version {step}")
            try:
                values = self.upcasters[step](values)
            except Exception as error:
                raise InvalidMessage(
                    f"the upcaster of {self.name} from version {step} failed: {error!r}"
                ) from error
        if found := unstorable(values):
            raise InvalidMessage(
                f"the upcasters of {self.name} returned a body which is not a JSON value: "
                f"{found[0].removeprefix('.')}: {found[1]}"
            )
        return exact_json(values).decode()


def _version_in(headers: Any) -> int:
    version = headers.get(VERSION, 1)
    if type(version) is not int or version < 1:
        raise InvalidMessage(f"the header {VERSION!r} is a whole number from 1 on, not {version!r}")
    return version


def _codec_for(cls: type) -> Codec:
    """Choose by the kind of class; a library that was not imported has no class here."""
    if dataclasses.is_dataclass(cls) or issubclass(cls, msgspec.Struct):
        return MsgspecCodec(cls)
    if (pydantic := sys.modules.get("pydantic")) and issubclass(cls, pydantic.BaseModel):
        from .codec_pydantic import PydanticCodec

        return PydanticCodec(cls)
    raise TypeError(
        "a message type is a dataclass, a msgspec Struct or a pydantic model, "
        f"and {cls.__qualname__} is not"
    )


@overload
def message(name: C) -> C: ...


@overload
def message(name: str | None = None, *, version: int = 1) -> Callable[[C], C]: ...


def message(name: Any = None, *, version: int = 1) -> Any:
    """Give a class a wire name (its own, by default): `@message` or `@message("SendEmail")`."""
    if isinstance(name, type):
        return message()(name)

    def decorate(cls: C) -> C:
        # The attribute is the decorator's only trace; subclasses do not inherit the name.
        setattr(cls, MARK, MessageType(cls, name, version))
        return cls

    return decorate


def message_type_of(cls: type) -> MessageType:
    """Return the message type of a class, which is made on the first call if need be."""
    try:
        found = cls.__dict__.get(MARK)
    except AttributeError:
        raise TypeError(f"messages are of a class, such as a dataclass, and not {cls!r}") from None
    if not isinstance(found, MessageType):
        found = MessageType(cls)
        setattr(cls, MARK, found)
    return found
