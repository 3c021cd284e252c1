"""What PostgreSQL or Python cannot hold: text with NUL, JSON that is nested too deeply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg.adapt import Loader, Transformer
from psycopg.pq import Format
from psycopg.types.json import Jsonb, JsonbBinaryLoader

JSONB = 3802


class RawJson(str):
    """JSON text that Python cannot hold: nested too deeply, or with a number that is too long.

    As an argument it is sent as it is.
    """

    __slots__ = ()


def explain(arguments: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with text among the arguments, and where; None if nothing is."""
    for path, text in _texts(arguments):
        for position, character in enumerate(text, 1):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                name = "NUL" if character == "\0" else "half a surrogate pair"
                return (
                    f"{path} contains {name}, which PostgreSQL cannot store",
                    f"It is number {position} of {len(text)} characters.",
                )
    return None


def _texts(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield all text, with its place. Not by recursion: it may be nested deeply."""
    waiting: list[tuple[str, Any]] = list(reversed([*arguments.items()]))
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, Jsonb):
            waiting.append((path, value.obj))
        elif isinstance(value, Mapping):
            for key, inner in reversed([*value.items()]):
                waiting.append((f"{path}.{key}", inner))
                waiting.append((f"a key of {path}", key))
        elif isinstance(value, list | tuple):
            waiting.extend((f"{path}[{i}]", value[i]) for i in reversed(range(len(value))))


def read_again(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a cursor, and as RawJson what Python cannot hold of them."""
    result = cursor.pgresult
    assert result is not None
    usual = cursor.adapters.get_loader(JSONB, Format.BINARY) or JsonbBinaryLoader

    class Tolerant(Loader):
        format = Format.BINARY

        def __init__(self, oid: int, connection: Any = None) -> None:
            super().__init__(oid, connection)
            self._usual = usual(oid, connection)

        def load(self, data: Any) -> Any:
            try:
                return self._usual.load(data)
            except (RecursionError, ValueError):
                return RawJson(bytes(data)[1:].decode())  # after the number of the format

    cursor.adapters.register_loader("jsonb", Tolerant)
    reader = Transformer(cursor)
    reader.set_pgresult(result)
    return reader.load_rows(0, result.ntuples, tuple)
