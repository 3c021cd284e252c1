"""The transport that is a database of its own."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from symphony_pg import (
    Client,
    InvalidMessage,
    PostgresTransport,
    Symphony,
    SymphonyError,
    message,
)
from tests.helpers import NOWHERE, Connection, SendEmail


def test_the_postgres_transport_can_have_its_own_database(dsn: str, conn: Connection) -> None:
    transport = PostgresTransport(dsn, prepare_threshold=None)
    with Symphony(NOWHERE, transport=transport) as app:
        assert Client(conn).message_status(app.dispatch(SendEmail("ada"))) is not None


@message("Anything")
@dataclass
class Anything:
    value: Any


NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def test_what_is_stored_is_what_json_says_however_it_is_written(dsn: str, conn: Connection) -> None:
    with Symphony(dsn) as app:

        @settings(max_examples=200, deadline=None)
        @given(VALUES)
        def compare(value: Any) -> None:
            try:
                own = app.dispatch(Anything(value))
            except InvalidMessage:  # a float that JSON would give back as an int
                reject()
            by_two = app.dispatch_many([Anything(value), Anything(value)])
            others = app.dispatch(Anything(value), conn=conn)  # json.dumps() writes this one
            found = conn.execute(
                "select count(distinct body::text), count(*) from symphony.message"
                " where message_id = any (%s)",
                [[own, *by_two, others]],
            ).fetchone()
            assert found == (1, 4)

        compare()


@pytest.mark.parametrize("headers", [{"x": float("nan")}, {"x": {"y": [float("inf")]}}])
def test_headers_that_are_no_json_are_refused_in_a_batch_too(
    dsn: str, headers: dict[str, Any]
) -> None:
    with Symphony(dsn) as app:
        envelopes = [app.envelope(SendEmail("ada"), headers=headers)] * 2
        with pytest.raises(SymphonyError):
            app.dispatch(SendEmail("ada"), headers=headers)
        with pytest.raises(SymphonyError):
            app.dispatch_many(envelopes)


def test_a_body_that_was_put_into_an_envelope_is_refused_if_it_is_no_json(dsn: str) -> None:
    with Symphony(dsn) as app:
        envelope = replace(app.envelope(Anything(1)), body={"value": float("nan")})
        for messages in ([envelope], [envelope] * 2):
            with pytest.raises(SymphonyError):
                app.dispatch_many(messages)
