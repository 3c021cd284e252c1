"""The pages: each reads what it shows, and a template shows it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timezone
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from psycopg.errors import QueryCanceled
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ...database import functions
from ...database.functions.messages import LONGEST_ID
from ...version import __version__
from ..access import Doorkeeper, User
from ..problems import Problem, as_problem
from .actions import ACTIONS, AT_MOST, Action, Form, chosen_group
from .database import Database
from .rendering import environment, redacted, restored
from .search import parse
from .series import RANGES, Range, by_type, of_queue, of_type
from .session import Sessions

__all__ = ["Dashboard"]

Page = Callable[[Request, User], Awaitable[Response]]
PAGE = 50
LONGEST_FORM = 1_500_000
NEXT_RUNS = 5
SAID = "symphony_said"
THEME = "symphony_theme"
THEMES = ("light", "dark", "auto")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Dashboard:
    """The pages of one database, for who may see them."""

    def __init__(self, database: Database, doorkeeper: Doorkeeper, path: str) -> None:
        self._database = database
        self._doorkeeper = doorkeeper
        self._sessions = Sessions(doorkeeper, path)
        self._path = path
        self._templates = environment()
        self._static = _static()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._database.close()

    def routes(self, request_id: str) -> list[Route]:
        """Return what it answers; request_id is the key of a request's id in its scope."""

        def page(path: str, made: Page) -> Route:
            return Route(self._path + path, self._seen(made, request_id), methods=["GET"])

        return [
            page("/", self.overview),
            page("/queue", self.queue),
            page("/type", self.type),
            page("/failed", self.failed),
            page("/failed/group", self.group),
            page("/failed/preview", self.preview),
            page("/messages", self.messages),
            page("/messages/{message_id:int}", self.message),
            page("/workers", self.workers),
            page("/schedules", self.schedules),
            page("/transports", self.transports),
            page("/keys", self.keys),
            page("/audit", self.audit),
            page("/settings", self.settings),
            Route(self._path + "/do/{action}", self._seen(self.act, request_id), methods=["POST"]),
            Route(
                self._path + "/sign-in",
                self._seen(self.sign_in, request_id, is_open=True),
                methods=["GET", "POST"],
            ),
            Route(
                self._path + "/sign-out",
                self._seen(self.sign_out, request_id, is_open=True),
                methods=["POST"],
            ),
            Route(self._path + "/theme", self.theme, methods=["GET"]),
            Route(self._path + "/static/{name}", self.static, methods=["GET"]),
        ]

    def _seen(self, made: Page, request_id: str, is_open: bool = False) -> Any:
        """Show a page to who may see it, and of an error what may be told."""

        async def answered(request: Request) -> Response:
            user: User | None = None
            try:
                if not self._doorkeeper.lets_look:
                    raise Problem(
                        503,
                        "closed: nobody may look here yet",
                        "The server was started without tokens.",
                        hint="docs/dashboard.md tells which variables hold them.",
                    )
                user = await self._sessions.user(request)
                if user is None and not is_open:
                    return self._to_sign_in(request)
                return await made(request, user or User("", "viewer"))
            except Exception as error:
                problem = as_problem(error, request.scope[request_id])
                return self._show(
                    request,
                    user,
                    "problem.html",
                    problem.status,
                    problem=problem,
                    request_id=request.scope[request_id],
                )

        return answered

    def _to_sign_in(self, request: Request) -> Response:
        if request.method != "GET":
            raise Problem(403, "you are not signed in", "The session may be over. Sign in again.")
        asked = urlencode({"next": _address(request)})
        return RedirectResponse(f"{self._base(request)}/sign-in?{asked}", 303)

    def _base(self, request: Request) -> str:
        return str(request.scope.get("root_path", "")) + self._path

    def _show(
        self, request: Request, user: User | None, template: str, status: int = 200, **values: Any
    ) -> Response:
        base = self._base(request)
        said = unquote(request.cookies.get(SAID, ""))
        theme = request.cookies.get(THEME, "auto")
        html = self._templates.get_template(template).render(
            base=base,
            here=_address(request),
            user=user if user is None or user.name else None,
            may_act=user is not None and user.role == "operator",
            proof=self._sessions.proof(request),
            said=said,
            theme=theme if theme in THEMES else "auto",
            version=__version__,
            given=request.query_params,
            link=_link(base),
            **values,
        )
        response = HTMLResponse(html, status)
        self._sessions.keep_proof(request, response)
        if said:
            self._sessions.set_cookie(request, response, SAID, "", 0)
        return response

    async def overview(self, request: Request, user: User) -> Response:
        """Show what is wrong now, and all queues."""
        return self._show(request, user, "overview.html", seen=await self._database.overview.get())

    async def queue(self, request: Request, user: User) -> Response:
        """Show one queue."""
        name = _given(request, "name")
        read = self._database.read
        chosen, now = _range(request), datetime.now(timezone.utc)
        figures = await read(functions.queue_figures(name, now - chosen.past, step=chosen.step))
        types = await read(functions.type_figures(name, since=now - chosen.past, step=chosen.step))
        (stats,) = await read(functions.queue_stats(name))
        seen = await self._database.whole()
        return self._show(
            request,
            user,
            "queue.html",
            q=stats,
            chosen=chosen,
            ranges=RANGES,
            charts=of_queue(figures, now, chosen),
            types=by_type(types, now, chosen),
            holds=await read(functions.queue_holds(name)),
            settings=await read(functions.queue_settings(name)),
            blocked=await read(functions.blocked_keys(name, 20)),
            pending=await self._listed("pending", name),
            groups=[each for each in seen.groups if each.queue_name == name],
            workers=[each for each in seen.workers if name in each.queues or "*" in each.queues],
        )

    async def _listed(
        self, state: str | None, queue: str, message_type: str | None = None
    ) -> list[Any] | None:
        """Return the newest such messages; None: it takes too long to find them."""
        try:
            found = await self._database.read(
                functions.list_messages(
                    state, queue, message_type=message_type, at_most=20, look_at=1000
                )
            )
        except QueryCanceled:
            return None
        return [each for each in found if each.message_id is not None]

    async def type(self, request: Request, user: User) -> Response:
        """Show one type of messages, in one queue."""
        name, queue = _given(request, "name"), _given(request, "queue")
        chosen, now = _range(request), datetime.now(timezone.utc)
        figures = await self._database.read(
            functions.type_figures(queue, name, now - chosen.past, step=chosen.step)
        )
        seen = await self._database.whole()
        return self._show(
            request,
            user,
            "type.html",
            name=name,
            queue_name=queue,
            chosen=chosen,
            ranges=RANGES,
            charts=of_type(figures, now, chosen),
            groups=[e for e in seen.groups if (e.queue_name, e.message_type) == (queue, name)],
            rows=await self._listed(None, queue, name),
            search=f"queue:{shlex.quote(queue)} type:{shlex.quote(name)}",
        )

    async def failed(self, request: Request, user: User) -> Response:
        """Show what failed, in groups."""
        seen = await self._database.whole()
        only = request.query_params.get("queue")
        return self._show(
            request,
            user,
            "failed.html",
            groups=[each for each in seen.groups if only in (None, each.queue_name)],
            only=only,
            more=any(each.at_least for each in seen.groups),
        )

    async def group(self, request: Request, user: User) -> Response:
        """Show the messages of a group, newest first."""
        chosen = _group(request)
        at, after = request.query_params.get("before_at"), request.query_params.get("before_id")
        rows = await self._database.read(
            functions.failed_messages(
                **chosen,
                before_at=_moment(at) if at else None,
                before_id=_number(after) if after else None,
                at_most=PAGE,
            )
        )
        return self._show(
            request, user, "group.html", chosen=chosen, rows=rows, is_full=len(rows) == PAGE
        )

    async def preview(self, request: Request, user: User) -> Response:
        """Count what an action on a group would do; it will do no more than that."""
        chosen = _group(request)
        found = await self._database.read(functions.failed_stats(**chosen, at_most=AT_MOST))
        return self._show(
            request,
            user,
            "preview.html",
            chosen=chosen,
            until=max((each.newest_at for each in found), default=None),
            up_to_id=max((each.example_id for each in found), default=None),
            count=min(sum(each.messages for each in found), AT_MOST),
            more=any(each.at_least for each in found),
            example=found[0] if found else None,
        )

    async def messages(self, request: Request, user: User) -> Response:
        """Search messages."""
        text = request.query_params.get("q", "").strip()
        before = request.query_params.get("before")
        problem: Problem | None = None
        found: list[Any] = []
        try:
            chosen = parse(text)
            if isinstance(chosen, int):
                return RedirectResponse(f"{self._base(request)}/messages/{chosen}", 303)
            found = await self._database.read(
                functions.list_messages(
                    **chosen, before_id=_number(before) if before else None, at_most=PAGE
                )
            )
        except Exception as error:
            problem = as_problem(error, "")
        rows = [each for each in found if each.message_id is not None]
        more = found[-1].more_before if len(rows) < len(found) else None
        if len(rows) == PAGE:
            more = rows[-1].message_id
        return self._show(
            request,
            user,
            "messages.html",
            problem.status if problem else 200,
            q=text,
            rows=rows,
            more=more,
            problem=problem,
        )

    async def message(self, request: Request, user: User) -> Response:
        """Show one message: why it waits, what happened to it, and what it holds."""
        message_id: int = request.path_params["message_id"]
        read = self._database.read
        is_one = message_id <= LONGEST_ID
        found = await read(functions.message_status(message_id)) if is_one else None
        if found is None:
            raise Problem(
                404,
                f"there is no message {message_id}",
                "It never existed, it was cancelled, or its retention is over.",
            )
        headers = found.headers if isinstance(found.headers, dict) else {}
        correlation = headers.get("correlation_id")
        siblings = (
            await read(functions.list_messages(correlation_id=str(correlation), at_most=20))
            if correlation
            else []
        )
        return self._show(
            request,
            user,
            "message.html",
            m=found,
            why=await read(functions.why_not_running(message_id)),
            history=await read(functions.message_history(message_id)),
            body=redacted(found.body),
            headers=redacted(found.headers),
            redacted=redacted,
            siblings=[each for each in siblings if each.message_id not in (None, message_id)],
            correlation=correlation,
        )

    async def workers(self, request: Request, user: User) -> Response:
        """Show who works."""
        seen = await self._database.whole()
        return self._show(request, user, "workers.html", workers=seen.workers)

    async def schedules(self, request: Request, user: User) -> Response:
        """Show schedules, or one of them with its runs."""
        name = request.query_params.get("name")
        read = self._database.read
        known = await read(functions.schedule_status(name or None))
        return self._show(
            request,
            user,
            "schedules.html",
            schedules=known,
            name=name,
            runs=await read(functions.schedule_runs(name, 20)) if name else [],
            coming=await read(functions.schedule_preview(name, NEXT_RUNS)) if name else [],
        )

    async def transports(self, request: Request, user: User) -> Response:
        """Show transports, and what leads to them."""
        read = self._database.read
        return self._show(
            request,
            user,
            "transports.html",
            transports=await read(functions.list_transports()),
            routes=await read(functions.list_routes()),
        )

    async def keys(self, request: Request, user: User) -> Response:
        """Show the keys of which messages wait."""
        blocked = await self._database.read(functions.blocked_keys(None, 200))
        return self._show(request, user, "keys.html", blocked=blocked)

    async def audit(self, request: Request, user: User) -> Response:
        """Show who did what."""
        given = request.query_params
        before = given.get("before")
        rows = await self._database.read(
            functions.audit(
                action=given.get("action") or None,
                actor=given.get("actor") or None,
                subject=given.get("subject") or None,
                before_id=_number(before) if before else None,
                at_most=PAGE,
            )
        )
        return self._show(request, user, "audit.html", rows=rows, is_full=len(rows) == PAGE)

    async def settings(self, request: Request, user: User) -> Response:
        """Show policies and grants."""
        read = self._database.read
        return self._show(
            request,
            user,
            "settings.html",
            policies=await read(functions.list_retry_policies()),
            access=await read(functions.list_access()),
        )

    async def act(self, request: Request, user: User) -> Response:
        """Do what an operator wants, and show the page again from which he did it."""
        if user.role != "operator":
            raise Problem(403, "this needs another role", "It needs: operator.")
        form = await _form(request)
        self._sessions.check(request, form.maybe("proof") or "")
        name = request.path_params["action"]
        action = ACTIONS.get(name)
        if name == "replay-message":
            action = await self._replay(form)
        if action is None:
            raise Problem(404, "there is no such action")
        said = await self._database.act(user.name, action, form)
        response = RedirectResponse(self._back(request, form), 303)
        self._sessions.set_cookie(request, response, SAID, quote(said), 60)
        return response

    async def _replay(self, form: Form) -> Action:
        """Retry a message with the body that somebody wrote, who has not seen its secrets."""
        message_id = form.number("id")
        found = await self._database.read(functions.message_status(message_id))
        if found is None:
            raise Problem(404, f"there is no message {message_id}")
        try:
            body = json.loads(form.one("body"))
        except ValueError as error:
            raise Problem(400, "the body is not JSON", f"{error}. Go back and repair it.") from None
        whole = restored(body, found.body)
        return Action(
            lambda _: functions.retry_failed([message_id], body=whole),
            ACTIONS["retry-message"].said,
        )

    def _back(self, request: Request, form: Form) -> str:
        base, wanted = self._base(request), form.maybe("next") or ""
        is_ours = wanted.startswith(f"{base}/") and "\\" not in wanted and "//" not in wanted
        return wanted if is_ours else f"{base}/"

    async def sign_in(self, request: Request, _: User) -> Response:
        """Ask for a token, and begin a session with it."""
        if request.method == "GET":
            goes_to = request.query_params.get("next", "")
            return self._show(request, None, "sign-in.html", goes_to=goes_to, problem=None)
        form = await _form(request)
        self._sessions.check(request, form.maybe("proof") or "")
        response = RedirectResponse(self._back(request, form), 303)
        try:
            self._sessions.begin(
                request, response, form.maybe("token") or "", form.maybe("name") or ""
            )
        except Problem as problem:
            return self._show(
                request,
                None,
                "sign-in.html",
                problem.status,
                goes_to=form.maybe("next") or "",
                problem=problem,
            )
        return response

    async def sign_out(self, request: Request, _: User) -> Response:
        """End the session."""
        form = await _form(request)
        self._sessions.check(request, form.maybe("proof") or "")
        response = RedirectResponse(f"{self._base(request)}/sign-in", 303)
        self._sessions.end(request, response)
        return response

    async def theme(self, request: Request) -> Response:
        """Remember whether somebody wants it light or dark."""
        wanted = request.query_params.get("to", "auto")
        back = Form(next=[request.query_params.get("next", "")])
        response = RedirectResponse(self._back(request, back), 303)
        if wanted in THEMES:
            self._sessions.set_cookie(request, response, THEME, wanted, 365 * 86_400)
        return response

    async def static(self, request: Request) -> Response:
        """Return a file of the pages."""
        found = self._static.get(request.path_params["name"])
        if found is None:
            return Response("there is no such file", 404)
        content, kind = found
        return Response(content, headers={"content-type": kind})


