"""Whatever the package and its extras need, there is a version for each Python that we promise."""

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

OURS = "symphony-pg"
ANOTHER_PYTHON = "require a different python version"


@pytest.mark.parametrize("python", ["3.10", "3.13"])
def test_all_that_is_needed_can_be_installed(tmp_path: Path, python: str) -> None:
    needed = [Requirement(text) for text in requires(OURS) or ()]
    pip = (sys.executable, "-m", "pip", "install", "--dry-run", "--disable-pip-version-check")
    done = subprocess.run(
        [
            *(*pip, "--quiet", "--no-deps", "--ignore-installed", "--target", tmp_path),
            *("--python-version", python, "--only-binary", ":all:"),
            *sorted({f"{each.name}{each.specifier}" for each in needed if each.name != OURS}),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and ANOTHER_PYTHON not in done.stderr:
        pytest.skip("there is no registry to ask")
    assert done.returncode == 0, done.stderr
