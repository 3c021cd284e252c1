"""Every setting that a role or a database may carry, and values that are not the usual ones."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from symphony_pg import Client
from symphony_pg.database import call
from symphony_pg.database.functions.schedules import ScheduleDiff
from tests.helpers import Connection, one

# Settings whose values cannot be told from pg_settings, and those whose extremes take long.
VALUES: dict[str, tuple[str, ...]] = {
    "DateStyle": ("SQL, DMY", "Postgres, MDY", "German"),
    "TimeZone": ("Asia/Kolkata", "America/New_York", "Europe/Paris"),
    "timezone_abbreviations": ("Australia",),
    "client_encoding": ("latin1", "sql_ascii"),
    "search_path": ("public, pg_catalog", '"$user"', ""),
    "application_name": ("x",),
    "default_text_search_config": ("pg_catalog.german",),
    "plpgsql.extra_errors": ("all",),
    "plpgsql.extra_warnings": ("all",),
    "restrict_nonsystem_relation_kind": ("view, foreign-table",),
    "lc_messages": ("C.UTF-8",),
    "lc_monetary": ("C.UTF-8",),
    "lc_numeric": ("C.UTF-8",),
    "lc_time": ("C.UTF-8",),
    "createrole_self_grant": ("set, inherit",),
    "wal_consistency_checking": ("all",),
    "temp_tablespaces": ("pg_default",),
    "default_tablespace": ("pg_default",),
    "bytea_output": ("escape",),
    "temp_file_limit": ("0",),
    "debug_discard_caches": (),
    "max_stack_depth": ("100",),
    "statement_timeout": ("1", "2147483647"),
    "lock_timeout": ("1", "2147483647"),
    "transaction_timeout": ("10000", "2147483647"),
    "idle_in_transaction_session_timeout": ("10000", "2147483647"),
    "idle_session_timeout": ("1000", "2147483647"),
    "deadlock_timeout": ("1", "2147483647"),
    "client_connection_check_interval": ("1", "2147483647"),
}
MOST_VALUES = 6
SETTINGS = """
    select name, vartype, enumvals, min_val, max_val, reset_val from pg_settings
    where context in ('user', 'superuser') and name !~ '^transaction_(iso|read|def)'
      and name not in ('role', 'session_authorization', 'seed', 'is_superuser')
    order by name collate "C"
"""


def foreign_values(conn: Connection) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each setting with the values to try."""
    conn.execute("load 'plpgsql'")
    for name, kind, names, least, most, usual in conn.execute(SETTINGS).fetchall():
        if name in VALUES:
            yield name, VALUES[name]
        elif kind == "bool":
            yield name, ("off" if usual == "on" else "on",)
        elif kind == "enum":
            yield name, tuple(value for value in names if value != usual)
        elif kind in ("integer", "real"):
            yield name, tuple(value for value in (least, most) if value != usual)
        else:
            yield name, ()


def rounds(conn: Connection, alone: Collection[tuple[str, str]]) -> list[dict[str, str]]:
    """Return settings to be tried together, until each value had its turn; others come alone."""
    together: list[dict[str, str]] = []
    for name, values in foreign_values(conn):
        usable = [value for value in values if (name, value) not in alone]
        for number in range(max(len(usable), MOST_VALUES) if usable else 0):
            if number >= len(together):
                together.append({})
            together[number][name] = usable[number % len(usable)]
    return [*together, *({name: value} for name, value in alone)]


@contextmanager
def set_for_all(conn: Connection, values: Mapping[str, str]) -> Iterator[list[str]]:
    """Let every new session of the database have settings; yield those that it cannot have."""
    database = sql.Identifier(conn.info.dbname)
    refused = []
    for name, value in values.items():
        setting = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
        # A list is written as one.
        is_list = name in ("search_path", "temp_tablespaces") and value
        literal = sql.SQL(value) if is_list else sql.Literal(value)
        try:
            conn.execute(
                sql.SQL("alter database {} set {} = {}").format(database, setting, literal)
            )
        except psycopg.Error as error:
            refused.append(f"{name} = {value}: cannot be set ({error.sqlstate})")
    try:
        yield refused
    finally:
        conn.execute(sql.SQL("alter database {} reset all").format(database))


NOW = "2027-03-27 12:00Z"  # clocks are changed in Europe the night after


def stop_the_clock(conn: Connection) -> None:
    """Let the time of Symphony stand still, so that a tour can be compared with another one."""
    conn.execute(
        "create or replace function symphony._now() returns timestamptz language sql volatile "
        f"as $$ select '{NOW}'::pg_catalog.timestamptz $$"
    )


