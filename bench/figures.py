"""What figures cost a message: drains with and without folding, in turns.

In a drain 50,000 messages are enqueued, claimed and acknowledged in batches of 100. It is folded in
the middle, where half of them are pending and are counted, and at the end. Without it, the same
ticks fold nothing. In practice a fold comes once a minute, and finds fewer that are pending.

Then a real run: how far percentiles of batches are from those of messages.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["costs", "errors"]

BATCH = 100
FILL = (
    "select count(*) from symphony.enqueue_batch((select jsonb_agg(jsonb_build_object("
    "'message_type', 'Bench', 'body', %s::jsonb)) from generate_series(1, 1000)))"
)
CLAIM = "select max(claim_id) from symphony.claim_batch('{default}', %s, 'b', '10 min')"


def costs(conn: psycopg.Connection[Any], body: str, total: int, pairs: int) -> Iterator[str]:
    """Yield what folding costs in each pair of drains, and the medians."""
    cpu, wal = [], []
    _drain(conn, body, total, "-infinity")  # warms up
    for number in range(pairs):
        ways = ("infinity", "-infinity") if number % 2 else ("-infinity", "infinity")
        spent = {way: _drain(conn, body, total, way) for way in ways}
        more = [spent["-infinity"][i] - spent["infinity"][i] for i in (0, 1)]
        cpu.append(more[0] / total)
        wal.append(more[1] / total)
        yield f"pair {number + 1}: {cpu[-1]:+.3f} µs, {wal[-1]:+.3f} bytes a message"
    yield (
        f"folding and counting, median of {pairs} pairs: {statistics.median(cpu):.3f} µs of server"
        f" CPU (at most 0.2), {statistics.median(wal):.3f} bytes of WAL (at most 2) a message"
    )


def _drain(
    conn: psycopg.Connection[Any], body: str, total: int, fold_at: str
) -> tuple[float, float]:
    """Return the microseconds on a CPU and the bytes of WAL of one drain."""
    conn.execute("select symphony.drop_queue('default', true)")
    conn.execute("select symphony.create_queue('default')")
    conn.execute("vacuum (analyze) symphony.message, symphony.claim")
    conn.execute("checkpoint")
    _tick(conn, "-infinity")
    before = _spent(conn)
    for _ in range(total // 1000):
        conn.execute(FILL, [body])
    for number in range(total // BATCH):
        claim = conn.execute(CLAIM, [BATCH]).fetchone()
        assert claim is not None
        conn.execute("select symphony.ack(%s)", [claim[0]])
        if number == total // BATCH // 2:
            _tick(conn, fold_at)
    _tick(conn, fold_at)
    after = _spent(conn)
    return after[0] - before[0], after[1] - before[1]


def _tick(conn: psycopg.Connection[Any], fold_at: str) -> None:
    conn.execute("update symphony.tick set fold_at = %s, purge_at = 'infinity'", [fold_at])
    conn.execute("select symphony.tick()")


def _spent(conn: psycopg.Connection[Any]) -> tuple[float, float]:
    row = conn.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    told = Path(f"/proc/{conn.info.backend_pid}/schedstat").read_text()
    return int(told.split()[0]) / 1000, float(row[0])


def errors(
    conn: psycopg.Connection[Any], waited: Sequence[float], worked: Sequence[float]
) -> Iterator[str]:
    """Yield how far the figures are from exact times of messages, given in seconds."""
    row = conn.execute(
        "select waited_p50, waited_p95, waited_p99, worked_p50, worked_p95, worked_p99"
        " from symphony.queue_figures('default', step => 'hour')"
        " order by begins_at desc limit 1"
    ).fetchone()
    assert row is not None
    for name, exact, told in (("wait", waited, row[:3]), ("work", worked, row[3:])):
        cuts = statistics.quantiles(exact, n=100, method="inclusive")
        for share, figure in zip((50, 95, 99), told, strict=True):
            true, shown = cuts[share - 1], figure.total_seconds()
            error = max(true, shown) / max(min(true, shown), 1e-9) - 1
            kind = "of messages" if error <= 0.19 else "of batches"
            yield (
                f"{name} p{share}: {shown * 1000:,.1f} ms, exact {true * 1000:,.1f} ms,"
                f" {error:.0%} off: a figure {kind}"
            )
