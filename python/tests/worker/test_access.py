"""A worker whose role may use one queue works on that, with all that a worker does beside it."""

import logging
import time
from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from symphony_pg import AccessDenied, Client, Symphony
from tests.helpers import Connection
from tests.worker.helpers import run


@pytest.fixture
def limited(dsn: str, conn: Connection) -> Iterator[str]:
    """The database for a role that is producer and consumer of the queue mail."""
    role = f"sy_limited_{time.time_ns()}"
    client = Client(conn)
    conn.execute(f"create role {role} login password 'secret'")
    for queue in ("mail", "sms"):
        client.create_queue(queue)
    for access in ("producer", "consumer"):
        client.grant_access(role, access, ["mail"])
    try:
        yield make_conninfo(dsn, user=role, password="secret")
    finally:
        for access in ("producer", "consumer"):
            client.revoke_access(role, access)
        conn.execute(f"drop owned by {role}")
        conn.execute(f"drop role {role}")


def application(dsn: str, seen: list[str]) -> Symphony:
    app = Symphony(dsn)
    app.handler("A")(lambda body: seen.append(body))
    return app


@pytest.mark.parametrize("all_queues", [False, True])
def test_it_works_on_its_queue(
    limited: str, conn: Connection, caplog: pytest.LogCaptureFixture, all_queues: bool
) -> None:
    client = Client(conn)
    for queue in ("mail", "sms"):
        client.enqueue("A", queue, queue_name=queue)
    seen: list[str] = []
    queues = {"all_queues": True} if all_queues else {"queues": ["mail"]}
    with caplog.at_level(logging.WARNING, "symphony_pg"):
        assert run(application(limited, seen), **queues).done == 1
    assert seen == ["mail"]
    assert caplog.text == ""
    assert client.message_status(2).status == "pending"  # type: ignore[union-attr]


def test_it_is_told_of_another_queue(limited: str) -> None:
    with pytest.raises(AccessDenied, match='"sms"'):
        run(application(limited, []), queues=["mail", "sms"])


def test_handlers_that_are_declared_are_no_news(limited: str, conn: Connection) -> None:
    app = application(limited, [])
    app.handler("A", name="second")(lambda body: None)
    with pytest.raises(AccessDenied, match="declare handlers"):
        run(app, queues=["mail"])
    for declaration in app.handler_declarations():
        Client(conn).run(declaration)
    Client(conn).enqueue("A", "x", queue_name="mail")
    assert run(app, queues=["mail"]).done == 1