CONFIG = {
    "transports": {"orders": {"type": "postgres", "queue": "tour", "priority": 6}},
    "routing": {"Order": ["orders"]},
    "retry": {"Order": {"max_attempts": 2, "delay": "1 day 01:00:00", "jitter": 0}},
}
DAY = timedelta(days=1)
MOMENT = datetime(2027, 3, 27, 12, tzinfo=timezone.utc)
# Text without a zone, which the functions take for UTC. From Python it does not get there.
BATCH: list[dict[str, Any]] = [
    {"message_type": "A", "queue_name": "tour", "available_at": "2100-02-03 04:05"},
    {"message_type": "A", "queue_name": "tour", "delay": "1 day 2 hours", "body": {"n": 1e-7}},
    {"message_type": "A", "queue_name": "tour", "delay": "-1 day +25:00:00"},
]
SECRET = 'host=db password=secret {"api_key": "a\\"b"} https://u:p@h/ caf\xe9'
DECLARED: list[dict[str, Any]] = [
    {
        "schedule_name": "cron",
        "message_type": "A",
        "schedule_type": "cron",
        "schedule_config": {"expression": "H 3 * * mon"},
        "starts_at": "2027-04-01 10:00",
        "jitter": "1 day",
    }
]
LATER = (
    "select array_agg(extract(epoch from available_at)::text order by message_id) "
    "from symphony.delayed_message"
)


def clean_up(conn: Connection) -> None:
    """Take away what a tour has left, wherever it was broken off."""
    with conn.transaction():
        for table in ("schedule", "schedule_run", "worker", "route", "transport", "tick"):
            conn.execute(f"delete from symphony.{table}")
        conn.execute("delete from symphony.retry_policy where pattern <> '*'")
        conn.execute("update symphony.lane set is_unrouted = queue_name = 'default'")
        conn.execute("select symphony.drop_queue('tour', true)")
        conn.execute("alter sequence symphony.message_id_seq restart")


def tour(conn: Connection) -> list[Any]:
    """Take messages and schedules through the verbs of each topic; return all that they answer."""
    client = Client(conn)
    found: list[Any] = []
    say = found.append
    say(client.create_queue("tour", retry_multiplier=1.23456789, retry_jitter=0, retention=DAY))
    say(client.apply_config(CONFIG))
    say(client.apply_config(CONFIG))
    say(client.retry_policy_of("Order", "tour", {"delay": "-1 day +25:00:01"}))
    say(client.route_of("Order"))
    say(client.enqueue("A", {"text": "\U0001f600 caf\xe9", "n": 0.1}, "tour", priority=7))
    say(client.enqueue("Order", {"n": 2}, retry={"delay": "1 day", "jitter": 0}))
    say(client.enqueue("A", {}, "tour", idempotency_key="k", delay=DAY))
    say(client.run(call.values("enqueue_batch", messages=Jsonb(BATCH))))
    say(one(conn, LATER))
    for _ in range(2):
        (taken,) = client.claim_batch(["tour"])
        say(taken._replace(claim_id=0))
        message_id = taken.message_id
        say(client.why_not_running(message_id))
        say(client.nack_with_backoff(taken.claim_id, message_id, SECRET, "Boom"))
        say(client.message_status(message_id))
        say(client.why_not_running(message_id))
        say(client.message_history(message_id))
    message_id = client.enqueue("B", {}, "tour")
    (taken,) = client.claim_batch(["tour"])
    say(client.extend_lease([taken.claim_id]) == [taken.claim_id])
    say(client.release(taken.claim_id))
    (taken,) = client.claim_batch(["tour"])
    say(client.nack_with_backoff(taken.claim_id, message_id, "x", retryable=False))
    say(client.failed_messages("tour"))
    say(client.failed_stats("tour"))
    say(client.retry_failed([message_id]))
    (taken,) = client.claim_batch(["tour"])
    say(client.ack(taken.claim_id))
    say(client.queue_stats("tour"))
    at = {"at": "2027-04-03 09:30"}
    say(client.create_schedule("at", "A", "once", at, queue_name="tour", timezone="Asia/Tokyo"))
    every, cron = {"every": "1 day 01:00"}, {"expression": "H 3 * * mon"}
    say(client.create_schedule("every", "A", "interval", every, queue_name="tour"))
    say(client.create_schedule("cron", "A", "cron", cron, queue_name="tour"))
    say(client.schedule_status())
    declared = Jsonb(DECLARED)
    say(client.run(call.rows(ScheduleDiff, "schedule_diff", managed_by="shop", schedules=declared)))
    say(client.cron_next("@every 1h30m", MOMENT, "Europe/Paris"))
    say(client.run_schedule_now("every"))
    say(client.heartbeat("w", ["tour"], {"n": 1.5}))
    say(client.worker_activity())
    say(client.request_workers("pause"))
    say(client.idle("w", ["tour"]))
    say(client.busy("w"))
    say(client.stop_worker("w"))
    say(client.tick())
    for view in ("queue_overview", "pending_message", "failed_overview", "schedule_overview"):
        say(one(conn, f"select count(*) from symphony.{view}"))
    say(client.cancel(3))
    say(client.purge_queue("tour"))
    say(client.obstacles())
    say(client.metrics())
    say(client.check())
    say(client.remove_schedule("at"))
    return found
