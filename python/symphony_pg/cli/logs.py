"""What a worker logs, for people or as JSON lines."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from .output import Output


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "at": datetime.fromtimestamp(record.created).astimezone().isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["error"] = self.formatException(record.exc_info)
        return json.dumps(values)


def start_logging(out: Output) -> None:
    """Log to standard error, so that standard output holds nothing but the result."""
    if out.as_json:
        formatter: logging.Formatter = _JsonLines()
    elif out.is_live:
        formatter = logging.Formatter("\r\033[K%(asctime)s %(message)s", "%H:%M:%S")
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%FT%T%z")
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
