"""The pytest plugin, in a pytest of its own."""

from datetime import datetime, timedelta, timezone

import pytest

from symphony_pg import InMemoryTransport

pytest_plugins = ["pytester"]

SHOP = """
from dataclasses import dataclass
from datetime import timedelta

from symphony_pg import Context, SyncTransport, Symphony

app = Symphony("host=127.0.0.1 port=1", transports={"sync": SyncTransport()})
done = []


@app.message("SendEmail")
@dataclass
class SendEmail:
    to: str


@app.handler(SendEmail)
def send(message: SendEmail, context: Context) -> None:
    if message.to == "eve":
        raise RuntimeError("no")
    done.append((message.to, context.attempt))


def sign_up(name):
    app.dispatch(SendEmail(name), transport="sync")
    app.dispatch(SendEmail(f"reminder to {name}"), delay=timedelta(days=3))
"""

TESTS = """
from datetime import timedelta

import pytest
import shop
from shop import SendEmail, app, done, sign_up

real = app.transport


def test_the_life_of_messages(symphony_app, symphony_transport):
    assert symphony_app is app
    sign_up("ada")
    symphony_transport.assert_dispatched(SendEmail("ada"), count=1)
    symphony_transport.assert_dispatched(SendEmail("reminder to ada"), delay=timedelta(days=3))
    symphony_transport.assert_not_dispatched(SendEmail("bob"))
    assert symphony_transport.run_all() == 1
    assert done == [("ada", 1)]
    assert len(symphony_transport.waiting) == 1
    symphony_transport.travel(timedelta(days=2, hours=23))
    assert symphony_transport.run_all() == 0
    symphony_transport.travel_to(symphony_transport.now + timedelta(hours=1))
    assert symphony_transport.run_all() == 1
    assert done[1:] == [("reminder to ada", 1)]


def test_each_test_begins_anew(symphony_transport):
    symphony_transport.assert_nothing_dispatched()
    sign_up("eve")
    with pytest.raises(RuntimeError, match="no"):
        symphony_transport.run_all()
    for _ in range(3):
        symphony_transport.travel(timedelta(minutes=1))
        symphony_transport.run_all(raises=False)
    (failed,) = symphony_transport.failed
    assert (failed.error_class, failed.message.attempt) == ("RuntimeError", 4)


def test_without_the_fixture_it_is_as_it_was():
    assert app.transport is real
    assert app.transports["sync"] is not real


@pytest.mark.symphony_app("shop:other")
def test_another_application(symphony_app):
    assert symphony_app is shop.other


@pytest.mark.symphony_app("shop:nothing")
def test_no_application(symphony_app):
    pass


@pytest.mark.symphony_app("shop")
def test_no_reference(symphony_app):
    pass


@pytest.mark.symphony_app("office:app")
def test_no_module(symphony_app):
    pass
"""


def test_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nsymphony_app = shop:app\npythonpath = .\n"
        "asyncio_default_fixture_loop_scope = function"
    )
    pytester.makepyfile(shop=SHOP + "\n\nother = Symphony(transport=SyncTransport())\n")
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-p", "no:xdist", "--strict-markers")
    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines(
        [
            "symphony_app: 'shop:nothing' is not a Symphony application",
            "symphony_app: 'shop' is not MODULE:NAME",
            "symphony_app: there is no module office; *",
        ]
    )


def test_without_a_setting_the_application_is_empty(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(
        """
        def test_empty(symphony_app, symphony_transport):
            seen = []
            symphony_app.handler("Raw")(seen.append)
            assert symphony_app.handlers and symphony_app.transport is symphony_transport
        """
    )
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=1)


def test_there_is_no_way_back() -> None:
    transport = InMemoryTransport()
    with pytest.raises(ValueError, match="no way back"):
        transport.travel(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="has no time zone"):
        transport.travel_to(datetime(2100, 1, 1))
    transport.travel_to(datetime(2100, 1, 1, tzinfo=timezone.utc))
    assert transport.now.year == 2100
