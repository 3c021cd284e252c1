"""Every incident that `symphony-pg doctor` names, made for real: what it says, and what helps."""

import re
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from symphony_pg import Client, Symphony
from symphony_pg.database import install as installation
from symphony_pg.server import Server
from tests.cli.helpers import Cli
from tests.helpers import ROOT, Connection, wait_until
from tests.http.helpers import VIEWER, bearer, paragraphs, serving
from tests.worker.helpers import Process

WELL = "Nothing is wrong.\n"
# Nobody can wait for as long as in production.
SHORT = {
    **dict.fromkeys(("locked", "waiting", "late", "held", "unknown"), "'0.2 s'"),
    **dict.fromkeys(("busy", "open"), "'0.5 s'"),
    "tick": "'3 s'",
    "silent": "'7 s'",
    "slot_bytes": "20000000",
    "notify": "0.000001",
    "dead_rows": "1000",
    "disk_bytes": "1000000",
}
APP = """
import time
import symphony_pg.worker.worker
from symphony_pg import Symphony

app = Symphony()

@app.handler("A")
def handle(body):
    if (body or {}).get("hang"):
        time.sleep(60)
"""
KNOWS_MORE = """
@app.handler("Refund")
def refund(body):
    pass
"""
IS_OLD = 'symphony_pg.worker.worker.__version__ = "0.0.9"\n'


def shorten(conn: Connection) -> None:
    """Let health() speak of everything sooner."""
    columns = conn.execute(
        "select proargnames, proallargtypes::regtype[]::text[] from pg_proc "
        "where oid = 'symphony._thresholds()'::regprocedure"
    ).fetchone()
    assert columns is not None
    now = conn.execute("select * from symphony._thresholds()").fetchone()
    assert now is not None
    given = {name: f"'{value}'" for name, value in zip(columns[0], now, strict=True)} | SHORT
    kinds = dict(zip(*columns, strict=True))
    outs = ", ".join(f"out {name} {kinds[name]}" for name in given)
    values = ", ".join(f"{value}::{kinds[name]}" for name, value in given.items())
    conn.execute(
        f"create or replace function symphony._thresholds({outs}) "
        f"language sql immutable as $$ select {values} $$".encode()
    )


class Ward:
    """A database to be ill, and those who work in it."""

    def __init__(self, dsn: str, conn: Connection, folder: Path, stack: ExitStack) -> None:
        self.dsn, self.conn, self.client, self.cli = dsn, conn, Client(conn), Cli(dsn)
        self._folder, self._stack, self._workers = folder, stack, 0
        self.ticks = True

    def session(self, *statements: str, begin: str = "begin") -> Connection:
        """Open a session that is in a transaction and has run these statements."""
        session: Connection = psycopg.connect(self.dsn, application_name="psql", autocommit=True)
        self._stack.callback(session.close)
        for statement in (begin, *statements, "set local idle_in_transaction_session_timeout = 0"):
            session.execute(statement.encode())
        return session

    def worker(self, *options: str, app: str = APP) -> Process:
        """Start a worker, and wait until it says that it is alive."""
        self._workers += 1
        folder = self._folder / str(self._workers)
        folder.mkdir()
        before = {each.worker for each in self.client.worker_activity()}
        process = self._stack.enter_context(Process(folder, app, self.dsn, *options))
        wait_until(
            lambda: {each.worker for each in self.client.worker_activity()} - before, process
        )
        return process

    def look(self) -> list[Any]:
        if self.ticks:
            self.client.tick()
        return self.client.health()

    def codes(self) -> list[str]:
        return [each.code for each in self.look()]

    def top(self) -> str:
        """Return the first three lines of top --once, in one."""
        lines = self.cli.run("top", "--once").stdout.splitlines()
        return " ".join(" ".join(lines[:3]).split())

    def page(self) -> str:
        """Return the first three paragraphs of the dashboard's first page."""
        with Symphony(self.dsn) as app, serving(app) as visitor:
            answer = visitor.get("/symphony/", headers=bearer(VIEWER))
        assert answer.status_code == 200, paragraphs(answer.text)
        return "\n".join(paragraphs(answer.text)[:3])

    def follow(self, cure: str) -> None:
        """Do what the doctor says."""
        if cure.startswith("symphony-pg consume"):
            words = shlex.split(cure)[2:-2]
            self.worker(*words, app=APP + KNOWS_MORE)
        elif cure.startswith("symphony-pg"):
            self.cli.run(*shlex.split(cure)[1:])
        else:
            self.conn.execute(cure.encode())


