"""A dump in another server: nothing is lost, and nothing that was done is done again."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from symphony_pg import Client, StillReplicated
from symphony_pg.database import install as installation
from symphony_pg.server import Server
from tests.helpers import Connection, one, wait_until

QUEUES = ["default", "removed", "gap", "part", "held", "lost", "dead", "late"]
FORMATS = {
    "custom": ["--format=custom"],
    "plain": ["--format=plain"],
    "inserts": ["--format=plain", "--inserts"],
}
HOUR, MOMENT = timedelta(hours=1), timedelta(milliseconds=100)


class Source(NamedTuple):
    """What was in the queues when they were dumped."""

    dumps: dict[str, Path]
    states: dict[int, str]  # of each message
    oldest: int  # transaction ids of the messages in the log
    newest: int
    late: list[int]  # messages that have expired
    held: tuple[int, list[int]]  # a claim whose lease has not ended, and its open messages


@pytest.fixture(scope="module")
def source_server() -> Iterator[Server]:
    with Server(options={"wal_level": "logical"}) as server:
        with psycopg.connect(server.dsn, autocommit=True) as admin:
            burn_until(admin, 8000)
        yield server


@pytest.fixture(scope="module")
def source(source_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A database with messages in every state, dumped in every format."""
    dsn = make_database(source_server, "source")
    with psycopg.connect(dsn, autocommit=True) as conn:
        installation.install(conn)
        states, held, late = fill(conn, dsn)
        folder = tmp_path_factory.mktemp("dumps")
        for name, options in FORMATS.items():
            run(source_server, "pg_dump", *options, f"--file={folder / name}", f"--dbname={dsn}")
        assert statuses(conn, states) == states
        oldest, newest = one(conn, "select min(txid), max(txid) from symphony.message")
        assert newest > oldest + 1000
        return Source({name: folder / name for name in FORMATS}, states, oldest, newest, late, held)


def fill(conn: Connection, dsn: str) -> tuple[dict[int, str], tuple[int, list[int]], list[int]]:
    """Bring messages into every state; return these, a claim that is held, and what is late."""
    client = Client(conn)
    states: dict[int, str] = {}

    def enqueue(count: int, queue_name: str, **arguments: Any) -> list[int]:
        ids = [client.enqueue("Old", {}, queue_name, **arguments) for _ in range(count)]
        states.update(dict.fromkeys(ids, "pending"))
        return ids

    def claim(queue: str, size: int, **arguments: Any) -> tuple[int, list[int]]:
        batch = client.claim_batch([queue], size, **arguments)
        assert len(batch) == size
        ids = [each.message_id for each in batch]
        states.update(dict.fromkeys(ids, "processing"))
        return batch[0].claim_id, ids

    def ack(claim_id: int, ids: list[int]) -> None:
        client.ack(claim_id, ids)
        states.update(dict.fromkeys(ids, "completed"))

    for queue in QUEUES:
        client.create_queue(queue)

    states.update(dict.fromkeys(enqueue(3, "removed"), "removed"))
    client.purge_queue("removed")
    enqueue(2, "removed")

    with psycopg.connect(dsn) as late:  # its transaction stays ahead while others are handed out
        ids = [Client(late).enqueue("Old", {}, "gap") for _ in range(2)]
        enqueue(20, "gap")
        for _ in range(4):
            ack(*claim("gap", 5))
        burn_until(conn, one(conn, "select pg_current_xact_id()::text::bigint") + 1500)
        enqueue(3, "gap")
        ack(*claim("gap", 3))
        late.commit()
        states.update(dict.fromkeys(ids, "pending"))

    with conn.transaction():
        enqueue(6, "part")
    ack(*claim("part", 2))

    enqueue(5, "held")
    claim_id, ids = claim("held", 5, lease=HOUR)
    ack(claim_id, ids[:2])
    held = (claim_id, ids[2:])

    enqueue(2, "lost")
    claim("lost", 2, lease=MOMENT)

    enqueue(3, "dead")
    claim_id, ids = claim("dead", 3)
    client.nack_with_backoff(claim_id, ids[0], "never", retryable=False)
    client.nack_with_backoff(claim_id, ids[1], "later", retry_after=HOUR)
    client.nack_with_backoff(claim_id, ids[2], "at once", retry_after=MOMENT)
    states.update({ids[0]: "failed", ids[1]: "delayed", ids[2]: "delayed"})
    states.update(dict.fromkeys(enqueue(2, "dead", delay=HOUR), "delayed"))

    past = datetime.now(timezone.utc)
    expired = enqueue(2, "late", expires_at=past)
    expired += enqueue(1, "late", delay=MOMENT, expires_in=MOMENT)
    states[expired[-1]] = "delayed"
    enqueue(1, "late", expires_in=HOUR)

    enqueue(1, "default", priority=9)
    enqueue(1, "default", idempotency_key="the key")
    return states, held, expired


