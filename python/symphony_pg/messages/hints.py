"""What a message may be, for type checkers; and what a handler says that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import NoneType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)


class DataclassMessage(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class StructMessage(Protocol):
    """A msgspec Struct."""

    __struct_fields__: ClassVar[tuple[str, ...]]


class ModelMessage(Protocol):
    """A pydantic model."""

    __pydantic_fields_set__: set[str]


Message = DataclassMessage | StructMessage | ModelMessage

JSON = (dict, list, str, int, float, bool, NoneType)


def refuse_other_class(
    function: Callable[..., Any], given: tuple[type, ...], what: str, *, many: bool = False
) -> None:
    """Raise TypeError if a function wants what it will never be given.

    `given` is what it may get, one of these; with many, a list of it. An annotation that cannot be
    read, or says something else than a class, is believed.
    """
    wanted = _annotation(function)
    if many:
        if not _takes((list,), wanted):
            raise TypeError(f"{what} gets a list of messages, and its annotation is {wanted!r}")
        arguments = get_args(wanted)
        wanted = arguments[0] if len(arguments) == 1 else Any
    if not _takes(given, wanted):
        gets = "a JSON value" if given is JSON else given[0].__qualname__
        says = getattr(wanted, "__qualname__", wanted)
        raise TypeError(f"{what} gets {gets}, and its annotation says {says}")


def _annotation(function: Callable[..., Any]) -> Any:
    """Return what the first parameter is said to be."""
    try:
        parameter = next(iter(inspect.signature(function).parameters.values()))
        if not isinstance(parameter.annotation, str):
            return parameter.annotation
        found = inspect.unwrap(getattr(function, "func", function))
        found = found if inspect.isroutine(found) else type(found).__call__
        names = inspect.getclosurevars(found)
        hint = SimpleNamespace(__annotations__={"message": parameter.annotation})
        known = {**names.builtins, **names.globals, **names.nonlocals}
        scope = {**getattr(found, "__globals__", {}), **known}
        return get_type_hints(hint, scope, include_extras=True)["message"]
    except Exception:  # a name that is not there yet, or only for type checkers
        return Any


def _takes(given: tuple[type, ...], wanted: Any) -> bool:
    """Tell whether one of the classes may be meant by an annotation."""
    origin = get_origin(wanted)
    if origin is Annotated:
        return _takes(given, get_args(wanted)[0])
    if origin in (Union, UnionType):
        return any(_takes(given, each) for each in get_args(wanted))
    if isinstance(wanted, TypeVar):
        bounds = wanted.__constraints__ or (wanted.__bound__,)
        return any(each is None or _takes(given, each) for each in bounds)
    kind = origin or wanted
    if kind is Any or kind is inspect.Parameter.empty or not isinstance(kind, type):
        return True
    if getattr(kind, "_is_protocol", False) or is_typeddict(kind):
        return True
    try:
        return any(issubclass(each, kind) for each in given)
    except TypeError:
        return True