Making = Callable[[Ward], "Callable[[], object] | None"]


@dataclass
class Incident:
    """What is made, and what is said about it. What `make` returns is done before the cure."""

    code: str
    make: Making
    sentence: str
    cure: str
    cause: str
    leaves: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 0 if self.sentence.startswith("note") else 1


INCIDENTS: list[Incident] = []
SESSION = r"pid \d+ \(role \w+, psql, idle in transaction for \d+ s\)\."


def incident(
    code: str, sentence: str, cure: str, cause: str, leaves: tuple[str, ...] = ()
) -> Callable[[Making], Making]:
    """Add a row to the table: the sentence, what helps, and the cause that are to be told."""

    def add(make: Making) -> Making:
        INCIDENTS.append(Incident(code, make, sentence, cure, cause, leaves))
        return make

    return add


END = r"select pg_terminate_backend\(\d+\);"
CONSUME = "symphony-pg consume default --app MODULE:APP"


@incident(
    "no_tick",
    r"critical: Nothing has ticked for \d+ s: retries and schedules stand still\.",
    END,
    f"Held by {SESSION}",
)
def a_tick_is_left_open(ward: Ward) -> None:
    ward.ticks = False
    ward.session("select symphony.tick()")


@incident(
    "no_tick",
    r"critical: Nothing has ticked for \d+ s: retries and schedules stand still\.",
    "symphony-pg consume --all --app MODULE:APP",
    r"Nothing calls symphony\.tick\(\): no worker runs, and no cron job\.",
)
def nobody_ticks(ward: Ward) -> None:
    ward.ticks = False


@incident(
    "lane_locked",
    r'critical: Queue "default": its lane of priority 5 has been locked for \d+ s\.',
    END,
    f"Held by {SESSION}",
)
def a_claim_is_left_open(ward: Ward) -> None:
    ward.client.enqueue("A")
    ward.client.tick()
    ward.session("select from symphony.claim_batch('{default}')")
    ward.worker("default")


@incident(
    "gate_locked",
    r'critical: Queue "few": its gate has been locked for \d+ s\.',
    END,
    f"Held by {SESSION}",
)
def a_gate_is_left_locked(ward: Ward) -> None:
    ward.client.create_queue("few", concurrency=1)
    ward.session("select pg_advisory_xact_lock(1398361425, hashtext('few'))")


@incident(
    "table_locked",
    r"critical: Table symphony\.message is locked: nobody can read it\.",
    END,
    f"Locked by {SESSION}",
)
def a_table_is_locked(ward: Ward) -> None:
    ward.ticks = False
    ward.session("lock table symphony.message in access exclusive mode")


@incident(
    "no_worker",
    r'critical: No worker consumes queue "default"\.',
    CONSUME,
    r"Messages have waited for \d+ s, and no worker was heard of\.",
)
def nobody_works(ward: Ward) -> None:
    ward.client.enqueue("A")


@incident(
    "workers_paused",
    r'warning: The workers of queue "default" are paused or stop\.',
    "symphony-pg workers resume --queue default",
    r"Messages wait\. The workers were asked to by \w+\.",
)
def the_workers_are_paused(ward: Ward) -> None:
    ward.worker("default")
    ward.client.request_workers("pause")
    wait_until(lambda: ward.client.worker_activity()[0].state == "paused", "the pause")
    time.sleep(1.5)  # until it has heard of it
    ward.client.enqueue("A")


