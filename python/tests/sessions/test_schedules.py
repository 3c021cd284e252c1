"""Many sessions call tick_schedules() at once: each run is fired exactly once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timezone
from threading import Barrier

import psycopg
import pytest

from tests.helpers import Connection, one
from tests.sessions.helpers import replace_clock

SESSIONS = 8
SCHEDULES = 200
SECONDS = 60

# Every so many seconds as divide a minute; one half by interval, the other by cron.
CREATE = """
select symphony.create_schedule(
    schedule_name => 'schedule ' || n, message_type => 'Poll',
    schedule_type => case when n <= %(half)s then 'interval' else 'cron' end,
    schedule_config => case when n <= %(half)s
        then jsonb_build_object('every', every || ' seconds')
        else jsonb_build_object('expression', format('@every %%ss', every)) end)
from generate_series(1, %(all)s) as n,
     lateral (select ('{1,2,3,4,5,6,10,12,15,20}'::int[])[1 + n %% 10] as every) as e
"""

# What the history must be, from the definition of the schedules alone.
WRONG = """
select * from (
    select 'schedule ' || n as schedule_name, t as scheduled_at
    from generate_series(1, %(all)s) as n,
         lateral (select ('{1,2,3,4,5,6,10,12,15,20}'::int[])[1 + n %% 10] as every) as e,
         generate_series(timestamptz '2027-03-01 08:00:01+00', '2027-03-01 08:01:00+00', '1 second')
             as t
    where extract(epoch from t)::bigint %% every = 0
) as expected
full join symphony.schedule_run as run using (schedule_name, scheduled_at)
where expected is null or run is null or run.message_id is null or run.fired_at <> scheduled_at
"""


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(SESSIONS)]


def test_every_run_is_fired_once(
    conn: Connection,
    sessions: list[Connection],
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace_clock(conn, datetime(2027, 3, 1, 8, tzinfo=timezone.utc))
    numbers = {"all": SCHEDULES, "half": SCHEDULES // 2}
    conn.execute(CREATE, numbers)
    start = Barrier(SESSIONS, timeout=60)

    def second(session: Connection) -> int:
        start.wait()
        return int(one(session, "select symphony.tick_schedules()"))

    fired = [0] * SESSIONS
    with ThreadPoolExecutor(SESSIONS) as pool:
        for _ in range(SECONDS):
            conn.execute("update public.clock set now_at = now_at + interval '1 second'")
            for number, count in enumerate(pool.map(second, sessions)):
                fired[number] += count

    assert conn.execute(WRONG, numbers).fetchall() == []
    runs = conn.execute("select count(*), count(distinct message_id) from symphony.schedule_run")
    messages = conn.execute(
        "select count(*), count(distinct (headers->>'schedule', headers->>'scheduled_at'))"
        " from symphony.message"
    )
    expected = sum(fired)
    assert runs.fetchone() == messages.fetchone() == (expected, expected)
    assert sum(count > 0 for count in fired) > 1, "the sessions did not meet"
    with capsys.disabled():
        print(
            f"\n{SESSIONS} sessions, {SCHEDULES} schedules, {SECONDS} s of clock: {expected} runs,"
            f" each fired once ({', '.join(map(str, fired))} by session)"
        )
