"""Obtain pgTAP as one plain SQL file, without root: build/pgtap.sql.

In this order: the file that TAP_SQL names, an installed pgTAP of any PostgreSQL major (the SQL is
the same for all that we support), and Debian's package, downloaded and unpacked, not installed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from fetch import debian
from fetch.build import BUILD

TARGET = BUILD / "pgtap.sql"
SCRIPT = "pgtap--[0-9]*.sql"
HELP = """\
pgTAP was not found and could not be downloaded. Either
  install it       (Debian: apt-get install postgresql-15-pgtap), or
  point to it      TAP_SQL=/path/to/pgtap--1.3.3.sql make test
"""


def obtain() -> Path:
    """Return the path of pgTAP's SQL, fetching it on the first call."""
    if chosen := os.environ.get("TAP_SQL"):
        return Path(chosen).absolute()
    if not TARGET.exists():
        source = _installed() or _downloaded()
        if source is None:
            raise SystemExit(HELP)
        TARGET.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, TARGET)
    return TARGET


def _newest(folders: list[Path]) -> Path | None:
    """Return the newest script that installs a whole version (upgrades name two)."""
    scripts = [
        path
        for folder in folders
        for path in folder.glob(SCRIPT)
        if re.fullmatch(r"pgtap--[\d.]+\.sql", path.name)
    ]
    return max(scripts, key=lambda path: [*map(int, re.findall(r"\d+", path.name))], default=None)


def _installed() -> Path | None:
    folders = [*Path("/usr/share/postgresql").glob("*/extension")]
    pg_config = Path(os.environ["PG_BIN"]) / "pg_config" if "PG_BIN" in os.environ else "pg_config"
    try:
        share = subprocess.run(
            [pg_config, "--sharedir"], capture_output=True, text=True, check=True
        ).stdout.strip()
        folders.append(Path(share, "extension"))
    except (OSError, subprocess.CalledProcessError):
        pass
    return _newest(folders)


def _downloaded() -> Path | None:
    unpacked = TARGET.with_suffix("")
    debian.unpack(r"postgresql-\d+-pgtap", unpacked)
    return _newest([*unpacked.rglob("extension")])