@incident(
    "workers_silent",
    r'critical: The workers of queue "default" have been silent for \d+ s\.',
    CONSUME,
    r"Messages wait\. The workers hang, were killed, or are cut off\.",
    leaves=("worker_silent",),
)
def the_only_worker_hangs(ward: Ward) -> None:
    stopped = ward.worker("default", "--no-listen")
    stopped.send(signal.SIGSTOP)
    stat = Path(f"/proc/{stopped.process.pid}/stat")
    wait_until(lambda: ") T " in stat.read_text(), "the stop")
    ward.client.enqueue("A")


@incident(
    "worker_silent",
    r'warning: Worker "[\w:.-]+" has been silent for \d+ s\.',
    r"select symphony\.stop_worker\('[\w:.-]+'\);",
    r"Process \d+ on \S+ hangs, was killed, or is cut off\.",
)
def a_worker_is_killed(ward: Ward) -> None:
    ward.worker("default").send(signal.SIGKILL)


@incident(
    "workers_busy",
    r'warning: All slots for queue "default" have been taken for \d+ s\.',
    CONSUME,
    r"Messages wait\. [\w:.-]+: A 1 for \d+ s\.",
)
def a_handler_hangs(ward: Ward) -> None:
    ward.worker("default")
    ward.client.enqueue("A", {"hang": True})
    wait_until(lambda: ward.client.queue_stats()[0].processing, "the claim")
    ward.client.enqueue("A")


@incident(
    "backlog_grows",
    r'warning: Queue "default": its backlog grows by \d+ messages a minute\.',
    CONSUME,
    r"\d+ come in, \d+ are handed out\. The first has waited for \d+ min\.",
)
def a_backlog_grows(ward: Ward) -> Callable[[], object]:
    """Let seven minutes pass, of the clock of the database."""
    ward.client.heartbeat("w", ["default"])
    for minute in range(-7, 1):
        ward.conn.execute(
            "create or replace function symphony._now() returns timestamptz language sql volatile "
            f"as $$ select pg_catalog.clock_timestamp() + interval '{minute} min' $$".encode()
        )
        ward.client.enqueue_batch([{"message_type": "A"}] * 30)
        if minute < 0:
            for each in ward.client.claim_batch(batch_size=10)[:1]:
                ward.client.ack(each.claim_id)
        ward.client.heartbeat("w", ["default"])
        ward.client.tick()
    return lambda: ward.client.stop_worker("w")


@incident(
    "limit_reached",
    r'warning: Queue "few": its limit has held all that waits for \d+ s\.',
    "symphony-pg queue configure few --concurrency 2",
    r"The limit is 1; w has had one for \d+ s\.",
)
def a_limit_is_used_up(ward: Ward) -> None:
    ward.client.create_queue("few", concurrency=1)
    ward.client.enqueue("A", queue_name="few")
    ward.client.enqueue("A", queue_name="few")
    ward.client.heartbeat("w", ["few"])
    assert len(ward.client.claim_batch(["few"], worker="w")) == 1


@incident(
    "errors_rise",
    r"warning: 25 errors of class shop\.Refused in 5 minutes; 0 in the 30 before\.",
    r"symphony-pg message show \d+",
    r"The last one is of message \d+\.",
)
def errors_rise(ward: Ward) -> Callable[[], object]:
    ward.client.heartbeat("w", ["default"])
    ward.client.enqueue_batch([{"message_type": "A"}] * 25)
    for each in ward.client.claim_batch(batch_size=25):
        ward.client.nack_with_backoff(
            each.claim_id, each.message_id, "no", "shop.Refused", retryable=False
        )
    return lambda: ward.conn.execute(
        "update symphony.attempt set ended_at = ended_at - interval '1 hour'"
    )


@incident(
    "type_unknown",
    r"warning: No worker knows the messages of type Refund; 2 wait\.",
    CONSUME,
    r"The workers of default put them off: UnknownMessageType\.",
)
def nobody_knows_a_type(ward: Ward) -> Callable[[], object]:
    ward.client.set_retry_policy("*", snooze_errors={"UnknownMessageType": "1 s"})
    ignorant = ward.worker("default")
    ward.client.enqueue_batch([{"message_type": "Refund"}] * 2)

    def retire() -> None:  # else it may be the one that takes them again
        ward.client.request_workers("stop")
        ignorant.wait()

    return retire


