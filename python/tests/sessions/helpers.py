"""What several sessions do, a clock that a test moves on, and lives of a model."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.helpers import Connection, one


def enqueue(conn: Connection, count: int = 1) -> list[int]:
    rows = conn.execute(
        "select symphony.enqueue('A') from generate_series(1, %s)", [count]
    ).fetchall()
    return [row[0] for row in rows]


def claim(conn: Connection, size: int = 100, lease: str = "1 minute") -> list[tuple[int, int]]:
    """Claim; return (claim_id, message_id)."""
    return conn.execute(
        "select claim_id, message_id from symphony.claim_batch('{default}', %s, 'w', %s)",
        [size, lease],
    ).fetchall()


def replace_clock(conn: Connection, start: datetime) -> None:
    """Let the functions read the time from a row, public.clock."""
    conn.execute("create table public.clock (now_at timestamptz not null)")
    conn.execute("insert into public.clock values (%s)", [start])
    conn.execute(
        "create or replace function symphony._now() returns timestamptz language sql volatile "
        "as 'select now_at from public.clock'"
    )


def pass_time(conn: Connection, by: timedelta) -> datetime:
    """Move the clock on that replace_clock() made; return the time.

    Somebody has always just ticked: a longer time without a tick would be an outage, in which
    leases stand still.
    """
    now: datetime = one(conn, "update public.clock set now_at = now_at + %s returning now_at", by)
    conn.execute(
        "update symphony.tick set ticked_at = %s "
        "where tick_id = (select max(tick_id) from symphony.tick)",
        [now],
    )
    return now


def run_lives(
    conn: Connection,
    life: Callable[[Connection, Counter[str]], RuleBasedStateMachine],
    examples: int,
    reached: Sequence[str],
) -> None:
    """Let hypothesis make so many lives, and some more until all has happened that should."""
    seen: Counter[str] = Counter()
    replace_clock(conn, datetime(2030, 1, 1, tzinfo=timezone.utc))
    for _ in range(12):
        run_state_machine_as_test(
            lambda: life(conn, seen),  # type: ignore[arg-type]  # any maker will do
            settings=settings(
                max_examples=examples,
                stateful_step_count=50,
                deadline=None,
                derandomize=False,  # as the profile that hypothesis takes in CI would
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        if all(seen[each] for each in reached):
            break
    assert [each for each in reached if not seen[each]] == [], seen
