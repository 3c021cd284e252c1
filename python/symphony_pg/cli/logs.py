"""What a worker logs, for people or as JSON lines, where the application has not said how.

Our handler is logging's last resort: it gets what no handler of the application's gets. So a
basicConfig() or dictConfig() goes first, whenever it comes.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from typing import Any

import click

from ..handling.logged import MESSAGE, naming
from .output import Output

LEVEL = click.Choice(("debug", "info", "warning", "error"), case_sensitive=False)
OF_EVERY_RECORD = {
    *vars(logging.makeLogRecord({})),
    *("message", "asctime", "taskName"),
}


class _JsonLines(logging.Formatter):
    """One JSON object a line, with what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "at": datetime.fromtimestamp(record.created).astimezone().isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            values["stack"] = self.formatStack(record.stack_info)
        for key, value in vars(record).items():
            if key not in OF_EVERY_RECORD and not (key in MESSAGE and value is None):
                values[f"{key}_" if key in values else key] = _plain(value)
        return json.dumps(values)


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a value."""
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError, RecursionError):
        return repr(value)


class _ForPeople(logging.Formatter):
    """A line with its time, and with the message if a handler has written it."""

    def __init__(self, *, is_live: bool) -> None:
        super().__init__()
        self._is_live = is_live

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        at = datetime.fromtimestamp(record.created).astimezone()
        message_id = getattr(record, "message_id", None)
        if message_id is not None and not record.name.startswith("symphony_pg."):
            text = f"{getattr(record, 'message_type', '')} {message_id}: {text}"
        if self._is_live:
            return f"\r\033[K{at:%H:%M:%S} {text}"
        return f"{at:%FT%T%z} {record.levelname} {text}"


def quiet_libraries() -> None:
    """Leave out what a library logs as an error each time that we fail to connect, and say."""
    logging.getLogger("aiormq.connection").addFilter(_is_not_told)


def _is_not_told(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("error when creating transport")


def start_logging(out: Output) -> None:
    """Log to standard error, so that standard output holds nothing but the result."""
    quiet_libraries()
    handler = logging.StreamHandler()
    handler.addFilter(naming)
    for_people = _ForPeople(is_live=out.is_live and sys.stderr.isatty())
    handler.setFormatter(_JsonLines() if out.as_json else for_people)
    logging.lastResort = handler


def configure_logging(level: str | None) -> None:
    """Do what is left to do after the application was imported, and has configured or not.

    Our loggers go on if a dictConfig() has disabled those that were there.
    """
    root, ours = logging.getLogger(), logging.getLogger("symphony_pg")
    for name, each in logging.Logger.manager.loggerDict.items():
        if isinstance(each, logging.Logger) and name.partition(".")[0] == "symphony_pg":
            each.disabled = False
    if level is not None:
        root.setLevel(level.upper())
        ours.setLevel(level.upper())
    elif not ours.hasHandlers() and root.level == logging.WARNING:
        root.setLevel(logging.INFO)
