"""The ASGI application: routes, and what is around all of them."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import Doorkeeper, Role
from .dashboard import Dashboard
from .dashboard.database import Database
from .drain import Drain
from .figures import Figures
from .problems import Problem, as_problem, body_of
from .settings import Settings
from .views import Views

Endpoint = Callable[[Request], Awaitable[Response]]
REQUEST_ID = "symphony_request_id"
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def assemble(settings: Settings, doorkeeper: Doorkeeper) -> Starlette:
    """Put the application together."""
    figures = Figures(
        settings.app.dsn if settings.dsn is None else settings.dsn, settings.app.call_timeout
    )
    drain = Drain(settings, figures)
    views = Views(figures, doorkeeper, settings.path, settings.cron_path)

    def route(path: str, endpoint: Endpoint, *roles: Role, methods: str = "GET") -> Route:
        return Route(path, _guarded(endpoint, doorkeeper, roles), methods=methods.split())

    path = settings.path
    metrics_for: tuple[Role, ...] = () if settings.metrics_public else ("viewer",)
    looks = [
        route(f"{path}/live", views.live),
        route(f"{path}/status", views.status),
        route(f"{path}/queue-depth", views.queue_depth, "viewer"),
        route(f"{path}/failed", views.failed, "viewer"),
        route(f"{path}/metrics", views.metrics, *metrics_for),
        route(f"{path}/openapi.json", views.openapi, "viewer"),
    ]
    work = [
        route(each, drain.work, "worker", methods="GET POST")
        for each in (f"{path}/worker", settings.cron_path)
        if each
    ]
    tick = route(f"{path}/tick", drain.tick, "worker", "operator", methods="POST")

    pages = _dashboard(settings, doorkeeper, figures)

    def close() -> None:
        drain.stop()
        if pages is not None:
            pages.close()
        figures.close()
        drain.close()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        close()

    made = Starlette(
        routes=[*looks, *work, tick, *(pages.routes() if pages else ())],
        exception_handlers={HTTPException: _on_http_exception},
        lifespan=lifespan,
    )
    made.router.redirect_slashes = False  # a platform's cron does not follow
    if settings.cors_origins:
        made.add_middleware(
            _Shared, paths={each.path for each in looks}, origins=[*settings.cors_origins]
        )
    made.add_middleware(_Hardened)
    made.state.stop, made.state.close = drain.stop, close
    return made


def _dashboard(settings: Settings, doorkeeper: Doorkeeper, figures: Figures) -> Dashboard | None:
    if settings.dashboard_path is None:
        return None
    silence, acting = settings.app.call_timeout, settings.operator_dsn
    if settings.databases is None:
        acting = acting or os.environ.get("SYMPHONY_OPERATOR_DSN") or settings.app.dsn
        assert not isinstance(acting, Mapping)
        databases = {"": Database(figures, acting, silence)}
    else:
        assert not isinstance(acting, str)
        databases = {
            name: Database(Figures(dsn, silence), (acting or {}).get(name, dsn), silence)
            for name, dsn in settings.databases.items()
        }
    return Dashboard(databases, doorkeeper, settings.dashboard_path, REQUEST_ID)


def _guarded(endpoint: Endpoint, doorkeeper: Doorkeeper, roles: tuple[Role, ...]) -> Endpoint:
    """Let in who may, and tell of an error what may be told."""

    async def guarded(request: Request) -> Response:
        try:
            if roles:
                await doorkeeper.admit(request, *roles)
            return await endpoint(request)
        except Exception as error:
            return _answer(as_problem(error, request.scope[REQUEST_ID]), request)

    return guarded


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer for a path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    title = "there is nothing here" if error.status_code == 404 else "this is not possible"
    return _answer(Problem(error.status_code, title, headers=error.headers), request)


def _answer(problem: Problem, request: Request) -> Response:
    return JSONResponse(
        body_of(problem, request.scope[REQUEST_ID]),
        problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


class _Hardened:
    """Gives each request an id, and each answer the headers that browsers go by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = request_id = secrets.token_hex(8)

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "x-request-id": request_id})
            await send(message)

        await self._app(scope, receive, hardened)


class _Shared:
    """Lets pages of other origins read what only looks (CORS)."""

    def __init__(self, app: ASGIApp, paths: set[str], origins: list[str]) -> None:
        self._app = app
        self._paths = paths
        self._cors = CORSMiddleware(
            app, allow_origins=origins, allow_methods=["GET"], allow_headers=["Authorization"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        is_shared = scope["type"] == "http" and path in self._paths
        await (self._cors if is_shared else self._app)(scope, receive, send)
