"""Measure what looks at Symphony, where there is a lot: a million messages of each kind.

    make sizes                     with 100 and with 1,000 queues
    make sizes ARGS="--quick"      with a twentieth of the messages
    make sizes ARGS="--queues 100"

A row is one function, view, command or tick: the least time of five runs, the least that the
backend was on a CPU, which hardly depends on what else the machine does, and the buffers that it
touched. The time of a command is that of its process, and its buffers are those of the database.
That of an end point or a page is the median of twenty requests, each of which asks the database;
beside it stands the CPU of the server and the database.
What changes something is run once, at the end.
With 100 queues looking functions and views are to take less than 50 ms, those of figures less than
20 ms, where 100,000 claims an hour are made, end points and pages less than 100 ms; check() takes
as long as it takes.
Messages are put in by a few statements, and check() proves that every invariant holds.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from symphony_pg import Symphony
from symphony_pg.database import install
from symphony_pg.database.functions.messages import STATES
from symphony_pg.http import create_app, figures
from symphony_pg.http.dashboard import database as pages

DSN = os.environ["SYMPHONY_DSN"]
MOST = 50.0  # milliseconds
MOST_OF_FIGURES = 20.0
RUNS = 5
MOST_OF_END_POINT = 100.0
REQUESTS = 20
BODY = '{"n": 1, "s": "' + "x" * 180 + '"}'
# A claim for every hundred of the messages of a lane, as if one worker had worked them off.
COMPLETED = """
with message as (
    insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
    select now() - interval '2 hours', lane.lane_id, 'Bench' || i %% 7, %(body)s, '{}'
    from generate_series(1, %(count)s) as i
    join (select lane_id, row_number() over (order by lane_id) as place from symphony.lane
          where priority = 5 and queue_name like 'q%%') as lane on lane.place = i %% %(queues)s + 1
    returning lane_id, message_id, txid
), part as (
    select lane_id, message_id, txid, (row_number() over w - 1) / 100 as number,
           count(*) over (partition by lane_id) as size
    from message
    window w as (partition by lane_id order by message_id)
), claim as (
    select lane_id, number, max(txid) as txid, max(message_id) as last_id, count(*) as size,
           number = (max(size) - 1) / 100 as is_last
    from part
    group by lane_id, number, part.size
)
insert into symphony.claim (claimed_at, lease_until, finished_at, partial_txid, partial_message_id,
                            lane_id, size, worker, ahead, open_ids)
select at, at + interval '30 seconds', at + interval '1 second',
       case when not is_last then txid end, case when not is_last then last_id end,
       lane_id, size, 'w' || number %% 20,
       int8multirange(int8range(txid + is_last::integer, null)), '{}'
from claim,
     lateral (select now() - interval '2 hours' * (1 - number / (100 + number::numeric)) as at) as t
order by number, lane_id
"""
PENDING = """
insert into symphony.message (enqueued_at, lane_id, message_type, body, headers)
select now(), lane.lane_id, 'Bench' || i %% 7, %(body)s, '{}'
from generate_series(1, %(count)s) as i
join (select lane_id, row_number() over (order by lane_id) as place from symphony.lane
      where priority = 5 and queue_name like 'q%%') as lane on lane.place = i %% %(queues)s + 1
"""
DELAYED = """
insert into symphony.delayed_message (
    available_at, enqueued_at, lane_id, message_type, body, headers)
select now() + interval '1 day' + i * interval '10 milliseconds', now(), lane.lane_id,
       'Bench' || i %% 7, %(body)s, '{}'
from generate_series(1, %(count)s) as i
join (select lane_id, row_number() over (order by lane_id) as place from symphony.lane
      where priority = 5 and queue_name like 'q%%') as lane on lane.place = i %% %(queues)s + 1
