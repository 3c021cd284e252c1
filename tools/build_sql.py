"""Join the folder sql into two files: symphony.sql, which installs all, and upgrade.sql.

Tables are made once. Functions, views and access are made anew by an upgrade.

The files hold no psql commands and neither begin nor commit a transaction, so they run through any
driver, through `psql -1 -f`, and inside a caller's transaction. They need one, though: what follows
the first error must not be kept.

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
FOLDERS = (ROOT / "build", ROOT / "python" / "symphony_pg")

# The arrows of the diagrams, as ASCII has them.
DRAWN = str.maketrans("─│└┘►◄▲▼", "-|++><^v")

HEADER = """\
-- Symphony {version}, a message queue inside PostgreSQL{what}.
-- Run it in one transaction:  psql -1 -v ON_ERROR_STOP=1 -f {name}
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

TURNS = """\
do $$
begin
    lock table symphony.release in share row exclusive mode;
end
$$;"""

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


def _tables() -> Iterator[str]:
    for path in sorted((ROOT / "sql" / "schema").glob("*.sql")):
        yield path.read_text()


def _functions() -> Iterator[str]:
    yield TURNS
    for path in sorted((ROOT / "sql" / "functions").rglob("*.sql")):
        yield path.read_text()
    yield (ROOT / "sql" / "settings.sql").read_text()
    yield (ROOT / "sql" / "views.sql").read_text()
    yield (ROOT / "sql" / "access.sql").read_text()


def _joined(name: str, what: str, *parts: str) -> str:
    header = HEADER.format(version=version(), name=name, what=what)
    text = "\n\n".join(part.strip("\n") for part in (header, PIN, *parts, UNPIN))
    return text.translate(DRAWN) + "\n"


def build() -> dict[str, str]:
    """Write the files; return the text of each by its name."""
    again = [*_functions()]
    texts = {
        "symphony.sql": _joined(
            "symphony.sql", "", *_tables(), *again, FIRST.format(version=version())
        ),
        "upgrade.sql": _joined(
            "upgrade.sql", ": functions, views and access, for its tables", *again
        ),
    }
    for folder in FOLDERS:
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            # Renamed into place: a test run that reads it meanwhile never sees half a file.
            draft = folder / f"{name}.{os.getpid()}"
            draft.write_text(text, encoding="ascii")
            draft.replace(folder / name)
    return texts


if __name__ == "__main__":
    lines = build()["symphony.sql"].count("\n")
    sys.stdout.write(f"build/symphony.sql: Symphony {version()}, {lines} lines\n")
