"""msgspec Structs as JSON; imported only when a message type is one."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .codec import InvalidMessage, json_value

__all__ = ["MsgspecCodec"]

PLACE = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(.*)`")


class MsgspecCodec:
    """The codec of one Struct: what msgspec converts travels the way msgspec writes it.

    A Struct is not checked when it is made, so encoding checks it as decoding would.
    """

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._decoder: msgspec.json.Decoder[Any] | None = None

    def prepare(self) -> None:
        """Raise TypeError if a field has a type that msgspec does not know."""
        # Not before the first use: by then every class that a field names exists.
        if self._decoder is None:
            try:
                self._decoder = msgspec.json.Decoder(self._cls)
            except NameError as error:
                raise TypeError(
                    f"{self._cls.__qualname__}: the type of a field is unknown: {error}"
                ) from None

    def encode(self, message: Any) -> Any:
        """Return the message as JSON values; raise InvalidMessage naming the field."""
        self.prepare()
        try:
            values = msgspec.to_builtins(message, str_keys=True)
        except (TypeError, ValueError) as error:
            raise InvalidMessage(f"{_culprit(message)}: {error}") from None
        try:
            msgspec.convert(values, self._cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise _invalid(error, self._cls) from error
        return json_value(values, "")

    def decode(self, body: str) -> Any:
        """Return an instance made from JSON text; raise InvalidMessage naming the field."""
        if self._decoder is None:
            self.prepare()
        assert self._decoder is not None
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise _invalid(error, self._cls) from error
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise InvalidMessage(f"the body is not JSON: {error}") from None


def _invalid(error: msgspec.ValidationError, cls: type) -> InvalidMessage:
    """Say it as the other codecs do: the path of the field first."""
    found = PLACE.fullmatch(str(error))
    assert found is not None
    text, path = found[1], (found[2] or "").removeprefix(".")
    if missing := MISSING.fullmatch(text):
        return InvalidMessage(f"{path + '.' if path else ''}{missing[1]}: missing")
    return InvalidMessage(f"{path or cls.__name__}: {text[:1].lower()}{text[1:]}")


def _culprit(message: Any) -> str:
    """Name the field that cannot be written, which msgspec does not tell."""
    for name in message.__struct_fields__:
        try:
            msgspec.to_builtins(getattr(message, name), str_keys=True)
        except (TypeError, ValueError):
            return str(name)
    return type(message).__name__
