# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg serve: the dashboard, status, figures, metrics and the worker over HTTP."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import socket
from collections.abc import Sequence
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ..app import Symphony
from ..errors import BadArgument, WrongState
from ..extras import needing
from ..http import create_app
from ..http.access import Doorkeeper
from .application import app_option
from .kinds import INTERVAL, PORT
from .logs import configure_logging, start_logging
from .options import chosen_dsn, dsn_option, options, printing
from .output import Output

if TYPE_CHECKING:
    from starlette.applications import Starlette


GRACE = 30  # seconds, for requests that are being answered


def _named(_: click.Context, __: click.Parameter, given: Sequence[str]) -> dict[str, str] | None:
    """Read NAME=DSN, several times; a DSN may hold further signs of equality."""
    found: dict[str, str] = {}
    for each in given:
        name, sign, dsn = each.partition("=")
        if not sign or not dsn:
            raise click.BadParameter("write NAME=DSN, for instance shop=service=shop")
        if name in found:
            raise click.BadParameter(f"{name} is given twice")
        found[name] = dsn
    return found or None


@click.command()
@app_option(help="The application whose messages the worker end point handles.")
@options(
    ("host", str, "The address to listen on.", "127.0.0.1"),
    ("port", PORT, "The port to listen on.", 8787),
    ("path", str, "Where all of it is.", "/api/symphony"),
    ("dashboard-path", str, "Where the dashboard is.", "/symphony"),
)
@options(
    ("database databases", ["NAME=DSN"],
     "What the dashboard shows, in place of --dsn; several times."),
    ("operator-database operator_dsn", ["NAME=DSN"],
     "As which role people act in one of them, else as they look."),
    callback=_named,
)  # fmt: skip
@options(
    ("queue queues", [str],
     'What the worker end point works off, several times or "*".', ("default",)),
    ("concurrency", click.IntRange(1, 1000),
     "Handlers that the worker end point runs at a time.", 4),
    ("max-time", INTERVAL, "How long a request for the worker may take.", "25s"),
    ("public-metrics metrics_public", bool, "Let anybody read the metrics."),
    ("cors-origin cors_origins", [str], "Pages of it may look."),
    ("trust-proxy", "ADDRESSES", "Proxies that tell who asks, in X-Forwarded-For.", "127.0.0.1"),
)  # fmt: skip
@dsn_option
@printing
def serve(
    app: Symphony | None,
    host: str,
    port: int,
    max_time: timedelta,
    trust_proxy: str,
    dsn: str | None,
    out: Output,
    **settings: Any,
) -> None:
    """Serve a dashboard, figures and a worker over HTTP.

    The dashboard is at /symphony/. Sign in with a token.

    Under /api/symphony there are live, status, queue-depth, failed, metrics, worker, tick and
    openapi.json; docs/http.md tells about each. Requests carry "Authorization: Bearer TOKEN":

    \b
      SYMPHONY_VIEWER_TOKENS    may look
      SYMPHONY_OPERATOR_TOKENS  may look and tick
      SYMPHONY_WORKER_SECRETS   may run the worker and tick; else CRON_SECRET

    Several are separated by commas, so that one can replace the other. Where no token is set, one
    is made and shown at the start; another address than this computer's own is refused then.

    \b
    Examples:
      symphony-pg serve
      symphony-pg serve --app shop.messages:app --queue mail --queue default
      symphony-pg serve --app shop.messages:app --host 0.0.0.0 --max-time 50s
      symphony-pg serve --database shop=service=shop --database billing=service=billing
    """
    start_logging(out)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    configure_logging(None)
    chosen = chosen_dsn(dsn)
    shown = settings["databases"] or {}
    served = app or Symphony(next(iter(shown.values()), None) if chosen is None else chosen)
    if app is not None and chosen is not None:
        app.move(chosen)
    is_closed = Doorkeeper({}).is_closed
    token = secrets.token_urlsafe(24) if is_closed else None
    if token and not _is_loopback(host):
        raise WrongState(
            f"{host} is not this computer alone, and there is no token",
            detail="Whoever reaches the port could be anybody.",
            hint="Set SYMPHONY_VIEWER_TOKENS or SYMPHONY_OPERATOR_TOKENS; a token has at least 16 "
            "characters.",
        )
    api = create_app(
        served,
        operator_tokens=[token] if token else None,
        max_seconds=max_time.total_seconds(),
        **settings,
    )
    if token:
        out.text(f"token     {token}   (made for this run)")
    with _listening(host, port) as listener:
        server = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        url, pages = server + settings["path"], f"{server}{settings['dashboard_path']}/"
        out.say(
            f"serving   {url}/status\ndashboard {pages}\nCtrl-C stops.\n",
            url=url,
            dashboard=pages,
            token=token,
        )
        _run(api, listener, trust_proxy)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=100
        )
    except OSError as error:
        raise BadArgument(
            f"cannot listen on {host}, port {port}",
            detail=error.strerror or str(error),
            hint="Choose another --port, or an address of this computer.",
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _run(api: Starlette, listener: socket.socket, trust_proxy: str) -> None:
    with needing("serve", "symphony-pg[http]"):
        import uvicorn

    class Server(uvicorn.Server):
        """Lets the worker of a request end when the server is to end."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            api.state.stop()
            super().handle_exit(sig, frame)

    Server(
        uvicorn.Config(
            api,
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=trust_proxy,
            timeout_graceful_shutdown=GRACE,
        )
    ).run(sockets=[listener])
