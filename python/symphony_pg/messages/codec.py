"""Dataclasses and msgspec Structs as JSON: msgspec reads and writes, and nothing changes unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from .declaration import Declaration, declare
from .fidelity import Found, base_value, difference, plain, unstorable
from .misfit import Misfit

TOO_DEEP = "the message is nested too deeply for Python"
NUL = rb"\u0000"
NOT_FINITE = re.compile(rb'"\s*[-+]?(s?nan\d*|inf(inity)?)\s*"', re.IGNORECASE)
# PostgreSQL stores 1e16 as 10000000000000000.
LARGE_FLOAT = re.compile(rb"[:\[,]-?[\d.]+e\d")


class InvalidMessage(ValueError):  # noqa: N818
    """A message or a body that does not fit its type; the text names the field."""


def decode_json(body: str) -> Any:
    """Return the value of JSON text; raise InvalidMessage if Python cannot hold it."""
    try:
        return json.loads(body)
    except ValueError as error:  # such as an integer of thousands of digits
        raise InvalidMessage(f"the body cannot be read: {error}") from None
    except RecursionError:
        raise InvalidMessage(TOO_DEEP) from None


def refused(cls: type, found: Found) -> InvalidMessage:
    """Return the error for what is wrong with a message, the path of the field first."""
    path, text = found
    return InvalidMessage(f"{path.removeprefix('.') or cls.__name__}: {text}")


def unsure(message: Any) -> bool:  # noqa: ARG001
    """Leave it to the codec whether a message is right."""
    return False


class MsgspecCodec:
    """The codec of one dataclass or Struct.

    A message is read back before it is sent. It must come back with the same values of the same
    classes, or it is refused. A subclass of a plain type counts as its base, and an int as a float
    where the field says float.
    """

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._declaration: Declaration | None = None
        self.is_certain: Callable[[Any], bool] = unsure

    def prepare(self) -> None:
        """Raise TypeError if a field has a type that JSON cannot carry."""
        self._declared()

    def _declared(self) -> Declaration:
        if self._declaration is None:
            self._declaration = declare(self._cls)
            if not self._declaration.may_object:
                self.is_certain = self._declaration.is_certain
        return self._declaration

    def encode(self, message: Any) -> Any:
        """Return the message as a dict of JSON values; raise InvalidMessage naming the field."""
        declared = self._declaration or self._declared()
        try:
            if declared.is_certain(message) and (
                not declared.may_object or _is_accepted(message, declared)
            ):
                return msgspec.to_builtins(message)
            return self._encode(message, declared)
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None

    def _encode(self, message: Any, declared: Declaration) -> Any:
        try:
            written = msgspec.json.encode(plain(message), enc_hook=base_value)
            back = declared.decoder.decode(_as_stored(written))
        except msgspec.ValidationError as error:
            found = unstorable(message) or Misfit(error, written, declared.decoder).found
            raise refused(self._cls, found) from error
        except (TypeError, ValueError) as error:
            raise refused(self._cls, unstorable(message) or ("", str(error))) from error
        if NUL in written or (declared.has_decimals and NOT_FINITE.search(written)):
            self._refuse(unstorable(message))
        self._refuse(difference(message, back))
        return msgspec.to_builtins(plain(back), str_keys=True)

    def _refuse(self, found: Found | None) -> None:
        if found is not None:
            raise refused(self._cls, found)

    def decode(self, body: str) -> Any:
        """Return an instance made from JSON text; raise InvalidMessage naming the field."""
        try:
            return self._decode(body, self._declaration or self._declared())
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None

    def _decode(self, body: str, declared: Declaration) -> Any:
        try:
            message = declared.decoder.decode(body)
        except msgspec.ValidationError as error:
            misfit = Misfit(error, body, declared.decoder)
            if (mended := misfit.mended()) is None:
                raise refused(self._cls, misfit.found) from error
            return self._decode(mended, declared)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise InvalidMessage(f"the body is not JSON: {error}") from None
        if declared.has_decimals and NOT_FINITE.search(body.encode()):
            self._refuse(unstorable(message))
        return message


def _is_accepted(message: Any, declared: Declaration) -> bool:
    """Tell if the class takes the fields as they are, and leaves them as they are."""
    written = msgspec.json.encode(message)
    try:
        back = declared.decoder.decode(written)
    except msgspec.ValidationError:
        return False
    return declared.is_certain(back) and msgspec.json.encode(back) == written


def _as_stored(written: bytes) -> bytes:
    """Return JSON as PostgreSQL keeps it: a large float without a fraction looks like an int."""
    if LARGE_FLOAT.search(written) is None:
        return written

    def number(text: str) -> int | float:
        return int(Decimal(text)) if "e" in text and "e-" not in text else float(text)

    return json.dumps(json.loads(written, parse_float=number)).encode()
