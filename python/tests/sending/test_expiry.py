"""dispatch() of what may be too late, or be replaced while it waits for its time."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from symphony_pg import BadArgument, Client, Envelope, Symphony, WrongState
from tests.helpers import Connection, SendEmail, known

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("expires", [MINUTE, 60])
def test_a_duration_counts_from_when_it_is_due(
    app: Symphony, conn: Connection, expires: timedelta | float
) -> None:
    status = known(conn, app.dispatch(SendEmail(), delay=3600, expires=expires))
    assert status.available_at is not None and status.expires_at is not None
    assert status.expires_at - status.available_at == MINUTE


def test_a_moment_is_kept_and_needs_a_zone(app: Symphony, conn: Connection) -> None:
    moment = datetime(2100, 1, 31, tzinfo=timezone.utc)
    by_itself = app.dispatch(SendEmail(), expires=moment)
    from_async_code = asyncio.run(app.dispatch_async(SendEmail(), expires=moment))
    of_many = app.dispatch_many([app.envelope(SendEmail(), expires=moment), SendEmail()])
    for message_id in (by_itself, from_async_code, of_many[0]):
        assert known(conn, message_id).expires_at == moment
    assert known(conn, of_many[1]).expires_at is None
    with pytest.raises(BadArgument, match="expires_at has no time zone"):
        app.dispatch(SendEmail(), expires=datetime(2100, 1, 31))
    with pytest.raises(BadArgument, match="it expires at"):
        app.dispatch(SendEmail(), delay=MINUTE, expires=datetime.now(timezone.utc))


def test_middleware_sees_and_changes_the_expiry(app: Symphony, conn: Connection) -> None:
    @app.middleware(phase="dispatch")
    def later(passage, next):  # type: ignore[no-untyped-def]  # noqa: A002
        assert passage.options["on_expiry"] == "drop"
        passage.options["expires_in"] = 2 * MINUTE
        return next(passage)

    status = known(conn, app.dispatch(SendEmail(), delay=1, expires=MINUTE, on_expiry="drop"))
    assert status.available_at is not None and status.expires_at is not None
    assert status.expires_at - status.available_at == 2 * MINUTE


def test_what_is_late_fails_or_is_dropped(app: Symphony, client: Client) -> None:
    past = datetime.now(timezone.utc)
    failed = app.dispatch(SendEmail(), expires=past)
    dropped = app.dispatch(SendEmail(), expires=past, on_expiry="drop")
    sent = app.dispatch(SendEmail(), expires=MINUTE)
    assert [each.message_id for each in client.claim_batch()] == [sent]
    assert client.message_status(dropped) is None
    (event,) = client.message_history(failed)
    assert (event.event, event.attempt, event.worker) == ("expired", 0, None)
    (listed,) = client.failed_messages()
    assert (listed.message_id, listed.error_class) == (failed, "MessageExpired")
    client.retry_failed([failed])
    assert known(client.conn, failed).expires_at is None
    assert [each.message_id for each in client.claim_batch()] == [failed]


def test_the_last_one_counts(app: Symphony, client: Client) -> None:
    def changed(to: str) -> int:
        return app.dispatch(
            SendEmail(to),
            delay=MINUTE,
            idempotency_key="index",
            on_duplicate="replace",
            idempotency_window=3600,
        )

    first = changed("ada")
    assert changed("bob") == first
    assert known(client.conn, first).body == {"to": "bob"}
    client.run_message_now(first)
    (claimed,) = client.claim_batch()
    assert (claimed.message_id, claimed.body) == (first, {"to": "bob"})
    with pytest.raises(WrongState, match="it is processing"):
        client.run_message_now(first)
    assert changed("eve") != first
    with pytest.raises(BadArgument, match="for a message with an idempotency_key"):
        app.dispatch(SendEmail(), on_duplicate="replace")


def test_an_envelope_carries_all_of_it() -> None:
    given = {
        "expires_in": MINUTE,
        "on_expiry": "drop",
        "on_duplicate": "replace",
        "idempotency_window": MINUTE,
    }
    assert Envelope("A", {}, **given).arguments() == {  # type: ignore[arg-type]
        "message_type": "A",
        "body": {},
        **given,
    }
