"""What a crash of the server forgets: claims are committed asynchronously."""

import signal
from pathlib import Path

import psycopg
import pytest

from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.sessions.helpers import claim


def test_a_claim_that_a_crash_forgot_settles_nothing_of_another(data_dir: Path) -> None:
    """A sequence may give out numbers again that a crash has forgotten; claims must not."""
    with Server(data_dir=data_dir, options={"wal_writer_delay": "10s"}) as server:
        with psycopg.connect(server.dsn) as conn:
            install(conn)
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            for _ in range(60):
                conn.execute("select symphony.enqueue('A')")
            # The next number of the sequence is one that is written to the log anew.
            sequence = "select log_cnt from symphony.claim_id_seq"
            while conn.execute(sequence).fetchone() != (0,):
                conn.execute("select symphony.ack(%s)", [claim(conn, 1)[0][0]])
            conn.execute("set synchronous_commit = off")
            forgotten = claim(conn, 2)
            assert len(forgotten) == 2
            assert server._process is not None
            server._process.send_signal(signal.SIGQUIT)
            server._process.wait()
    with Server(data_dir=data_dir) as server, psycopg.connect(server.dsn, autocommit=True) as conn:
        held = claim(conn, 5)
        assert {message_id for _, message_id in forgotten} < {
            message_id for _, message_id in held
        }, "the crash did not forget the claim"
        with pytest.raises(psycopg.Error) as refused:
            conn.execute("select symphony.ack(%s)", [forgotten[0][0]])
        assert refused.value.sqlstate == "SY010"
        assert conn.execute("select symphony.ack(%s)", [held[0][0]]).fetchone() == (5,)
