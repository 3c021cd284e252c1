"""The package holds no rule of the queue: its SQL calls symphony's functions and nothing else."""

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import symphony_pg
from symphony_pg import AsyncClient, Client
from symphony_pg.database import functions
from symphony_pg.database.call import Call
from tests.helpers import ROOT, Connection

PACKAGE = Path(symphony_pg.__file__).parent
SQL = re.compile(
    r"\s*((select|insert|update|delete|with|create|alter|drop|set|call|do|copy|begin|commit)\s"
    r"|(un)?listen \W)"
)
ALLOWED = re.compile(
    r"select symphony\.\w+\(|"
    r"select \S+ from (symphony\.\w+\(|\S+$)|"  # the template that functions.py fills in
    r"(select|\{\}) \S+$|"
    # around one of ours
    r"select answer\.\*, pg_catalog\.clock_timestamp\(\) from \(%s\) as answer$|"
    r"\s+select pg_catalog\.pg_backend_pid\(\), \(\s+"
    r"select pg_catalog\.count\(pg_catalog\.set_config\(|"
    r"listen \S+$|unlisten \S+$|"
    r"select pg_catalog\.set_config\('(symphony\.actor|lock_timeout)', %s, true\)$|"
    r"select pg_catalog\.set_config\('statement_timeout', %s, true\), "
    r"pg_catalog\.set_config\('(transaction_read_only', 'on'|symphony\.actor', %s), true\)$|"
    r"select pg_catalog\.set_config\('synchronous_commit', 'off', false\)$|"
    r"(select |, )?(pg_catalog\.set_config\('(default_transaction_isolation|idle_session_timeout)',"
    r" '[a-z0-9 ]+', false\)(, )?)+$"
)
# The databases of tests, and the clock of theirs: nothing that an installation has.
FOR_TESTS = re.compile(
    r"(create database \{\} template|drop database) \{\}|"
    r"\s+create schema symphony_test;|update symphony_test\.clock "
)


def _texts(path: Path) -> list[str]:
    """Return the string literals of a module without its docstrings; {} for what is filled in."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = []
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(value) for value in node.values)
            texts.append(
                "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings | parts:
            if isinstance(node.value, bytes):
                texts.append(node.value.decode())
            elif isinstance(node.value, str):
                texts.append(node.value)
    return texts


def test_every_statement_calls_a_function() -> None:
    statements = [
        (path.name, text)
        for path in PACKAGE.rglob("*.py")
        for text in _texts(path)
        if SQL.match(text)
    ]
    assert len(statements) >= 4
    allowed = [
        each
        for each in statements
        if ALLOWED.match(each[1]) or (each[0] == "testing.py" and FOR_TESTS.match(each[1]))
    ]
    assert [each for each in statements if each not in allowed] == []


def test_version_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{symphony_pg.__version__}"' in project


def _calls() -> dict[str, Callable[..., Any]]:
    return {
        name: function
        for name, function in vars(functions).items()
        if inspect.isfunction(function)
        and not name.startswith("_")
        and function.__module__.startswith(f"{functions.__name__}.")
    }


def test_every_verb_of_the_database_has_a_call(conn: Connection) -> None:
    verbs = conn.execute(
        "select proname from pg_proc where pronamespace = 'symphony'::regnamespace "
        "and proname !~ '^_' and proname <> 'tick_for'"  # that is for schedulers of jobs
    ).fetchall()
    assert {*_calls()} == {name for (name,) in verbs}


def test_arguments_are_those_of_the_sql_function(conn: Connection) -> None:
    # What a procedure answers is an argument of it, too: the last one.
    in_the_database = dict(
        conn.execute(
            "select proname, coalesce(proargnames[1:pronargs - (prokind = 'p')::integer], '{}') "
            "from pg_proc where pronamespace = 'symphony'::regnamespace"
        ).fetchall()
    )
    for name, function in _calls().items():
        names = in_the_database[name]
        assert list(inspect.signature(function).parameters) == names, name
        for client in (Client, AsyncClient):
            assert list(inspect.signature(getattr(client, name)).parameters)[1:] == names, name
            assert getattr(client, name).__doc__ == function.__doc__, name


def test_a_call_leaves_out_what_is_none() -> None:
    call: Call[int] = functions.ack(7)
    assert call.statement == b"select symphony.ack(claim_id => %(claim_id)s)"
    assert call.arguments == {"claim_id": 7}
