"""What a handler learns from its context, and the transaction that it gives."""

from datetime import datetime, timezone

import pytest

from symphony_pg import Client, Context, Symphony
from tests.helpers import KINDS, Connection, Job, jobs, status
from tests.worker.helpers import run


def test_what_a_context_tells(app: Symphony, conn: Connection) -> None:
    Client(conn).create_queue("mail", max_attempts=9)
    found: list[Context] = []
    app.handler(Job)(lambda job, context: found.append(context))
    message_id = app.dispatch(Job(), queue="mail", priority=7, headers={"a": [1]}, group_key="g")
    run(app, queues=["mail"])
    (context,) = found
    assert (context.message_id, context.queue_name, context.message_type) == (
        message_id,
        "mail",
        "Job",
    )
    assert (context.attempt, context.max_attempts, context.priority) == (1, 9, 7)
    assert context.headers == {"a": [1]}
    assert context.group_key == "g"
    assert context.claim_id > 0
    now = datetime.now(timezone.utc)
    assert context.enqueued_at <= now < context.lease_until
    assert not context.lease_lost


@pytest.fixture
def notes(conn: Connection) -> Connection:
    conn.execute("create table note (n int)")
    return conn


def notes_in(conn: Connection) -> list[int]:
    return [row[0] for row in conn.execute("select n from note order by n").fetchall()]


@KINDS
@pytest.mark.parametrize("outcome", ["commits", "raises", "raises afterwards"])
def test_a_transaction_keeps_writes_and_ack_together(
    app: Symphony, notes: Connection, kind: str, outcome: str
) -> None:
    def sync_handler(job: Job, context: Context) -> None:
        with context.transaction() as conn:
            conn.execute("insert into note values (%s)", [job.n])
            if outcome == "raises" and job.n % 2:
                raise RuntimeError("no")
        if outcome == "raises afterwards":
            raise RuntimeError("too late to matter")

    async def async_handler(job: Job, context: Context) -> None:
        async with context.transaction() as conn:
            await conn.execute("insert into note values (%s)", [job.n])
            if outcome == "raises" and job.n % 2:
                raise RuntimeError("no")
        if outcome == "raises afterwards":
            raise RuntimeError("too late to matter")

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    ids = app.dispatch_many(jobs(6))
    counts = run(app, concurrency=2)
    lost = {1, 3, 5} if outcome == "raises" else set()
    assert notes_in(notes) == [n for n in range(6) if n not in lost]
    assert (counts.done, counts.retried) == (6 - len(lost), len(lost))
    for n, message_id in enumerate(ids):
        assert status(notes, message_id) == ("delayed" if n in lost else "completed")
