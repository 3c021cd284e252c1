"""What access by queue costs: the CPU of a backend for one call, in turns.

    python -m symphony_pg.server -- python bench/access.py [--rounds 100] [--calls 200]

Each call is a transaction of its own. Each row has a database and a backend of its own; they work
in turns, a few calls at a time. The figures are those of the backend alone, by its own clock, so
other work on the machine disturbs them little; the least of the rounds tells most. There are four
rows, and the first one twice, which tells what is chance:

    no limited grant     the role may use all queues, and so may every other
    others are limited   the role may use all queues; some other one may not
    limited itself       the role may use one queue
    the owner            of the schema, while others are limited
"""

import argparse
import os
import time
from contextlib import ExitStack
from statistics import median

import psycopg
from psycopg.conninfo import make_conninfo

from symphony_pg import Client
from symphony_pg.database import install

ROLE, OTHER = "sy_bench_role", "sy_bench_other"
# The queues of the role that calls, and those of the other one.
ROWS: dict[str, tuple[list[str] | None, list[str] | None]] = {
    "no limited grant": (None, None),
    "no limited grant, again": (None, None),
    "others are limited": (None, ["mail"]),
    "limited itself": (["mail"], ["mail"]),
    "the owner": (None, ["mail"]),
}
FUNCTIONS = ("enqueue", "claim", "ack")
SETUP = """
create procedure pg_temp.enqueue(calls integer) language plpgsql as $$
begin
    for i in 1 .. calls loop
        perform symphony.enqueue('A', queue_name => 'mail');
        commit;
    end loop;
end $$;
create temporary table held (n integer generated always as identity primary key, claim_id bigint);
grant all on held to public;
create procedure pg_temp.claim(calls integer) language plpgsql as $$
begin
    for i in 1 .. calls loop
        insert into held (claim_id) select c.claim_id from symphony.claim_batch('{mail}', 1) as c;
        commit;
    end loop;
end $$;
create procedure pg_temp.ack(calls integer) language plpgsql as $$
declare
    v_ids bigint[] := array(select claim_id from held order by n);
begin
    for i in 1 .. calls loop
        perform symphony.ack(v_ids[i]);
        commit;
    end loop;
end $$;
"""

Connection = psycopg.Connection[tuple[object, ...]]


def cpu(pid: int) -> float:
    """Return the seconds that a process has run for: its number tells its clock."""
    return time.clock_gettime(~pid << 3 | 2)


def prepare(dsn: str, row: str) -> Connection:
    """Make the database of a row, and a session that calls as its role."""
    name = "sy_bench_" + "".join(filter(str.isalpha, row))
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"create database {name}")
        admin.execute(f"grant temporary on database {name} to {ROLE}")
    own: Connection = psycopg.connect(make_conninfo(dsn, dbname=name), autocommit=True)
    install.install(own)
    client = Client(own)
    client.create_queue("mail")
    for role, queues in zip((ROLE, OTHER), ROWS[row], strict=True):
        client.grant_access(role, "enqueuer", queues)
        client.grant_access(role, "consumer", queues)
    own.execute(SETUP)
    if row != "the owner":
        own.execute(f"set role {ROLE}")
    return own


def measure(dsn: str, rounds: int, calls: int) -> dict[tuple[str, str], list[float]]:
    """Return the microseconds of a call in each round, by row and function."""
    found: dict[tuple[str, str], list[float]] = {(r, f): [] for r in ROWS for f in FUNCTIONS}
    with ExitStack() as stack:
        sessions = {row: stack.enter_context(prepare(dsn, row)) for row in ROWS}
        for number in range(-2, rounds):  # the first ones warm up
            turn = number % len(ROWS)
            for row in [*ROWS][turn:] + [*ROWS][:turn]:
                own = sessions[row]
                own.execute("truncate held")
                for function in FUNCTIONS:
                    used = cpu(own.info.backend_pid)
                    own.execute(f"call pg_temp.{function}({calls})")
                    used = cpu(own.info.backend_pid) - used
                    if number >= 0:
                        found[row, function].append(used * 1e6 / calls)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    dsn = os.environ["SYMPHONY_DSN"]
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"create role {ROLE}; create role {OTHER}")
    found = measure(dsn, arguments.rounds, arguments.calls)
    head = f"us of CPU a call: least / median of {arguments.rounds}"
    print(f"{head:40}" + "".join(f"{name:>18}" for name in FUNCTIONS))
    for row in ROWS:
        times = [found[row, function] for function in FUNCTIONS]
        cells = (f"{min(each):8.1f} /{median(each):8.1f}" for each in times)
        print(f"{row:40}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
