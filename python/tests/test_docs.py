"""What the documentation shows is so: its blocks run, its commands and links exist, its prose fits.

A page's ```python blocks run in order as one module, its ```sql blocks in one database, and a
session of psql (`=> select …`) shows what psql shows. A block that is not to be run says
"no-run" behind the name of its language.
"""

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from docs import errors as errors_page
from docs import reference
from symphony_pg import Client, Worker, config, errors
from symphony_pg.cli import main
from symphony_pg.server import Server

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = [ROOT / "docs" / name for name in ("reference.md", "errors.md")]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path not in GENERATED),
]
WRITTEN = [*PAGES, ROOT / "CHANGELOG.md"]
# Whose blocks are the files of a project: tests/integrations/test_pages.py follows them.
PROJECTS = ("django.md", "fastapi.md", "testing.md")
WIDTH = 100
LINES_OF_A_PAGE = 80
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"^```(\w*)( no-run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATEMENT = re.compile(r"^=> (.*?;)[^\n;]*\n(.*?)(?=^=> |\Z)", re.MULTILINE | re.DOTALL)

# What the pages take for granted.
SETTING = """
from __future__ import annotations
import re
from contextlib import nullcontext as tenant_of
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from symphony_pg import *
from symphony_pg import BatchContext, Context, InMemoryTransport, Snooze, SyncTransport

app = Symphony()
CARD_NUMBER = re.compile("[0-9]{16}")
class BadAddress(Exception): ...
class MailboxFull(ValueError): ...
class BankClosed(Exception): ...
class Throttled(Exception): ...
@app.message("SendEmail")
@dataclass
class SendEmail:
    to: str
@app.message("Click")
@dataclass
class Click:
    email_id: int
@app.message("Poll")
@dataclass
class Poll:
    region: str
"""
TABLES = """
select symphony.create_queue('mail');
"""


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the blocks of a page that are to be run."""
    found = BLOCK.findall(page.read_text())
    return [text for language, no_run, text in found if language in languages and not no_run]


def having(*languages: str, text: str = "") -> pytest.MarkDecorator:
    """Run a test for each page that has such blocks."""
    pages = [
        page
        for page in PAGES
        if text in "".join(blocks(page, *languages)) != ""
        and not (languages == ("python",) and page.name in PROJECTS)
    ]
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


@pytest.fixture
def run_python(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run blocks as one module, whose databases are that of the test."""
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    monkeypatch.chdir(tmp_path)
    toml = blocks(ROOT / "docs" / "configuration.md", "toml")[0]
    (tmp_path / "symphony.toml").write_text(toml)

    def run(*texts: str) -> ModuleType:
        path = tmp_path / "documented.py"
        path.write_text("\n\n".join(re.sub(r"postgresql:///\w+", dsn, text) for text in texts))
        spec = importlib.util.spec_from_file_location("documented", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "documented", module)
        spec.loader.exec_module(module)
        return module

    yield run


@having("python")
def test_python(page: Path, conn: "psycopg.Connection[Any]", run_python: Any) -> None:
    conn.execute(TABLES)
    run_python(SETTING, *blocks(page, "python")).app.close()


def test_the_applications_of_the_readme(conn: "psycopg.Connection[Any]", run_python: Any) -> None:
    conn.execute("create table click (email_id int)")
    texts = blocks(ROOT / "README.md", "python")
    app = run_python(SETTING, *(text.replace('"__main__"', '"documented"') for text in texts)).app
    Client(conn).enqueue("CountClick", {"email_id": 7})
    counts = asyncio.run(Worker(app, drain=True).run())
    app.close()
    assert (counts.done, counts.failed, counts.retried) == (2, 0, 0)
    assert conn.execute("select email_id from click").fetchall() == [(7,)]
    assert [each.delayed for each in Client(conn).queue_stats()] == [1]


@having("sql")
def test_sql(page: Path, conn: "psycopg.Connection[Any]") -> None:
    conn.execute(TABLES)
    for block in blocks(page, "sql"):
        conn.execute(block.encode())


@having("console", "", text="=> ")
def test_psql(page: Path, dsn: str) -> None:
    numbers: dict[str, str] = {}  # ids in the page, and what they are in this run

    def in_this_run(text: str) -> str:
        return re.sub(r"\b\d{5,}\b", lambda found: numbers.get(found[0], found[0]), text)

    for block in blocks(page, "console", ""):
        for statement, expected in STATEMENT.findall(block):
            shown = psql(dsn, in_this_run(statement))
            numbers.update(zip(ids(expected), ids(shown), strict=False))
            assert steady(shown) == steady(in_this_run(expected)), statement


