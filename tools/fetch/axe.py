"""Obtain npm's axe-core, which finds what hinders people with disabilities: build/axe."""

import subprocess
import sys
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from fetch import postgrest_js

TARGET = Path(__file__).resolve().parents[2] / "build" / "axe"
PACKAGE = "axe-core@4.14.1"


def obtain() -> str | None:
    """Return the script; None: it cannot be had here."""
    try:
        if not TARGET.exists():
            _fetch()
        return (TARGET / "package" / "axe.min.js").read_text()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return None


def _fetch() -> None:
    TARGET.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent) as folder:
        _, npm = postgrest_js.programs()
        subprocess.run(
            [*npm, "pack", "--silent", "--pack-destination", folder, PACKAGE],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=True,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            files.extract("package/axe.min.js", Path(folder, "axe"), filter="data")
        with suppress(OSError):  # somebody else was faster
            Path(folder, "axe").rename(TARGET)
