"""A few pages for programs, served from a thread: they answer while the event loop is blocked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from typing import Any, NamedTuple

from ..errors import BadArgument

log = logging.getLogger("symphony_pg.monitoring")
SILENCE = 10.0  # seconds, after which a connection is closed


class Page(NamedTuple):
    """What is answered: a status, a content type, and the content."""

    status: int
    kind: str
    content: bytes


Pages = Mapping[str, Callable[[str], Page]]  # by path; each gets what is accepted


@contextmanager
def serving(host: str, port: int, pages: Pages) -> Iterator[int]:
    """Serve pages for the length of a with block; return the port, which is found if it is 0."""

    class Handler(BaseHTTPRequestHandler):
        timeout = SILENCE
        server_version, sys_version = "symphony-pg", ""

        def do_GET(self) -> None:
            page = _page(pages, self.path, self.headers.get("Accept", ""))
            self.send_response(page.status)
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(page.content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Leave the log to what matters."""

    class Server(ThreadingHTTPServer):
        address_family = AF_INET6 if ":" in host else ThreadingHTTPServer.address_family
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Forget a client that went away."""

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        raise BadArgument(
            f"cannot listen on {host}:{port}",
            detail=error.strerror or str(error),
            hint="Choose another port, or an address of this computer.",
        ) from error
    thread = threading.Thread(
        target=server.serve_forever, args=[0.1], name="symphony-pages", daemon=True
    )
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _page(pages: Pages, path: str, accept: str) -> Page:
    make = pages.get(path.partition("?")[0])
    if make is None:
        return Page(404, "text/plain", f"There are: {' '.join(pages)}\n".encode())
    try:
        return make(accept)
    except Exception as error:
        log.exception("the page %s failed", path.partition("?")[0], exc_info=error)
        return Page(500, "text/plain", b"internal error\n")
