"""Write docs/reference.md: what `comment on` says about the functions, views and tables.

Symphony is installed into the database of SYMPHONY_DSN if it is not there.

    python -m symphony_pg.server -- python tools/docs/reference.py
"""

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "reference.md"

sys.path.insert(0, str(ROOT / "python"))

from symphony_pg import errors  # noqa: E402
from symphony_pg.database import install  # noqa: E402

INTRODUCTION = """\
# Reference

Every function, view and table of the schema `symphony`. `make reference` writes this page from the
comments in the database, so `\\df+ symphony.enqueue` in psql says the same.

Arguments are best given by name: `select symphony.enqueue('SendEmail', delay => '5 minutes')`.
A role may call what `grant_access()` gave it; "Access" says which kinds of access include it.
"""

# A function stands in the first section that fits its access: what observers may call only looks.
SECTIONS = {
    "observer": "Looking",
    "producer": "Producing",
    "consumer": "Consuming",
    "operator": "Operating",
}
WIDTH = 100
MOST_RAISERS = 20
ORDER = ("producer", "consumer", "operator", "observer")
SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}

FUNCTIONS = """
select p.proname as name, obj_description(p.oid) as comment,
       coalesce(p.proargnames, '{}') as names,
       array(select format_type(each, null)
             from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                  with ordinality as a (each, n)
             order by n) as types,
       coalesce(p.proargmodes::text[],
                array_fill('i'::text, array[p.pronargs::integer])) as modes,
       array(select pg_get_function_arg_default(p.oid, n::integer)
             from generate_series(1, greatest(p.pronargs, cardinality(p.proallargtypes))) as n
             order by n) as defaults,
       case when p.prorettype <> 0 then pg_get_function_result(p.oid) end as result
from pg_proc as p
where p.pronamespace = 'symphony'::regnamespace and p.proname !~ '^_'
order by p.proname
"""
RELATIONS = """
select c.relname as name, c.relkind::text as kind, obj_description(c.oid) as comment,
       array(select array[a.attname::text, format_type(a.atttypid, null),
                          col_description(c.oid, a.attnum)]
             from pg_attribute as a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             order by a.attnum) as columns
from pg_class as c
where c.relnamespace = 'symphony'::regnamespace and c.relkind in ('r', 'p', 'v')
order by c.relname
"""


class Function(NamedTuple):
    """A public function, as the catalog knows it."""

    name: str
    comment: str
    names: Sequence[str]
    types: Sequence[str]
    modes: Sequence[str]
    defaults: Sequence[str | None]
    result: str | None

    @property
    def parts(self) -> dict[str, str]:
        """The comment by its labels; what stands before the first one is under ''."""
        texts = re.split(r"^([A-Z][a-z]+)  +", self.comment, flags=re.MULTILINE)
        labels = ["", *texts[1::2]]
        return {
            label: " ".join(text.split()) for label, text in zip(labels, texts[::2], strict=True)
        }

    @property
    def access(self) -> list[str]:
        """The kinds of access that include it."""
        return [kind for kind in ORDER if re.search(rf"\b{kind}\b", self.parts["Access"])]

    @property
    def signature(self) -> str:
        """Its arguments and what it returns, in one line or one a line."""
        each = zip(self.names, self.types, self.modes, self.defaults, strict=True)
        arguments = []
        for name, kind, mode, default in each:
            if mode in "ib":
                value = "" if default is None else f" = {_without_cast(default)}"
                arguments.append(f"{name} {_short(kind)}{value}")
        line = f"symphony.{self.name}({', '.join(arguments)}){self._returns}"
        if len(line) <= WIDTH:
            return line
        shown = f"symphony.{self.name}()"
        if arguments:
            shown = "\n    ".join([f"symphony.{self.name}(", *",\n".join(arguments).splitlines()])
            shown += "\n)"
        if len(self._returns) <= WIDTH:
            return shown + self._returns
        return shown + "\n".join(textwrap.wrap(self._returns, WIDTH, subsequent_indent="    "))

    @property
    def _returns(self) -> str:
        columns = [
            f"{name} {_short(kind)}"
            for name, kind, mode in zip(self.names, self.types, self.modes, strict=True)
            if mode in "tbo"
        ]
        if columns:
            return f" → table ({', '.join(columns)})"
        return f" → {_short(self.result)}" if self.result else ""


class Relation(NamedTuple):
    """A table or a view."""

    name: str
    kind: str
    comment: str
    columns: Sequence[Sequence[str | None]]


def _short(kind: str) -> str:
    for long, short in SHORT_TYPES.items():
        kind = kind.replace(long, short)
    return kind


