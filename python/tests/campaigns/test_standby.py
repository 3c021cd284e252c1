"""A hot standby shows the queues, and takes over."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server, _Identity
from tests.helpers import wait_until


def copy_of(primary: Server, data_dir: Path) -> None:
    """Make a standby's data directory, of the user that servers run as."""
    command, environment = primary.program("pg_basebackup")
    if not Path(command[0]).exists():
        pytest.skip("this PostgreSQL has no pg_basebackup")
    arguments = ["-D", str(data_dir), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run([*command, *arguments], env=environment, check=True)
    identity = _Identity.of_server()
    for path in (data_dir.parent, data_dir, *data_dir.rglob("*")):
        identity.own(path)


def test_a_standby_shows_the_queues_and_takes_over(data_dir: Path) -> None:
    with (
        Server() as primary,
        psycopg.connect(primary.dsn, autocommit=True) as conn,
    ):
        install(conn)
        client = Client(conn)
        first, second = (client.enqueue("A") for _ in range(2))
        (claimed,) = client.claim_batch(batch_size=1)
        copy_of(primary, data_dir)
        with (
            Server(data_dir=data_dir) as standby,
            psycopg.connect(standby.dsn, autocommit=True) as other,
        ):
            third = client.enqueue("B")
            look = Client(other)
            wait_until(lambda: look.message_status(third), "the copy of the third")
            states = [look.message_status(each) for each in (first, second, third)]
            assert [each and each.status for each in states] == [
                "processing",
                "pending",
                "pending",
            ]
            (stats,) = look.queue_stats()
            assert (stats.pending, stats.processing, stats.idle_workers) == (2, 1, 0)
            assert look.check() == []
            assert "No worker" in look.why_not_running(second)
            assert [each.code for each in look.health()] == ["no_tick"]
            for call in (lambda: look.enqueue("C"), look.claim_batch, look.tick):
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    call()
            other.execute("select pg_promote()")
            assert look.ack(claimed.claim_id) == 1
            assert [each.message_id for each in look.claim_batch()] == [second, third]
            assert look.check() == []
