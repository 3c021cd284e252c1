"""A quick test for the usual message, which needs no reading back to be sure of it.

The test is one Python expression for each class, such as
`type(x) is Ping and type(x.sent) is float and -1e16 < x.sent < 1e16`. If it is false, the message
may still be right. If it is true of two messages that are written alike, they are alike.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_origin
from uuid import UUID

from msgspec import inspect as types

TEXT = "type({0}) is str and '\\0' not in {0} and ({0}.isascii() or is_unicode({0}))"
TESTS: dict[type, str] = {
    types.NoneType: "{0} is None",
    types.BoolType: "type({0}) is bool",
    types.IntType: "type({0}) is int and -1e16 < {0} < 1e16",
    types.FloatType: "type({0}) is float and -1e16 < {0} < 1e16",
    types.DecimalType: "type({0}) is Decimal and {0}.is_finite()",
    types.StrType: TEXT,
    types.UUIDType: "type({0}) is UUID",
    types.DateType: "type({0}) is date",
    types.DateTimeType: "type({0}) is datetime and is_of_zone({0})",
    types.TimeDeltaType: "type({0}) is timedelta",
    types.BytesType: "type({0}) is bytes",
    types.AnyType: "is_json({0})",
    types.CustomType: "is_json({0})",  # the only one is `object`
}
CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz")


def certainty(root: types.Type) -> tuple[Callable[[Any], bool], bool]:
    """Return a test of messages of a class that is true only if they are sure to come back.

    Also tell if this is sure only of the fields: the class itself, or a constraint, may object.
    """
    names: dict[str, Any] = {
        "Decimal": Decimal,
        "UUID": UUID,
        "date": date,
        "datetime": datetime,
        "is_json": _is_json,
        "is_of_zone": _is_of_zone,
        "is_unicode": _is_unicode,
        "may_object": False,
        "timedelta": timedelta,
    }
    test = eval(f"lambda x: {_test(root, 'x', names)}", names)  # noqa: S307
    return test, names["may_object"]


def _test(node: Any, x: str, names: dict[str, Any]) -> str:
    if any(getattr(node, each, None) is not None for each in CONSTRAINTS):
        names["may_object"] = True
    if type(node) in TESTS:
        return f"({TESTS[type(node)].format(x)})"
    if isinstance(node, types.UnionType):
        return f"({' or '.join(_test(each, x, names) for each in node.types)})"
    if isinstance(node, types.ListType):
        return f"(type({x}) is list and all({_test(node.item_type, 'x', names)} for x in {x}))"
    if isinstance(node, types.DictType) and type(node.key_type) in (types.StrType, types.AnyType):
        both = f"{TEXT.format('k')} and {_test(node.value_type, 'x', names)}"
        return f"(type({x}) is dict and all({both} for k, x in {x}.items()))"
    if isinstance(node, types.EnumType) and not issubclass(node.cls, enum.Flag):
        return f"(type({x}) is {_name_of(node.cls, names)})"
    if isinstance(node, types.DataclassType | types.StructType):
        return f"{_test_of_class(node, names)}({x})"
    return "False"


def _test_of_class(node: Any, names: dict[str, Any]) -> str:
    cls = get_origin(node.cls) or node.cls
    name = f"is_{_name_of(node.cls, names)}"
    if name not in names:
        names[name] = None  # a class may contain itself
        fields = [_test(field.type, f"x.{field.name}", names) for field in node.fields]
        if hasattr(cls, "__post_init__"):
            names["may_object"] = True
        if not all(each.init for each in getattr(cls, "__dataclass_fields__", {}).values()):
            fields = ["False"]  # what is computed is not sent
        test = " and ".join([f"lambda x: type(x) is {_name_of(cls, names)}", *fields])
        names[name] = eval(test, names)  # noqa: S307
    return name


def _name_of(cls: Any, names: dict[str, Any]) -> str:
    for name, known in names.items():
        if known is cls:
            return name
    names[f"C{len(names)}"] = cls
    return f"C{len(names) - 1}"


def _is_unicode(x: str) -> bool:
    try:
        x.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_of_zone(x: datetime) -> bool:
    if x.tzinfo is None or x.tzinfo is timezone.utc:
        return True
    offset = x.utcoffset()
    return offset is not None and not offset.microseconds and offset.seconds % 60 == 0


def _is_json(x: Any) -> bool:
    kind = type(x)
    if kind is str:
        return "\0" not in x and (x.isascii() or _is_unicode(x))
    if kind is dict:
        return all(type(key) is str and _is_json(key) and _is_json(x[key]) for key in x)
    if kind is list:
        return all(map(_is_json, x))
    return x is None or kind is bool or ((kind is int or kind is float) and -1e16 < x < 1e16)
