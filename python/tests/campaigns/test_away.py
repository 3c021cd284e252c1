"""The server is away for longer than a lease, with hundreds of messages in hand.

Nobody could settle, which is no sign of a message that kills its worker: what was done meanwhile is
settled afterwards, and nothing is handed out one by one.
"""

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from symphony_pg import Client
from symphony_pg.database.install import install
from symphony_pg.server import Server
from tests.helpers import Connection, one, wait_until
from tests.worker.helpers import Process

LEASE = 2.0
AWAY = 8.0
IN_HAND = 400
LATER = 100
APP = """
import asyncio
from pathlib import Path
from symphony_pg import Context, Symphony

app = Symphony()

@app.handler("Job")
async def job(n, context: Context):
    with Path("handled").open("a") as file:
        file.write(f"{n}\\n")
    await asyncio.sleep(3 if context.attempt == 1 and n < 400 else 0.001)
"""
HAND = """
    select coalesce(sum(cardinality(open_ids)), 0)::bigint, exists (select from symphony.tick)
    from symphony.claim
"""
ALONE = """
    select count(*) from symphony.claim join symphony.lane using (lane_id)
    where lane.alone and claim.size > 0
"""


class Wire:
    """A way to the server that may fall silent: nothing is closed, and nothing comes through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as far:
            back = Thread(target=self._copy, args=(far, near), daemon=True)
            back.start()
            self._copy(near, far)
            back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        self._open.wait()
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def silent(self) -> Iterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def close(self) -> None:
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()


class Place:
    """A server, a way to it, and the ways in which it may be away."""

    def __init__(self, stack: ExitStack, data_dir: Path) -> None:
        self._stack = stack
        self._data_dir = data_dir
        self.server = stack.enter_context(Server(data_dir=data_dir))
        self.wire = Wire(self.server.port)
        stack.callback(self.wire.close)
        self.dsn = make_conninfo(
            self.server.dsn, **{**conninfo_to_dict(self.server.dsn), "port": self.wire.port}
        )

    def connect(self) -> Connection:
        return psycopg.connect(self.server.dsn, autocommit=True)

    @contextmanager
    def restarted(self) -> Iterator[None]:
        process = self.server._process
        assert process is not None
        process.send_signal(signal.SIGINT)
        process.wait()
        yield
        self.server = self._stack.enter_context(
            Server(data_dir=self._data_dir, port=self.server.port)
        )

    @contextmanager
    def frozen(self) -> Iterator[None]:
        process = self.server._process
        assert process is not None
        pids = [process.pid, *children_of(process.pid)]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def silent(self) -> Iterator[None]:
        with self.wire.silent():
            yield


def children_of(parent: int) -> list[int]:
    return [
        int(pid)
        for task in Path(f"/proc/{parent}/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


def is_done(conn: Connection) -> bool:
    stats = Client(conn).queue_stats()[0]
    return not (stats.pending or stats.processing or stats.delayed)


@pytest.mark.parametrize("how", ["restarted", "frozen", "silent"])
def test_a_server_that_was_away_costs_nobody_an_attempt(
    data_dir: Path, tmp_path: Path, how: str
) -> None:
    with ExitStack() as stack:
        place = Place(stack, data_dir)
        with place.connect() as conn:
            install(conn)
            client = Client(conn)
            client.configure_queue("default", lease=timedelta(seconds=LEASE))
            ids = client.enqueue_batch(
                [{"message_type": "Job", "body": n} for n in range(IN_HAND + LATER)]
            )
            worker = stack.enter_context(
                Process(
                    tmp_path, APP, place.dsn, "--concurrency", str(IN_HAND), "--batch-size", "400"
                )
            )
            wait_until(lambda: one(conn, HAND) == (IN_HAND, True), worker)
        with getattr(place, how)():
            time.sleep(AWAY)
        returned = time.monotonic()
        with place.connect() as conn:
            wait_until(lambda: is_done(conn), worker, seconds=30)
            seconds = time.monotonic() - returned
            attempts = Counter(
                found.attempt for each in ids if (found := Client(conn).message_status(each))
            )
            alone = one(conn, ALONE)
            assert conn.execute("select * from symphony.check()").fetchall() == []
        handled = Counter((tmp_path / "handled").read_text().split())
        print(
            f"{how}: all done {seconds:.1f} s after it was back; attempts {dict(attempts)}, "
            f"handed out alone {alone}, handled twice {sum(n > 1 for n in handled.values())}"
        )
        assert alone == 0
        assert attempts == {1: IN_HAND + LATER}
        assert set(handled.values()) == {1}
