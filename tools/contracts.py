"""Read contracts: the comments on functions, in the layout that all of them have.

First there is what the function does, then a blank line, then labels with entries behind them::

    Arguments  name - what it means
               name, name - what both mean, and a long text
                   goes on here
    Returns    what comes back; or one entry for each column, as with arguments
    Raises     SY001 unknown_queue - when, if that is not plain
    Writes     and Locks and Access: a text
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LABELS = ("Arguments", "Returns", "Raises", "Writes", "Locks", "Access")
INDENT = " " * len("Arguments  ")
FURTHER = INDENT + " " * 4
LINE = re.compile(rf"({'|'.join(each.ljust(len(INDENT)) for each in LABELS)}|{INDENT}|{FURTHER})\S")
WIDTH = 100
# A line is broken off if it has room for the next word and so many columns more.
ROOM = 20


class Contract(NamedTuple):
    """A comment by its labels."""

    summary: str
    parts: dict[str, list[str]]

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments that it lists, and what each means."""
        return dict(_named(self.parts.get("Arguments", [])))

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the result that it lists, and what each holds."""
        return dict(_named(self.parts.get("Returns", [])))

    @property
    def raises(self) -> dict[str, tuple[str, str]]:
        """By SQLSTATE the name of the condition, and when."""
        found = (re.fullmatch(r"(\w{5}) (\w+)(?: - (.*))?", each) for each in self.part("Raises"))
        return {each[1]: (each[2], each[3] or "") for each in found if each}

    @property
    def raises_as(self) -> list[str]:
        """The functions whose errors it raises too."""
        found = (re.match(r"what (\w+)\(\) raises", each) for each in self.part("Raises"))
        return [each[1] for each in found if each]

    def part(self, label: str) -> list[str]:
        """Return the entries behind a label."""
        return self.parts.get(label, [])


def read(comment: str) -> Contract:
    """Return a contract by its labels, its lines joined."""
    summary: list[str] = []
    parts: dict[str, list[str]] = {}
    entries = None
    for line in comment.splitlines():
        label = line[: len(INDENT)].rstrip()
        if label in LABELS:
            entries = parts.setdefault(label, [])
            entries.append(line[len(INDENT) :])
        elif entries is None:
            summary.append(line)
        elif line.startswith(FURTHER):
            entries[-1] += " " + line.strip()
        else:
            entries.append(line.strip())
    for label in ("Writes", "Locks", "Access"):
        if label in parts:
            parts[label] = [" ".join(parts[label])]
    if "Returns" in parts and not any(_names(each) for each in parts["Returns"][1:]):
        parts["Returns"] = [" ".join(parts["Returns"])]
    return Contract(" ".join(" ".join(summary).split()), parts)


def problems(comment: str) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the layout: the line, counted from 0, and the offence."""
    lines = comment.split("\n")
    body = lines.index("") if "" in lines else len(lines)
    for number, line in enumerate(lines):
        if len(line) > WIDTH:
            yield number, f"a contract is at most {WIDTH} columns wide"
        if number <= body:
            follows = number + 1 < body
        else:
            if not LINE.match(line):
                yield number, f"is neither a label of {', '.join(LABELS)} nor indented as its text"
            follows = number + 1 < len(lines) and lines[number + 1].startswith(FURTHER)
        if follows and is_broken_off(line, lines[number + 1], WIDTH):
            yield number, "is broken off: wrap the text anew"


def is_broken_off(line: str, following: str, width: int) -> bool:
    """Whether a line ends far before the width, though its text goes on in the next one."""
    word = following.split(maxsplit=1)[0] if following.strip() else ""
    return bool(line.strip()) and len(line) + 1 + len(word) + ROOM <= width


def told(contract: Contract, arguments: Sequence[str], *, is_public: bool) -> Iterator[str]:
    """Yield where the arguments that it lists are not those of the function."""
    entries = contract.part("Arguments")
    for entry in entries:
        if entry.startswith("as for ") and not is_public:
            continue
        names = re.split(r", ", entry.split(" - ")[0])
        yield from (f"has no argument {each!r}" for each in names if each not in arguments)
        if is_public and " - " not in entry:
            yield f"does not say what {entry} means"
    if is_public:
        missing = [each for each in arguments if each not in contract.arguments]
        yield from (f"does not tell the argument {each}" for each in missing)


def _names(entry: str) -> list[str]:
    found = re.match(r"(\w+(?:, \w+)*) - ", entry)
    return found[1].split(", ") if found else []


def _named(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        for name in _names(entry) or re.findall(r"^\w+$", entry):
            yield name, entry.partition(" - ")[2]
