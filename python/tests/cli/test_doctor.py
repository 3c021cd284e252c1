"""Every incident that `symphony-pg doctor` names, made for real: what it says, and that it helps."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection, wait_until

# So long as in the thresholds of production nobody can wait.
SHORT = """
create or replace function symphony._thresholds(
    out tick interval, out locked interval, out waiting interval, out busy interval,
    out silent interval, out late interval, out held interval, out open interval,
    out slot_bytes bigint, out notify double precision, out dead_rows bigint, out kept interval,
    out disk_bytes bigint, out errors integer, out times integer)
language sql immutable as $$
    select '1 s'::interval, '0.2 s'::interval, '0.2 s'::interval, '0.5 s'::interval,
           '1 s'::interval, '0.2 s'::interval, '0.2 s'::interval, '0.5 s'::interval,
           33554432::bigint, 0.1::double precision, 1000::bigint, '1 year'::interval,
           1048576::bigint, 20, 3
$$
"""


class Ward:
    """A database to be ill, and those who work in it."""

    def __init__(self, dsn: str, conn: Connection, stack: ExitStack) -> None:
        self.dsn, self.conn, self.client, self.cli = dsn, conn, Client(conn), Cli(dsn)
        self._stack = stack

    def session(self, *statements: str, name: str = "psql") -> Connection:
        """Open a session that is in a transaction and has run these statements."""
        session = psycopg.connect(self.dsn, application_name=name, autocommit=True)
        self._stack.callback(session.close)
        for statement in ("set idle_in_transaction_session_timeout = 0", "begin", *statements):
            session.execute(statement.encode())
        return session

    def codes(self) -> list[str]:
        return [each.code for each in self.client.health()]


Making = Callable[[Ward], None]


@dataclass
class Incident:
    """What is made, and what is to be said about it."""

    code: str
    make: Making
    sentence: str
    cause: str
    cure: str
    exit_code: int = 1


INCIDENTS: list[Incident] = []


def incident(
    code: str, sentence: str, cause: str, cure: str, exit_code: int = 1
) -> Callable[[Making], Making]:
    """Add a row to the table: how it is made, and what is to be said."""

    def add(make: Making) -> Making:
        INCIDENTS.append(Incident(code, make, sentence, cause, cure, exit_code))
        return make

    return add


@incident(
    "no_tick",
    r"critical: Nothing has ticked for \d+ s: retries and schedules stand still\.",
    r"The tick is held by pid \d+ \(role \w+, application psql, idle in",
    r"select pg_terminate_backend\(\d+\);",
)
def a_tick_is_left_open(ward: Ward) -> None:
    ward.session("select symphony.tick()", "set local idle_in_transaction_session_timeout = 0")


@incident(
    "lane_locked",
    r"critical: Queue default: its lane of priority 5 has been locked for \d+ s\.",
    r"It is held by pid \d+ \(role \w+, application psql, idle in",
    r"select pg_terminate_backend\(\d+\);",
)
def a_claim_is_left_open(ward: Ward) -> None:
    ward.client.enqueue("A")
    ward.client.tick()
    ward.session(
        "select from symphony.claim_batch('{default}')",
        "set local idle_in_transaction_session_timeout = 0",
    )


@incident(
    "queue_paused",
    r"note: Queue default has been paused for \d+ s\.",
    r"It was paused by \w+ \(ada\)\.",
    r"select symphony\.resume_queue\('default'\);",
    exit_code=0,
)
def a_queue_is_paused(ward: Ward) -> None:
    ward.conn.execute("set symphony.actor = 'ada'")
    ward.client.pause_queue("default")


@pytest.fixture
def ward(dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    monkeypatch.delenv("COLUMNS", raising=False)
    conn.execute(SHORT.encode())
    with ExitStack() as stack:
        yield Ward(dsn, conn, stack)


@contextmanager
def ticking(ward: Ward, case: Incident) -> Iterator[None]:
    """Let somebody tick before each look, unless that is what is missing."""
    if case.code != "no_tick":
        ward.client.tick()
    yield


@pytest.mark.parametrize("case", INCIDENTS, ids=lambda case: f"{case.code}-{case.make.__name__}")
def test_incident(case: Incident, ward: Ward) -> None:
    ward.client.tick()
    assert ward.cli.run("doctor").stdout == "Nothing is wrong.\n"
    case.make(ward)

    def is_told() -> bool:
        with ticking(ward, case):
            return case.code in ward.codes()

    wait_until(is_told, case.code)
    with ticking(ward, case):
        lines = ward.cli.run("doctor", exit_code=case.exit_code).stdout.splitlines()
    print("\n".join(lines))
    told = [line for line in lines if line != "Nothing is wrong."]
    sentence, cure, cause = told[:3]
    assert re.fullmatch(case.sentence, sentence)
    assert re.fullmatch(f"  do   {case.cure}", cure)
    assert re.match(f"  why  {case.cause}", cause)
    assert [line for line in told if len(line) > 80] == []

    ward.conn.execute(cure.removeprefix("  do   ").encode())

    def is_well() -> bool:
        ward.client.tick()
        return ward.codes() == []

    wait_until(is_well, lambda: ward.client.health())
    assert ward.cli.run("doctor").stdout == "Nothing is wrong.\n"