def ids(text: str) -> list[str]:
    """Return the numbers in a text that differ from run to run."""
    return re.findall(r"\b\d{5,}\b", text)


def psql(dsn: str, statement: str) -> str:
    """Return what psql shows for a statement."""
    command, environment = Server().program("psql")
    wanted = ("host", "port", "user", "password", "dbname")
    target = {key: value for key, value in conninfo_to_dict(dsn).items() if key in wanted}
    done = subprocess.run(
        [
            *command,
            "-X",
            "-v",
            "SHOW_CONTEXT=never",
            "-d",
            make_conninfo("", **target),
            "-c",
            statement,
        ],
        env={**environment, "PGTZ": "UTC"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return str(done.stdout)


def steady(shown: str) -> list[str]:
    """Return the lines without remarks, numbers of rows, and how wide a column is."""
    lines = (re.sub(r" +<- .*", "", line).strip() for line in shown.splitlines())
    return [
        re.sub(r"-+", "-", re.sub(r" +", " ", line))
        for line in lines
        if line and not re.fullmatch(r"\(\d+ rows?\)", line)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands(page: Path) -> None:
    text = re.sub(r"^```python.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"(?:`|\$ |^)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets
    for line in re.findall(r"(?:`|\$ )symphony-pg ([^`\n]+)", text):
        command: click.Command = main
        for word in re.split(r" [|2#>]", line)[0].split():
            if isinstance(command, click.Group) and word in command.commands:
                command = command.commands[word]
            elif word.startswith("-"):
                known = {option for each in command.params for option in each.opts}
                assert word in known | {"--help"}, line
            else:
                assert not isinstance(command, click.Group), line


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    text = BLOCK.sub("", page.read_text())
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = page.parent / link if link else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), f"{link}#{anchor}"
    for name in re.findall(r"`((?:sql|python|tools|docs|examples|bench)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name


def anchors(page: Path) -> set[str]:
    """Return the names under which GitHub finds the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_prose_is_wrapped(page: Path) -> None:
    """Only what cannot be broken is longer: a word, a link, code, a row of a table."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for line in text.splitlines():
        words = re.sub(r"`[^`]*`", "code", re.sub(r"^ *([-*]|\d+\.) ", "", line)).split()
        assert len(line) <= WIDTH or len(words) == 1 or words[0] == "|", line


def test_the_architecture_is_one_page() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= LINES_OF_A_PAGE


def test_the_configuration_is_one(tmp_path: Path) -> None:
    path = tmp_path / "symphony.toml"
    path.write_text(blocks(ROOT / "docs" / "configuration.md", "toml")[0])
    assert config.load(path).has_sync


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples(path: Path, dsn: str, conn: "psycopg.Connection[Any]") -> None:
    text = path.read_text()
    for statement in re.findall(r'psql -c "(.+)"', text):
        conn.execute(statement)
    environment = {**os.environ, "SYMPHONY_DSN": dsn}
    for command in (
        [sys.executable, path.name],
        [sys.executable, "-m", "symphony_pg.cli", "consume", f"--app={path.stem}:app", "--drain"],
    ):
        done = subprocess.run(
            command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert Client(conn).failed_messages() == []


def test_the_reference_is_current(conn: "psycopg.Connection[Any]") -> None:
    assert reference.TARGET.read_text() == reference.text(conn), "run: make reference"
    assert errors_page.TARGET.read_text() == errors_page.text(conn), "run: make reference"


def test_the_errors_are_those_that_are_raised() -> None:
    told = errors_page.codes(errors_page.TARGET.read_text())
    sources = (path.read_text() for path in (ROOT / "sql" / "functions").rglob("*.sql"))
    raised = {code for each in sources for code in re.findall(r"errcode\s*=\s*'(\w{5})'", each)}
    assert raised <= told
    own = {getattr(errors, name).sqlstate for name in errors.__all__}
    assert told <= raised | {*errors.CLASSES} | own


def test_every_function_has_its_place_in_the_reference() -> None:
    text = reference.TARGET.read_text()
    for path in (ROOT / "sql" / "functions").rglob("[a-z]*.sql"):
        assert f"\n### {path.stem}\n" in text


@pytest.mark.parametrize("page", [reference.TARGET, errors_page.TARGET], ids=lambda page: page.name)
def test_the_links_of_generated_pages_lead_somewhere(page: Path) -> None:
    anchors = {
        name: re.findall(r"^#+ (.*)$", (page.parent / name).read_text(), re.MULTILINE)
        for name in ("reference.md", "errors.md")
    }
    for name, anchor in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", page.read_text()):
        titles = [each.lower().replace(" ", "-") for each in anchors[name or page.name]]
        assert anchor in titles
