"""A dependency that is down: what failed together comes back apart, and keeps nobody waiting."""

import json
import time
from collections import Counter
from datetime import datetime, timedelta

from symphony_pg import Client, Symphony
from tests.helpers import Connection
from tests.worker.helpers import run

MESSAGES = 5000
DELAY = timedelta(seconds=2)
JITTER = 0.5


def test_what_failed_together_comes_back_apart(dsn: str, conn: Connection) -> None:
    client = Client(conn)
    client.configure_queue(
        "default", retry_delay=DELAY, retry_jitter=JITTER, lease=timedelta(minutes=5)
    )
    conn.execute(
        "select symphony.enqueue_batch(jsonb_agg(jsonb_build_object('message_type', 'Down')))"
        " from generate_series(1, %s)",
        [MESSAGES],
    )
    shares: list[float] = []
    for _ in range(MESSAGES // 1000):
        batch = client.claim_batch(batch_size=1000)
        with conn.transaction():
            for each in batch:
                now = conn.execute("select clock_timestamp()").fetchone()
                nacked = client.nack_with_backoff(each.claim_id, each.message_id, "down")
                assert now is not None and nacked.available_at is not None
                shares.append(share_of_window(now[0], nacked.available_at))
    tenths = Counter(min(int(share * 10), 9) for share in shares)
    spread = [tenths[n] / MESSAGES for n in range(10)]
    print("share of the retries in each tenth of the window:", *(f"{s:.3f}" for s in spread))
    assert len(shares) == MESSAGES
    assert min(shares) > -0.001
    # Nothing may be later than the window but by the time that a statement takes.
    assert sorted(shares)[int(MESSAGES * 0.99)] <= 1
    # Each tenth holds 500, give or take 21: eight times that is never chance.
    assert all(abs(share - 0.1) < 0.034 for share in spread), spread

    # Meanwhile new messages are worked on at once, before those that wait.
    app = Symphony(dsn)
    order: list[str] = []
    app.handler("New")(lambda body: order.append("new"))
    app.handler("Down")(lambda body: order.append("down"))
    client.enqueue_batch([{"message_type": "New"}] * 100)
    assert {each.message_type for each in client.claim_batch(batch_size=100)} == {"New"}
    client.enqueue_batch([{"message_type": "New"}] * 100)
    started = time.monotonic()
    counts = run(app, drain=False, limit=MESSAGES + 100, concurrency=2)
    seconds = time.monotonic() - started
    print(
        f"{json.dumps(counts.as_dict())} in {seconds:.1f} s, {len(order) / seconds:,.0f} a second"
    )
    assert Counter(order) == {"new": 100, "down": MESSAGES}
    assert (counts.done, counts.retried, counts.failed) == (MESSAGES + 100, 0, 0)


def share_of_window(now: datetime, due: datetime) -> float:
    """Return where in the window of the first retry a time is: 0 its begin, 1 its end."""
    begin = now + DELAY * (1 - JITTER)
    return (due - begin) / (DELAY * 2 * JITTER)
