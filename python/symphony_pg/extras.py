"""Packages that not everybody needs: they are imported late, and one that is missing is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import WrongState


@contextmanager
def needing(what: str, install: str) -> Iterator[None]:
    """Import in the block what something needs; say how to install what is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise WrongState(
            f"{what} needs the package {error.name}",
            detail="It is not among the packages that everybody needs.",
            hint=f"Run: pip install '{install}'",
        ) from error
