"""What continuous integration does not let be skipped: tools/skips.py, as .ci/run calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

MODULE = "tests.http.test_browser"
RUNS = "def test_it(): pass\n"
SKIPS = "import pytest\ndef test_other(): pytest.skip('there is no Chromium')\n"
SKIPS_IN_A_FIXTURE = (
    "import pytest\n@pytest.fixture\ndef it(): pytest.skip('there is no axe-core')\n"
    "@pytest.mark.parametrize('n', ['a.b'])\ndef test_it(it, n): pass\n"
)
IS_NOT_IMPORTED = "import pytest\npytest.importorskip('no_such_module')\n"
FAILS_AS_EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"


def looked_at(folder: Path, **modules: str) -> "subprocess.CompletedProcess[str]":
    """Let pytest run these modules, and the script look at its report."""
    for name, text in modules.items():
        path = folder / "python/tests" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    report = folder / "report.xml"
    pytest_itself = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    options = ("--rootdir", folder, "-c", "/dev/null", f"--junitxml={report}", folder)
    subprocess.run([*pytest_itself, *options], cwd=folder, check=False, capture_output=True)
    return subprocess.run(
        [sys.executable, ROOT / "tools/skips.py", report, MODULE],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("text", [RUNS, FAILS_AS_EXPECTED], ids=["runs", "xfail"])
def test_others_may_be_skipped_and_are_counted(tmp_path: Path, text: str) -> None:
    done = looked_at(tmp_path, http__test_browser=text, http__test_browser_of_others=SKIPS)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [each for each in done.stdout.splitlines() if "test_other" in each]
    assert line.endswith("there is no Chromium")
    assert "1 of 2 tests were skipped" in done.stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (RUNS + SKIPS, "there is no Chromium"),
        (SKIPS_IN_A_FIXTURE, "there is no axe-core"),
        (IS_NOT_IMPORTED, "no_such_module"),
    ],
    ids=["test", "fixture", "module"],
)
def test_a_skip_of_these_fails(tmp_path: Path, text: str, why: str) -> None:
    done = looked_at(tmp_path, http__test_browser=text, test_other=RUNS)
    assert done.returncode == 1
    assert f"{MODULE}" in done.stderr and "must not be skipped" in done.stderr
    assert why in done.stdout


def test_those_that_were_not_run_fail(tmp_path: Path) -> None:
    done = looked_at(tmp_path, test_other=RUNS)
    assert done.returncode == 1
    assert f"there is no test of {MODULE}" in done.stderr


def test_what_continuous_integration_names_is_there() -> None:
    (line,) = [each for each in (ROOT / ".ci/run").read_text().splitlines() if "skips.py" in each]
    report, *modules = line.split("skips.py ")[1].split()
    assert f"--junitxml={report}" in (ROOT / "Makefile").read_text()
    assert modules == [MODULE]
    assert (ROOT / "python" / f"{MODULE.replace('.', '/')}.py").exists()
