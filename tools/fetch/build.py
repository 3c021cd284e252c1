"""The folder of what is fetched: each part is made once, whoever else makes it at that time."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"


def filled(target: Path, make: Callable[[Path], object]) -> bool:
    """Let `make` fill a folder that becomes the target when it is whole, unless it is there.

    It returns False if it cannot, and so does this.
    """
    if target.exists():
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder, "files")
        draft.mkdir()
        if make(draft) is False:
            return False
        with suppress(OSError):  # somebody else was faster
            draft.rename(target)
    return True


def starts(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether a program tells its version, and if not, say why."""
    try:
        subprocess.run(
            [*command, "--version"], env=environment, stdout=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return False
    return True


def download_wheel(requirement: str, folder: Path, *options: str) -> zipfile.ZipFile:
    """Let pip download a wheel into a folder, and open it."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary", ":all:", *options, "--dest", str(folder), requirement),
        ],
        stdout=sys.stderr,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)
