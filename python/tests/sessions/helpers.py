"""What several sessions do, and a clock that a test moves on."""

from datetime import datetime

from tests.helpers import Connection


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
