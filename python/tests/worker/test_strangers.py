"""Messages that a worker does not know are left to others: an old worker meets a new release."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from symphony_pg import Client, InMemoryTransport, Symphony, SyncTransport, UnknownMessageType
from tests.helpers import Connection, known, status
from tests.worker.helpers import run


@dataclass
class Order:
    n: int = 0


@pytest.fixture
def old(dsn: str) -> Iterator[Symphony]:
    """The old release, or another application: it knows Order, and nothing else."""
    with Symphony(dsn) as app:
        app.handler("Order")(lambda body: None)
        yield app


@pytest.fixture
def new(dsn: str) -> Iterator[Symphony]:
    """The new release: it knows Refund, too, and a second handler of Order."""
    with Symphony(dsn) as app:
        app.handler("Order")(lambda body: None)
        app.handler("Order", name="audit")(lambda body: None)
        app.handler("Refund")(lambda body: None)
        yield app


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def make_due(conn: Connection) -> None:
    conn.execute("update symphony.delayed_message set available_at = clock_timestamp()")


def test_an_unknown_type_waits_for_a_worker_that_knows_it(
    old: Symphony, new: Symphony, conn: Connection
) -> None:
    message_id = Client(conn).enqueue("Refund")
    counts = run(old)
    assert (counts.snoozed, counts.retried, counts.failed) == (1, 0, 0)
    waiting = known(conn, message_id)
    assert (waiting.status, waiting.attempt) == ("delayed", 0)
    assert "no handler for the message type 'Refund'" in (waiting.last_error or "")
    wait = conn.execute(
        "select available_at - clock_timestamp() from symphony.delayed_message"
    ).fetchone()
    assert wait is not None and timedelta(seconds=50) < wait[0] <= timedelta(minutes=1)
    make_due(conn)
    counts = run(new)
    assert (counts.done, counts.failed) == (1, 0)
    assert known(conn, message_id).attempt == 1


def test_so_does_a_delivery_for_an_unknown_handler(
    old: Symphony, new: Symphony, conn: Connection
) -> None:
    client = Client(conn)
    client.sync_handlers("Order", ["default", "audit"])
    first = client.enqueue("Order")
    counts = run(old)
    assert (counts.done, counts.snoozed, counts.failed) == (1, 1, 0)
    assert "no handler 'audit'" in (known(conn, first + 1).last_error or "")
    make_due(conn)
    assert run(new).done == 1
    assert status(conn, first + 1) == "completed"


def test_it_fails_when_nobody_knew_it_for_max_snooze(old: Symphony, conn: Connection) -> None:
    client = Client(conn)
    client.configure_queue("default", max_snooze=timedelta(0))
    message_id = client.enqueue("Refund")
    assert run(old).failed == 1
    (failed,) = client.failed_messages()
    assert (failed.message_id, failed.reason) == (message_id, "expired")
    assert "put off for longer than 00:00:00" in failed.last_error
    assert "no handler for the message type 'Refund'" in failed.last_error


def test_a_policy_may_let_it_fail_at_once(old: Symphony, conn: Connection) -> None:
    client = Client(conn)
    client.set_retry_policy("*", permanent_errors=["UnknownMessageType"])
    client.enqueue("Refund")
    assert run(old).failed == 1
    assert client.failed_messages()[0].reason == "permanent"


def test_there_is_a_warning_a_minute_and_none_a_message(
    old: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "symphony_pg.worker")
    client = Client(conn)
    client.enqueue_batch([{"message_type": "Refund"}] * 20 + [{"message_type": "Gift"}] * 3)
    client.enqueue("Order")
    assert run(old).snoozed == 23
    (warning,) = warnings(caplog)
    assert warning.startswith("messages wait that another worker must take: ")
    assert "no handler for the message type 'Refund' (20), 'Gift' (3); " in warning
    assert not [each for each in caplog.records if "snoozed" in each.getMessage()]


def test_what_comes_later_is_told_when_it_comes(
    old: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(conn)

    @old.handler("First")
    def first(body: Any) -> None:
        client.enqueue_batch([{"message_type": "Refund"}] * 20)

    client.enqueue("First")
    run(old)
    (warning,) = warnings(caplog)
    assert warning.startswith("messages were put off that another worker must take: ")
    assert "no handler for the message type 'Refund' (" in warning


def test_a_newer_version_is_told_in_the_same_way(
    dsn: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "symphony_pg.worker")
    with Symphony(dsn) as app:
        app.handler(Order)(lambda order: None)
        Client(conn).enqueue_batch([{"message_type": "Order", "headers": {"version": 7}}] * 20)
        assert run(app).snoozed == 20
    (warning,) = warnings(caplog)
    assert "no handler for the message type 'Order' in its newer version (" in warning
    assert not [each for each in caplog.records if "snoozed" in each.getMessage()]


@pytest.mark.parametrize("transport", [InMemoryTransport(), SyncTransport(raises=True)])
def test_without_a_database_nobody_else_will_come(transport: Any) -> None:
    app = Symphony(transport=transport)
    with pytest.raises(UnknownMessageType, match="no handler for the message type 'Order'"):
        app.dispatch(Order())
        transport.run_all()
    assert [each.message.attempt for each in transport.failed] == [1]
