"""Obtain npm's axe-core, which finds what hinders people with disabilities: build/axe."""

import subprocess
import sys
import tarfile
from pathlib import Path

from fetch import postgrest_js
from fetch.build import BUILD, filled

TARGET = BUILD / "axe"
PACKAGE = "axe-core@4.14.1"


def obtain() -> str | None:
    """Return the script; None: it cannot be had here."""
    try:
        filled(TARGET, _unpack)
        return (TARGET / "package" / "axe.min.js").read_text()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return None


def _unpack(draft: Path) -> None:
    _, npm = postgrest_js.programs()
    subprocess.run(
        [*npm, "pack", "--silent", "--pack-destination", str(draft), PACKAGE],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=True,
    )
    (archive,) = draft.glob("*.tgz")
    with tarfile.open(archive) as files:
        text = files.extractfile("package/axe.min.js")
        assert text is not None
        (draft / "package").mkdir()
        (draft / "package" / "axe.min.js").write_bytes(text.read())
