"""What is kept of a failure, and what a handler may say of the next attempt."""

import time
from datetime import datetime, timedelta, timezone
from typing import Any

from symphony_pg import Client, PermanentError, RetryAfter, Snooze, Symphony
from tests.helpers import status
from tests.worker.helpers import failing_app, run


def test_the_error_is_a_line_and_the_traceback_is_kept_beside_it(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, PermanentError("no such user; token=hunter2")))
    (failed,) = client.failed_messages()
    error = "symphony_pg.PermanentError: no such user; token=[redacted]"
    assert (failed.message_id, failed.last_error) == (message_id, error)
    assert failed.error_class == "symphony_pg.PermanentError"
    (event,) = client.message_history(message_id)
    assert (event.event, event.attempt, event.error) == ("failed", 1, error)
    assert event.traceback is not None
    assert event.traceback.startswith("Traceback (most recent call last):\n")
    assert "helpers.py" in event.traceback
    assert event.traceback.rstrip().endswith(error)
    assert "hunter2" not in event.traceback


def test_snooze_uses_no_attempt(dsn: str, client: Client) -> None:
    app = Symphony(dsn)
    attempts = []
    given: list[float | timedelta | datetime] = [0, 0.01, timedelta(0), datetime.now(timezone.utc)]
    waits = iter(given)

    @app.handler("A")
    def handle(body: Any, context: Any) -> None:
        attempts.append(context.attempt)
        for wait in waits:
            raise Snooze(wait, "not yet")

    message_id = client.enqueue("A")
    counts = run(app)
    deadline = time.monotonic() + 10
    while status(client.conn, message_id) != "completed" and time.monotonic() < deadline:
        more = run(app)
        counts.snoozed += more.snoozed
    assert attempts == [1] * 5
    assert counts.snoozed == 4
    assert status(client.conn, message_id) == "completed"
    assert client.message_history(message_id) == []


def test_a_message_is_not_snoozed_for_ever(dsn: str, client: Client) -> None:
    client.create_queue("q", max_snooze=timedelta(0))
    message_id = client.enqueue("A", queue_name="q")
    counts = run(failing_app(dsn, Snooze(60, "still closed")), queues=["q"])
    assert (counts.snoozed, counts.failed) == (0, 1)
    (failed,) = client.failed_messages("q")
    assert (failed.message_id, failed.reason) == (message_id, "expired")
    assert failed.last_error == "put off for longer than 00:00:00: still closed"


def test_retry_after_is_in_the_history(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, RetryAfter(60, "busy")))
    (event,) = client.message_history(message_id)
    assert (event.event, event.error) == ("retry", "symphony_pg.RetryAfter: busy")
