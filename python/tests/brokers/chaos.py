"""A campaign against relays, consumers, PostgreSQL and a broker, and what it counts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from symphony_pg import Client
from symphony_pg.brokers.opening import broker_of
from symphony_pg.config.broker import BrokerSettings
from symphony_pg.database.install import install
from symphony_pg.server import Server as PostgreSQL
from tests.brokers.servers import Server
from tests.helpers import Connection, one

LEASE = 2.0  # so soon goes out again what a killed relay had
_numbers = count(1)

TABLES = """
    create table sent (type text, n int, primary key (type, n));
    create table effect (seq bigserial, type text, key text, n int);
"""
ONE_BACKEND = """
    select pid from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1
"""
WAS_SENT = "select count(*) from sent where type = %s and n = %s"
IN_OUTBOXES = "select sum(pending + delayed + processing + waiting) from symphony.queue_stats()"
FAILED = "select message_type, (body->>'n')::int from symphony.failed_message"
DISORDER = """
    select key, n, before from (
        select key, n, lag(n) over (partition by key order by seq) as before from effect) as e
    where before > n
"""


@contextmanager
def database(options: Mapping[str, str] | None = None) -> Iterator[PostgreSQL]:
    """Run a PostgreSQL for a block, which keeps through a crash what it has committed."""
    with PostgreSQL(options={"synchronous_commit": "on", **(options or {})}) as server:
        with psycopg.connect(server.dsn) as conn:
            install(conn)
            conn.execute(TABLES)
        yield server


class Process:
    """A relay or a consumer that can be killed and started again."""

    def __init__(self, role: str, command: Sequence[str], log: Path) -> None:
        self.role = role
        self._command = command
        self._log = log

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        assert self.is_running, f"a {self.role} ended by itself:\n{self._log.read_text()[-4000:]}"
        self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> int:
        """Send a signal, and wait until it has ended."""
        self._process.send_signal(number)
        return self._process.wait(30)


@dataclass
class Campaign:
    """Messages that go through a broker while things fail.

    `transports` says which settings each transport has, and `types` which of them has a type.
    """

    server: Server
    dsn: str
    folder: Path
    transports: Mapping[str, Mapping[str, Any]]
    types: Mapping[str, str]
    rng: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    processes: list[Process] = field(default_factory=list)

    def __str__(self) -> str:
        log = (self.folder / "log").read_text()[-8000:]
        return f"{self.tally()} after {dict(self.faults)}:\n{log}"

    def __post_init__(self) -> None:
        number = next(_numbers)
        self.brokers = [
            BrokerSettings(
                name,
                self.server.kind,
                self.server.dsn,
                None,
                {
                    "destination": f"{name}-{number}{self.server.ending}",
                    **self.server.settings,
                    **given,
                },
            )
            for name, given in self.transports.items()
        ]
        with self.connect() as conn:
            client = Client(conn)
            for each in self.brokers:
                client.create_transport(each.name, each.type, config={**each.settings})
                client.configure_queue(each.outbox, lease=timedelta(seconds=LEASE))
            for type_, name in self.types.items():
                client.set_routes(type_, [name])
            client.set_retry_policy("*", 40, delay=timedelta(seconds=0.1), multiplier=1)

    def connect(self) -> Connection:
        """Connect, as soon as PostgreSQL is there."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(self.dsn, autocommit=True)
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not come back"
                time.sleep(0.05)

    @contextmanager
    def running(self, **processes: int) -> Iterator[None]:
        """Run so many processes of each role for a block."""
        told = json.dumps([asdict(each) for each in self.brokers])
        program = str(Path(__file__).with_name("program.py"))
        try:
            for role, number in processes.items():
                for _ in range(number):
                    command = [sys.executable, program, role, self.dsn, str(self.effects), told]
                    process = Process(role, command, self.folder / "log")
                    process.start()
                    self.processes.append(process)
            yield
        finally:
            for process in self.processes:
                process.kill()
            self.processes.clear()

    @property
    def effects(self) -> Path:
        """The file that has the effects outside the database."""
        return self.folder / "effects"

    def send(self, type_: str, numbers: Sequence[int], keys: int = 20) -> None:
        """Enqueue messages, just once, whatever becomes of the connection."""
        batch = [
            {"message_type": type_, "body": {"n": n}, "group_key": f"k{n % keys}"} for n in numbers
        ]
        while True:
            with suppress(psycopg.OperationalError), self.connect() as conn:
                if one(conn, WAS_SENT, type_, numbers[0]):
                    return
                with conn.transaction():
                    conn.execute("insert into sent select %s, unnest(%s)", [type_, [*numbers]])
                    Client(conn).enqueue_batch(batch)
                return

    def disturb(self, kind: str) -> None:
        """Let one fault happen: of a relay, a consumer, sessions, PostgreSQL, or the broker."""
        self.faults[kind] += 1
        if kind == "broker":
            self.server.disturb(self.rng)
        elif kind in ("session", "backend"):
            self._end_backend(signal.SIGTERM if kind == "session" else signal.SIGKILL)
        else:
            victim = self.rng.choice([each for each in self.processes if each.role == kind])
            victim.kill()
            victim.start()

    def _end_backend(self, number: signal.Signals) -> None:
        """Kill one session. A SIGKILL is a crash of PostgreSQL, which recovers by itself."""
        with suppress(psycopg.OperationalError), self.connect() as conn:
            found = conn.execute(ONE_BACKEND).fetchone()
            if found is not None:
                os.kill(found[0], number)

    def ask(self, work: Callable[[Connection], Any]) -> Any:
        """Ask PostgreSQL something, again if it was cut off."""
        while True:
            with suppress(psycopg.OperationalError), self.connect() as conn:
                return work(conn)

    def tally(self) -> Tally:
        """Count what was sent, and what became of it."""
        return Tally(self.ask(self._gone_through), self._effects_outside())

    def _gone_through(self, conn: Connection) -> Mapping[str, Counter[tuple[str, int]]]:
        return {
            "sent": Counter(conn.execute("select type, n from sent").fetchall()),
            "effect": Counter(conn.execute("select type, n from effect").fetchall()),
            "failed": Counter(conn.execute(FAILED).fetchall()),
        }

    def _effects_outside(self) -> Counter[tuple[str, int]]:
        if not self.effects.exists():
            return Counter()
        return Counter(("Ship", int(n)) for n in self.effects.read_text().split())

    def confirmed(self) -> set[tuple[str, int]]:
        """Return what producers know that a broker has."""
        file = self.folder / "effects.confirmed"
        numbers = file.read_text().split() if file.exists() else []
        return {("Ship", int(each)) for each in numbers}

    def is_idle(self) -> bool:
        """Tell whether no outbox has anything left."""
        return bool(self.ask(lambda conn: one(conn, IN_OUTBOXES)) == 0)

    def left_at_broker(self) -> int:
        """Return how much the broker has, also what is done and was not acked."""
        return sum(asyncio.run(_count(each)) for each in self.brokers)


