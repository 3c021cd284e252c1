"""Check the house rules that only the text of the SQL files shows.

What the catalog can prove is in sql/tests/house_rules.sql.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "sql"
WIDTH = 110
DOLLAR_QUOTED = re.compile(r"(\$\w*\$).*?\1", re.DOTALL)
DEFINES = re.compile(r"^create or replace (?:function|procedure) symphony\.(\w+)\(", re.MULTILINE)


def _layout(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH:
            yield number, f"is longer than {WIDTH} characters"
        if "\t" in line:
            yield number, "contains a tab"
        if line != line.rstrip():
            yield number, "ends in a space"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield text.count("\n") + 1, "the file does not end in one newline"


def _installable(text: str) -> Iterator[tuple[int, str]]:
    """Expect that any driver can run it, inside a transaction of the caller."""
    outside = DOLLAR_QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n"), text)
    for number, line in enumerate(outside.split("\n"), 1):
        if line.startswith("\\"):
            yield number, "is a command of psql, not SQL"
        if re.match(r"\s*(begin|start transaction|commit|rollback|end)\b", line, re.IGNORECASE):
            yield number, "begins or ends a transaction"


def _one_function(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Expect of a file of sql/functions one function, its contract and its access."""
    defined = DEFINES.findall(text)
    if defined != [name]:
        yield 1, f"must define symphony.{name} and nothing else, but defines {defined}"
    for statement in ("comment on", "revoke execute on"):
        if not re.search(rf"^{statement} (function|procedure)\s+symphony\.{name}\(", text, re.M):
            yield 1, f"lacks: {statement} function symphony.{name}"


def problems() -> Iterator[str]:
    """Yield a line for each offence, as file:line: text."""
    for path in sorted(SQL.rglob("*.sql")):
        text = path.read_text()
        is_test = path.is_relative_to(SQL / "tests")
        found = [*_layout(text)]
        if not is_test:
            found += _installable(text)
        if path.is_relative_to(SQL / "functions"):
            found += _one_function(path.stem, text)
        for number, problem in found:
            yield f"{path.relative_to(ROOT)}:{number}: {problem}"


if __name__ == "__main__":
    offences = [*problems()]
    sys.stdout.writelines(f"{offence}\n" for offence in offences)
    sys.exit(1 if offences else 0)
