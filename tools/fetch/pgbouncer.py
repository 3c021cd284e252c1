"""Obtain PgBouncer, without root: an installed one, or Debian's, downloaded and unpacked."""

import os
import shutil
from pathlib import Path

from fetch import debian
from fetch.build import BUILD, filled, starts

UNPACKED = BUILD / "pgbouncer"
# The program, and those of its libraries that a small system lacks.
PACKAGES = ("pgbouncer", "libc-ares2", r"libevent-2\.1-7(t64)?")


def obtain(folder: Path) -> list[str] | None:
    """Return the command that runs PgBouncer; None: it cannot be had here.

    It refuses to run as root and is told to be nobody instead, who may not be allowed to read the
    work tree. So what was unpacked there is copied into the folder.
    """
    command = [shutil.which("pgbouncer", path="/usr/local/bin:/usr/bin:/usr/sbin") or ""]
    if not command[0]:
        if not filled(UNPACKED, _unpack):
            return None
        files = shutil.copytree(UNPACKED, folder / "pgbouncer")
        libraries = ":".join(str(path) for path in files.glob("usr/lib/*-linux-*"))
        command = ["env", f"LD_LIBRARY_PATH={libraries}", str(files / "usr/sbin/pgbouncer")]
    if not starts(command):
        return None
    return command if os.geteuid() else [*command, "--user=nobody"]


def _unpack(draft: Path) -> bool:
    if not debian.unpack(PACKAGES[0], draft):
        return False
    for package in PACKAGES[1:]:
        debian.unpack(package, draft)
    return True