@incident(
    "key_held",
    r'warning: Queue "accounts": messages of key ada have waited for \d+ s\.',
    r"select symphony\.release_key\('accounts', 'ada'\);",
    r"Message 1 holds it, and has failed for good\.",
)
def a_key_is_held(ward: Ward) -> None:
    ward.client.create_queue("accounts", ordered=True, on_failure="hold")
    ward.client.heartbeat("w", ["accounts"])
    for _ in range(2):
        ward.client.enqueue("A", queue_name="accounts", group_key="ada")
    (first, _) = ward.client.claim_batch(["accounts"], worker="w")
    ward.client.nack_with_backoff(first.claim_id, first.message_id, "no", retryable=False)
    assert ward.client.claim_batch(["accounts"], worker="w") == []


@incident(
    "key_busy",
    r'warning: Queue "accounts": messages of key ada have waited for \d+ s\.',
    r"symphony-pg workers stop [\w:.-]+",
    r'Worker "[\w:.-]+" has been at message 1 since then\.',
    leaves=("no_worker",),
)
def a_key_is_worked_on_for_long(ward: Ward) -> None:
    ward.client.create_queue("accounts", ordered=True)
    ward.worker("accounts", "--concurrency", "4", "--grace", "1s")
    ward.client.enqueue("A", {"hang": True}, queue_name="accounts", group_key="ada")
    wait_until(lambda: ward.client.queue_stats("accounts")[0].processing, "the claim")
    ward.client.enqueue("A", queue_name="accounts", group_key="ada")


@incident(
    "schedule_broken",
    r'warning: Schedule "nightly" is broken, and has not run for \d+ s\.',
    r"select symphony\.resume_schedule\('nightly'\);",
    r'SY001: queue "reports" does not exist',
)
def a_schedule_is_broken(ward: Ward) -> Callable[[], object]:
    ward.client.create_queue("reports")
    soon = {"every": "1 s"}
    ward.client.create_schedule("nightly", "A", "interval", soon, queue_name="reports")
    ward.client.drop_queue("reports", force=True)

    def mend() -> None:
        ward.client.create_queue("reports")
        ward.client.heartbeat("w", ["reports"])

    return mend


@incident(
    "schedule_paused",
    r'note: Schedule "nightly" has been paused for \d+ s\.',
    r"select symphony\.resume_schedule\('nightly'\);",
    r"It was paused by \w+\.",
)
def a_schedule_is_paused(ward: Ward) -> None:
    ward.client.create_schedule("nightly", "A", "cron", {"expression": "@daily"})
    ward.client.pause_schedule("nightly")


@incident(
    "schedule_late",
    r'warning: Schedule "often" is late by \d+ s\.',
    END,
    f"Held by {SESSION}",
)
def a_schedule_is_late(ward: Ward) -> None:
    ward.client.heartbeat("w", ["default"])
    ward.client.create_schedule("often", "A", "interval", {"every": "1 s"})
    ward.session("select symphony.pause_schedule('often')")


@incident(
    "queue_paused",
    r'note: Queue "default" has been paused for \d+ s\.',
    r"select symphony\.resume_queue\('default'\);",
    r"It was paused by \w+ \(ada\)\.",
)
def a_queue_is_paused(ward: Ward) -> None:
    ward.conn.execute("set symphony.actor = 'ada'")
    ward.client.pause_queue("default")


@incident(
    "queue_paused",
    r'warning: Queue "default" has been paused for \d+ s, and messages wait\.',
    r"select symphony\.resume_queue\('default'\);",
    r"It was paused by \w+\.",
)
def a_queue_is_paused_and_messages_wait(ward: Ward) -> None:
    ward.client.heartbeat("w", ["default"])
    ward.client.pause_queue("default")
    ward.client.enqueue("A")


def hear(ward: Ward, **told: str) -> None:
    """Let a relay say something of the broker of a transport."""
    ward.client.create_transport("orders", "redis")
    relay = {"transport": "orders", "since": "2026-01-01T00:00:00Z", "error": "refused", **told}
    ward.client.heartbeat("w", ["default"])
    ward.client.heartbeat("r", ["outbox/orders"], {"relay": relay})