def _without_cast(default: str) -> str:
    return "null" if default.startswith("NULL::") else re.sub(r"::[a-z ]+(\[\])?$", "", default)


def text(conn: psycopg.Connection[Any]) -> str:
    """Return the page, from a database where Symphony is installed."""
    with conn.cursor(row_factory=class_row(Function)) as cursor:
        functions = cursor.execute(FUNCTIONS).fetchall()
    with conn.cursor(row_factory=class_row(Relation)) as cursor:
        relations = cursor.execute(RELATIONS).fetchall()
    sections = {
        title: [each for each in functions if _section(each) == title]
        for title in (SECTIONS[kind] for kind in ORDER)
    }
    paragraphs = [INTRODUCTION, *_contents(sections)]
    for title, members in sections.items():
        paragraphs.append(f"## {title}\n")
        paragraphs += map(_function, members)
    paragraphs += ["## Views\n", "For operators and observers.\n"]
    paragraphs += [_relation(each) for each in relations if each.kind == "v"]
    paragraphs += [
        "## Tables\n",
        "For the owner alone, to look at; the functions are the way in.\n",
    ]
    paragraphs += [_relation(each) for each in relations if each.kind != "v"]
    paragraphs += ["## Errors\n", *_errors(functions)]
    return "\n".join(paragraphs)


def _section(function: Function) -> str:
    return next(title for kind, title in SECTIONS.items() if kind in function.access)


def _contents(sections: Mapping[str, Sequence[Function]]) -> Iterator[str]:
    for title, members in sections.items():
        rows = [f"| [`{each.name}`](#{each.name}) | {_first(each.parts[''])} |" for each in members]
        yield "\n".join([f"| {title} | |", "|---|---|", *rows, ""])


def _first(paragraph: str) -> str:
    """Return its first sentence, without what follows a semicolon."""
    return re.split(r"[.;:](?: |$)", paragraph, maxsplit=1)[0].replace("<", "&lt;")


def _function(function: Function) -> str:
    parts = function.parts
    lines = [f"### {function.name}\n", f"```\n{function.signature}\n```\n", f"{parts.pop('')}\n"]
    if "Arguments" in parts:
        parts["Arguments"] = _named(parts["Arguments"], function.names)
    for label in ("Raises", "Writes"):
        parts[label] = re.sub(r"\b(SY\d{3}|\d{5}|symphony\.\w+)\b", r"`\1`", parts.get(label, ""))
    lines += [f"- **{label}** {value}" for label, value in parts.items() if value]
    return "\n".join([*lines, ""])


def _named(arguments: str, names: Sequence[str]) -> str:
    """Set the names of the arguments apart, where they are told."""
    told = []
    for part in arguments.split("; "):
        before, dash, text = part.partition(" - ")
        if dash or all(word in names for word in before.split(", ")):
            before = re.sub(
                r"\w+", lambda word: f"`{word[0]}`" if word[0] in names else word[0], before
            )
        told.append(before + dash + text)
    return "; ".join(told)


def _relation(relation: Relation) -> str:
    lines = [f"### {relation.name}\n", f"{' '.join(relation.comment.split())}\n"]
    described = any(comment for _, _, comment in relation.columns)
    if described:
        lines += ["| column | type | |", "|---|---|---|"]
        for name, kind, comment in relation.columns:
            told = " ".join((comment or "").split()).replace("|", "\\|")
            lines.append(f"| `{name}` | {_short(kind or '')} | {told} |")
    else:
        lines.append(
            ", ".join(f"`{name}` {_short(kind or '')}" for name, kind, _ in relation.columns)
        )
    return "\n".join([*lines, ""])


def _errors(functions: Sequence[Function]) -> Iterator[str]:
    yield (
        "Every error has a SQLSTATE, a detail and a hint. In Python each code is a class of "
        "`symphony_pg.errors`.\n"
    )
    yield "| SQLSTATE | Python | | raised by |\n|---|---|---|---|"
    for code, kind in errors.CLASSES.items():
        raisers = [
            f"[{each.name}](#{each.name})"
            for each in functions
            if re.search(rf"\b{code}\b", each.parts.get("Raises", ""))
        ]
        if code.startswith("SY") or raisers:
            told = " ".join((kind.__doc__ or "").split())
            if len(raisers) > MOST_RAISERS:
                raisers = ["most functions"]
            where = ", ".join(raisers) or "the client"
            yield f"| `{code}` | `{kind.__name__}` | {told} | {where} |"
    yield ""


def main() -> int:
    """Write the page."""
    with psycopg.connect(os.environ["SYMPHONY_DSN"], autocommit=True) as conn:
        install.install(conn)
        TARGET.write_text(text(conn))
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