"""
FAILED = """
with failed as (
    insert into symphony.failed_message (
        message_id, failed_at, enqueued_at, lane_id, attempt, reason, message_type, body, headers,
        last_error, error_class)
    select nextval('symphony.message_id_seq'), now() - i * interval '100 milliseconds',
           now() - interval '3 days', lane.lane_id, 4, 'exhausted', 'Bench' || i %% 7, %(body)s,
           '{}', 'it broke', 'E' || i %% 5
    from generate_series(1, %(count)s) as i
    join (select lane_id, row_number() over (order by lane_id) as place from symphony.lane
          where priority = 5 and queue_name like 'q%%') as lane on lane.place = i %% %(queues)s + 1
    returning message_id, failed_at
)
insert into symphony.attempt (message_id, started_at, ended_at, replay, attempt, outcome, error)
select message_id, failed_at, failed_at, 0, 4, 'failed', 'it broke' from failed
"""
OTHERS = """
do $$
declare
    v_queues text[] := array(
        select queue_name from symphony.queue where queue_name like 'q%' order by 1 limit 20);
begin
    for i in 1 .. 20 loop
        perform from symphony.claim_batch(v_queues[i : i], 100, 'w' || i, '1 hour');
        perform symphony.heartbeat(
            'w' || i, v_queues,
            jsonb_build_object('running', (
                select jsonb_agg(jsonb_build_object('message_id', id, 'seconds', 1))
                from symphony.claim, unnest(open_ids[1:20]) as id where worker = 'w' || i)));
        perform symphony.create_schedule('s' || i, 'Tick', 'cron', '{"expression": "@daily"}');
    end loop;
end $$
"""
# What handlers did with seven types: an hour of each, a day of one, and of all of them in a queue.
TYPES = """
insert into symphony.type_figure (is_hour, begins_at, queue_name, message_type, handled, failed,
                                  worked)
select false, date_trunc('minute', now()) - i * interval '1 minute', queue_name, 'Bench' || n, 240,
       1, '{{2,170},{4,300},{7,700},{9,400},{12,90},{15,10}}'
from symphony.queue, generate_series(0, 6) as n, generate_series(0, 1439) as i
where queue_name like 'q%' and i < case when n = 0 or queue_name = 'q1' then 1440 else 60 end
"""
# A week, or a million minutes of all queues, of 100,000 claims an hour: the last one is not folded.
WEEK = """
with minute as (
    insert into symphony.figure (lane_id, is_hour, begins_at, arrived, claimed, completed,
                                 waited_seconds, worked_seconds, waited, worked)
    select lane_id, false, date_trunc('minute', now()) - i * interval '1 minute', 1670, 1670, 1670,
           10, 50, '{{-4,170},{0,300},{3,700},{5,400},{9,90},{13,10}}',
           '{{2,170},{4,300},{7,700},{9,400},{12,90},{15,10}}'
    from symphony.lane, generate_series(1, (
        select least(10079, 1000000 / count(*)) from symphony.queue)) as i
    where priority = 5 and queue_name like 'q%'
    returning lane_id, arrived, claimed, completed
)
update symphony.tally as t
set arrived = t.arrived + m.arrived, passed = t.passed + m.arrived,
    claimed = t.claimed + m.claimed, completed = t.completed + m.completed
from (select lane_id, sum(arrived) as arrived, sum(claimed) as claimed, sum(completed) as completed
      from minute group by 1) as m
where m.lane_id = t.lane_id
"""
MINUTE = """
insert into symphony.claim (claimed_at, lease_until, finished_at, lane_id, size, passed, waited,
                            worker, ahead, partial_txid, partial_message_id, open_ids)
select now() - i * interval '30 milliseconds', now() + interval '30 seconds', now(), lane_id, 100,
       0, 0.01 * i, 'w' || i % 20, p.ahead, p.partial_txid, p.partial_message_id, '{}'
from (select lane_id, row_number() over (order by lane_id) as place, count(*) over () as lanes
      from symphony.lane where priority = 5 and queue_name like 'q%') as lane
