"""A message that kills whoever works on it takes no others with it, and ends among the failed."""

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from workers import Process  # type: ignore[import-not-found]

from symphony_pg import Client

Connection = psycopg.Connection[Any]

MAX_ATTEMPTS = 3
APP = """
import os
from pathlib import Path
from symphony_pg import Symphony

app = Symphony()

@app.handler("Job")
def job(n):
    with Path("handled").open("a") as file:
        file.write(f"{n}\\n")
    if n == "poison":
        os._exit(9)
"""


def test_only_the_poison_message_fails(dsn: str, conn: Connection, tmp_path: Path) -> None:
    client = Client(conn)
    client.configure_queue("default", max_attempts=MAX_ATTEMPTS, lease=timedelta(milliseconds=700))
    bodies: list[Any] = [*range(50), "poison", *range(51, 100)]
    ids = client.enqueue_batch([{"message_type": "Job", "body": body} for body in bodies])
    poison = ids[50]
    # One worker has all of them in its hands when it dies; those that follow are started again
    # and again, as by a supervisor.
    first = client.claim_batch(batch_size=100, worker="dies")
    assert [each.message_id for each in first] == ids
    deaths = 0
    deadline = time.monotonic() + 60
    while client.queue_stats()[0].failed == 0 or client.queue_stats()[0].pending:
        assert time.monotonic() < deadline
        with Process(tmp_path, APP, dsn, "--time-limit", "3s", "--poll-interval", "50ms") as worker:
            deaths += worker.wait() == 9

    states = {each: client.message_status(each) for each in ids}
    found = states.pop(poison)
    assert found is not None
    assert (found.status, found.attempt) == ("failed", MAX_ATTEMPTS)
    assert conn.execute("select reason from symphony.dead_message").fetchall() == [("lease ended",)]
    assert "lease ended: worker" in (found.last_error or "")
    attempts = Counter((each.status, each.attempt) for each in states.values() if each)
    handled = Counter((tmp_path / "handled").read_text().split())
    print(f"deaths {deaths}, others {dict(attempts)}, poison handled {handled.pop('poison')} times")
    # The crash of the first worker is the only attempt that the others lost to it.
    assert attempts == {("completed", 2): 99}
    assert deaths == MAX_ATTEMPTS - 1
    assert sum(handled.values()) <= 99 + deaths
    assert len(handled) == 99
