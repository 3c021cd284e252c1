"""The libraries of brokers, which are imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from ..extras import needing


def needs(module: str, extra: str) -> Any:
    """Import a library; say which extra brings it if it is not there."""
    with needing(f"a transport of type {extra}", f"symphony-pg[{extra}]"):
        return importlib.import_module(module)