@pytest.fixture(params=["lower", "amid", "higher", "the same"], scope="module")
def target(
    request: pytest.FixtureRequest, source: Source, source_server: Server
) -> Iterator[Server]:
    """A server whose transaction ids are lower than those in the dump, amid them, or higher."""
    if request.param == "the same":
        yield source_server
        return
    with Server() as server, psycopg.connect(server.dsn, autocommit=True) as admin:
        start = {"lower": 0, "amid": source.oldest + 500, "higher": source.newest + 1000}
        burn_until(admin, start[request.param])
        yield server


@pytest.mark.parametrize(
    ("name", "first"), [("custom", "tick"), ("plain", "claim_batch"), ("inserts", "rebase")]
)
def test_a_restored_dump(source: Source, target: Server, name: str, first: str) -> None:
    dsn = make_database(target, name)
    with ExitStack() as stack:
        conn, early, running = (
            stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(3)
        )
        early.execute("begin; select pg_current_xact_id()")  # older than the tables
        restore(target, name, source.dumps[name], dsn)
        client = Client(conn)
        assert {each.invariant for each in client.check()} == {"a position is of this server"}

        new = enqueue_in_every_way(conn)
        new += enqueue_in_every_way(early)
        early.execute("commit")
        running.execute("begin")
        unseen = enqueue_in_every_way(running)
        assert new[0] > max(source.states)

        delivered: list[int] = []
        if first == "rebase":
            assert client.rebase().needed
        elif first == "tick":
            client.tick()
        else:
            delivered += work_off(client, 1)
        assert client.check() == []
        assert not client.rebase().needed

        now = statuses(conn, source.states)
        was = dict(source.states)
        for each in was:  # a tick has taken these up already
            if now[each] == "pending" and was[each] in ("delayed", "processing"):
                was[each] = "pending"
        was.update(dict.fromkeys(delivered, "completed"))
        assert now == {each: was[each] for each in source.states}

        running.execute("commit")
        claim_id, ids = source.held
        assert client.ack(claim_id, ids[:1]) == 1
        client.extend_lease([claim_id], MOMENT)
        time.sleep(0.15)
        while batch := work_off(client) or client.tick()["recovered"]:
            delivered += batch if isinstance(batch, list) else []
        assert client.check() == []

        waiting = [
            each
            for each, state in source.states.items()
            if state in ("pending", "processing") and each not in (ids[0], *source.late)
        ]
        due = [each for each in delivered if source.states.get(each) == "delayed"]
        assert set(statuses(conn, source.late).values()) == {"failed"}
        assert len(due) == 1
        assert sorted(delivered) == sorted(waiting + new + unseen + due)
        assert client.enqueue("Old", {}, idempotency_key="the key") == max(source.states)
        purge(conn)
        assert client.check() == []


