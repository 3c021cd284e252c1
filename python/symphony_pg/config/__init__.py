"""symphony.toml: transports, routing, retries and worker settings in one file.

    config = load("symphony.toml")      # raises ConfigError, which names every mistake and its line
    Client(conn).apply_config(config.wanted)

The file is only read here. What it means, apply_config() says in the database.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import SymphonyError
from .lines import lines_of
from .reader import Reader
from .result import Config, ConfigError, Problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["FILE", "Config", "ConfigError", "Problem", "find", "load"]

FILE = "symphony.toml"


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return `path`, else the file of SYMPHONY_CONFIG, else ./symphony.toml if there is one."""
    given = path or os.environ.get("SYMPHONY_CONFIG")
    if given:
        return Path(given)
    return Path(FILE) if Path(FILE).exists() else None


def load(path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Config:
    """Read the file and check all of it; raise ConfigError, or SymphonyError without a file."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SymphonyError(
            f"{path} cannot be read", detail=f"{error}.", hint="Name the file with --config."
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(path, [Problem(line, "", f"this is not TOML: {what}")]) from None
    reader = Reader(lines_of(text), os.environ if environment is None else environment)
    config = reader.read(path, document)
    if reader.problems:
        raise ConfigError(path, reader.problems)
    return config
