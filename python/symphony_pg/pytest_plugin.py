"""A pytest plugin: messages in memory, or a database for each test. It is found by itself.

In pyproject.toml:

    [tool.pytest.ini_options]
    symphony_app = "shop.messages:app"
    pythonpath = ["."]

In a test:

    def test_signing_up_sends_a_mail(symphony_transport):
        sign_up("ada@example.com")
        symphony_transport.assert_dispatched(SendEmail("ada@example.com"))
        assert symphony_transport.run_all() == 1

    def test_a_reminder_comes_after_three_days(symphony_database):
        sign_up("ada@example.com")
        symphony_database.travel("3 days")
        assert symphony_database.work().done == 2

A dispatch that would reach PostgreSQL without symphony_database is refused.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from .app import Symphony
from .database.install import ensure_installed
from .errors import SymphonyError
from .messages.envelope import Envelope
from .server import Server, ServerError
from .testing import Database, created
from .transports.memory import InMemoryTransport
from .transports.postgres import PostgresTransport
from .transports.routed import RoutedTransport

__all__ = [
    "DispatchRefused",
    "allow_dispatch",
    "symphony_app",
    "symphony_database",
    "symphony_server",
    "symphony_template",
    "symphony_transport",
]

GUARDED = (PostgresTransport, RoutedTransport)
_allowed: list[str | None] = []  # databases that dispatch() may reach; None: any
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the settings."""
    server = "DSN of the server that gets the databases of tests; else a throw-away one is started"
    parser.addini("symphony_app", "MODULE:NAME of the Symphony application to test", default="")
    parser.addini("symphony_dsn", server, default="")
    parser.addini(
        "symphony_allow_dispatch", "let tests dispatch to any database", "bool", default=False
    )
    parser.getgroup("symphony").addoption("--symphony-dsn", help=server)


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker that names another application; refuse what is dispatched by mistake."""
    config.addinivalue_line("markers", "symphony_app(reference): the application, MODULE:NAME")
    if not config.getini("symphony_allow_dispatch"):
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        for kind in GUARDED:
            for name in ("send", "send_async"):
                patch.setattr(kind, name, _guarded(getattr(kind, name)))


class DispatchRefused(SymphonyError):  # noqa: N818
    """A test that asked for no database has dispatched a message to one."""


@contextmanager
def allow_dispatch(dsn: str | None = None) -> Iterator[None]:
    """Let dispatch() reach a database, or any one, for the length of a with block."""
    _allowed.append(dsn)
    try:
        yield
    finally:
        _allowed.remove(dsn)


def _guarded(send: Any) -> Any:
    @functools.wraps(send)
    def guarded(transport: Any, envelopes: Sequence[Envelope], conn: Any, *more: Any) -> Any:
        # With a connection, it is the test that says which database it means.
        if not any(dsn is None or conn is not None or transport.joins(dsn) for dsn in _allowed):
            raise _refusal(envelopes)
        return send(transport, envelopes, conn, *more)

    return guarded


def _refusal(envelopes: Sequence[Envelope]) -> DispatchRefused:
    types = ", ".join(sorted({each.message_type for each in envelopes}))
    if _allowed:
        why = "symphony_database is another one than the transport writes to."
    else:
        why = "The test did not ask for a database, so this would have gone to a real one."
    return DispatchRefused(
        f"a test must not dispatch {types} to this database",
        detail=why,
        hint="Take the fixture symphony_transport, and messages stay in memory, or "
        "symphony_database, a database of the test's own. If this one is meant: `with "
        "symphony_pg.pytest_plugin.allow_dispatch():`, or for all tests "
        "symphony_allow_dispatch = true in the settings of pytest.",
    )


@pytest.fixture
def symphony_app(request: pytest.FixtureRequest) -> Iterator[Symphony]:
    """Return the application until the test is over: its messages stay in memory.

    In a test that asks for symphony_database they go there. It is the application of the marker
    symphony_app or of the setting; without both, an empty one.
    """
    if "symphony_database" in request.fixturenames:
        yield request.getfixturevalue("symphony_database").app
        return
    app = _application(request)
    with app.using(InMemoryTransport()):
        yield app


@pytest.fixture
def symphony_transport(symphony_app: Symphony) -> InMemoryTransport:
    """Return what the application's messages went into: assertions, run_all()."""
    if not isinstance(symphony_app.transport, InMemoryTransport):
        pytest.fail(
            "take symphony_transport or symphony_database: messages go one way", pytrace=False
        )
    return symphony_app.transport


@pytest.fixture(scope="session")
def symphony_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """Return the DSN of the server for databases of tests: the one that is named, or our own.

    --symphony-dsn names it, else SYMPHONY_TEST_DSN, else the setting symphony_dsn.
    """
    named = pytestconfig.getoption("symphony_dsn") or os.environ.get("SYMPHONY_TEST_DSN")
    if named := named or pytestconfig.getini("symphony_dsn"):
        yield named
        return
    try:
        with Server() as server:
            yield server.dsn
    except ServerError as error:
        pytest.fail(f"{error}; or name a server: --symphony-dsn", pytrace=False)


@pytest.fixture(scope="session")
def symphony_template(symphony_server: str) -> Iterator[str]:
    """Return the DSN of the database that tests get clones of; Symphony is installed in it.

    A fixture of this name in conftest.py that takes this one may add tables and rows.
    """
    with created(symphony_server, f"symphony_test_{secrets.token_hex(4)}") as dsn:
        ensure_installed(dsn)
        yield dsn


@pytest.fixture
def symphony_database(
    request: pytest.FixtureRequest,
    symphony_server: str,
    symphony_template: str,
) -> Iterator[Database]:
    """Return a database of the test's own, which the application uses: work(), travel()."""
    template = str(conninfo_to_dict(symphony_template)["dbname"])
    with (
        created(symphony_server, f"{template}_{next(_numbers)}", template) as dsn,
        pytest.MonkeyPatch.context() as patch,
        Database.of(_application(request), dsn) as database,
        allow_dispatch(dsn),
    ):
        patch.setenv("SYMPHONY_DSN", dsn)
        yield database


def _application(request: pytest.FixtureRequest) -> Symphony:
    marker = request.node.get_closest_marker("symphony_app")
    reference = marker.args[0] if marker else request.config.getini("symphony_app")
    app = _load(reference) if isinstance(reference, str) and reference else reference or Symphony()
    if not isinstance(app, Symphony):
        pytest.fail(f"symphony_app: {reference!r} is not a Symphony application", pytrace=False)
    return app


def _load(reference: str) -> object:
    module, separator, name = reference.partition(":")
    if not (module and separator and name):
        pytest.fail(f"symphony_app: {reference!r} is not MODULE:NAME", pytrace=False)
    try:
        return getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        pytest.fail(
            f"symphony_app: there is no module {error.name}; set pythonpath for pytest?",
            pytrace=False,
        )