@incident(
    "broker_down",
    r'critical: The broker of transport "orders" has been down for \d+ days\.',
    "symphony-pg transport list",
    r"A relay says: refused\.",
)
def a_broker_is_down(ward: Ward) -> Callable[[], object]:
    hear(ward, state="down")
    return lambda: hear(ward, state="up")


@incident(
    "broker_full",
    r'critical: The broker of transport "orders" has taken no more for \d+ days\.',
    "symphony-pg transport list",
    r"A relay says: refused\.",
)
def a_broker_is_full(ward: Ward) -> Callable[[], object]:
    hear(ward, state="full")
    return lambda: hear(ward, state="up")


@incident(
    "transport_disabled",
    r'warning: Transport "slow" has been disabled for \d+ s, and messages wait\.',
    r"select symphony\.enable_transport\('slow'\);",
    r"It was disabled by \w+\.",
)
def a_transport_is_disabled(ward: Ward) -> None:
    ward.client.heartbeat("w", ["default"])
    ward.client.create_transport("slow", queue_name="default")
    ward.client.disable_transport("slow")
    ward.client.enqueue("A")


@incident(
    "writer_open",
    r"warning: A transaction that writes has been open for \d+ s: it holds back purges\.",
    END,
    f"Held by {SESSION}",
)
def a_writer_is_open(ward: Ward) -> None:
    ward.session("select symphony.enqueue('A')")


@incident(
    "snapshot_old",
    r"warning: A snapshot has been held for \d+ s: it holds back the vacuum\.",
    END,
    f"Held by {SESSION}",
)
def a_snapshot_is_held(ward: Ward) -> None:
    ward.session("select 1", begin="begin isolation level repeatable read")


@incident(
    "idle_in_transaction",
    r"warning: A session has been idle in a transaction for \d+ s\.",
    END,
    f"It is {SESSION}",
)
def a_session_is_idle(ward: Ward) -> None:
    ward.session("select 1")


@incident(
    "prepared_open",
    r"warning: A transaction was prepared \d+ s ago: it holds back purge and vacuum\.",
    r"rollback prepared 'order-4711';",
    r"Role \w+ prepared it in database \w+, and nobody has ended it\.",
)
def a_transaction_is_prepared(ward: Ward) -> None:
    ward.session("select symphony.enqueue('A')").execute("prepare transaction 'order-4711'")


@incident(
    "lane_locked",
    r'critical: Queue "default": its lane of priority 5 has been locked for \d+ s\.',
    r"rollback prepared 'claimed';",
    r"Held by the prepared transaction 'claimed' of role \w+\.",
)
def a_prepared_transaction_has_a_lane(ward: Ward) -> None:
    ward.client.heartbeat("w", ["default"])
    ward.client.enqueue("A")
    session = ward.session("select from symphony.claim_batch('{default}')")
    session.execute("prepare transaction 'claimed'")


@incident(
    "notify_queue",
    r"warning: The NOTIFY queue is full to 0 %: from 50 % on workers poll\.",
    END,
    f"Held by {SESSION}",
)
def the_notify_queue_fills_up(ward: Ward) -> None:
    session = ward.session(begin="listen other")
    session.execute("begin")
    session.execute("select 1")
    for _ in range(20):
        ward.conn.execute("select pg_notify('other', repeat('x', 7000))")


@incident(
    "slot_unread",
    r'warning: Nobody reads replication slot "forgotten": it keeps \d+ MB of WAL\.',
    r"select pg_drop_replication_slot\('forgotten'\);",
    r"It is a physical slot that no standby or subscriber is connected to\.",
)
def a_slot_is_forgotten(ward: Ward) -> None:
    ward.conn.execute("select pg_create_physical_replication_slot('forgotten', true)")
    for _ in range(3):
        ward.conn.execute("create table filler (n int)")
        ward.conn.execute("drop table filler")
        ward.conn.execute("select pg_switch_wal()")