join generate_series(1, 1667) as i on i % lane.lanes = lane.place - 1
cross join lateral symphony._position(lane.lane_id) as p
order by i
"""
# name: the statement, whose result is read; $pending and so on are ids of messages.
LOOKS = {
    "queue_stats()": "select * from symphony.queue_stats()",
    "queue_stats(queue)": "select * from symphony.queue_stats('q1')",
    "queue_holds(queue)": "select * from symphony.queue_holds('q1')",
    "purge_preview()": "select * from symphony.purge_preview('q1')",
    "figures_by_minute()": "select * from symphony.figures_by_minute()",
    "queue_figures() of 5 minutes": "select * from symphony.queue_figures("
    "since => now() - interval '4 minutes')",
    "queue_figures(queue)": "select * from symphony.queue_figures('q1')",
    "queue_figures(queue) of a week": "select * from symphony.queue_figures('q1', "
    "now() - interval '167 hours', step => 'hour')",
    "type_figures(queue) of a day": "select * from symphony.type_figures('q1', step => 'hour')",
    "queue_figures(queue) of a day": "select * from symphony.queue_figures('q1', step => 'hour')",
    "queue_totals()": "select * from symphony.queue_totals()",
    "type_figures(queue)": "select * from symphony.type_figures('q1')",
    "type_figures() of a minute": "select * from symphony.type_figures(since => now())",
    "list_queues()": "select * from symphony.list_queues()",
    "failed_stats()": "select * from symphony.failed_stats()",
    "failed_stats(queue)": "select * from symphony.failed_stats('q1')",
    "failed_messages()": "select * from symphony.failed_messages()",
    "failed_messages(queue)": "select * from symphony.failed_messages('q1')",
    "message_history(failed)": "select * from symphony.message_history($failed)",
    "worker_activity()": "select * from symphony.worker_activity()",
    "schedule_status()": "select * from symphony.schedule_status()",
    "message_status(pending)": "select * from symphony.message_status($pending)",
    "message_status(completed)": "select * from symphony.message_status($completed)",
    "message_status(delayed)": "select * from symphony.message_status($delayed)",
    "message_status(failed)": "select * from symphony.message_status($failed)",
    "why_not_running(pending)": "select symphony.why_not_running($pending)",
    "why_not_running(delayed)": "select symphony.why_not_running($delayed)",
    "why_not_running(completed)": "select symphony.why_not_running($completed)",
    "why_not_running(failed)": "select symphony.why_not_running($failed)",
    "message_history(pending)": "select * from symphony.message_history($pending)",
    "waiting_types()": "select * from symphony.waiting_types()",
    "waiting_types(queue)": "select * from symphony.waiting_types('{q1}')",
    "obstacles()": "select * from symphony.obstacles()",
    "health()": "select * from symphony.health()",
    "metrics()": "select * from symphony.metrics()",
    "schedule_runs()": "select * from symphony.schedule_runs('s1')",
    "schedule_preview()": "select * from symphony.schedule_preview('s1')",
    "schedule_diff()": "select * from symphony.schedule_diff('bench', '[]')",
    "list_transports()": "select * from symphony.list_transports()",
    "list_routes()": "select * from symphony.list_routes()",
    "route_of()": "select * from symphony.route_of('Bench1')",
    "list_retry_policies()": "select * from symphony.list_retry_policies()",
    "retry_policy_of()": "select * from symphony.retry_policy_of('Bench1', 'q1')",
    "version()": "select symphony.version()",
}
FIGURES = ("queue_stats()", "queue_stats(queue)", "queue_totals()", "type_figures(queue)")
VIEWS = (
    "queue_overview",
    "pending_message",
    "processing_message",
    "failed_overview",
    "worker_overview",
    "schedule_overview",
    "schedule_history",
)
END_POINTS = (
    *("live", "status", "queue-depth", "queue-depth?queue=q1", "failed", "failed?queue=q1"),
    *("failed?type=Bench1", "failed?error_class=E1", "failed?error_class=None"),
    *("metrics", "openapi.json"),
)
GROUP = "queue=q1&type=Bench1&error_class=E1"
PAGES = (
    *("", "queue?name=q1", "queue?name=q1&range=day", "queue?name=q1&range=week"),
    *("queue/limits?name=q1", "queue/test?name=q1", "queue/purge?name=q1"),
    "type?name=Bench1&queue=q1",
    *("failed", "failed?queue=q1", f"failed/group?{GROUP}", "failed/group?queue=q1&type=None"),
    *(f"failed/preview?{GROUP}", "failed/preview?queue=q1&error_class=None"),
    *("messages", "messages?q=queue:q1", "messages?q=type:Bench1", "messages?q=type:None"),
    *("messages?q=key:none", "messages?q=group:none", "messages?q=correlation:none"),
    *("messages?q=since:3h+until:1h",),
    *(f"messages?q=state:{each}" for each in STATES),
    *("messages?q=state:removed+queue:q1", "messages?q=state:completed+queue:q1"),
    *(f"messages/${each}" for each in ("pending", "processing", "completed", "delayed", "failed")),
    *("workers", "schedules", "schedules?name=s1", "transports", "keys", "audit", "settings"),
    *("sign-in",),
)
TICKS = {
    "tick()": "select symphony.tick()",
    "tick(purge => false)": "select symphony.tick(purge => false)",
    "purge()": "select * from symphony.purge()",
    "claim_batch() of an empty queue": "select * from symphony.claim_batch('{default}')",
    "claim_batch() of one queue": "select * from symphony.claim_batch('{q1}', 100)",
    "claim_batch() of all queues": "select * from symphony.claim_batch("
    "array(select symphony.list_queues()), 100)",
    "enqueue()": "select symphony.enqueue('Bench', queue_name => 'q1')",
    "enqueue() with a delay": "select symphony.enqueue("
    "'Bench', queue_name => 'q1', delay => '1 hour')",
    "heartbeat()": "select symphony.heartbeat('w1', '{q1}')",
    "idle() of all queues": "select symphony.idle('w1', array(select symphony.list_queues()))",
    "busy()": "select symphony.busy('w1')",
}
# Run once, in this order, since each of them leaves less.
CHANGES = {
    "cancel(pending)": "select symphony.cancel($pending)",
    "cancel(delayed)": "select symphony.cancel($delayed)",
    "retry_failed() of one": "select * from symphony.retry_failed(array[$failed])",
    "retry_failed() of 1,000": "select * from symphony.retry_failed("
    "queue_name => 'q2', at_most => 1000)",
    "remove_failed() of 1,000": "select * from symphony.remove_failed("
    "queue_name => 'q3', at_most => 1000)",
    "purge_queue()": "select symphony.purge_queue('q4')",
    "pause_queue()": "select symphony.pause_queue('q5')",
    "configure_queue()": "select symphony.configure_queue('q5', max_body_bytes => 2000)",
    "create_queue()": "select symphony.create_queue('new')",
    "rebase()": "select * from symphony.rebase()",
    "drop_queue()": "select symphony.drop_queue('q6', force => true)",
}
COMMANDS = (
    "stats",
    "stats q1",
    "queue list",
    "failed list",
    "failed stats",
    "failed show $failed",
    "workers list",
    "schedule list",
    "message show $pending",
    "transport list",
    "route list",
    "policy list",
    "message why $pending",
    "schedule show s1",
    "schedule next s1",
    "route show Bench1",
    "policy show Bench1 --queue q1",
    "failed list --queue q1",
    "failed list --type Bench1",
    "failed list --error-class E1",
    "failed stats --queue q1",
    "message show $completed",
    "message show $delayed",
    "message why $delayed",
    "db status",
)
COMMANDS_THAT_CHANGE = (
    "enqueue Bench --queue q1",
    "message cancel $other",
    "failed retry --queue q7 --limit 1000",
    "failed remove --queue q8 --limit 1000 --yes",
    "queue pause q9",
    "queue resume q9",
    "queue configure q9 --lease 60s",
    "queue create another",
    "queue purge q9 --yes",
    "schedule pause s1",
    "schedule resume s1",
    "schedule run s1",
    "workers pause w1",
    "workers resume w1",
    "db rebase",
    "queue drop q10 --force",
)


class Sizes:
    """A database with a lot in it, and how long it takes to look at it."""

    def __init__(self, queues: int, count: int) -> None:
        self._queues, self._count = queues, count
        name = f"sizes_{queues}"
        with psycopg.connect(DSN, autocommit=True) as admin:
            admin.execute(f"drop database if exists {name} with (force)".encode())
            admin.execute(f"create database {name}".encode())
        self._admin = psycopg.connect(DSN, autocommit=True)
        self._dsn = make_conninfo(DSN, dbname=name)
        self._conn = psycopg.connect(self._dsn, autocommit=True)
        self._conn.execute("set synchronous_commit = on")  # else a vacuum marks less as visible
        install.install(self._conn)
        self._ids: dict[str, int] = {}

    def fill(self) -> None:
        """Put the messages in, and prove that they are as if they had come one by one."""
        conn = self._conn
        conn.execute(
            "select symphony.create_queue('q' || i) from generate_series(1, %s) as i",
            [self._queues],
        )
        values = {"body": BODY, "queues": self._queues, "count": self._count}
        for statement in (COMPLETED, PENDING, DELAYED, FAILED):
            conn.execute(statement.encode(), values)
        conn.execute(OTHERS.encode())
        for _ in range(self._count * 2 // 100_000 + 5):  # until all is counted and folded
            conn.execute("update symphony.tick set fold_at = '-infinity'")
            conn.execute("select symphony.tick(purge => false)")
        conn.execute(WEEK.encode())
        conn.execute(MINUTE.encode())
        conn.execute(TYPES.encode())
        conn.execute("vacuum (analyze)")
        conn.execute("checkpoint")
        conn.execute("set jit = off")
        for name, table in (("delayed", "delayed_message"), ("failed", "failed_message")):
            self._ids[name] = self._one(f"select max(message_id) from symphony.{table}")
        self._ids["processing"] = self._one("select max(open_ids[1]) from symphony.claim")
        self._ids["completed"] = self._one("select min(message_id) from symphony.message")
        self._ids["pending"] = self._one(
            "select max(message_id) from symphony.message join symphony.lane using (lane_id)"
            " where queue_name = 'q1'"
        )
        self._ids["other"] = self._ids["pending"] - self._queues  # of the same queue

    def _one(self, statement: str) -> Any:
        row = self._conn.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]

    def _with_ids(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: str(self._ids[found[1]]), text)

    def measure(self) -> bool:
        """Print the table; return whether all that is to be fast is fast."""
        print(f"\n{self._count:,} of each kind, {self._queues:,} queues", flush=True)
        most = MOST if self._queues <= 100 else None
        fast = [
            self._row(name, text, min(most, MOST_OF_FIGURES) if most and name in FIGURES else most)
            for name, text in LOOKS.items()
        ]
        fast += [
            self._row(view, f"select * from symphony.{view} limit 100", most) for view in VIEWS
        ]
        fast += self._requests(most and MOST_OF_END_POINT)
        for name, text in TICKS.items():
            self._row(name, text)
        for command in COMMANDS:
            self._command(command)
        self._check()
        for name, text in CHANGES.items():
            self._row(name, text, runs=1)
        for command in COMMANDS_THAT_CHANGE:
            self._command(command, runs=1)
        self._check()
        return all(fast)

    def _check(self) -> None:
        started = time.monotonic()
        broken = self._conn.execute("select * from symphony.check()").fetchall()
        print(f"  {'check()':36}{(time.monotonic() - started) * 1000:11,.1f} ms")
        assert not broken, broken[:10]

    def _row(self, name: str, statement: str, most: float | None = None, runs: int = RUNS) -> bool:
        text = f"explain (analyze, buffers, format json) {self._with_ids(statement)}"
        took, cpu, buffers = [], [], []
        for _ in range(runs):
            before = self._cpu()
            plan = self._one(text)[0]
            cpu.append(self._cpu() - before)
            took.append(float(plan["Execution Time"]))
            buffers.append(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
        is_fast = most is None or min(cpu + took) <= most
        verdict = "" if most is None else "ok" if is_fast else f"MISS (at most {most:g} ms)"
        print(
            f"  {name:36}{min(took):11,.1f} ms {min(cpu):11,.1f} ms CPU"
            f" {min(buffers):11,} buffers  {verdict}".rstrip(),
            flush=True,
        )
        return is_fast

    def _requests(self, most: float | None) -> list[bool]:
        """Print how long each end point and each page takes; return which of them are fast."""
        figures.Cached.__init__.__defaults__ = (0.0,)  # each request reads
        figures.CachedByName.__init__.__defaults__ = (0.0, 1)
        pages.LINES_ARE_FRESH = pages.PAST_IS_FRESH = 0.0
        api, dashboard, token = "/api/symphony/", "/symphony/", "a-token-of-the-bench"
        paths = [
            *(api + path for path in END_POINTS),
            *(dashboard + self._with_ids(path) for path in PAGES),
        ]
        with (
            Symphony(self._dsn) as app,
            TestClient(create_app(app, operator_tokens=[token])) as client,
        ):
            client.headers["Authorization"] = f"Bearer {token}"
            return [self._request(client, path, most) for path in paths]

    def _request(self, client: TestClient, path: str, most: float | None) -> bool:
        took, cpu = [], []
        for _ in range(REQUESTS):
            before, began = self._cpu_of_all(), time.monotonic()
            answer = client.get(path)
            took.append((time.monotonic() - began) * 1000)
            cpu.append(self._cpu_of_all() - before)
            assert answer.status_code in (200, 503), answer.text
        median, busy = statistics.median(took), statistics.median(cpu)
        is_fast = most is None or median <= most
        verdict = "" if most is None else "ok" if is_fast else f"MISS (at most {most:g} ms)"
        print(
            f"  {'GET ' + path:66}{median:9,.1f} ms {busy:9,.1f} ms CPU  {verdict}".rstrip(),
            flush=True,
        )
        return is_fast

    def _cpu_of_all(self) -> float:
        """Return the milliseconds that this process and the backends have been on a CPU."""
        backends = self._admin.execute(
            "select pid from pg_stat_activity where datname = %s", [self._conn.info.dbname]
        )
        told = [Path(f"/proc/{pid}/schedstat") for (pid,) in backends]
        spent = sum(int(each.read_text().split()[0]) for each in told if each.exists())
        return spent / 1e6 + time.process_time() * 1000

    def _cpu(self) -> float:
        """Return the milliseconds that our backend has been on a CPU."""
        told = Path(f"/proc/{self._conn.info.backend_pid}/schedstat").read_text()
        return int(told.split()[0]) / 1e6

    def _touched(self) -> int:
        """Return how many buffers the sessions of our database have touched that have ended."""
        statement = (
            "select blks_hit + blks_read from pg_stat_database where datname = %s",
            [self._conn.info.dbname],
        )
        row = self._admin.execute(*statement).fetchone()
        assert row is not None
        return int(row[0])

    def _command(self, command: str, runs: int = RUNS) -> None:
        arguments = [sys.executable, "-m", "symphony_pg.cli", *self._with_ids(command).split()]
        times, buffers = [], []
        self._conn.execute("select pg_stat_force_next_flush()")
        for _ in range(runs):
            before = self._touched()
            started = time.monotonic()
            done = subprocess.run(
                [*arguments, "--dsn", self._dsn], capture_output=True, text=True, check=False
            )
            times.append((time.monotonic() - started) * 1000)
            if done.returncode:
                print(f"  symphony-pg {command}: {done.stderr.strip()}")
                return
            time.sleep(0.05)  # until its backend has ended, too
            buffers.append(self._touched() - before)
        print(
            f"  {'symphony-pg ' + command:48}{min(times):11,.1f} ms {min(buffers):23,} buffers",
            flush=True,
        )


def main() -> int:
    """Fill and measure; fail if a look takes too long."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the messages")
    parser.add_argument("--queues", type=int, help="so many, instead of 100 and 1,000")
    given = parser.parse_args()
    fast = []
    for queues in [given.queues] if given.queues else [100, 1000]:
        sizes = Sizes(queues, 50_000 if given.quick else 1_000_000)
        sizes.fill()
        fast.append(sizes.measure())
    return 0 if all(fast) else 1


if __name__ == "__main__":
    sys.exit(main())
