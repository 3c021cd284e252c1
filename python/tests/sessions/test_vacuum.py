"""A queue is dropped, and messages are sent, while the log is vacuumed."""

import threading
import time

import psycopg

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import wait_until

VACUUM = "select from pg_stat_progress_vacuum where relid = 'symphony.message'::regclass"
CRAWL = """alter table symphony.message set (
    autovacuum_vacuum_insert_threshold = 1, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"""


def test_an_autovacuum_gives_way_to_who_drops_a_queue() -> None:
    with (
        Server(options={"autovacuum_naptime": "1s", "deadlock_timeout": "3s"}) as server,
        psycopg.connect(server.dsn, autocommit=True) as conn,
        psycopg.connect(server.dsn, autocommit=True) as other,
    ):
        install(conn)
        client, producer = Client(conn), Client(other)
        client.create_queue("short")
        body = {"text": "x" * 1000}
        client.enqueue_batch([{"message_type": "A", "body": body} for _ in range(5000)])
        conn.execute(CRAWL)
        wait_until(lambda: conn.execute(VACUUM).rowcount == 1, "the autovacuum", 30)
        dropper = threading.Thread(target=client.drop_queue, args=("short",))
        dropper.start()
        slowest = 0.0
        while dropper.is_alive():
            before = time.monotonic()
            producer.enqueue("B", queue_name="default")
            slowest = max(slowest, time.monotonic() - before)
        assert "short" not in producer.list_queues()
        assert slowest < 2, "who enqueues does not wait for the vacuum"
