"""Symphony over HTTP: a dashboard, probes, metrics, and a worker that a cron job calls.

    from symphony_pg.http import create_app

    api.mount("/api/symphony", create_app(app, path="", cron_path=""))    # FastAPI, Starlette

It is an ASGI application, which may also be served alone: `uvicorn shop:symphony`.

Everything but `live` and the short form of `status` is closed until tokens or secrets are given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..app import Symphony
from ..extras import needing
from .access import Doorkeeper, User
from .settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["User", "create_app"]


def create_app(
    app: Symphony,
    *,
    dsn: str | None = None,
    path: str = "/api/symphony",
    cron_path: str = "/api/cron/symphony-worker",
    viewer_tokens: Sequence[str] | None = None,
    operator_tokens: Sequence[str] | None = None,
    worker_secrets: Sequence[str] | None = None,
    authenticate: Callable[[Request], User | Awaitable[User | None] | None] | None = None,
    metrics_public: bool = False,
    cors_origins: Sequence[str] = (),
    queues: Sequence[str] = ("default",),
    concurrency: int = 4,
    max_seconds: float = 25.0,
    dashboard_path: str | None = "/symphony",
    operator_dsn: str | Mapping[str, str] | None = None,
    databases: Mapping[str, str] | None = None,
) -> Starlette:
    """Return an ASGI application that shows an application's queues, and works them off when asked.

    dsn              the database as a role that only looks sees it (observer); else that of `app`,
                     which the worker uses (consumer)
    path             where all this is; with "" it is where it is mounted
    cron_path        the worker, once more, at the path that a platform's cron calls
    viewer_tokens    who has one may look; None: SYMPHONY_VIEWER_TOKENS
    operator_tokens  who has one may look and tick; None: SYMPHONY_OPERATOR_TOKENS
    worker_secrets   who has one may run the worker and tick; None: SYMPHONY_WORKER_SECRETS, else
                     CRON_SECRET
    authenticate     tells who makes a request without a token, as your application knows its users
    metrics_public   let anybody read the metrics
    cors_origins     pages of these origins may look
    queues           what the worker works off, unless the request names others; "*" is all
    concurrency      handlers that the worker runs at a time
    max_seconds      how long a request for the worker may take, and what it gets by default
    dashboard_path   the dashboard, for people; with "" it is where all is mounted, None: nowhere
    operator_dsn     the database as a role that may act (operator) sees it, for what people do in
                     the dashboard; None: SYMPHONY_OPERATOR_DSN, else that of `app`
    databases        what the dashboard shows, by name, in place of the database of `app`:
                     {"shop": "service=shop", "billing": "service=billing"}; operator_dsn is by
                     name then, too, and people act as they look in those that it leaves out

    Several tokens or secrets, with commas between them in a variable, let you change them one by
    one. Each has at least 16 characters.
    """
    given = locals()
    settings = Settings(**{name: given[name] for name in Settings.__dataclass_fields__})
    doorkeeper = Doorkeeper(
        {"viewer": viewer_tokens, "operator": operator_tokens, "worker": worker_secrets},
        authenticate,
    )
    with needing("symphony_pg.http", "symphony-pg[http]"):
        from .assembly import assemble

        return assemble(settings, doorkeeper)
