"""The description of the end points, in OpenAPI 3.1: openapi.json, with the paths of a server."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def document(path: str, cron_path: str) -> dict[str, Any]:
    """Return the document for a server whose end points are at these paths."""
    text = (resources.files(__package__) / "openapi.json").read_text("utf-8")
    described: dict[str, Any] = json.loads(text)
    described["paths"] = {
        name.format(path=path, cron_path=cron_path): each
        for name, each in described["paths"].items()
        if cron_path or name != "{cron_path}"
    }
    return described
