"""Dataclasses as JSON: every field is checked on the way out and on the way in."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

from ..times import parse_datetime

__all__ = ["DataclassCodec", "InvalidMessage", "decode_json", "json_value"]

Convert = Callable[[Any, str], Any]  # (value, path of the field) -> value
MISSING: Any = dataclasses.MISSING


class InvalidMessage(ValueError):  # noqa: N818
    """A message or a body that does not fit its type; the text names the field."""


TOO_DEEP = "the message is nested too deeply for Python"


def decode_json(body: str) -> Any:
    """Return the value of JSON text; raise InvalidMessage if Python cannot hold it."""
    try:
        return json.loads(body)
    except ValueError as error:  # such as an integer of thousands of digits
        raise InvalidMessage(f"the body cannot be read: {error}") from None
    except RecursionError:
        raise InvalidMessage(TOO_DEEP) from None


class DataclassCodec:
    """The codec of one dataclass. Fields that the class does not know are ignored on decoding.

    Decimal fields travel as strings, so that every language keeps their digits; a JSON number is
    accepted and keeps its digits, too.
    """

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._compiled: _Shape | None = None

    def prepare(self) -> None:
        """Raise TypeError if a field has a type that JSON cannot carry."""
        self._shape()

    def encode(self, message: Any) -> Any:
        """Return the message as a dict of JSON values; raise InvalidMessage naming the field."""
        try:
            return self._shape().encode(message, "")
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None

    def decode(self, body: str) -> Any:
        """Return an instance made from JSON text; raise InvalidMessage naming the field."""
        shape = self._compiled or self._shape()
        try:
            try:
                values = shape.parse(body)
            except ValueError as error:
                raise InvalidMessage(f"the body is not JSON: {error}") from None
            return shape.decode(values, "")
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None

    def _shape(self) -> _Shape:
        # Not before the first use: by then every class that a field names exists.
        if self._compiled is None:
            self._compiled = _Compiler().dataclass(self._cls)
        return self._compiled


@dataclasses.dataclass(slots=True)
class _Field:
    name: str
    required: bool
    encode: Convert
    decode: Convert


class _Shape:
    """A dataclass taken apart: what its fields need on the way out and on the way in."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.fields: list[_Field] = []
        self.parse = json.JSONDecoder().decode

    def encode(self, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, self.cls):
            raise _mismatch(path, f"a {self.cls.__name__}", value)
        return {
            field.name: field.encode(getattr(value, field.name), _join(path, field.name))
            for field in self.fields
        }

    def decode(self, values: Any, path: str) -> Any:
        if type(values) is not dict:
            raise _mismatch(path, "an object", values)
        arguments = {}
        for field in self.fields:
            name = field.name
            value = values.get(name, MISSING)
            if value is not MISSING:
                arguments[name] = field.decode(value, f"{path}.{name}" if path else name)
            elif field.required:
                raise InvalidMessage(f"{_join(path, name)}: missing")
        try:
            return self.cls(**arguments)
        except (TypeError, ValueError) as error:
            # The class's own __post_init__ turned it down.
            raise InvalidMessage(f"{path or self.cls.__name__}: {error}") from error


