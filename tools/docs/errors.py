"""The page docs/errors.md, which `make reference` writes.

What an error means and what helps stands in the docstring of its class in symphony_pg.errors, who
raises it in the contracts of the functions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any, NamedTuple

import psycopg

from docs.catalog import ROOT, Function, functions
from docs.markdown import paragraph, plain, table
from symphony_pg import errors

TARGET = ROOT / "docs" / "errors.md"
INTRODUCTION = """\
# Errors

Every error has a SQLSTATE, a detail that says what was wrong here, and a hint that says what to do
next. Compare the SQLSTATE, never the text. In Python each one is a class of `symphony_pg.errors`.
"Nothing to do" is not an error but an empty result.

"Again?" says whether the same call, unchanged, can succeed later: when what stands under "next" was
done or has happened. `make reference` writes this page from the comments on the functions and the
docstrings of the classes.
"""
HEAD = ("SQLSTATE", "name", "Python", "when", "next", "again?", "raised by")
MOST_RAISERS = 20
AGAIN = "Try again"
# What PostgreSQL's own codes mean here, where their class does not say it or there is none.
STANDARD = {
    "22021": ("A text holds a NUL, or what is not UTF-8.", ""),
    "22P02": ("A text is not what the argument is: JSON, a number, an interval, a time.", ""),
    "22P05": ("A body holds \\\\u0000, which jsonb cannot.", ""),
    "40001": ("", "Try again, with the whole transaction."),
    "42704": ("", "Try again after `create role`."),
    "42883": ("The database has no such function, or not for values of these types.", ""),
    "54001": ("A value is nested too deeply for PostgreSQL.", ""),
}


class Row(NamedTuple):
    """One SQLSTATE."""

    code: str
    name: str
    python: str
    when: str
    what_next: str
    raisers: Sequence[str]
    is_clients: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is shown."""
        links = [f"[{each}](reference.md#{each})" for each in self.raisers]
        if len(links) > MOST_RAISERS:
            links = ["most functions"]
        is_own = self.code.startswith("SY")
        where = ", ".join(links) or ("the client" if is_own or self.is_clients else "PostgreSQL")
        code = f"`{self.code}`" if self.code else ""
        again = "yes" if self.what_next.startswith(AGAIN) else "no"
        return code, self.name, self.python, self.when, self.what_next, again, where


def text(conn: psycopg.Connection[Any]) -> str:
    """Return the page, from a database where Symphony is installed."""
    rows = [*_rows({each.name: each for each in functions(conn)})]
    parts = (
        ("Errors of Symphony", [each for each in rows if each.code.startswith("SY")]),
        (
            "Errors that Symphony shares with PostgreSQL",
            [each for each in rows if each.raisers and not each.code.startswith("SY")],
        ),
        (
            "Errors of PostgreSQL that mean something here",
            [each for each in rows if not each.raisers and not each.code.startswith("SY")],
        ),
        ("Without a connection", [*_without_connection()]),
    )
    paragraphs = [INTRODUCTION]
    for title, members in parts:
        paragraphs += [f"## {title}\n", table(HEAD, (each.cells for each in members)), ""]
    paragraphs += [
        paragraph(
            "Any other error of PostgreSQL passes through as psycopg raises it: a lost connection, "
            "a cancelled statement, a full disk."
        ),
        "",
    ]
    return "\n".join(paragraphs)


def codes(page: str) -> set[str]:
    """Return the SQLSTATEs that have a row."""
    return set(re.findall(r"^\| `(\w{5})` \|", page, re.MULTILINE))


def _rows(public: Mapping[str, Function]) -> Iterator[Row]:
    raised = {name: _raises(name, public) for name in public}
    known = {code for each in raised.values() for code in each} | {*errors.CLASSES}
    for code in sorted(known, key=lambda code: (not code.startswith("SY"), code)):
        said = [each[code] for each in raised.values() if code in each]
        raisers = [name for name, each in raised.items() if code in each]
        kind = errors.CLASSES.get(code)
        meaning, what_next = _told(kind)
        when, then = STANDARD.get(code, ("", ""))
        remarks = [*dict.fromkeys(remark for _, remark in said if remark)]
        if not when and not code.startswith("SY") and len(raisers) <= MOST_RAISERS:
            when = _sentence(meaning, remarks)
        yield Row(
            code,
            said[0][0] if said else _condition(code) or _snake(kind),
            f"`{kind.__name__}`" if kind else f"`psycopg.errors.{_psycopg(code)}`",
            when or meaning,
            then or what_next,
            raisers,
        )


def _without_connection() -> Iterator[Row]:
    kinds = (errors.ConnectionRefused, errors.LoginRefused, errors.NoAnswer)
    for kind in (*kinds, errors.NoConnectionFree):
        yield Row(
            kind.sqlstate or "",
            _snake(kind),
            f"`{kind.__name__}`",
            *_told(kind),
            (),
            is_clients=True,
        )


def _raises(name: str, public: Mapping[str, Function]) -> dict[str, tuple[str, str]]:
    """Return by SQLSTATE what a function raises, itself or by those that it calls."""
    contract = public[name].contract
    found: dict[str, tuple[str, str]] = {}
    for other in contract.raises_as:
        found |= _raises(other, public)
    return found | contract.raises


def _told(kind: type[errors.SymphonyError] | None) -> tuple[str, str]:
    """Return from a docstring what happened, and what to do next."""
    if kind is None:
        return "", ""
    when, _, what_next = cleandoc(kind.__doc__ or "").partition("\n\n")
    return plain(when), plain(what_next)


def _sentence(meaning: str, remarks: Sequence[str]) -> str:
    if not remarks:
        return meaning
    told = plain("; ".join(remarks))
    return f"{meaning.removesuffix('.')}: {told}." if meaning else f"{told[0].upper()}{told[1:]}."


def _condition(code: str) -> str:
    """Return PostgreSQL's name of a SQLSTATE."""
    return "" if code.startswith("SY") else _spaced(_psycopg(code))


def _psycopg(code: str) -> str:
    return psycopg.errors.lookup(code).__name__


def _snake(kind: type[errors.SymphonyError] | None) -> str:
    return _spaced(kind.__name__) if kind else ""


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