async def _count(settings: BrokerSettings) -> int:
    broker = broker_of(settings)
    await broker.open()
    try:
        return await broker.count()
    finally:
        await broker.close()


class Tally:
    """What was sent, what took effect and what has failed, each by type and number."""

    def __init__(
        self,
        inside: Mapping[str, Counter[tuple[str, int]]],
        outside: Counter[tuple[str, int]],
    ) -> None:
        self.sent, self.failed = inside["sent"], inside["failed"]
        self.once, self.repeated = inside["effect"], outside
        self.effects = inside["effect"] + outside

    @property
    def ended(self) -> set[tuple[str, int]]:
        """Which messages have taken effect or failed."""
        return self.effects.keys() | self.failed.keys()

    @property
    def settled(self) -> int:
        """How many these are."""
        return len(self.ended)

    def judge(self) -> None:
        """Expect that each message took effect or failed, and what is in the database once."""
        assert self.sent.keys() == self.effects.keys() | self.failed.keys()
        assert not self.effects.keys() & self.failed.keys()
        assert max(self.once.values(), default=1) == 1
        assert max(self.failed.values(), default=1) == 1
        assert self.sent.total() == len(self.effects) + self.failed.total()

    def __str__(self) -> str:
        types = Counter(type_ for type_, _ in self.effects)
        parts = [f"{number} {type_}" for type_, number in sorted(types.items())]
        return (
            f"{self.sent.total()} enqueued = {len(self.effects)} with effect "
            f"({', '.join(parts)}) + {self.failed.total()} failed; "
            f"{self.once.total()} effects in the database, each once, and "
            f"{self.repeated.total()} outside for {len(self.repeated)} messages"
        )
