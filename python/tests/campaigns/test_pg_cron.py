"""A real pg_cron ticks: a schedule's messages come to a worker that does not tick itself."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fetch import debian
from symphony_pg import Context, Symphony, Worker
from symphony_pg.server import Server, find_bin_dir
from tests.helpers import ROOT, one

UNPACKED = ROOT / "build" / "pg_cron"
# pg_cron starts a job when a minute begins.
PATIENCE = 90.0


@pytest.fixture
def pg_cron(scratch: Path) -> Path:
    """A folder with Debian's pg_cron, which the user of the server may read."""
    if find_bin_dir() != Path("/usr/lib/postgresql/15/bin"):
        pytest.skip("pg_cron is tested with Debian's PostgreSQL 15, and this is another one")
    if not [*UNPACKED.rglob("pg_cron.so")] and not debian.unpack("postgresql-15-cron", UNPACKED):
        pytest.skip("the package postgresql-15-cron cannot be downloaded here")
    return Path(shutil.copytree(UNPACKED, scratch / "files"))


@pytest.fixture
def server(pg_cron: Path) -> Iterator[Server]:
    options = {
        "extension_destdir": str(pg_cron),
        "dynamic_library_path": f"{pg_cron}/usr/lib/postgresql/15/lib:$libdir",
        "shared_preload_libraries": "pg_cron",
        "cron.database_name": Server.dbname,
        "cron.use_background_workers": "on",
    }
    with Server(options=options) as server:
        yield server


@pytest.mark.slow
def test_pg_cron_fires_schedules(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        with owner.transaction():
            owner.execute((ROOT / "build" / "symphony.sql").read_bytes())
        owner.execute("create extension pg_cron")
        owner.execute("create role steward login")
        owner.execute("grant usage on schema cron to steward")
        owner.execute("select symphony.grant_access('steward', 'operator')")

        # The job runs as the operator who installed it, who is no superuser.
        owner.execute("set role steward")
        installed = one(owner, "select symphony.install_pg_cron()")
        when, command = installed.split(": ", 1)
        assert (when, "call symphony.tick_for();" in command) == ("* * * * *", True)
        assert one(owner, "select symphony.install_pg_cron()") == installed
        assert one(owner, "select count(*) from cron.job where active") == 1
        owner.execute(
            "select symphony.create_schedule('pulse', 'Pulse', 'interval', %s)",
            ['{"every": "1 second"}'],
        )
        owner.execute("reset role")

        started = time.monotonic()
        times = _consume(server.dsn, 3)
        assert sorted(set(times)) == times
        with capsys.disabled():
            print(
                f"\npg_cron fired, a worker consumed {len(times)} messages of a schedule"
                f" after {time.monotonic() - started:.0f} s: {', '.join(times)}"
            )

        # The job forgets its own old runs: here it ends at once, and nobody waits for a day.
        for days in (1, 3):
            owner.execute(
                "insert into cron.job_run_details (jobid, runid, username, start_time)"
                " select jobid, -%s, 'steward', now() - %s * interval '1 day' from cron.job",
                [days, days - 0.5],
            )
        owner.execute("set role steward")
        owner.execute(command.replace("tick_for()", "tick_for('1 millisecond')"))
        owner.execute("reset role")
        kept = owner.execute("select runid from cron.job_run_details where runid < 0").fetchall()
        assert kept == [(-1,)]

        owner.execute("set role steward")
        assert one(owner, "select symphony.uninstall_pg_cron()") is True
        assert one(owner, "select symphony.uninstall_pg_cron()") is False
        assert one(owner, "select count(*) from cron.job") == 0
        noted = owner.execute(
            "select role_name, affected, arguments ->> 'remark'"
            " from symphony.audit('note') order by audit_id"
        )
        assert noted.fetchall() == [
            ("steward", 1, "install_pg_cron()"),
            ("steward", 1, "install_pg_cron()"),
            ("steward", 1, "uninstall_pg_cron()"),
        ]


def _consume(dsn: str, number: int) -> list[str]:
    """Run a worker that does not tick until it had so many messages; return their times."""
    times: list[str] = []
    app = Symphony(dsn)

    @app.handler("Pulse")
    def pulse(body: object, context: Context) -> None:
        assert context.headers["schedule"] == "pulse"
        times.append(context.headers["scheduled_at"])

    worker = Worker(app, tick=False, limit=number, time_limit=PATIENCE)
    counts = asyncio.run(worker.run())
    assert counts.done == number, f"{counts.done} messages in {PATIENCE:.0f} s"
    return times
