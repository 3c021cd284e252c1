"""A client that says who uses it, for the audit trail: the setting `symphony.actor`.

It is set in the transaction of each call, so it is left behind in no session, and a pooler lends it
to nobody else.
"""

from __future__ import annotations

import getpass
import os
import socket
from typing import TypeVar

from .call import Call
from .client import Client

T = TypeVar("T")


def actor() -> str:
    """Return who uses this computer: SYMPHONY_ACTOR, or else user@host."""
    if named := os.environ.get("SYMPHONY_ACTOR"):
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name; no POSIX
        user = str(os.getuid()) if hasattr(os, "getuid") else "somebody"
    return f"{user}@{socket.gethostname()}"


class ActingClient(Client):
    """The SQL functions, called by whom actor() names. Its connection is in autocommit mode."""

    def run(self, call: Call[T]) -> T:
        """Execute a call in a transaction that knows the actor.

        A procedure commits, so it can be in none; it takes the actor as an argument.
        """
        if call.statement.startswith(b"call"):
            return super().run(call)
        with self.conn.transaction():
            self.conn.execute("select pg_catalog.set_config('symphony.actor', %s, true)", [actor()])
            return super().run(call)
