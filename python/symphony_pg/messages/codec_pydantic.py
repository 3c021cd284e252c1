"""pydantic models as JSON; imported only when a message type is one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pydantic
from pydantic_core import PydanticSerializationError

from .codec import TOO_DEEP, InvalidMessage, refused, unsure
from .declaration import NotDefinedYet
from .fidelity import difference, unstorable

MANY_DIGITS = re.compile(r"[0-9.]{17}")


class PydanticCodec:
    """The codec of one model, under the names that the model gives its fields on the outside.

    A model can be changed after it was checked, so encoding checks it again, strictly: a field
    that says int holds an int, and every field comes back as it was. Decoding is as strict as the
    model says.
    """

    def __init__(self, cls: type) -> None:
        self._cls: Any = cls
        self.is_certain: Callable[[Any], bool] = unsure

    def prepare(self) -> None:
        """Raise TypeError if a field names a class that does not exist."""
        try:
            self._cls.model_rebuild()
        except (NameError, pydantic.PydanticUserError) as error:
            raise NotDefinedYet(f"{self._cls.__qualname__}: {error}") from None

    def encode(self, message: Any) -> Any:
        """Return the message as JSON values; raise InvalidMessage naming the field."""
        try:
            values = message.model_dump(mode="json", by_alias=True, round_trip=True, warnings=False)
            if found := unstorable(values):
                raise refused(self._cls, found)
            back = self._cls.model_validate_json(json.dumps(values), strict=True)
            for name, value in back:
                # Such as a SecretStr, which is written as asterisks, or infinity, as null.
                field = self._cls.model_fields.get(name)
                if field is None or not field.exclude:
                    found = difference(getattr(message, name), value)
                    if found:
                        raise refused(self._cls, (f"{name}{found[0]}", found[1]))
        except (PydanticSerializationError, TypeError) as error:
            raise refused(self._cls, (_culprit(message), str(error))) from None
        except pydantic.ValidationError as error:
            raise _invalid(error, self._cls) from error
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None
        return values

    def decode(self, body: str) -> Any:
        """Return a model made from JSON text; raise InvalidMessage naming the field."""
        try:
            if MANY_DIGITS.search(body) and not self._cls.model_config.get("strict"):
                # Read as JSON, a number is a double to pydantic, even where a Decimal is wanted.
                return self._cls.model_validate(json.loads(body, parse_float=_number))
            return self._cls.model_validate_json(body)
        except pydantic.ValidationError as error:
            raise _invalid(error, self._cls) from error
        except ValueError as error:
            raise InvalidMessage(f"the body is not JSON: {error}") from None


def _number(text: str) -> float | Decimal:
    """Read a number as float unless that would lose digits."""
    exact, short = Decimal(text), float(text)
    return short if Decimal(repr(short)) == exact else exact


def _invalid(error: pydantic.ValidationError, cls: type) -> InvalidMessage:
    """Name the first field that does not fit, and say how many more do not."""
    first, *others = error.errors(include_url=False, include_context=False)
    if first["type"] == "json_invalid":
        return InvalidMessage(f"the body is not JSON: {first['msg']}")
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    if first["type"] == "missing":
        text = "missing"
    else:
        text = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    more = f" (and {len(others)} more)" if others else ""
    return refused(cls, (path, f"{text}{more}"))


def _culprit(message: Any) -> str:
    """Name the field that cannot be written, which pydantic does not tell."""
    for name in type(message).model_fields:
        try:
            message.model_dump(mode="json", include={name}, warnings=False)
        except (PydanticSerializationError, TypeError):
            return str(name)
    return ""
