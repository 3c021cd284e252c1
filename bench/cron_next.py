"""What a call of cron_next() costs, over 1,000 expressions of every kind."""

import json
import os
import random
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

EXPRESSIONS = 1_000
ROUNDS = 7
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe")

KINDS: dict[str, Callable[[random.Random], str]] = {
    "every few minutes": lambda r: f"*/{r.choice((1, 5, 10, 15))} * * * *",
    "every few seconds": lambda r: f"*/{r.choice((5, 10, 30))} * * * * *",
    "once a day": lambda r: f"{r.randrange(60)} {r.randrange(24)} * * *",
    "working days": lambda r: f"{r.randrange(60)} 8-18/2 * * mon-fri",
    "once a month": lambda r: f"0 3 {r.randint(1, 31)} * *",
    "once a year": lambda r: f"0 0 {r.randint(1, 28)} {r.randint(1, 12)} *",
    "leap day": lambda _: "0 0 29 2 *",
    "last day": lambda r: f"{r.randrange(60)} 23 L * *",
    "nearest weekday": lambda r: f"0 9 {r.randint(1, 31)}W * *",
    "nth weekday": lambda r: f"0 9 * * {r.randrange(7)}#{r.randint(1, 5)}",
    "day or weekday": lambda r: f"0 12 {r.randint(1, 31)} * fri",
    "hashed": lambda _: "H H(0-7) * * *",
    "long lists": lambda r: f"{','.join(map(str, r.sample(range(60), 12)))} 0,6,18 1,15 jan-jun *",
    "shorthand": lambda r: r.choice(("@hourly", "@daily", "@monthly", "@every 90s")),
}

NEXT = """
explain (analyze, timing off, format json)
select symphony.cron_next(expression, after, timezone, hash_key)
from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[])
    as job (expression, after, timezone, hash_key)
"""


def run(conn: psycopg.Connection) -> dict[str, Any]:
    """Measure on a connection in autocommit mode."""
    dice = random.Random(1)
    kinds = list(KINDS)
    jobs = [
        (
            kinds[n % len(kinds)],
            KINDS[kinds[n % len(kinds)]](dice),
            f"20{dice.randint(20, 40)}-{dice.randint(1, 12)}-{dice.randint(1, 28)} "
            f"{dice.randrange(24)}:{dice.randrange(60)}Z",
            dice.choice(ZONES),
            f"job {n}",
        )
        for n in range(EXPRESSIONS)
    ]
    return {
        "expressions": EXPRESSIONS,
        "mean_us": _mean_us(conn, jobs),
        "mean_us_by_kind": {
            kind: _mean_us(conn, [job for job in jobs if job[0] == kind]) for kind in kinds
        },
    }


def _mean_us(conn: psycopg.Connection, jobs: Sequence[tuple[str, ...]]) -> float:
    """Return the microseconds of one call, the median of some rounds."""
    arguments = [list(column) for column in zip(*jobs, strict=True)][1:]
    rounds: list[float] = []
    for _ in range(ROUNDS):
        row = conn.execute(NEXT, arguments).fetchone()
        assert row is not None
        rounds.append(row[0][0]["Execution Time"] * 1000 / len(jobs))
    return round(float(statistics.median(rounds)), 1)


if __name__ == "__main__":
    with psycopg.connect(os.environ.get("SYMPHONY_DSN", ""), autocommit=True) as connection:
        print(json.dumps(run(connection), indent=2))
