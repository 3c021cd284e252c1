"""What the database knows of Symphony's public functions, views and tables."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

import contracts
from contracts import Contract

ROOT = Path(__file__).resolve().parents[2]
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


class Argument(NamedTuple):
    """An argument of a function, or a column of its result."""

    name: str
    kind: str
    default: str | None
    meaning: str


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
    def contract(self) -> Contract:
        """Its comment by labels."""
        return contracts.read(self.comment)

    @property
    def topic(self) -> str:
        """The folder of its file."""
        (path,) = (ROOT / "sql" / "functions").glob(f"*/{self.name}.sql")
        return path.parent.name

    @property
    def arguments(self) -> list[Argument]:
        """What a caller gives."""
        return self._named("ib", self.contract.arguments)

    @property
    def columns(self) -> list[Argument]:
        """What the caller gets, if that is more than one value."""
        return self._named("tbo", self.contract.columns)

    @property
    def returns(self) -> str:
        """The type of the result, or of each row of it."""
        return short(self.result or "")

    def _named(self, modes: str, meanings: dict[str, str]) -> list[Argument]:
        each = zip(self.names, self.types, self.modes, self.defaults, strict=True)
        return [
            Argument(name, short(kind), default, meanings.get(name, ""))
            for name, kind, mode, default in each
            if mode in modes
        ]


class Relation(NamedTuple):
    """A table or a view."""

    name: str
    kind: str
    comment: str
    columns: Sequence[Sequence[str | None]]


def functions(conn: psycopg.Connection[Any]) -> list[Function]:
    """Return the public functions, by name."""
    with conn.cursor(row_factory=class_row(Function)) as cursor:
        return cursor.execute(FUNCTIONS).fetchall()


def relations(conn: psycopg.Connection[Any]) -> list[Relation]:
    """Return the tables and views, by name."""
    with conn.cursor(row_factory=class_row(Relation)) as cursor:
        return cursor.execute(RELATIONS).fetchall()


def short(kind: str) -> str:
    """Return the name of a type as people write it."""
    for long, brief in SHORT_TYPES.items():
        kind = kind.replace(long, brief)
    return re.sub(r"^SETOF ", "setof ", kind)