@pytest.mark.parametrize("ahead", [0, 20000])
def test_logical_replication(source_server: Server, tmp_path: Path, ahead: int) -> None:
    """Nothing works on a replica before the switch-over; then it goes on where the other was."""
    with Server() as server, ExitStack() as stack:
        published = make_database(source_server, f"published_{ahead}")
        replica = make_database(server, "replica")
        there, here = (
            stack.enter_context(psycopg.connect(dsn, autocommit=True))
            for dsn in (published, replica)
        )
        burn_until(here, ahead)
        installation.install(there)
        old, new = Client(there), Client(here)
        for queue in QUEUES:
            old.create_queue(queue)
        for _ in range(6):
            old.enqueue("Old", {})
        assert work_off(old, 3) == [1, 2, 3]

        run(source_server, "pg_dump", "--schema-only", f"--file={tmp_path / 'ddl'}", published)
        restore(server, "plain", tmp_path / "ddl", replica)
        there.execute("create publication p for tables in schema symphony")
        here.execute(f"create subscription s{ahead} connection '{published}' publication p")
        ready = "select bool_and(srsubstate = 'r') from pg_subscription_rel"
        wait_until(lambda: one(here, ready), "the subscription", 30)
        urgent = old.enqueue("Old", {}, priority=7)
        old.tick()
        assert work_off(old, 4) == [urgent, 4, 5, 6]
        left = [old.enqueue("Old", {}) for _ in range(2)]
        arrived = (
            "select (select count(*) from symphony.message) = 9 and 3 = ("
            "select count(*) from symphony.claim where size > 0 and finished_at is not null)"
        )
        wait_until(lambda: one(here, arrived), "the messages and claims", 30)

        for call in (new.tick, new.claim_batch, new.rebase):
            with pytest.raises(StillReplicated):
                call()
        here.execute(f"alter subscription s{ahead} disable")
        rebased = None
        while rebased is None:  # the worker of the subscription is still there for a moment
            with suppress(StillReplicated):
                rebased = new.rebase()
        assert rebased.needed
        left += [new.enqueue("New", {}), new.enqueue("New", {}, priority=7)]
        assert left == [8, 9, 10, 11]
        assert sorted(work_off(new)) == left
        assert new.check() == []
        here.execute(f"drop subscription s{ahead}")


def enqueue_in_every_way(conn: Connection) -> list[int]:
    """Enqueue in a transaction of its own, in a savepoint, in a batch."""
    client = Client(conn)
    ids = [client.enqueue("New", {}, "gap"), client.enqueue("New", {}, "part")]
    with conn.transaction():
        conn.execute("select pg_current_xact_id()")
        with conn.transaction():
            ids.append(client.enqueue("New", {}, "gap"))
    return ids + client.enqueue_batch([{"message_type": "New", "queue_name": "held"}] * 3)


def work_off(client: Client, at_most: int = 1000) -> list[int]:
    """Claim and acknowledge; return the messages in order."""
    done: list[int] = []
    while len(done) < at_most and (batch := client.claim_batch(QUEUES, 3)):
        done += [each.message_id for each in batch]
        client.ack(batch[0].claim_id)
    return done


def purge(conn: Connection) -> None:
    """Let all retention be over, and each tick fold and purge."""
    conn.execute("update symphony.queue set retention = '0'")
    while one(conn, "select count(*) from symphony.message") > 0:
        conn.execute("update symphony.tick set purge_at = '-infinity', fold_at = '-infinity'")
        conn.execute("select symphony.tick()")


def make_database(server: Server, name: str) -> str:
    """Make an empty database; return its DSN."""
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(f"create database {name} template template0")
    return server.dsn_of(name)


def restore(server: Server, name: str, dump: Path, dsn: str) -> None:
    if name == "custom":
        run(server, "pg_restore", "--exit-on-error", f"--dbname={dsn}", str(dump))
    else:
        run(server, "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(dump), dsn)


def run(server: Server, program: str, *arguments: str) -> None:
    command, environment = server.program(program)
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def burn_until(conn: Connection, txid: int) -> None:
    """Use up transaction ids."""
    conn.execute(
        "create or replace procedure pg_temp.burn(until bigint) language plpgsql as $$ begin "
        "while pg_current_xact_id()::text::bigint < until loop commit; end loop; end $$"
    )
    conn.execute("call pg_temp.burn(%s)", [txid])


def statuses(conn: Connection, ids: Any) -> dict[int, str]:
    """Return the status of each message."""
    return {each: one(conn, "select status from symphony.message_status(%s)", each) for each in ids}
