"""The folder of what is fetched: each part is made once, whoever else makes it at that time."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"


def fill(target: Path, make: Callable[[Path], bool]) -> bool:
    """Let `make` fill a folder that becomes the target when it is whole; False: it could not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder, "files")
        draft.mkdir()
        if not make(draft):
            return False
        with suppress(OSError):  # somebody else was faster
            draft.rename(target)
    return True
