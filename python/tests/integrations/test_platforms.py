"""Without what only POSIX has: messages are dispatched, and the worker says what it needs."""

import subprocess
import sys
from pathlib import Path

from symphony_pg import Client
from tests.helpers import ROOT, Connection

# What Windows has not. The standard library and what we depend on have their ways around it, and
# are imported before.
WITHOUT = """
import asyncio, ctypes, inspect, logging.config, multiprocessing, os, pathlib, shutil, signal
import subprocess, sys, tempfile, traceback, click, psycopg, psycopg.rows, psycopg.types.json
import click._termui_impl
import click.testing, textual.app, textual.widgets

for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "readline", "syslog"):
    sys.modules[name] = None
for module, names in {
    os: "fork forkpty register_at_fork sysconf getuid geteuid getpgid setsid killpg mkfifo chown "
        "waitid getloadavg uname",
    signal: "SIGHUP SIGUSR1 SIGUSR2 SIGQUIT SIGCHLD SIGALRM pthread_sigmask set_wakeup_fd "
        "setitimer",
}.items():
    for name in names.split():
        delattr(module, name)
"""
PROGRAM = (
    WITHOUT
    + """
import importlib
import pkgutil
from dataclasses import dataclass

import symphony_pg

for each in pkgutil.walk_packages(symphony_pg.__path__, "symphony_pg."):
    if not each.name.endswith(("__main__", ".django", ".fastapi")) and ".django." not in each.name:
        importlib.import_module(each.name)

@symphony_pg.message("SendEmail")
@dataclass
class SendEmail:
    to: str

with symphony_pg.Symphony() as app:
    print(app.dispatch(SendEmail("ada")))
    with app.using(symphony_pg.InMemoryTransport()) as transport:
        app.handler(SendEmail)(lambda message: None)
        app.dispatch(SendEmail("ada"))
        assert transport.run_all() == 1
    from click.testing import CliRunner
    from symphony_pg.cli import main
    assert CliRunner().invoke(main, ["stats"]).exit_code == 0
    try:
        asyncio.run(symphony_pg.Worker(app, drain=True).run())
    except symphony_pg.WrongState as error:
        print(error.message)
"""
)


def test_without_what_only_posix_has(conn: Connection, dsn: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={"SYMPHONY_DSN": dsn, "PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message_id, said = done.stdout.splitlines()
    assert Client(conn).message_status(int(message_id)) is not None
    assert said == "the worker needs POSIX"
