"""What a handler learns from its context, and the transaction that it gives."""

import asyncio
from contextlib import suppress
from datetime import datetime, timezone

import pytest

from symphony_pg import Client, Context, Symphony, transaction_middleware
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
@pytest.mark.parametrize("outcome", ["commits", "raises", "is caught", "raises afterwards"])
def test_a_transaction_inside_another_is_a_part_of_it(
    app: Symphony, notes: Connection, kind: str, outcome: str
) -> None:
    """The same handler works with and without a middleware that has opened one."""
    app.middleware(transaction_middleware())
    Client(notes).create_queue("next")

    def sync_handler(job: Job, context: Context) -> None:
        app.dispatch(Job(1), queue="next")
        with suppress(OSError), context.transaction() as conn:
            assert conn is context.conn
            conn.execute("insert into note values (2)")
            app.dispatch(Job(2), queue="next")
            if outcome != "commits" and outcome != "raises afterwards":
                raise OSError if outcome == "is caught" else RuntimeError
        context.conn.execute("insert into note values (3)")
        if outcome == "raises afterwards":
            raise RuntimeError("what the block did is not kept either")

    async def async_handler(job: Job, context: Context) -> None:
        await app.dispatch_async(Job(1), queue="next")
        with suppress(OSError):
            async with context.transaction() as conn:
                assert conn is context.conn
                await conn.execute("insert into note values (2)")
                await app.dispatch_async(Job(2), queue="next")
                if outcome != "commits" and outcome != "raises afterwards":
                    raise OSError if outcome == "is caught" else RuntimeError
        await context.conn.execute("insert into note values (3)")
        if outcome == "raises afterwards":
            raise RuntimeError("what the block did is not kept either")

    app.handler(Job)(sync_handler if kind == "sync" else async_handler)
    sent = app.dispatch(Job(0))
    run(app)
    written = {"commits": [2, 3], "is caught": [3]}.get(outcome, [])
    dispatched = {"commits": [1, 2], "is caught": [1]}.get(outcome, [])
    assert notes_in(notes) == written
    assert [
        row[0]
        for row in notes.execute(
            "select (body ->> 'n')::int from symphony.pending_message where queue_name = 'next' "
            "order by 1"
        )
    ] == dispatched
    assert status(notes, sent) == ("completed" if written else "delayed")


async def test_a_transaction_inside_another_is_of_its_kind(app: Symphony) -> None:
    app.middleware(transaction_middleware())
    errors: list[BaseException] = []

    @app.handler(Job)
    async def handle(job: Job, context: Context) -> None:
        with pytest.raises(TypeError, match="write async with") as caught, context.transaction():
            pass
        errors.append(caught.value)

    await app.dispatch_async(Job(0))
    await asyncio.to_thread(run, app)
    assert len(errors) == 1


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
