"""What tick_schedules() costs with 10,000 schedules of which 10 are due, and with none due."""

import statistics
from typing import Any

import psycopg

SCHEDULES = 10_000
DUE = 10
ROUNDS = 21
QUEUE = "bench_schedules"

CREATE_IDLE = """
select count(symphony.create_schedule(
    schedule_name => 'bench idle ' || n, message_type => 'Bench', schedule_type => 'cron',
    schedule_config => '{"expression": "H H 1 1 *"}', queue_name => %s))
from generate_series(1, %s) as n
"""

# A single run in the past is due at once.
CREATE_DUE = """
select count(symphony.create_schedule(
    schedule_name => format('bench due %%s %%s', %s::int, n), message_type => 'Bench',
    schedule_type => 'once', schedule_config => '{"at": "2020-01-01 00:00+00"}', queue_name => %s))
from generate_series(1, %s) as n
"""

REMOVE = """
select count(symphony.remove_schedule(schedule_name)) from symphony.schedule_overview
where queue_name = %s
"""


def run(conn: psycopg.Connection) -> dict[str, Any]:
    """Measure on a connection in autocommit mode, and leave nothing behind."""
    conn.execute("select symphony.create_queue(%s)", [QUEUE])
    try:
        conn.execute(CREATE_IDLE, [QUEUE, SCHEDULES - DUE])
        conn.execute("vacuum analyze symphony.schedule")
        due, idle = [], []
        for number in range(ROUNDS):
            conn.execute(CREATE_DUE, [number, QUEUE, DUE])
            due.append(_tick(conn))
            idle.append(_tick(conn))
        return {
            "schedules": SCHEDULES,
            "due": DUE,
            "tick_schedules_ms": statistics.median(ms for ms, _ in due),
            "tick_schedules_buffers": statistics.median(buffers for _, buffers in due),
            "nothing_due_ms": statistics.median(ms for ms, _ in idle),
            "nothing_due_buffers": statistics.median(buffers for _, buffers in idle),
        }
    finally:
        conn.execute(REMOVE, [QUEUE])
        conn.execute("select symphony.drop_queue(%s, force => true)", [QUEUE])


def _tick(conn: psycopg.Connection) -> tuple[float, int]:
    """Return the milliseconds of a call and the pages it looked at."""
    row = conn.execute(
        "explain (analyze, buffers, format json) select symphony.tick_schedules()"
    ).fetchone()
    assert row is not None
    explained = row[0][0]
    plan = explained["Plan"]
    return explained["Execution Time"], plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
