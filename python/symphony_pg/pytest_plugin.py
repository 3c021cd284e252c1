"""A pytest plugin: the application with its messages in memory. It is found by itself.

In pyproject.toml:

    [tool.pytest.ini_options]
    symphony_app = "shop.messages:app"
    pythonpath = ["."]

In a test:

    def test_signing_up_sends_a_mail(symphony_transport):
        sign_up("ada@example.com")
        symphony_transport.assert_dispatched(SendEmail("ada@example.com"))
        assert symphony_transport.run_all() == 1
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from .app import Symphony
from .transports.memory import InMemoryTransport

__all__ = ["symphony_app", "symphony_transport"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the setting that names the application."""
    parser.addini("symphony_app", "MODULE:NAME of the Symphony application to test", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker that names another one."""
    config.addinivalue_line("markers", "symphony_app(reference): the application, MODULE:NAME")


@pytest.fixture
def symphony_app(request: pytest.FixtureRequest) -> Iterator[Symphony]:
    """Return the application, its messages in memory until the test is over.

    It is the one of the marker symphony_app or of the setting; without both, an empty one.
    """
    from .app import Symphony
    from .transports.memory import InMemoryTransport

    marker = request.node.get_closest_marker("symphony_app")
    reference = marker.args[0] if marker else request.config.getini("symphony_app")
    app = _load(reference) if isinstance(reference, str) and reference else reference or Symphony()
    if not isinstance(app, Symphony):
        pytest.fail(f"symphony_app: {reference!r} is not a Symphony application", pytrace=False)
    with app.using(InMemoryTransport()):
        yield app


@pytest.fixture
def symphony_transport(symphony_app: Symphony) -> InMemoryTransport:
    """Return what the application's messages went into: assertions, run_all(), travel()."""
    return symphony_app.transport  # type: ignore[return-value]


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
