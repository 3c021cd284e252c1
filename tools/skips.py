"""Count the tests that pytest has skipped, and fail if one of them must not be.

Usage: skips.py REPORT MODULE... The report is that of pytest --junitxml. No test of these modules
may be skipped, and each has one at least.
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path


def main(report: str, modules: Sequence[str]) -> int:
    """Print what was skipped; return 1 if a test of these modules was, or if one has none."""
    names: list[str] = []
    skipped: dict[str, str] = {}
    for case in ElementTree.parse(Path(report)).iter("testcase"):  # noqa: S314 (of our own pytest)
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        names.append(name)
        if (skip := case.find("skipped")) is not None and skip.get("type") != "pytest.xfail":
            skipped[name] = skip.text or ""  # where, and why
    for name, why in skipped.items():
        print(f"skipped: {name}: {why}")
    print(f"{len(skipped)} of {len(names)} tests were skipped")
    wrong = [f"{name} must not be skipped" for name in skipped if _is_of(name, modules)]
    for module in modules:
        if not any(_is_of(name, [module]) for name in names):
            wrong.append(f"there is no test of {module} in {report}")
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def _is_of(name: str, modules: Sequence[str]) -> bool:
    return any(f".{module}." in f".{name}." for module in modules)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
