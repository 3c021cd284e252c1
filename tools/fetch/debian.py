"""Obtain the files of Debian's packages without root: downloaded and unpacked, not installed."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def unpack(pattern: str, folder: Path) -> bool:
    """Unpack a package whose name matches the pattern, the last by name that can be had.

    False: there is none, or no apt.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    return any(
        _downloaded(apt, folder, package)
        for apt in _apt_states()
        for package in _packages(apt, pattern)
    )


def unpack_with_needs(packages: tuple[str, ...], folder: Path) -> bool:
    """Unpack packages, and whatever they need that is not installed on this system."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    return any(
        bool(needed := _needed(apt, packages)) and _downloaded(apt, folder, *needed)
        for apt in _apt_states()
    )


def _needed(apt: list[str], packages: tuple[str, ...]) -> list[str]:
    """Return what an installation would bring; nothing is installed."""
    planned = subprocess.run(
        ["apt-get", "-qq", *apt, "--simulate", "--no-install-recommends", "install", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    return re.findall(r"^Inst (\S+)", planned.stdout, re.MULTILINE)


def _downloaded(apt: list[str], target: Path, *packages: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        # In its own folder, for apt-get cannot be told where to put a download.
        done = _apt(apt, "apt-get", "download", *packages, cwd=folder)
        for deb in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(deb), str(target)], check=True)
    return done


def _apt_states() -> Iterator[list[str]]:
    """Yield options for apt: the system's package lists, then fresh ones of our own."""
    yield []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lists/partial", "cache/archives/partial"):
            Path(folder, name).mkdir(parents=True)
        options = ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
        if _apt(options, "apt-get", "update", cwd=folder):
            yield options


def _packages(apt: list[str], pattern: str) -> list[str]:
    listed = subprocess.run(
        ["apt-cache", *apt, "pkgnames"], capture_output=True, text=True, check=False
    )
    return sorted(re.findall(rf"^{pattern}$", listed.stdout, re.MULTILINE), reverse=True)


def _apt(options: list[str], command: str, *arguments: str, cwd: str) -> bool:
    done = subprocess.run(
        [command, "-qq", *options, *arguments], cwd=cwd, capture_output=True, check=False
    )
    return done.returncode == 0
