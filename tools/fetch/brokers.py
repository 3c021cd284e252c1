"""Obtain Redis and RabbitMQ for the tests, without root: Debian's packages, unpacked in build."""

import re
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fetch import debian
from fetch.build import BUILD, filled

REDIS = ("redis-tools", "redis-server", "libatomic1", "libjemalloc2", "liblzf1")
ERLANG = (
    *("base", "asn1", "crypto", "eldap", "ftp", "inets", "mnesia", "os-mon", "parsetools"),
    *("public-key", "runtime-tools", "snmp", "ssl", "syntax-tools", "tftp", "tools", "xmerl"),
)
RABBITMQ = ("rabbitmq-server", *(f"erlang-{name}" for name in ERLANG))


@cache
def redis() -> Path | None:
    """Return the program redis-server; None: it cannot be had here."""
    return _program("redis", REDIS, "redis-server", "usr/bin/redis-server")


@cache
def rabbitmq() -> Path | None:
    """Return the program rabbitmq-server; None: it cannot be had here."""
    unpacked = "usr/lib/rabbitmq/bin/rabbitmq-server"
    found = _program("rabbitmq", RABBITMQ, "rabbitmq-server", unpacked)
    return None if found is None else found.resolve()


def root(program: Path) -> Path:
    """Return the folder that a program was unpacked into; / if it is installed."""
    return next((each for each in program.parents if each.parent == BUILD), Path("/"))


def libraries(program: Path) -> str:
    """Return what LD_LIBRARY_PATH has to be for a program that was unpacked."""
    unpacked = root(program)
    found = [] if unpacked == Path("/") else unpacked.glob("usr/lib/*-linux-*")
    return ":".join(map(str, found))


def _program(name: str, packages: Sequence[str], installed: str, unpacked: str) -> Path | None:
    """Find a program: an installed one, else one that was unpacked, else fetch it."""
    if found := shutil.which(installed, path="/usr/local/bin:/usr/bin:/usr/sbin"):
        return Path(found)
    target = BUILD / name

    def unpack(draft: Path) -> bool:
        return all(debian.unpack(re.escape(package), draft) for package in packages)

    return target / unpacked if filled(target, unpack) else None