@incident(
    "vacuum_behind",
    r"warning: Table symphony\.attempt has 3000 dead rows\.",
    r"vacuum symphony\.attempt;",
    r"Autovacuum is off for this table\.",
)
def autovacuum_is_off(ward: Ward) -> None:
    ward.conn.execute("alter table symphony.attempt set (autovacuum_enabled = off)")
    ward.conn.execute(
        "insert into symphony.attempt "
        "(message_id, started_at, ended_at, replay, attempt, outcome, error) "
        "select n, now(), now() - interval '1 day', 0, 1, 'retry', 'x' "
        "from generate_series(1, 3000) as n"
    )
    ward.conn.execute("delete from symphony.attempt")
    ward.conn.execute("select pg_stat_force_next_flush()")


@incident(
    "retention_off",
    r'warning: Queue "archive" keeps all its history: about \d+ [kM]B\.',
    r"select symphony\.configure_queue\('archive', retention => '30 days'\);",
    r"Its retention is 100 years\.",
)
def a_queue_forgets_nothing(ward: Ward) -> None:
    ward.client.create_queue("archive", retention="100 years")  # type: ignore[arg-type]
    ward.conn.execute(
        "select symphony.enqueue('A', jsonb_build_object('s', (select string_agg(md5(random()::text"
        " || i), '') from generate_series(1, 30) as i)), 'archive') "
        "from generate_series(1, 2000)"
    )
    while claimed := ward.client.claim_batch(["archive"], 1000):
        ward.client.ack(claimed[0].claim_id)


@incident(
    "versions_differ",
    r"warning: 1 worker is of version 0\.0\.9, and the database of [\d.]+\.",
    r"symphony-pg workers stop [\w:.-]+",
    r"They were not started again when the others were upgraded\.",
)
def a_worker_is_old(ward: Ward) -> None:
    ward.worker("default", app=APP + IS_OLD)


@incident(
    "access_waits",
    r'warning: Access as observer is not granted to role "doctor_old"\.',
    r"select \* from symphony\.restore_access\(\);",
    r'It waits: the role is called "doctor_new" now\.',
)
def a_role_is_renamed(ward: Ward) -> None:
    ward.conn.execute("create role doctor_old")
    ward._stack.callback(ward.conn.execute, "drop role doctor_new")
    ward._stack.callback(ward.conn.execute, "drop owned by doctor_new")
    ward.client.grant_access("doctor_old", "observer")
    ward.conn.execute("alter role doctor_old rename to doctor_new")


@incident(
    "copied_here",
    r"critical: The queues were copied here from another server, and hand out nothing\.",
    "symphony-pg db rebase",
    r"Transactions have other numbers here: positions must be moved back\.",
)
def the_tables_were_copied(ward: Ward) -> None:
    ward.ticks = False
    with ward.conn.transaction():  # as pg_restore does: all rows in one transaction
        ward.conn.execute("delete from symphony.server_mark")
        ward.conn.execute("insert into symphony.server_mark values (1), (2)")


@pytest.fixture
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    with ExitStack() as stack:
        if "prepared" in request.node.name:
            server = stack.enter_context(Server(options={"max_prepared_transactions": "5"}))
            dsn = server.dsn
            conn = stack.enter_context(psycopg.connect(dsn, autocommit=True))
            installation.install(conn)
        else:
            dsn, conn = request.getfixturevalue("dsn"), request.getfixturevalue("conn")
        with a_ward(dsn, conn, tmp_path) as ward:
            yield ward


@contextmanager
def a_ward(dsn: str, conn: Connection, folder: Path) -> Iterator[Ward]:
    with ExitStack() as stack:
        yield Ward(dsn, conn, folder, stack)