class _Compiler:
    """Turns type annotations into pairs of converters."""

    def __init__(self) -> None:
        self._shapes: dict[type, _Shape] = {}
        self._has_decimal = False

    def dataclass(self, cls: type) -> _Shape:
        if cls in self._shapes:  # a class may contain itself
            return self._shapes[cls]
        shape = self._shapes[cls] = _Shape(cls)
        try:
            hints = typing.get_type_hints(cls)
        except NameError as error:
            raise TypeError(
                f"{cls.__qualname__}: the type of a field is unknown: {error}"
            ) from None
        for field in dataclasses.fields(cls):
            if field.init:
                encode, decode = self.converters(
                    hints[field.name], f"{cls.__qualname__}.{field.name}"
                )
                required = field.default is MISSING and field.default_factory is MISSING
                shape.fields.append(_Field(field.name, required, encode, decode))
        if self._has_decimal:
            shape.parse = json.JSONDecoder(parse_float=Decimal).decode
        return shape

    def converters(self, hint: Any, place: str) -> tuple[Convert, Convert]:
        """Return how values of a type are encoded and decoded."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            return self._union(arguments, place)
        if origin is typing.Annotated:
            return self.converters(arguments[0], place)
        if hint in (list, dict):
            origin, arguments = hint, (Any,) if hint is list else (str, Any)
        if origin is list:
            return self._list(*self.converters(arguments[0], place))
        if origin is dict and arguments[0] is str:
            return self._dict(*self.converters(arguments[1], place))
        if hint in (Any, object):
            return json_value, _any_in
        if hint in (None, type(None)):
            return _exactly(type(None), "null"), _exactly(type(None), "null")
        if hint is Decimal:
            self._has_decimal = True
        if hint in _SIMPLE:
            return _SIMPLE[hint]
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _enum_out(hint), _enum_in(hint)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            shape = self.dataclass(hint)
            return shape.encode, shape.decode
        raise TypeError(f"{place}: JSON cannot carry the type {hint!r}")

    def _union(self, hints: tuple[Any, ...], place: str) -> tuple[Convert, Convert]:
        pairs = [self.converters(hint, place) for hint in hints]
        wanted = " or ".join(_name(hint) for hint in hints)
        only = [pair for pair, hint in zip(pairs, hints, strict=True) if hint is not type(None)]
        if len(only) == 1 and len(pairs) == 2:
            (encode, decode), *_ = only
            return _optional(encode), _optional(decode)
        return (
            _first_that_fits([encode for encode, _ in pairs], wanted),
            _first_that_fits([decode for _, decode in pairs], wanted),
        )

    @staticmethod
    def _list(encode: Convert, decode: Convert) -> tuple[Convert, Convert]:
        def items(convert: Convert) -> Convert:
            def convert_list(value: Any, path: str) -> list[Any]:
                if not isinstance(value, list):
                    raise _mismatch(path, "a list", value)
                return [convert(item, f"{path}[{n}]") for n, item in enumerate(value)]

            return convert_list

        return items(encode), items(decode)

    @staticmethod
    def _dict(encode: Convert, decode: Convert) -> tuple[Convert, Convert]:
        def items(convert: Convert) -> Convert:
            def convert_dict(value: Any, path: str) -> dict[str, Any]:
                if not isinstance(value, dict):
                    raise _mismatch(path, "an object", value)
                for key in value:
                    if not isinstance(key, str):
                        raise _mismatch(path, "an object with strings as keys", value)
                return {key: convert(item, f"{path}.{key}") for key, item in value.items()}

            return convert_dict

        return items(encode), items(decode)


def _exactly(kind: type, wanted: str) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if type(value) is not kind:
            raise _mismatch(path, wanted, value)
        return value

    return convert


def _optional(convert: Convert) -> Convert:
    return lambda value, path: None if value is None else convert(value, path)


def _first_that_fits(converters: list[Convert], wanted: str) -> Convert:
    def convert(value: Any, path: str) -> Any:
        for candidate in converters:
            try:
                return candidate(value, path)
            except InvalidMessage:
                continue
        raise _mismatch(path, wanted, value)

    return convert


def _float_out(value: Any, path: str) -> float:
    if type(value) not in (float, int) or not math.isfinite(value):
        raise _mismatch(path, "a finite float", value)
    return float(value)


def _float_in(value: Any, path: str) -> float:
    if type(value) not in (float, int, Decimal):
        raise _mismatch(path, "a number", value)
    return float(value)


def _decimal_out(value: Any, path: str) -> str:
    if type(value) is not Decimal or not value.is_finite():
        raise _mismatch(path, "a finite Decimal", value)
    return str(value)


def _decimal_in(value: Any, path: str) -> Decimal:
    if type(value) in (str, int, Decimal):
        try:
            number = Decimal(value)
        except InvalidOperation:
            pass
        else:
            if number.is_finite():
                return number
    raise _mismatch(path, "a decimal number", value)


def _text_out(kind: type, wanted: str, write: Callable[[Any], str]) -> Convert:
    def convert(value: Any, path: str) -> str:
        if type(value) is not kind:
            raise _mismatch(path, wanted, value)
        return write(value)

    return convert


def _text_in(wanted: str, read: Callable[[str], Any]) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if type(value) is str:
            try:
                return read(value)
            except ValueError:
                pass
        raise _mismatch(path, wanted, value)

    return convert


def _enum_out(kind: type[Enum]) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if not isinstance(value, kind):
            raise _mismatch(path, f"a {kind.__name__}", value)
        return value.value

    return convert


def _enum_in(kind: type[Enum]) -> Convert:
    wanted = "one of " + ", ".join(repr(member.value) for member in kind)

    def convert(value: Any, path: str) -> Any:
        try:
            return kind(value)
        except ValueError:
            raise _mismatch(path, wanted, value) from None

    return convert


def _string_out(value: Any, path: str) -> str:
    if type(value) is not str:
        raise _mismatch(path, "a string", value)
    return _storable(value, path)


def _storable(value: str, path: str) -> str:
    if "\x00" in value:
        raise _mismatch(
            path, "a string without NUL characters, which PostgreSQL cannot store", value
        )
    return value


def json_value(value: Any, path: str) -> Any:
    """Let any JSON value through, and name the part that is not JSON."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _storable(value, path)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: json_value(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item, f"{path}[{n}]") for n, item in enumerate(value)]
    raise _mismatch(path, "a JSON value", value)


def _any_in(value: Any, path: str) -> Any:
    """Undo the exact numbers of a body that has a Decimal elsewhere."""
    if type(value) is Decimal:
        return float(value)
    if type(value) is dict:
        return {key: _any_in(item, path) for key, item in value.items()}
    if type(value) is list:
        return [_any_in(item, path) for item in value]
    return value


_STRING = _exactly(str, "a string")
_WHOLE = _exactly(int, "an integer")
_BOOLEAN = _exactly(bool, "true or false")
_SIMPLE: dict[Any, tuple[Convert, Convert]] = {
    str: (_string_out, _STRING),
    int: (_WHOLE, _WHOLE),
    bool: (_BOOLEAN, _BOOLEAN),
    float: (_float_out, _float_in),
    Decimal: (_decimal_out, _decimal_in),
    datetime: (
        _text_out(datetime, "a datetime", datetime.isoformat),
        _text_in("a time as ISO 8601", parse_datetime),
    ),
    date: (
        _text_out(date, "a date", date.isoformat),
        _text_in("a date as ISO 8601", date.fromisoformat),
    ),
    UUID: (_text_out(UUID, "a UUID", str), _text_in("a UUID", UUID)),
}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _name(hint: Any) -> str:
    if hint is type(None):
        return "null"
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _mismatch(path: str, wanted: str, value: Any) -> InvalidMessage:
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return InvalidMessage(f"{path or 'the message'}: expected {wanted}, got {shown}")
