"""The program of test_dropped.py, in a network of its own that drops every packet for a while.

What it finds is printed as JSON. Another way to the server, a Unix socket, is always open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from symphony_pg import Client, Context, Symphony, Worker
from symphony_pg.database.connections import OURS
from symphony_pg.database.install import install
from symphony_pg.errors import NoAnswer
from symphony_pg.server import Server

if TYPE_CHECKING:
    from typing_extensions import LiteralString

TIMEOUT = 40.0
ACCESS = "local all all scram-sha-256\nhost all all 10.9.9.0/24 scram-sha-256\n"
VA, VB, NOBODY = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:99"


@dataclass
class Ask:
    """A message whose handler asks the database itself, for as long as that answers."""

    way: str


def until(condition: Callable[[], object], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.05)


def ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


class Wire:
    """The way between two networks: a device in each of them, `vb` in that of the client."""

    @staticmethod
    def lay(pid: str) -> None:
        """Lay it, from the network of the server to that of a process."""
        ip("link", "add", "va", "address", VA, "type", "veth", "peer", "name", "vb", "netns", pid)
        ip("addr", "add", "10.9.9.1/24", "dev", "va")
        ip("link", "set", "va", "up")
        ip("neigh", "replace", "10.9.9.2", "lladdr", VB, "dev", "va", "nud", "permanent")

    @staticmethod
    def join() -> None:
        """Put the client at the end of it."""
        ip("link", "set", "dev", "vb", "address", VB)
        ip("addr", "add", "10.9.9.2/24", "dev", "vb")
        ip("link", "set", "vb", "up")
        Wire._to(VA)

    @staticmethod
    def _to(address: str) -> None:
        ip("neigh", "replace", "10.9.9.1", "lladdr", address, "dev", "vb", "nud", "permanent")

    @staticmethod
    def drop() -> None:
        """Let packets go to nobody, in both directions."""
        ip("link", "set", "dev", "vb", "address", NOBODY)
        Wire._to(NOBODY)

    @staticmethod
    def mend() -> None:
        """Let them come through again."""
        ip("link", "set", "dev", "vb", "address", VB)
        Wire._to(VA)


class Asking:
    """Handlers that ask, until what they ask fails for the first time."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.app = Symphony(dsn)
        self.asking: set[str] = set()
        self.failed_at: dict[str, float] = {}
        self.errors: dict[str, str] = {}
        self.app.handler(Ask)(self.handle)

    def handle(self, ask: Ask, context: Context) -> None:
        if ask.way in self.failed_at:
            return
        with context.transaction() as conn:
            conn.execute("insert into note values (%s)", [ask.way])
            if ask.way == "context.conn, asking all the time":
                self.ask(ask.way, conn, "select 1")
            elif ask.way == "context.conn, waiting for an answer":
                self.ask(ask.way, conn, "select pg_sleep(600)")
            else:
                given = psycopg.connect(make_conninfo(self.dsn, **OURS), autocommit=True)
                with given:
                    self.ask(ask.way, given, "select 1")

    def ask(self, way: str, conn: psycopg.Connection[Any], statement: LiteralString) -> None:
        self.asking.add(way)
        try:
            while True:
                if way.startswith("conn="):
                    self.app.dispatch(Ask("context.conn, waiting"), conn=conn, queue="other")
                else:
                    conn.execute(statement)
                time.sleep(0.01)
        except Exception as error:
            self.failed_at[way] = time.monotonic()
            self.errors[way] = f"{type(error).__name__}: {error}"
            raise


WAYS = ["context.conn, asking all the time", "context.conn, waiting for an answer", "conn="]


def client_side(folder: str, port: str, password: str) -> dict[str, Any]:
    """Work, drop packets, and see what becomes of it."""
    print("here", flush=True)
    sys.stdin.readline()
    Wire.join()
    dsn = f"port={port} user=postgres dbname=postgres password={password} host="
    with psycopg.connect(dsn + folder, autocommit=True) as conn:
        install(conn)
        conn.execute("create table note (way text)")
        client = Client(conn)
        client.create_queue("other")
        conn.execute("select symphony.configure_queue('default', max_attempts => 100)")
        asking = Asking(dsn + "10.9.9.1")
        client.enqueue_batch([{"message_type": "Ask", "body": {"way": way}} for way in WAYS])
        worker = Worker(asking.app, concurrency=len(WAYS) + 1, batch_size=1)
        thread = threading.Thread(target=lambda: asyncio.run(worker.run()), daemon=True)
        thread.start()
        until(lambda: asking.asking == {*WAYS}, lambda: f"the handlers, {asking.asking}")
        time.sleep(0.5)
        Wire.drop()
        began = time.monotonic()
        until(lambda: asking.failed_at.keys() == {*WAYS}, lambda: f"more than {asking.errors}")
        until(lambda: not left_alone(conn), lambda: f"the ends of {left_alone(conn)}")
        ended = time.monotonic() - began
        Wire.mend()
        back = time.monotonic()
        client.enqueue("Ask", {"way": WAYS[0]})
        until(lambda: settled(client), lambda: f"the end of the work, {client.queue_stats()}")
        worked = time.monotonic() - back
        worker.stop()
        thread.join()
        asking.app.close()
        late = dispatched_too_late(dsn + "10.9.9.1", client)
        return {
            "dispatched_after_it_was_given_up": late,
            "failed_after": {way: at - began for way, at in asking.failed_at.items()},
            "errors": asking.errors,
            "server_ended_sessions_after": ended,
            "worked_again_after": worked,
            "check": client.check(),
            "failed": [each.failed for each in client.queue_stats()],
        }


def dispatched_too_late(dsn: str, client: Client) -> int:
    """Count the messages of a dispatch() that was given up, when packets come again."""
    client.create_queue("late")
    with Symphony(dsn, call_timeout=3) as app:
        app.dispatch(Ask("in time"), queue="late")
        Wire.drop()
        with contextlib.suppress(NoAnswer):
            app.dispatch(Ask("too late"), queue="late")
        Wire.mend()
        time.sleep(6)
    return next(each.pending for each in client.queue_stats() if each.queue_name == "late") - 1


def server_side() -> int:
    """Run a server, and the client in another network."""
    with tempfile.TemporaryDirectory(prefix="symphony-pg-") as folder:
        Path(folder).chmod(0o777)
        ip("link", "set", "lo", "up")
        access = Path(folder, "pg_hba.conf")
        access.write_text(ACCESS)
        options = {"unix_socket_directories": folder, "hba_file": str(access)}
        with Server(options={**options, "listen_addresses": "*"}) as server:
            way_in = [str(server.port), server.password]
            client = subprocess.Popen(
                ["unshare", "--net", sys.executable, __file__, folder, *way_in],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert client.stdin is not None and client.stdout is not None
            client.stdout.readline()
            Wire.lay(str(client.pid))
            found, _ = client.communicate("it is there\n")
            print(found)
            return client.returncode


def left_alone(conn: psycopg.Connection[Any]) -> list[Any]:
    """Return the sessions whose client is out of reach."""
    return conn.execute(
        "select state, query from pg_stat_activity where backend_type = 'client backend'"
        " and client_addr is not null and state <> 'idle'"
    ).fetchall()


def settled(client: Client) -> bool:
    stats = client.queue_stats()[0]
    return stats.pending + stats.processing + stats.delayed == 0


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(server_side())
    json.dump(client_side(*sys.argv[1:]), sys.stdout)