@pytest.mark.parametrize("case", INCIDENTS, ids=lambda case: f"{case.code}-{case.make.__name__}")
def test_incident(case: Incident, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    shorten(ward.conn)
    ward.client.tick()
    assert ward.cli.run("doctor").stdout == WELL
    mend = case.make(ward)
    wait_until(lambda: case.code in ward.codes(), case.code)

    ward.look()
    lines = ward.cli.run("doctor", exit_code=case.exit_code).stdout.splitlines()
    print("\n".join(lines))
    assert (lines[-1:] == WELL.splitlines()) == (case.exit_code == 0)
    told = [line for line in lines if line.startswith("  run  ")]
    assert len(lines) == 3 * len(told) + (case.exit_code == 0), "a text is too long"
    sentence, cure, cause = lines[:3]
    assert re.fullmatch(case.sentence, sentence)
    assert re.fullmatch(f"  run  {case.cure}", cure)
    assert re.fullmatch(f"  why  {case.cause}", cause)
    assert [line for line in lines if len(line) > 80] == []
    for first in (ward.top, ward.page):
        ward.look()
        text = first()
        assert re.search(case.sentence.partition(": ")[2], text)
        assert re.search(case.cause, text)

    if mend is not None:
        mend()
    ward.follow(cure.removeprefix("  run  "))
    ward.ticks = True
    wait_until(lambda: set(ward.codes()) <= set(case.leaves), lambda: ward.look())
    if not case.leaves:
        ward.client.tick()
        assert ward.cli.run("doctor").stdout == WELL


# What the runbook says is what is told.

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", RUNBOOK, re.MULTILINE)
NOT_IN_THE_TABLE = {("versions_differ", "pip"), ("sessions_hidden", "grant")}


def test_the_runbook_has_every_incident_and_its_command() -> None:
    told = {(code, re.sub(r"\b[A-Z]{2,}\b", "X", command)) for code, command in ROWS}
    made = {(case.code, _plain(case.cure)) for case in INCIDENTS}
    others = {each for each in told - made if (each[0], each[1].split()[0]) in NOT_IN_THE_TABLE}
    assert told - others == made
    assert len(others) == len(NOT_IN_THE_TABLE)


def _plain(pattern: str) -> str:
    """Return the command that a pattern of the table stands for, with X for what differs."""
    text = re.sub(r"\[[^]]+\]\+|\\d\+", "X", pattern).replace("\\", "")
    text = re.sub(r"MODULE:APP", "X:X", text)
    names = ("order-4711", "default", "nightly", "archive", "accounts", "ada", "slow", "claimed")
    text = re.sub(rf"(?<=[' ])({'|'.join(names)}|forgotten|few)(?=[' ])", "X", text)
    text = text.replace("queue default", "queue X").replace("--concurrency 2", "--concurrency X")
    return re.sub(r"--queue default$", "--queue X", text.replace("symphony.attempt", "symphony.X"))


def test_the_runbook_has_the_thresholds(conn: Connection) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+\|$", RUNBOOK, re.MULTILINE))
    cursor = conn.execute("select * from symphony._thresholds()")
    assert cursor.description is not None
    found = dict(
        zip([each.name for each in cursor.description], cursor.fetchone() or (), strict=True)
    )
    assert set(told) == set(found)
    for name, value in found.items():
        if isinstance(value, timedelta):
            assert conn.execute("select %s::interval", [told[name]]).fetchone() == (value,), name
        elif name.endswith("_bytes"):
            assert conn.execute("select pg_size_bytes(%s)", [told[name]]).fetchone() == (value,), (
                name
            )
        else:
            number = float(re.sub(r"[^\d]", "", told[name].split(" ")[0]))
            assert number == (value * 100 if name == "notify" else value), name


# What is well is said to be well.


def test_a_busy_worker_is_well(ward: Ward) -> None:
    ward.worker("default", "--concurrency", "4")
    ward.client.create_queue("other")
    for _ in range(30):
        ward.client.enqueue_batch([{"message_type": "A"}] * 100)
        assert ward.client.health() == []
    looks = 0
    while ward.client.queue_stats("default")[0].pending:
        assert ward.client.health() == []
        looks += 1
    print(f"{looks} looks meanwhile")
    assert ward.cli.run("doctor").stdout == WELL


def test_only_the_worst_are_shown(ward: Ward) -> None:
    for number in range(12):
        ward.client.create_queue(f"q{number}")
        ward.client.pause_queue(f"q{number}")
    lines = ward.cli.run("doctor").stdout.splitlines()
    assert lines[0].startswith('note: Queue "q0" has been paused')
    assert lines[-2:] == ["2 more: symphony-pg doctor --json", *WELL.splitlines()]
    assert len(lines) == 3 * 10 + 2
    assert len(ward.cli.json("doctor")) == 12


def test_the_exit_code_is_for_probes(ward: Ward) -> None:
    ward.cli.run("doctor", "--fail-on", "note")
    ward.client.pause_queue("default")
    ward.cli.run("doctor")
    ward.cli.run("doctor", "--fail-on", "note", exit_code=1)
    ward.client.enqueue("A")
    ward.client.tick()
    ward.cli.run("doctor", exit_code=1)
    ward.cli.run("doctor", "--fail-on", "critical")
    ward.client.resume_queue("default")
    shorten(ward.conn)
    wait_until(lambda: "no_worker" in ward.codes(), "the wait")
    ward.cli.run("doctor", "--fail-on", "critical", exit_code=1)


def test_an_installation_that_nobody_uses_is_well(ward: Ward) -> None:
    assert ward.cli.run("doctor").stdout == WELL
    assert ward.cli.json("doctor") == []


def test_a_program_of_another_version(ward: Ward) -> None:
    (found,) = ward.client.health("0.0.9")
    assert (found.severity, found.code) == ("warning", "versions_differ")
    assert found.sentence == "This program is of version 0.0.9, and the database of 0.1.0."
    assert found.command == "pip install 'symphony-pg==0.1.0'"
    assert ward.client.health("0.1.0") == []


# It waits for nobody, and sees what may be seen.


def test_no_table_that_is_locked_is_waited_for(ward: Ward) -> None:
    tables = ward.conn.execute(
        "select relname from pg_class where relnamespace = 'symphony'::regnamespace "
        "and relkind = 'r' order by 1"
    ).fetchall()
    ward.conn.execute("set lock_timeout = '3 s'")
    for (table,) in tables:
        session = ward.session(f"lock table symphony.{table} in access exclusive mode")
        assert [(each.code, each.subject) for each in ward.client.health()] == [
            ("table_locked", table)
        ]
        session.rollback()
    assert ward.client.health() == []


def test_an_owner_who_may_see_little_says_so(empty_dsn: str, tmp_path: Path) -> None:
    with ExitStack() as stack, psycopg.connect(empty_dsn, autocommit=True) as conn:
        admin = stack.enter_context(psycopg.connect(empty_dsn, autocommit=True))
        for role in ("doctor_owner", "doctor_observer"):
            admin.execute(f"create role {role}".encode())
            stack.callback(admin.execute, f"drop role {role}".encode())
            stack.callback(admin.execute, f"drop owned by {role} cascade".encode())
        admin.execute("grant create on database symphony_empty to doctor_owner")
        conn.execute("set role doctor_owner")
        installation.install(conn)
        shorten(conn)
        ward = stack.enter_context(a_ward(empty_dsn, conn, tmp_path))
        ward.client.grant_access("doctor_observer", "observer")
        ward.client.enqueue("A")
        ward.client.heartbeat("w", ["default"])
        ward.client.tick()
        session = ward.session("select from symphony.claim_batch('{default}')")
        conn.execute("set role doctor_observer")
        time.sleep(0.6)

        found = {each.code: each for each in ward.client.health()}
        assert set(found) == {"lane_locked", "sessions_hidden"}
        pid = session.info.backend_pid
        assert found["lane_locked"].cause == f"Held by pid {pid} (role postgres, psql)."
        assert found["lane_locked"].command == f"select pg_terminate_backend({pid});"
        assert found["sessions_hidden"].severity == "note"

        admin.execute(found["sessions_hidden"].command.encode())
        codes = [each.code for each in ward.client.health()]
        assert codes == ["lane_locked", "idle_in_transaction"] or codes == [
            "lane_locked",
            "writer_open",
        ]
        session.close()
        conn.execute("set role doctor_owner")
