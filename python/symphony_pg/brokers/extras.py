"""The libraries of brokers, which are imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import SymphonyError

__all__ = ["needs"]


def needs(module: str, extra: str) -> Any:
    """Import a library; raise SymphonyError that names the extra which brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise SymphonyError(
            f"transports of type {extra} need the package {package}",
            detail="It is not installed.",
            hint=f"Install it: pip install 'symphony-pg[{extra}]'",
        ) from error
