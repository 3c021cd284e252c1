"""Obtain pgTAP as one plain SQL file, without root: build/pgtap.sql.

In this order: the file that TAP_SQL names, an installed pgTAP of any PostgreSQL major (the SQL is
the same for all that we support), and Debian's package, downloaded and unpacked, not installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "pgtap.sql"
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
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    unpacked = TARGET.with_suffix("")
    unpacked.mkdir(parents=True, exist_ok=True)
    for apt in _apt_states():
        for package in _packages(apt):
            with tempfile.TemporaryDirectory() as folder:
                # In its own folder, for apt-get cannot be told where to put a download.
                done = _apt(apt, "apt-get", "download", package, cwd=folder)
                for deb in Path(folder).glob("*.deb"):
                    subprocess.run(["dpkg", "-x", str(deb), str(unpacked)], check=True)
            if done and (script := _newest([*unpacked.rglob("extension")])):
                return script
    return None


def _apt_states() -> Iterator[list[str]]:
    """Yield options for apt: the system's package lists, then fresh ones of our own."""
    yield []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lists/partial", "cache/archives/partial"):
            Path(folder, name).mkdir(parents=True)
        options = ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
        if _apt(options, "apt-get", "update", cwd=folder):
            yield options


def _packages(apt: list[str]) -> list[str]:
    listed = subprocess.run(
        ["apt-cache", *apt, "pkgnames", "postgresql-"], capture_output=True, text=True, check=False
    )
    return sorted(re.findall(r"^postgresql-\d+-pgtap$", listed.stdout, re.MULTILINE), reverse=True)


def _apt(options: list[str], command: str, *arguments: str, cwd: str) -> bool:
    done = subprocess.run(
        [command, "-qq", *options, *arguments], cwd=cwd, capture_output=True, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.stdout.write(f"pgTAP: {obtain()}\n")
