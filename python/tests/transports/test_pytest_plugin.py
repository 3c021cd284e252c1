"""The pytest plugin, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from symphony_pg import PostgresTransport, pytest_plugin

pytest_plugins = ["pytester"]

SETTINGS = """
[pytest]
symphony_app = shop:app
pythonpath = .
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
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
    assert symphony_transport.run_all(delayed=True) == 1
    assert done[1:] == [("reminder to ada", 1)]


def test_each_test_begins_anew(symphony_transport):
    symphony_transport.assert_nothing_dispatched()
    sign_up("eve")
    with pytest.raises(RuntimeError, match="no"):
        symphony_transport.run_all()
    (failed,) = symphony_transport.failed
    assert (failed.error_class, failed.message.attempt) == ("RuntimeError", 1)


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


@pytest.fixture
def shop(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with an application, whose database cannot be reached."""
    pytester.makeini(SETTINGS)
    pytester.makepyfile(shop=SHOP + "\n\nother = Symphony(transport=SyncTransport())\n")
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:xdist", "--strict-markers", *arguments)


def test_the_fixtures(shop: pytest.Pytester) -> None:
    shop.makepyfile(TESTS)
    result = run(shop)
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
    run(pytester).assert_outcomes(passed=1)


IN_A_DATABASE = """
import os
import threading
from datetime import timedelta

import psycopg
import pytest
import shop
from shop import SendEmail, app, done, sign_up
from symphony_pg import RetryAfter, Snooze, Symphony

outside = os.environ.get("SYMPHONY_DSN")


@pytest.fixture(scope="session")
def symphony_template(symphony_template):
    with psycopg.connect(symphony_template) as conn:
        conn.execute("create table customer (email text)")
        conn.execute("select symphony.create_queue('mail')")
    return symphony_template


@pytest.fixture(autouse=True)
def nothing_done():
    done.clear()


def test_the_real_rules(symphony_database, symphony_app):
    assert symphony_app is app is symphony_database.app
    assert os.environ["SYMPHONY_DSN"] == app.dsn == symphony_database.dsn
    symphony_database.conn.execute("insert into customer values ('ada')")
    app.dispatch(SendEmail("reminder"), delay=timedelta(days=3), queue="mail")
    app.dispatch(SendEmail("eve"))
    counts = symphony_database.work()
    assert (counts.done, counts.retried) == (0, 1)
    symphony_database.travel("2 days 23 hours")
    counts = symphony_database.work("default")
    assert (counts.done, counts.retried) == (0, 1)
    symphony_database.travel(timedelta(hours=1))
    counts = symphony_database.work()
    assert (counts.done, counts.retried) == (1, 1)
    symphony_database.travel("1 minute")
    assert symphony_database.work().failed == 1
    assert done == [("reminder", 1)]
    (failed,) = symphony_database.client.failed_messages()
    assert failed.error_class == "RuntimeError"
    assert symphony_database.client.check() == []
    with pytest.raises(ValueError, match="no way back"):
        symphony_database.travel("-1 second")
    with pytest.raises(ValueError, match="no way back"):
        symphony_database.travel(timedelta(seconds=-1))


def test_each_test_begins_anew(symphony_database):
    rows = symphony_database.conn.execute("select from customer").fetchall()
    assert rows == symphony_database.client.failed_messages() == []
    assert sum(each.delayed for each in symphony_database.client.queue_stats()) == 0
    (now,) = symphony_database.conn.execute("select symphony._now() - clock_timestamp()").fetchone()
    assert abs(now) < timedelta(seconds=1)


async def test_in_async_code(symphony_database):
    await app.dispatch_async(SendEmail("ada"))
    with pytest.raises(RuntimeError, match="await work_async"):
        symphony_database.work()
    assert (await symphony_database.work_async()).done == 1


def test_a_lease_ends_on_the_way(symphony_database):
    app.dispatch(SendEmail("ada"))
    assert len(symphony_database.client.claim_batch()) == 1
    symphony_database.travel("29 seconds")
    assert symphony_database.work().done == 0
    symphony_database.travel("10 minutes")
    assert symphony_database.work().done == 1
    assert done == [("ada", 2)]


def test_messages_expire_on_the_way(symphony_database):
    app.dispatch(SendEmail("dan"), expires=60, on_expiry="drop")
    late = app.dispatch(SendEmail("bob"), expires=timedelta(minutes=59))
    app.dispatch(SendEmail("ann"), delay=timedelta(hours=2), expires=timedelta(hours=1))
    app.dispatch(SendEmail("ada"), expires=timedelta(minutes=61))
    symphony_database.travel("1 hour")
    counts = symphony_database.work()
    assert (counts.done, counts.failed) == (1, 0)
    (failed,) = symphony_database.client.failed_messages()
    assert (failed.message_id, failed.error_class) == (late, "MessageExpired")
    symphony_database.travel("1 hour 59 minutes")
    assert symphony_database.work().done == 1
    assert done == [("ada", 1), ("ann", 1)]
    retried = app.dispatch(SendEmail("eve"), expires=timedelta(minutes=1))
    assert symphony_database.work().retried == 1
    symphony_database.travel("1 hour")
    assert symphony_database.work().failed == 0
    (event,) = symphony_database.client.message_history(retried)[1:]
    assert (event.event, event.attempt) == ("expired", 1)
    assert symphony_database.client.check() == []


def test_schedules_fire_on_the_way(symphony_database):
    symphony_database.client.create_schedule(
        "daily", "SendEmail", "cron", {"expression": "0 9 * * *"}, body={"to": "all"}
    )
    symphony_database.travel("7 days")
    assert symphony_database.work().done == 7


def test_in_a_transaction_and_from_a_thread(symphony_database):
    with psycopg.connect(symphony_database.dsn) as conn:
        app.dispatch(SendEmail("never"), conn=conn)
        conn.rollback()
        app.dispatch(SendEmail("ada"), conn=conn)
    thread = threading.Thread(target=app.dispatch_many, args=[[SendEmail("bob"), SendEmail("ann")]])
    thread.start()
    thread.join()
    assert symphony_database.work().done == 3


def test_another_application_of_the_same_database(symphony_database):
    with Symphony() as other, Symphony(symphony_database.dsn) as third:
        other.dispatch(SendEmail("ada"))
        third.dispatch(SendEmail("bob"))
    assert symphony_database.work().done == 2


def test_one_way_only(symphony_database, symphony_transport):
    pass


def test_afterwards_all_is_as_it_was():
    assert app.dsn == "host=127.0.0.1 port=1"
    assert os.environ.get("SYMPHONY_DSN") == outside
"""


def test_a_database_for_each_test(shop: pytest.Pytester) -> None:
    server = os.environ["SYMPHONY_TEST_DSN"]
    shop.makepyfile(IN_A_DATABASE)
    result = run(shop, f"--symphony-dsn={server}", "--durations=0", "-vv")
    result.assert_outcomes(passed=9, errors=1)
    result.stdout.fnmatch_lines(["take symphony_transport or symphony_database: *"])
    with psycopg.connect(server) as conn:
        left = conn.execute("select datname from pg_database where datname ~ '^symphony_test_'")
        assert left.fetchall() == []


CONFIGURED = """
from dataclasses import dataclass
from datetime import timedelta
import pytest
from symphony_pg import Symphony

app = Symphony(config="symphony.toml")
done = []

@app.message("Order")
@dataclass
class Order:
    n: int

app.handler(Order)(lambda order: done.append("ship"))
app.handler(Order, name="bill")(lambda order: done.append("bill"))
app.handler("Here")(lambda body: done.append("here"))

@app.message("Here")
@dataclass
class Here:
    n: int

@pytest.mark.symphony_app("test_configured:app")
def test_routes_and_handlers_are_known(symphony_database):
    app.dispatch(Order(1))
    app.dispatch(Here(1))
    assert done == ["here"]
    (stats,) = [each for each in symphony_database.client.queue_stats() if each.pending]
    assert (stats.queue_name, stats.pending) == ("shipping", 2)
    assert symphony_database.work().done == 2
    assert sorted(done) == ["bill", "here", "ship"]
"""
TOML = """
[transports.shipping]
type = "postgres"
queue = "shipping"
[transports.here]
type = "sync"
[routing]
Order = "shipping"
Here = "here"
"""


def test_the_configuration_is_applied(shop: pytest.Pytester) -> None:
    shop.makepyfile(test_configured=CONFIGURED)
    shop.path.joinpath("symphony.toml").write_text(TOML)
    run(shop).assert_outcomes(passed=1)


MIXED = """
import pytest
from shop import SendEmail, app

@pytest.mark.parametrize("n", range(6))
def test_it(symphony_database, n):
    app.dispatch(SendEmail("ada"))
    assert symphony_database.work().done == 1
"""


def test_processes_and_a_server_of_our_own(
    shop: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMPHONY_TEST_DSN")
    shop.makepyfile(MIXED)
    result = shop.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=6)


def test_without_a_server_it_is_said_how_to_get_one(
    shop: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SYMPHONY_TEST_DSN")
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    shop.makepyfile("def test_it(symphony_database): pass")
    result = run(shop)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*pip install*symphony-pg?embedded?*or name a server: --symphony*"]
    )


REFUSED = """
import asyncio
import threading

import psycopg
import pytest
from shop import SendEmail, app
from symphony_pg import InMemoryTransport, PostgresTransport, RoutedTransport, Symphony
from symphony_pg.pytest_plugin import DispatchRefused, allow_dispatch
from symphony_pg.sending.outbox import Outbox

refused = pytest.raises(DispatchRefused, match="must not dispatch SendEmail")


def send(**options):
    app.dispatch(SendEmail("ada"), **options)


with refused:
    send()  # while the tests are collected


def test_it_says_what_to_do():
    with pytest.raises(DispatchRefused) as caught:
        send()
    for word in ("symphony_transport", "symphony_database", "symphony_allow_dispatch = true"):
        assert word in str(caught.value)


async def test_async():
    with refused:
        await app.dispatch_async(SendEmail("ada"))
    with refused:
        await app.dispatch_many_async([SendEmail("ada"), SendEmail("bob")])
    with refused:
        await asyncio.create_task(app.dispatch_async(SendEmail("ada")))
    with refused:
        await asyncio.to_thread(send)


def test_many():
    with refused:
        app.dispatch_many([SendEmail("ada"), SendEmail("bob")])


def test_threads():
    errors = []
    def work():
        try:
            send()
        except DispatchRefused as error:
            errors.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1


@pytest.mark.parametrize("kind", [PostgresTransport, RoutedTransport])
def test_transports_and_applications_of_the_test(kind):
    with refused:
        send(transport=kind())
    with refused, Symphony("host=127.0.0.1 port=1", transport=kind()) as other:
        other.dispatch(SendEmail("ada"))
    with refused, psycopg.connect(SERVER) as conn:
        send(conn=conn)


def test_the_outbox_of_a_handler():
    memory = InMemoryTransport()
    app.handler("First")(lambda body: app.dispatch(SendEmail("ada"), transport=PostgresTransport()))
    memory.bind(app.handlers, None)
    from symphony_pg import Envelope
    memory.send([Envelope("First", {})], None)
    with refused:
        memory.run_all()


def test_in_memory_is_no_leave(symphony_transport):
    send()
    with refused, Symphony("host=127.0.0.1 port=1") as other:
        other.dispatch(SendEmail("ada"))


def test_another_database_than_that_of_the_test(symphony_database):
    send()
    with pytest.raises(DispatchRefused, match="another one than the transport writes to"):
        send(transport=PostgresTransport("host=127.0.0.1 port=1"))


@pytest.fixture(scope="session")
def too_early():
    with refused:
        send()


def test_a_wider_fixture_has_no_database(too_early, symphony_database):
    send()


def test_afterwards(too_early):
    with refused:
        send()


def test_leave():
    from symphony_pg import ConnectionRefused
    with allow_dispatch():
        with pytest.raises(ConnectionRefused):
            send()
    with refused:
        send()
"""


def test_a_dispatch_without_a_database_is_refused(shop: pytest.Pytester) -> None:
    shop.makepyfile(f"SERVER = {os.environ['SYMPHONY_TEST_DSN']!r}\n{REFUSED}")
    run(shop).assert_outcomes(passed=12)


ALLOWED = """
import pytest
from shop import SendEmail, app
from symphony_pg import ConnectionRefused

def test_it():
    with pytest.raises(ConnectionRefused):
        app.dispatch(SendEmail("ada"))
"""


def test_a_setting_allows_it(shop: pytest.Pytester) -> None:
    shop.makeini(f"{SETTINGS}symphony_allow_dispatch = true\n")
    shop.makepyfile(ALLOWED)
    run(shop).assert_outcomes(passed=1)


def test_whatever_reaches_the_database_is_guarded() -> None:
    """A transport that is new here keeps connections to PostgreSQL, or a transport that does."""
    import symphony_pg
    from symphony_pg.transports import (
        direct,
        ids,
        local,
        memory,
        plan,
        postgres,
        queue,
        routed,
        sync,
    )

    rooms = (direct, ids, local, memory, plan, postgres, queue, routed, sync)
    kinds = {
        each
        for room in rooms
        for each in vars(room).values()
        if isinstance(each, type) and each.__module__ == room.__name__ and hasattr(each, "send")
    }
    assert {room.__name__ for room in rooms} == {
        f"{symphony_pg.__name__}.transports.{path.stem}"
        for path in Path(postgres.__file__).parent.glob("[a-z]*.py")
    }
    elsewhere = {memory.InMemoryTransport, sync.SyncTransport, queue.QueueTransport}
    elsewhere.add(direct.DirectTransport)  # by way of RoutedTransport
    assert kinds - elsewhere == {*pytest_plugin.GUARDED}


OUTSIDE = """
import sys
import symphony_pg, symphony_pg.cli, symphony_pg.worker
assert not hasattr(symphony_pg.PostgresTransport.send, "__wrapped__")
loaded = {"pytest", "symphony_pg.pytest_plugin", "symphony_pg.testing"} & {*sys.modules}
assert not loaded, loaded
"""


def test_outside_of_pytest_there_is_nothing_of_it() -> None:
    assert not hasattr(PostgresTransport.send, "__wrapped__")  # these tests allow it
    subprocess.run([sys.executable, "-c", OUTSIDE], check=True)
