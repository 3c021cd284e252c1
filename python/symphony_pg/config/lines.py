"""The line of each key of a TOML document."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Keys = tuple[str, ...]


def lines_of(text: str) -> dict[Keys, int]:
    """Return the line of each key of a TOML document.

    Statements are told apart by the parser itself: one ends at the first line where it can be read.
    """
    lines: dict[Keys, int] = {}
    table: Keys = ()
    statement, begins = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not statement:
            begins = number
        statement += line + "\n"
        try:
            values = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if re.match(r"\s*\[", statement):
            table = next((keys for keys in _paths(values) if _is_end(values, keys)), ())
            lines.setdefault(table, begins)
        for keys in _paths(values):
            whole = keys if re.match(r"\s*\[", statement) else table + keys
            lines.setdefault(whole, begins)
        statement = ""
    return lines


def _paths(values: Mapping[str, Any], above: Keys = ()) -> Iterator[Keys]:
    for key, value in values.items():
        yield (*above, key)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from _paths(inner, (*above, key))


def _is_end(values: Any, keys: Keys) -> bool:
    for key in keys:
        values = values[key]
    return values in ({}, [{}])
