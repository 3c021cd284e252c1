"""Check the house rules that only the text of the SQL files shows.

What the catalog can prove is in sql/tests/house_rules.sql.
"""

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import contracts

ROOT = Path(__file__).resolve().parent.parent
SQL = ROOT / "sql"
WIDTH = 110
DOLLAR_QUOTED = re.compile(r"(\$\w*\$).*?\1", re.DOTALL)
CONTRACT = re.compile(r"^comment on (?:function|procedure)\s[^$]*\$\$(.*?)\$\$;", re.DOTALL | re.M)
SIGNATURE = re.compile(
    r"^create or replace \w+ symphony\.\w+\((.*?)\)\s(?:returns|language)", re.DOTALL | re.M
)
COLUMNS = re.compile(r"^returns table \((.*?)\)\nlanguage", re.DOTALL | re.M)
NOTE = re.compile(r"/\*.*?\*/", re.DOTALL)
WIDTH_OF_NOTES = 95
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
    """Expect of a file of sql/functions one function and its contract."""
    defined = DEFINES.findall(text)
    if defined != [name]:
        yield 1, f"must define symphony.{name} and nothing else, but defines {defined}"
    if not re.search(rf"^comment on (function|procedure) symphony\.{name} is$", text, re.M):
        yield 1, f"lacks: comment on function symphony.{name} is"


def _notes(text: str) -> Iterator[tuple[int, str]]:
    """Expect that the lines of a comment are full, but for the last one of a sentence."""
    for note in NOTE.finditer(text):
        first = text.count("\n", 0, note.start()) + 1
        lines = [line.rstrip().removesuffix("*/") for line in note[0].split("\n")]
        for number, (line, following) in enumerate(pairwise(lines), first):
            following = re.sub(r"^\s*\* ", "", following).strip()
            is_prose = re.match(r"(/\*|\s*\*)?\s*[\w('\-]", line) and following[:1].islower()
            if is_prose and contracts.is_broken_off(line, following, WIDTH_OF_NOTES):
                yield number, "is broken off: wrap the text anew"


def _contract(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Expect of a contract that it is laid out as all are, and tells the arguments there are."""
    found = CONTRACT.search(text)
    signature = SIGNATURE.search(text)
    if found is None or signature is None:
        yield 1, "has a contract or a signature that cannot be read"
        return
    first = text.count("\n", 0, found.start(1)) + 1
    for number, problem in contracts.problems(found[1]):
        yield first + number, problem
    contract = contracts.read(found[1])
    for problem in contracts.told(contract, arguments(signature[1]), is_public=name[0] != "_"):
        yield first, problem
    columns = results(signature[1], text)
    for column in contract.columns if columns else ():
        if column not in columns:
            yield first, f"has no column {column!r}"
    for code in re.findall(r"errcode\s*=\s*'(\w{5})'", text):
        if code not in contract.raises:
            yield first, f"does not say that it raises {code}"
    for entry in contract.part("Raises"):
        if not re.match(r"(\w{5} [a-z_]+|what \w+\(\) raises)( - |$)", entry):
            yield first, f"raises what cannot be read: {entry}"


def arguments(signature: str) -> list[str]:
    """Return the names of the arguments that a caller gives."""
    return [name for mode, name in _declared(signature) if mode != "out"]


def results(signature: str, text: str) -> list[str]:
    """Return the names of the columns that a caller gets."""
    table = COLUMNS.search(text)
    columns = [name for mode, name in _declared(signature) if mode in ("out", "inout")]
    return columns + [name for _, name in _declared(table[1] if table else "")]


def _declared(text: str) -> Iterator[tuple[str, str]]:
    for each in re.sub(r"'[^']*'|\([^)]*\)", "", text).split(","):
        words = each.split()
        if words:
            mode = words[0] if words[0] in ("in", "out", "inout", "variadic") else "in"
            yield mode, words[1] if words[0] == mode else words[0]


def problems() -> Iterator[str]:
    """Yield a line for each offence, as file:line: text."""
    for path in sorted(SQL.rglob("*.sql")):
        text = path.read_text()
        is_test = path.is_relative_to(SQL / "tests")
        found = [*_layout(text)]
        if not is_test:
            found += _installable(text)
            found += _notes(text)
        if path.is_relative_to(SQL / "functions"):
            found += _one_function(path.stem, text)
            found += _contract(path.stem, text)
        for number, problem in found:
            yield f"{path.relative_to(ROOT)}:{number}: {problem}"


if __name__ == "__main__":
    offences = [*problems()]
    sys.stdout.writelines(f"{offence}\n" for offence in offences)
    sys.exit(1 if offences else 0)
