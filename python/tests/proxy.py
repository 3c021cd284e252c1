"""A proxy between a client and a server that may fall silent, or cut what is open."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Copies bytes between clients and a server, in a thread, until it is told to be silent.

    What was open then stays open, and nothing more comes through it, in either direction. New
    connections work, unless `refuses_news` is set: then they are as silent. It closes nothing by
    itself: cut() does, and `is_off` closes whatever comes.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        self.dsn = ""  # of PostgreSQL behind it
        self.refuses_news = False
        self.is_off = False
        self.silences = 0  # connections that fell silent
        self._triggers: list[tuple[bytes, bool]] = []
        self._silent: dict[socket.socket, float] = {}  # since when
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._selector = DefaultSelector()
        self._lock = threading.Lock()
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def silence(self) -> None:
        """Let all connections that are open now fall silent."""
        with self._lock:
            for one in self._pairs:
                self._mute(one)

    def cut(self) -> None:
        """Reset all connections that are open now, also those that are silent."""
        with self._lock:
            for one in [*self._pairs]:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self._silent.pop(one, None)
                self._forget(one)

    def silence_at(self, text: str, *, loses: str) -> None:
        """Let the connection fall silent that sends this next; lose the request or its answer."""
        assert loses in ("request", "answer")
        with self._lock:
            self._triggers.append((text.encode(), loses == "request"))

    def clear(self) -> None:
        """Be silent no more, but on what has fallen silent."""
        with self._lock:
            self._triggers.clear()
            self.refuses_news = False

    def give_up(self, after: float) -> None:
        """Let the server notice, as its keepalives would, what has been silent for so long.

        Its clients hear nothing of that.
        """
        with self._lock:
            for one, since in list(self._silent.items()):
                if one not in self._clients and time.monotonic() - since > after:
                    del self._silent[one]
                    self._forget(one)

    @property
    def has_triggered(self) -> bool:
        """True when all that silence_at() waited for has come."""
        return not self._triggers

    def _mute(self, one: socket.socket) -> None:
        if one not in self._silent:
            self.silences += one in self._clients
            self._silent[one] = time.monotonic()
            with suppress(KeyError, ValueError):
                self._selector.unregister(one)

    def _run(self) -> None:
        self._selector.register(self._listener, EVENT_READ)
        while not self._ends:
            for key, _ in self._selector.select(0.05):
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj in self._pairs and key.fileobj not in self._silent:
                        self._copy(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self.is_off:
            client.close()
            return
        self._clients.add(client)
        if self.refuses_news:
            self._pairs[client] = client
            self._mute(client)
            return
        try:
            server = socket.create_connection(self._server, timeout=5)
        except OSError:
            client.close()  # the server is away
            self._clients.discard(client)
            return
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[one] = other
            self._selector.register(one, EVENT_READ)

    def _copy(self, one: Any) -> None:
        other = self._pairs[one]
        try:
            data = one.recv(CHUNK)
            for trigger in self._triggers if one in self._clients else ():
                if trigger[0] in data:
                    self._triggers.remove(trigger)
                    if not trigger[1]:
                        other.sendall(data)
                    self._mute(one)
                    self._mute(other)
                    return
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            for each in (one, other):
                self._forget(each)

    def _forget(self, one: socket.socket) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(one)
        self._pairs.pop(one, None)
        self._clients.discard(one)
        one.close()

    def close(self) -> None:
        """End everything."""
        self._ends = True
        self._thread.join()
        for one in [*self._pairs, self._listener]:
            one.close()
        self._selector.close()


@contextmanager
def proxy_to(dsn: str) -> Iterator[Proxy]:
    """Have a proxy to a PostgreSQL for the length of a block."""
    said = conninfo_to_dict(dsn)
    proxy = Proxy(str(said["host"]), int(str(said["port"])))
    proxy.dsn = make_conninfo(dsn, host="127.0.0.1", port=proxy.port)
    try:
        yield proxy
    finally:
        proxy.close()
