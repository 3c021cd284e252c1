"""A call of a SQL function: its statement, its arguments, and how its answer is read.

With psycopg, answers and intervals travel in binary form. As text they would look as DateStyle,
IntervalStyle and TimeZone of the session say, and a session that a pooler lends has whatever
settings it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from psycopg.types.json import Jsonb

from ..times import check_moment
from .limits import RawJson

__all__ = [
    "Call",
    "as_jsonb",
    "as_list",
    "call",
    "json_text",
    "jsonb",
    "nothing",
    "procedure",
    "row",
    "rows",
    "value",
    "values",
]

T = TypeVar("T")
Row = TypeVar("Row", bound="tuple[Any, ...]")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call of one SQL function, and how to read its rows."""

    statement: bytes
    arguments: Mapping[str, Any]
    read: Callable[[Sequence[tuple[Any, ...]]], T]

    @property
    def statement_in_binary(self) -> bytes:
        """The statement, as psycopg sends its intervals in binary form."""
        statement = self.statement
        for name, each in self.arguments.items():
            if isinstance(each, timedelta):
                place = b"%%(%s)" % name.encode()
                statement = statement.replace(place + b"s", place + b"b")
        return statement


def call(
    function: str,
    arguments: Mapping[str, Any],
    read: Callable[[Sequence[tuple[Any, ...]]], T],
    columns: Sequence[str] = (),
    verb: str = "select",
) -> Call[T]:
    """Describe a call; an argument that is None is left out."""
    given = {name: each for name, each in arguments.items() if each is not None}
    for name, each in given.items():
        if isinstance(each, datetime):
            check_moment(name, each)
    called = f"symphony.{function}({', '.join(f'{name} => %({name})s' for name in given)})"
    statement = f"select {', '.join(columns)} from {called}" if columns else f"{verb} {called}"  # noqa: S608
    return Call(statement.encode(), given, read)


def value(function: str, **arguments: Any) -> Call[Any]:
    """Describe the call of a function that returns one value."""
    return call(function, arguments, lambda rows: rows[0][0])


def values(function: str, **arguments: Any) -> Call[list[Any]]:
    """Describe the call of a function that returns a set of values."""
    return call(function, arguments, lambda rows: [row[0] for row in rows])


def rows(kind: type[Row], function: str, **arguments: Any) -> Call[list[Row]]:
    """Describe the call of a function that returns a table: the fields of `kind`."""
    make: Callable[[tuple[Any, ...]], Row] = kind._make  # type: ignore[attr-defined]
    columns: Sequence[str] = kind._fields  # type: ignore[attr-defined]
    return call(function, arguments, lambda rows: list(map(make, rows)), columns)


def row(kind: type[Row], function: str, **arguments: Any) -> Call[Row]:
    """Describe the call of a function that returns one row: the fields of `kind`."""
    found = rows(kind, function, **arguments)
    return Call(found.statement, found.arguments, lambda rows: found.read(rows)[0])


def nothing(function: str, **arguments: Any) -> Call[None]:
    """Describe the call of a function that returns nothing."""
    return call(function, arguments, lambda _: None)


def procedure(name: str, **arguments: Any) -> Call[Any]:
    """Describe the call of a procedure that returns one value.

    It commits, so the connection must be in autocommit mode.
    """
    return call(name, arguments, lambda rows: rows[0][0], verb="call")


def as_jsonb(value: Any) -> Jsonb | None:
    """Wrap an argument that is jsonb."""
    if isinstance(value, RawJson):
        return Jsonb(value, dumps=str)
    return None if value is None else Jsonb(value)


def jsonb(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return arguments with those of these names wrapped as jsonb."""
    return {**arguments, **{name: as_jsonb(arguments[name]) for name in names}}


def json_text(value: Jsonb) -> str:
    """Return the text of an argument that is jsonb, for a driver that wants text."""
    return str((value.dumps or json.dumps)(value.obj))


def as_list(values: Sequence[T] | None) -> list[T] | None:
    """Return values as psycopg takes an array."""
    return None if values is None else list(values)
