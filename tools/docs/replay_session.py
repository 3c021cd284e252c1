"""Run the terminal session that a page of the documentation shows, and compare or rewrite it.

In the page a ```python block whose first line is "# name.py" becomes that file, and each command
behind "$ " in a ```console block is run in the same folder, on a terminal, against the database of
SYMPHONY_DSN, which should hold nothing; Symphony is installed there. Times, durations and numbers
of lines may differ from run to run.

    python -m symphony_pg.server -- python tools/docs/replay_session.py --write docs/failed.md
"""

import argparse
import difflib
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "python"))

from symphony_pg.database import install  # noqa: E402

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
SHOWN_FOLDER = "/srv/shop"
WIDTH = 80

# What differs from run to run, and what is compared in its place.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+\+00:00)?"), "(time)"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s)\b"), "(duration)"),
    (re.compile(r"^claim id .*$", re.MULTILINE), "claim id  (id)"),
    (re.compile(r" by \w+$", re.MULTILINE), " by (role)"),
    (re.compile(r'", line \d+, in '), '", line (number), in '),
    (re.compile(r"^[ ~^]+\n", re.MULTILINE), ""),  # the marks below a line of code
    (re.compile(r" +"), " "),
]


def run(command: str, folder: Path) -> str:
    """Run a command on a terminal of its own, and return what it shows."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": str(WIDTH),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
    }
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux tells the end of a terminal
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return CONTROL.sub("", shown.decode()).replace(str(folder), SHOWN_FOLDER)


def replay(page: str) -> str:
    """Return the page with what its commands show now."""

    def block(found: "re.Match[str]") -> str:
        kind, text = found.groups()
        if kind == "python":
            if name := re.match(r"# (\w+\.py)\n", text):
                (folder / name[1]).write_text(text)
            return found[0]
        shown = COMMAND.sub(lambda each: f"$ {each[1]}{_ended(run(each[1], folder))}", text)
        return f"```console\n{shown}```"

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        return BLOCK.sub(block, page)


def _ended(text: str) -> str:
    """Drop spaces at the ends of lines, and lines that show nothing at the end."""
    lines = [line.rstrip() for line in text.rstrip().split("\n")]
    return "\n".join(lines) + "\n" if any(lines) else ""


def steady(page: str) -> str:
    """Return the page without what differs from run to run."""
    for pattern, stand_in in VOLATILE:
        page = pattern.sub(stand_in, page)
    return page


def differences(page: str, now: str) -> Iterator[str]:
    """Yield the lines that differ between the page and a run."""
    return difflib.unified_diff(
        steady(page).splitlines(), steady(now).splitlines(), "the page", "this run", lineterm=""
    )


def main() -> int:
    """Compare a page with a run, or write the run into it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write what was shown into the page")
    parser.add_argument("page", type=Path)
    given = parser.parse_args()
    with psycopg.connect(os.environ["SYMPHONY_DSN"], autocommit=True) as conn:
        install.install(conn)
    page = given.page.read_text()
    now = replay(page)
    if given.write:
        given.page.write_text(now)
        return 0
    found = [*differences(page, now)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
