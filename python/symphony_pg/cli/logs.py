"""What a worker logs, for people or as JSON lines."""

from __future__ import annotations

import json
import logging
from datetime import datetime


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


def start_logging(for_people: bool) -> None:
    """Log to standard error, so that standard output holds nothing but the result."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("\r\033[K%(asctime)s %(message)s", "%H:%M:%S")
        if for_people
        else _JsonLines()
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
