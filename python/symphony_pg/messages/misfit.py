"""The part of a body that does not fit its type: where it is, and what is wrong with it."""

from __future__ import annotations

import json
import re
from datetime import timezone
from decimal import Decimal
from typing import Any

import msgspec

from ..times import parse_datetime
from .fidelity import Found

PLACE = re.compile(r"(.*?)(?: - at (`key` in )?`\$(.*)`)?", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(.*)`")
STEP = re.compile(r"\.[^.\[]+|\[\d+\]|\[\.\.\.\]")
NO_DATETIME = "Invalid RFC3339 encoded datetime"

exact_json = msgspec.json.Encoder(decimal_format="number").encode


class Misfit:
    """What msgspec has found, with the keys of dicts, which it shows as `...`."""

    def __init__(
        self, error: msgspec.ValidationError, body: str | bytes, decoder: msgspec.json.Decoder[Any]
    ) -> None:
        self._decoder = decoder
        self._error = str(error)
        found = PLACE.fullmatch(self._error)
        assert found is not None
        self._text, is_key, path = found[1], found[2], found[3] or ""
        try:
            self._tree = [json.loads(body, parse_float=Decimal)]
            self._where: tuple[Any, Any] = (self._tree, 0)
            path = self._follow(f"{path}[...]" if is_key else path)
        except (ValueError, LookupError, TypeError):  # a name with a dot in it, or half a body
            self._where = ([None], 0)
        if missing := MISSING.fullmatch(self._text):
            self.found: Found = (f"{path}.{missing[1]}", "missing")
        elif error.__cause__ is not None:  # the class's own words
            self.found = (path, self._text)
        else:
            text = f"{self._text[:1].lower()}{self._text[1:]}"
            self.found = (path, f"{text}, as a key" if is_key else text)

    def mended(self) -> str | None:
        """Return the body with a time that Python can read, though it is not quite RFC 3339."""
        container, key = self._where
        if self._text != NO_DATETIME or not isinstance(container[key], str):
            return None
        try:
            moment = parse_datetime(container[key])
            if moment.tzinfo is not None:
                moment = moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            return None
        container[key] = moment.isoformat()
        return exact_json(self._tree[0]).decode()

    def _follow(self, path: str) -> str:
        """Go to the place, and return the path with the keys of dicts."""
        named = ""
        for step in STEP.findall(path):
            container, key = self._where
            node = container[key]
            place: Any
            if step == "[...]":
                place = self._key_in(node)
                named += f".{place}"
            else:
                place = int(step[1:-1]) if step[0] == "[" else step[1:]
                named += step
            self._where = node, place
        return named

    def _key_in(self, table: dict[str, Any]) -> str:
        """Return the key whose value, alone in the table, leads to the same error."""
        items = dict(table)
        for key, item in items.items():
            table.clear()
            table[key] = item
            try:
                self._decoder.decode(exact_json(self._tree[0]))
            except msgspec.ValidationError as error:
                if str(error) == self._error:
                    break
        table.clear()
        table.update(items)
        return key
