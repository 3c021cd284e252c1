"""A database for each test: a clone of one where Symphony is installed, whose clock travels.

The plugin for pytest uses it. Without pytest:

    with Server() as server, created(server.dsn, "shop_template") as template:
        ensure_installed(template)
        with created(server.dsn, "shop_1", "shop_template") as dsn, Database.of(app, dsn) as shop:
            shop.work()
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .app import Symphony
from .database.client import Client
from .times import parse_datetime
from .worker import Counts, Worker

__all__ = ["Database", "created"]

CREATE = sql.SQL("create database {} template {}")
DROP = sql.SQL("drop database {} with (force)")
# The owner of the schema replaces a function, so nothing that is installed can be told the time.
CLOCK = """
create schema symphony_test;
create table symphony_test.clock as select interval '0' as ahead;
create or replace function symphony._now() returns timestamptz language sql volatile as $$
    select pg_catalog.clock_timestamp() operator(pg_catalog.+) clock.ahead from symphony_test.clock
$$
"""
FORWARD = "update symphony_test.clock set ahead = ahead + %s"
NOW = "select symphony._now() + %s::interval"
A_TICK = timedelta(seconds=1)
A_LEASE_GOES_ON = timedelta(seconds=4)  # after five seconds without a tick leases stand still


@contextmanager
def created(server: str, name: str, template: str = "template1") -> Iterator[str]:
    """Create a database on a server, and drop it at the end of a with block; yield its DSN."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(CREATE.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            admin.execute(DROP.format(sql.Identifier(name)))


class Database:
    """A database of a test's own, and an application that uses it.

    `conn` is a connection in autocommit mode, `client` calls the functions on it, and `dsn` is for
    all others. `app` dispatches into it, where its transports were given no database of their own.
    """

    def __init__(self, dsn: str, app: Symphony, conn: psycopg.Connection[Any]) -> None:
        self.dsn = dsn
        self.app = app
        self.conn = conn
        self.client = Client(conn)
        self._has_clock = False

    @classmethod
    @contextmanager
    def of(cls, app: Symphony, dsn: str) -> Iterator[Database]:
        """Let an application use a database, for the length of a with block.

        Its configuration is applied, and its handlers and schedules are known, as if a worker had
        started already.
        """
        with app.moved(dsn), psycopg.connect(dsn, autocommit=True) as conn:
            client = Client(conn)
            if app.config is not None:
                client.apply_config(app.config.wanted)
            for declaration in app.handler_declarations():
                client.run(declaration)
            if app.schedules:
                client.sync_schedules(app.name, app.declarations())
            yield cls(dsn, app, conn)

    def work(self, *queues: str, **options: Any) -> Counts:
        """Run a worker until nothing is due; return what it did.

        It serves all queues unless some are named. Options are those of Worker.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.work_async(*queues, **options))
        raise RuntimeError("there is an event loop here already: await work_async()")

    async def work_async(self, *queues: str, **options: Any) -> Counts:
        """Do what work() does, from async code."""
        served: dict[str, Any] = {"queues": queues} if queues else {"all_queues": True}
        return await Worker(self.app, dsn=self.dsn, drain=True, **served, **options).run()

    def travel(self, time: timedelta | str) -> None:
        """Let time pass, a timedelta or an interval such as "3 days"; nobody works meanwhile.

        Only Symphony's clock is put forward, and it goes on from there. Somebody ticks on the way
        whenever something is due: schedules fire at their times, leases end, and what is due in
        the end is pending.
        """
        if not self._has_clock:
            self.conn.execute(CLOCK)
            self._has_clock = True
        now, until = self._now(), self._now(time)
        if until < now:
            raise ValueError(f"there is no way back, by {time}")
        while now < until:
            due = self.client.tick()["next_due_at"]
            stops = [until]
            if due is not None:
                stops.append(max(parse_datetime(due), now + A_TICK))
            if any(queue.processing for queue in self.client.queue_stats()):
                stops.append(now + A_LEASE_GOES_ON)
            self.conn.execute(FORWARD, [min(stops) - now])
            now = self._now()
        self.client.tick()

    def _now(self, later: timedelta | str = "0") -> datetime:
        row = self.conn.execute(NOW, [later]).fetchone()
        assert row is not None
        now: datetime = row[0]
        return now
