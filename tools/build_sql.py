"""Join sql/schema, sql/functions and sql/views.sql into the one file that installs Symphony.

The result holds no psql commands and neither begins nor commits a transaction, so it runs through
any driver, through `psql -1 -f`, and inside a caller's transaction. It needs one, though: what
follows the first error must not be kept.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = (ROOT / "build" / "symphony.sql", ROOT / "python" / "symphony_pg" / "symphony.sql")

HEADER = """\
-- Symphony {version}, a message queue inside PostgreSQL.
-- Run it in one transaction:  psql -1 -v ON_ERROR_STOP=1 -f symphony.sql
-- Built from the folder sql; do not edit."""

# `symphony-pg db upgrade` runs what is between the next two lines again.
FUNCTIONS = """\
-- Functions, views and access: this may be run again.
select pg_advisory_xact_lock(1398361428, 0);
-- The bodies may name functions that come further down.
set check_function_bodies = off;"""

FOOTER = """\
reset check_function_bodies;"""

ACCESS = """\
do $$
begin
    perform symphony.grant_access(access.role_name, access.access)
    from symphony.access
    where exists (select from pg_roles where rolname = access.role_name);
end
$$;"""

RELEASE = """\
-- Release: this may not.
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
    for path in sorted((ROOT / "sql" / "schema").glob("*.sql")):
        yield path.read_text()
    yield FUNCTIONS
    for path in sorted((ROOT / "sql" / "functions").rglob("*.sql")):
        yield path.read_text()
    yield FOOTER
    yield (ROOT / "sql" / "views.sql").read_text()
    yield ACCESS
    yield RELEASE.format(version=version())


def build() -> str:
    """Write the targets and return their text."""
    text = "\n\n".join(part.strip("\n") for part in _parts()) + "\n"
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