def _static() -> Mapping[str, tuple[bytes, str]]:
    """Return the files of the pages: they are few, and small."""
    folder = resources.files(__package__) / "static"
    return {
        each.name: (each.read_bytes(), f"{kind}; charset=utf-8")
        for each in folder.iterdir()
        for ending, kind in TYPES.items()
        if each.name.endswith(ending)
    }


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _link(base: str) -> Callable[..., str]:
    """Return what makes the address of a page, with what it is asked."""

    def link(page: str, **asked: Any) -> str:
        given = {name: each for name, each in asked.items() if each is not None}
        return f"{base}/{page}" + (f"?{urlencode(given)}" if given else "")

    return link


async def _form(request: Request) -> Form:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise Problem(413, "the form is too large")
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise Problem(400, "the form cannot be read") from None


def _given(request: Request, name: str) -> str:
    value: str = request.query_params.get(name, "")
    if not value or "\0" in value:
        raise Problem(400, f"the parameter {name} is missing")
    return value


def _range(request: Request) -> Range:
    return RANGES.get(request.query_params.get("range", "hour"), RANGES["hour"])


def _number(text: str) -> int:
    return Form(number=[text]).number("number")


def _moment(text: str) -> datetime:
    return Form(moment=[text]).moment("moment")


def _group(request: Request) -> dict[str, Any]:
    _given(request, "queue")
    return chosen_group(Form({name: [each] for name, each in request.query_params.items()}))
