"""A message that kills whoever works on it takes no others with it, and ends among the failed."""

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Client
from tests.helpers import Connection
from tests.worker.helpers import Process

MAX_ATTEMPTS = 3
APP = """
import os
import time
from pathlib import Path
from symphony_pg import Context, Symphony

app = Symphony()

@app.handler("Job")
def job(n, context: Context):
    with Path("handled").open("a") as file:
        file.write(f"{n}\\n")
    if n == "poison":
        time.sleep(0.05)
        os._exit(9)
    time.sleep(0.5 if context.attempt == 1 else 0.005)
"""


@pytest.mark.parametrize("concurrency", [1, 8])
def test_only_the_poison_message_fails(
    dsn: str, conn: Connection, tmp_path: Path, concurrency: int
) -> None:
    client = Client(conn)
    client.configure_queue("default", max_attempts=MAX_ATTEMPTS, lease=timedelta(milliseconds=1500))
    bodies: list[Any] = [*range(50), "poison", *range(51, 100)]
    ids = client.enqueue_batch([{"message_type": "Job", "body": body} for body in bodies])
    poison = ids[50]
    # The first worker has all of them in its hands, in one claim, when it dies. Those that follow
    # are started again and again, as by a supervisor.
    with Process(tmp_path, APP, dsn, "--concurrency", "100") as worker:
        assert worker.wait() == 9
    claims = conn.execute("select size, cardinality(open_ids) from symphony.claim where size > 0")
    assert claims.fetchall() == [(100, 100)]
    deaths = 1
    options = ("--time-limit", "5s", "--poll-interval", "50ms", "--concurrency", str(concurrency))
    deadline = time.monotonic() + 60
    while client.queue_stats()[0].failed == 0 or client.queue_stats()[0].pending:
        assert time.monotonic() < deadline
        with Process(tmp_path, APP, dsn, *options) as worker:
            deaths += worker.wait() == 9

    states = {each: client.message_status(each) for each in ids}
    found = states.pop(poison)
    assert found is not None
    assert (found.status, found.attempt) == ("failed", MAX_ATTEMPTS)
    reasons = conn.execute("select reason from symphony.failed_overview").fetchall()
    assert reasons == [("lease ended",)]
    assert "lease ended: worker" in (found.last_error or "")
    attempts = Counter((each.status, each.attempt) for each in states.values() if each)
    handled = Counter((tmp_path / "handled").read_text().split())
    poisoned = handled.pop("poison")
    print(f"deaths {deaths}, others {dict(attempts)}, poison handled {poisoned} times")
    # The crash of the first worker is the only attempt that the others lost to it. When a later
    # one died, no other message was in work, or done and not acknowledged yet.
    assert attempts == {("completed", 2): 99}
    assert deaths == poisoned == MAX_ATTEMPTS
    assert set(handled.values()) <= {1, 2}  # 1: the first worker died before it began with it
    assert len(handled) == 99
