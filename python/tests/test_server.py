"""symphony_pg.server: a throw-away server runs, tells where it is, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from symphony_pg.server import Server, ServerError, find_bin_dir
from tests.helpers import one


def test_a_throw_away_server_is_gone_after_its_block() -> None:
    with Server(options={"work_mem": "5MB"}) as server:
        with psycopg.connect(server.dsn) as conn:
            work_mem, data_directory = one(
                conn, "select current_setting('work_mem'), current_setting('data_directory')"
            )
        assert work_mem == "5MB"
    assert not Path(data_directory).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn)


def test_a_data_directory_keeps_its_data_and_password(scratch: Path) -> None:
    data_dir = scratch / "a b" / "data"
    with Server(data_dir=data_dir) as server, psycopg.connect(server.dsn) as conn:
        conn.execute("create table kept ()")
    with Server(data_dir=data_dir) as again, psycopg.connect(again.dsn) as conn:
        conn.execute("select from kept")
    assert again.password == server.password


def test_a_stranger_without_the_password_is_refused() -> None:
    with Server() as server, pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn, password="guess")


def test_a_server_that_cannot_start_says_why() -> None:
    server = Server(options={"no_such_setting": "1"})
    with pytest.raises(ServerError, match="no_such_setting"), server:
        pass


def test_pg_bin_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(ServerError, match="PG_BIN"):
        find_bin_dir()


def runner(*command: str) -> list[str]:
    return [sys.executable, "-m", "symphony_pg.server", "--", *command]


def test_the_command_decides_the_exit_code() -> None:
    assert subprocess.run(runner("sh", "-c", 'test "$SYMPHONY_DSN" && exit 7')).returncode == 7


def test_a_missing_command_is_127() -> None:
    assert subprocess.run(runner("/no/such/command")).returncode == 127


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_does_not_outlive_its_runner(how: signal.Signals) -> None:
    with subprocess.Popen(
        runner("sh", "-c", 'echo "$SYMPHONY_DSN"; exec sleep 60'), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        dsn = process.stdout.readline().strip()
        watch = psycopg.connect(dsn, autocommit=True)
        row = watch.execute("select current_setting('data_directory')").fetchone()
        os.kill(process.pid, how)
        with pytest.raises(psycopg.OperationalError):
            while True:
                watch.execute("select pg_sleep(0.05)")
        watch.close()
        assert process.wait() in (128 + how, -how)
    assert row is not None
    scratch = Path(row[0]).parent
    assert scratch.exists() == (how == signal.SIGKILL)
    shutil.rmtree(scratch, ignore_errors=True)
