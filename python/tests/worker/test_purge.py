"""What a worker removes when it has been kept for long enough, without holding up its ticks."""

from datetime import timedelta

from symphony_pg import Client, Symphony
from tests.helpers import Connection, Job, jobs, one
from tests.worker.helpers import running, until


async def test_a_worker_purges_apart_from_its_ticks(app: Symphony, conn: Connection) -> None:
    Client(conn).configure_queue("default", retention=timedelta())
    app.handler(Job)(lambda job: None)
    app.dispatch_many(jobs(1200))
    async with running(app) as worker:
        await until(lambda: worker.counts.done == 1200, "the work")
        conn.execute("update symphony.tick set purge_at = '-infinity'")
        await until(lambda: one(conn, "select count(*) from symphony.message") == 0, "the purge")
    assert one(conn, "select sum(purged) from symphony.tick") == 0
