"""A call of a SQL function: its statement, its arguments, and how its answer is read.

With psycopg, answers and intervals travel in binary form. As text they would look as DateStyle,
IntervalStyle and TimeZone of the session say, and a session that a pooler lends has whatever
settings it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from ..times import check_moment
from .limits import RawJson, read_again
from .translation import TRANSLATED, raise_ours

T = TypeVar("T")
Row = TypeVar("Row", bound="tuple[Any, ...]")
# The arguments that are a moment. Someone may give text, which PostgreSQL would read.
MOMENTS = frozenset(
    (
        "after",
        "available_at",
        "before_at",
        "ends_at",
        "enqueued_at",
        "expires_at",
        "since",
        "starts_at",
        "until",
    )
)
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call of one SQL function, and how to read its rows."""

    statement: bytes
    arguments: Mapping[str, Any]
    read: Callable[[Rows], T]

    @property
    def statement_in_text(self) -> str:
        """The statement for other drivers, which know of no binary form."""
        return re.sub(r"(%\(\w+\))b", r"\1s", self.statement.decode())


def run(cursor: psycopg.Cursor[tuple[Any, ...]], call: Call[T]) -> T:
    """Execute a call and read its answer; raise our error for what PostgreSQL refuses."""
    try:
        cursor.execute(call.statement, call.arguments, binary=True)
        try:
            rows = cursor.fetchall()
        except (RecursionError, ValueError):
            rows = read_again(cursor)
        return call.read(rows)
    except TRANSLATED as error:
        raise_ours(error, call.arguments)
        raise


async def run_async(cursor: psycopg.AsyncCursor[tuple[Any, ...]], call: Call[T]) -> T:
    """Do what run() does, from async code."""
    try:
        await cursor.execute(call.statement, call.arguments, binary=True)
        try:
            rows = await cursor.fetchall()
        except (RecursionError, ValueError):
            rows = read_again(cursor)
        return call.read(rows)
    except TRANSLATED as error:
        raise_ours(error, call.arguments)
        raise


def call(
    function: str,
    arguments: Mapping[str, Any],
    read: Callable[[Rows], T],
    columns: tuple[str, ...] = (),
    verb: str = "select",
) -> Call[T]:
    """Describe a call; an argument that is None is left out."""
    given: dict[str, Any] = {}
    places: list[str] = []
    for name, each in arguments.items():
        if each is None:
            continue
        if isinstance(each, datetime) or (name in MOMENTS and isinstance(each, str)):
            check_moment(name, each)
        given[name] = each
        places.append(f"%({name})b" if isinstance(each, timedelta) else f"%({name})s")
    return Call(_statement(verb, function, columns, (*given,), (*places,)), given, read)


@lru_cache(1000)  # psycopg knows what it has seen before if it is the same object
def _statement(
    verb: str, function: str, columns: Sequence[str], names: Sequence[str], places: Sequence[str]
) -> bytes:
    given = ", ".join(f"{name} => {place}" for name, place in zip(names, places, strict=True))
    called = f"symphony.{function}({given})"
    statement = f"select {', '.join(columns)} from {called}" if columns else f"{verb} {called}"  # noqa: S608
    return statement.encode()


def column(rows: Rows) -> list[Any]:
    """Return the values of an answer that has one column."""
    return list(map(itemgetter(0), rows))


def value(function: str, **arguments: Any) -> Call[Any]:
    """Describe the call of a function that returns one value."""
    return call(function, arguments, lambda rows: rows[0][0])


def values(function: str, **arguments: Any) -> Call[list[Any]]:
    """Describe the call of a function that returns a set of values."""
    return call(function, arguments, column)


def rows(kind: type[Row], function: str, **arguments: Any) -> Call[list[Row]]:
    """Describe the call of a function that returns a table: the fields of `kind`."""
    make: Callable[[tuple[Any, ...]], Row] = kind._make  # type: ignore[attr-defined]
    columns: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
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


def as_objects(objects: Any, *times: str) -> Jsonb:
    """Wrap an argument that is an array of JSON objects, some of whose values are times."""
    if isinstance(objects, list | tuple):
        objects = [_with_times(each, times) for each in objects]
    return _wrapped(objects)


def _with_times(given: Any, times: tuple[str, ...]) -> Any:
    """Write the times of an object as JSON has them."""
    if not isinstance(given, Mapping):
        return given  # the function says what it should be
    written = {}
    for name in times:
        each = given.get(name)
        if isinstance(each, datetime | str) and name in MOMENTS:
            check_moment(name, each)
        if isinstance(each, datetime):
            written[name] = each.isoformat()
        elif isinstance(each, timedelta):
            written[name] = f"{each.total_seconds():.6f} seconds"
    return {**given, **written} if written else given


def jsonb(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return arguments with those of these names wrapped as jsonb, if they are not yet."""
    wrapped = {**arguments}
    for name in names:
        if (value := wrapped.get(name)) is not None and type(value) is not Jsonb:
            wrapped[name] = _wrapped(value)
    return wrapped


def _wrapped(value: Any) -> Jsonb:
    return Jsonb(value, str if isinstance(value, RawJson) else None)


def json_text(value: Jsonb) -> str:
    """Return the text of an argument that is jsonb, for a driver that wants text."""
    return str((value.dumps or json.dumps)(value.obj))


def as_list(values: Sequence[T] | None) -> list[T] | None:
    """Return values as psycopg takes an array."""
    return None if values is None else list(values)
