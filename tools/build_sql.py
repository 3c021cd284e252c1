"""Join sql/schema, sql/functions and the files beside them: the file that installs all.

The result holds no psql commands and neither begins nor commits a transaction, so it runs through
any driver, through `psql -1 -f`, and inside a caller's transaction. It needs one, though: what
follows the first error must not be kept.

Who may create objects in a schema of the installer's search_path could offer it an operator or a
function that fits better than PostgreSQL's, and have it executed by a superuser. So each part looks
names up in pg_catalog alone, and then gives back what the caller had. The text is ASCII, which a
database of any encoding takes from a client of any encoding.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = (ROOT / "build" / "symphony.sql", ROOT / "python" / "symphony_pg" / "symphony.sql")

# The arrows of the diagrams, as ASCII has them.
DRAWN = str.maketrans("─│└┘►◄▲▼", "-|++><^v")

HEADER = """\
-- Symphony {version}, a message queue inside PostgreSQL.
-- Run it in one transaction:  psql -1 -v ON_ERROR_STOP=1 -f symphony.sql
-- Built from the folder sql; do not edit."""

# Bodies may name functions that come further down, hence no check of them. What is local lasts only
# within a transaction: who runs the file without one has a session that stays with pg_catalog.
PIN = """\
select pg_catalog.set_config('symphony.is_local', 'on', true);
select pg_catalog.set_config('symphony.search_path',
                             pg_catalog.current_setting('search_path'), true),
       pg_catalog.set_config('symphony.check_function_bodies',
                             pg_catalog.current_setting('check_function_bodies'), true);
select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', is_local),
       pg_catalog.set_config('check_function_bodies', 'off', is_local)
from (values (coalesce(pg_catalog.current_setting('symphony.is_local', true), '')
              operator(pg_catalog.=) 'on')) as pinned (is_local);"""

UNPIN = """\
select set_config('search_path', current_setting('symphony.search_path'), true),
       set_config('check_function_bodies', current_setting('symphony.check_function_bodies'), true)
where current_setting('symphony.is_local') = 'on';"""

# `symphony-pg db upgrade` runs what is between the next two lines again.
FUNCTIONS = """\
-- Functions, views and access: this may be run again."""

TURNS = """\
do $$
begin
    lock table symphony.release in share row exclusive mode;
end
$$;"""

RELEASE = """\
-- Release: this may not."""

FIRST = """\
insert into symphony.release (version) values ('{version}');
do $$
begin
    perform symphony._mark_server();
    perform symphony.create_queue('default');
end
$$;"""


def version() -> str:
    """Return the version that pyproject.toml states."""
    found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("pyproject.toml states no version")
    return found[1]


def _parts() -> Iterator[str]:
    yield HEADER.format(version=version())
    yield PIN
    for path in sorted((ROOT / "sql" / "schema").glob("*.sql")):
        yield path.read_text()
    yield UNPIN
    yield FUNCTIONS
    yield PIN
    yield TURNS
    for path in sorted((ROOT / "sql" / "functions").rglob("*.sql")):
        yield path.read_text()
    yield (ROOT / "sql" / "settings.sql").read_text()
    yield (ROOT / "sql" / "views.sql").read_text()
    yield (ROOT / "sql" / "access.sql").read_text()
    yield UNPIN
    yield RELEASE
    yield PIN
    yield FIRST.format(version=version())
    yield UNPIN


def build() -> str:
    """Write the targets and return their text."""
    text = "\n\n".join(part.strip("\n") for part in _parts()).translate(DRAWN) + "\n"
    text.encode("ascii")
    for target in TARGETS:
        target.parent.mkdir(exist_ok=True)
        # Renamed into place: a test run that reads it meanwhile never sees half a file.
        draft = target.with_suffix(f".{os.getpid()}")
        draft.write_text(text)
        draft.replace(target)
    return text


if __name__ == "__main__":
    lines = build().count("\n")
    sys.stdout.write(f"build/symphony.sql: Symphony {version()}, {lines} lines\n")
