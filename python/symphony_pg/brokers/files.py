"""The files that a DSN names: who may sign a broker's certificate, and what we show for ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .broker import BrokerAway


def named_in(dsn: str, names: Iterable[str]) -> Iterator[str]:
    """Return what the query of a DSN gives for these names."""
    try:
        query = parse_qs(urlsplit(dsn).query)
    except ValueError:  # the library says what is wrong with it
        query = {}
    return (path for name in names for path in query.get(name, ()))


def check_files(paths: Iterable[str]) -> None:
    """Raise BrokerAway with the name of a file that cannot be read. No library tells it."""
    for path in paths:
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise BrokerAway(f"{path}: {error.strerror}") from error
