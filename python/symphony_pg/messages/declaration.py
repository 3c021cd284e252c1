"""What a class must be like to be a message: checked once, when it is declared."""

from __future__ import annotations

import dataclasses
import inspect
import threading
import typing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec
from msgspec import inspect as types

from .certainty import certainty
from .fidelity import PLAIN, attributes

NO_KEYS = (
    types.NoneType,
    types.BoolType,
    types.UnionType,
    types.CollectionType,
    types.TupleType,
    types.NamedTupleType,
)
_building = threading.RLock()


class NotDefinedYet(TypeError):  # noqa: N818
    """A field names a class that does not exist, or not yet."""


@dataclasses.dataclass(frozen=True, slots=True)
class Declaration:
    """How the messages of a class are read, and what they may hold."""

    decoder: msgspec.json.Decoder[Any]
    has_decimals: bool
    is_certain: Callable[[Any], bool]  # its fields are sure to come back
    may_object: bool  # __post_init__ or a constraint has a say


def declare(cls: type) -> Declaration:
    """Check a class and the classes of its fields; raise TypeError naming the field."""
    try:
        classes = list(_classes(cls, set()))
        with _building, ExitStack() as stack:
            for each in classes:
                stack.enter_context(_as_sent(each))
            nodes = [node for each in classes for node in _nodes_of(each)]
            decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(cls, dec_hook=_as_is)
        is_certain, may_object = certainty(types.type_info(cls))
    except (NameError, AttributeError) as error:
        raise NotDefinedYet(
            f"{cls.__qualname__}: the type of a field is unknown: {error}"
        ) from None
    has_decimals = any(isinstance(node, types.DecimalType) for node in nodes)
    return Declaration(decoder, has_decimals, is_certain, may_object)


def _as_is(kind: type, value: Any) -> Any:  # noqa: ARG001
    return value  # of a field that is typed `object`


def _classes(hint: Any, seen: set[type]) -> Iterator[type]:
    """Yield the classes with fields that a type leads to, those of the fields first."""
    hint = getattr(hint, "__value__", hint)  # type Name = …
    hint = getattr(hint, "__bound__", None) or hint  # of a type variable
    cls = typing.get_origin(hint) or hint
    if isinstance(cls, type) and cls not in seen and _has_fields(cls):
        seen.add(cls)
        _refuse_what_is_not_sent(cls)
        for inner in (*_hints(cls).values(), *getattr(cls, "__orig_bases__", ())):
            yield from _classes(inner, seen)
        yield cls
    for argument in typing.get_args(hint):
        yield from _classes(argument, seen)


def _has_fields(cls: type) -> bool:
    return (
        dataclasses.is_dataclass(cls)
        or issubclass(cls, msgspec.Struct)
        or hasattr(cls, "__total__")  # a TypedDict
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))  # a NamedTuple
    )


def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    names = attributes(cls)
    if names is not None:
        return {name: hints[name] for name, _ in names}
    return {
        name: typing.get_args(hint)[0] if "Required" in str(typing.get_origin(hint)) else hint
        for name, hint in hints.items()
    }


def _refuse_what_is_not_sent(cls: type) -> None:
    for field in getattr(cls, "__dataclass_fields__", {}).values():
        if field._field_type is dataclasses._FIELD_INITVAR:  # type: ignore[attr-defined]
            raise TypeError(
                f"{cls.__qualname__}.{field.name}: an InitVar is not kept by the message, "
                "so it cannot be sent"
            )
    if not dataclasses.is_dataclass(cls):
        return
    code = getattr(inspect.unwrap(cls.__init__), "__code__", None)
    if getattr(code, "co_filename", "") != "<string>":  # dataclass() did not write it
        raise TypeError(
            f"{cls.__qualname__}: its own __init__ is not called when a message is read; "
            "what it computes belongs into __post_init__"
        )
    if issubclass(cls, (*PLAIN, tuple)):
        raise TypeError(f"{cls.__qualname__}: of a dataclass only the fields are sent, no more")


def _nodes_of(cls: type) -> Iterator[types.Type]:
    """Yield the types that the fields are made of; raise TypeError for what JSON cannot carry."""
    for name, hint in _hints(cls).items():
        place = f"{cls.__qualname__}.{name}"
        try:
            nodes = list(_nodes(types.type_info(hint)))
        except TypeError as error:
            raise TypeError(f"{place}: JSON cannot carry this type: {error}") from None
        for node in nodes:
            if (reason := _not_json(node)) is not None:
                raise TypeError(f"{place}: JSON cannot carry the type {reason}")
        yield from nodes


def _nodes(node: Any) -> Iterator[types.Type]:
    yield node
    inner = (getattr(node, name, None) for name in ("type", "item_type", "key_type", "value_type"))
    for each in (*inner, *getattr(node, "types", ()), *getattr(node, "item_types", ())):
        if isinstance(each, types.Type):
            yield from _nodes(each)


def _not_json(node: types.Type) -> str | None:
    if isinstance(node, types.CustomType) and node.cls is not object:
        return repr(node.cls)
    if isinstance(node, types.DataclassType):
        cls = typing.get_origin(node.cls) or node.cls
        return None if dataclasses.is_dataclass(cls) else repr(cls)  # such as one of attrs
    if isinstance(node, types.RawType | types.ExtType):
        return type(node).__name__.removesuffix("Type")
    if isinstance(node, types.DictType) and isinstance(node.key_type, NO_KEYS):
        return f"{type(node.key_type).__name__.removesuffix('Type')} as the key of a dict"
    return None


@contextmanager
def _as_sent(cls: type) -> Iterator[None]:
    """Show msgspec, which looks at a class once, a dataclass without its init=False fields.

    Their defaults are set as the class's __init__ does it: before __post_init__.
    """
    fields: dict[str, Any] = getattr(cls, "__dataclass_fields__", {})
    late = [field for field in fields.values() if not field.init]
    if not late:
        yield
        return
    post_init = getattr(cls, "__post_init__", None)

    def complete(self: Any) -> None:
        for field in late:
            if field.default_factory is not dataclasses.MISSING:
                object.__setattr__(self, field.name, field.default_factory())
            elif field.default is not dataclasses.MISSING:
                object.__setattr__(self, field.name, field.default)
        if post_init is not None:
            post_init(self)

    shown = {
        "__dataclass_fields__": {name: each for name, each in fields.items() if each not in late},
        "__post_init__": complete,
    }
    own = {name: value for name, value in vars(cls).items() if name in shown}
    if "__msgspec_cache__" in vars(cls):
        del cls.__msgspec_cache__  # type: ignore[attr-defined]
    for name, value in shown.items():
        setattr(cls, name, value)
    try:
        yield
    finally:
        for name in shown:
            delattr(cls, name)
        for name, value in own.items():
            setattr(cls, name, value)
