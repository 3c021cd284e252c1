"""The pages of a database: each reads what it shows, and a template shows it."""

from __future__ import annotations

import shlex
from datetime import datetime, timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...database import functions
from ...database.functions.messages import LONGEST_ID
from ..access import User
from ..problems import Problem, as_problem, in_its_own_words
from .actions import ACTIONS, AT_MOST, LIMITS, Action, Form, chosen_group
from .cut import cut
from .database import Database, together
from .frame import Frame, Page
from .rendering import redacted, restored
from .search import parse
from .series import RANGES, Range, of_type

PAGE = 50
NEXT_RUNS = 5
MOST_QUEUES = 100
SCHEDULE_STATES = ("broken", "on", "paused", "done")
WORKER_STATES = ("silent", "stopping", "paused", "working", "idle")


class Pages:
    """The pages of one database. place is below which path they are: "" if there is no other."""

    def __init__(self, frame: Frame, database: Database, place: str = "") -> None:
        self._frame = frame
        self._show = frame.show
        self._place = place
        self.database = self._database = database

    def routes(self) -> list[Route]:
        """Return what it answers."""
        pages: dict[str, Page] = {
            "/": self.overview,
            "/queue": self.queue,
            "/queue/limits": self.limits,
            "/queue/test": self.test,
            "/queue/purge": self.purge,
            "/type": self.type,
            "/failed": self.failed,
            "/failed/group": self.group,
            "/failed/preview": self.preview,
            "/messages": self.messages,
            "/messages/{message_id:int}": self.message,
            "/workers": self.workers,
            "/schedules": self.schedules,
            "/transports": self.transports,
            "/keys": self.keys,
            "/audit": self.audit,
            "/settings": self.settings,
        }
        return [
            *(self._frame.route(path, page, self._place) for path, page in pages.items()),
            self._frame.route("/do/{action}", self.act, self._place, methods=("POST",)),
        ]

    async def overview(self, request: Request, user: User) -> Response:
        """Show what is wrong now, and all queues."""
        seen = await self._database.overview()
        queues = cut(
            seen.queues, _find(request), lambda q: [q.queue_name], lambda q: -q.pending, MOST_QUEUES
        )
        return self._show(request, user, "overview.html", seen=seen, queues=queues)

    async def queue(self, request: Request, user: User) -> Response:
        """Show one queue."""
        name, chosen = _given(request, "name"), _range(request)
        read = self._database
        now, past = await together(read.now(name), read.past.get((name, chosen.name)))
        return self._show(
            request,
            user,
            "queue.html",
            now=now,
            q=now.stats,
            past=past,
            chosen=chosen,
            ranges=RANGES,
        )

    async def type(self, request: Request, user: User) -> Response:
        """Show one type of messages, in one queue."""
        name, queue = _given(request, "name"), _given(request, "queue")
        chosen, now = _range(request), datetime.now(timezone.utc)
        read = self._database.read
        figures = await read(
            functions.type_figures(queue, name, now - chosen.past, step=chosen.step)
        )
        return self._show(
            request,
            user,
            "type.html",
            name=name,
            queue_name=queue,
            chosen=chosen,
            ranges=RANGES,
            charts=of_type(figures, now, chosen),
            groups=await read(functions.failed_stats(queue, name, at_most=AT_MOST)),
            rows=await self._database.newest(None, queue, name),
            search=f"queue:{shlex.quote(queue)} type:{shlex.quote(name)}",
        )

    async def failed(self, request: Request, user: User) -> Response:
        """Show what failed, in groups."""
        only, read = request.query_params.get("queue"), self._database
        groups = await (read.groups_of.get(only) if only else read.groups.get())
        return self._show(
            request,
            user,
            "failed.html",
            groups=cut(
                groups,
                _find(request),
                lambda g: [g.message_type, g.error_class, g.queue_name],
                lambda g: -g.messages,
            ),
            only=only,
            more=any(each.at_least for each in groups),
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
                return RedirectResponse(f"{self._frame.base(request)}/messages/{chosen}", 303)
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
        workers = await self._database.workers.get()
        found = cut(
            workers,
            _find(request),
            lambda w: [w.worker, *w.queues],
            lambda w: WORKER_STATES.index(w.state),
        )
        return self._show(request, user, "workers.html", workers=found)

    async def schedules(self, request: Request, user: User) -> Response:
        """Show schedules, or one of them with its runs."""
        name = request.query_params.get("name")
        read = self._database.read
        known = await read(functions.schedule_status(name or None))
        return self._show(
            request,
            user,
            "schedules.html",
            schedules=cut(
                known,
                _find(request),
                lambda s: [s.schedule_name, s.message_type],
                lambda s: (
                    SCHEDULE_STATES.index(s.state),
                    s.next_run_at.timestamp() if s.next_run_at else 0.0,
                ),
            ),
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

    async def limits(self, request: Request, user: User) -> Response:
        """Show the limits of a queue, and a form to change them."""
        return await self._limits(request, user, Form(queue=[_given(request, "name")]))

    async def _limits(
        self, request: Request, user: User, form: Form, problem: Problem | None = None
    ) -> Response:
        read, queue = self._database, form.one("queue")
        settings = await read.read(functions.queue_settings(queue))
        known = {each.setting: each.value or "" for each in settings}
        return self._show(
            request,
            user,
            "limits.html",
            problem.status if problem else 200,
            q=await read.stats.get(queue),
            holds=await read.holds.get(queue),
            known=known,
            filled={name: form.get(name, [known[name]])[0] for name in LIMITS},
            problem=problem,
        )

    async def purge(self, request: Request, user: User) -> Response:
        """Count what a purge of a queue would remove; it will remove no more than that."""
        queue = _given(request, "name")
        found = await self._database.read(functions.purge_preview(queue))
        return self._show(request, user, "purge.html", queue_name=queue, found=found)

    async def test(self, request: Request, user: User) -> Response:
        """Show a form for a test message."""
        if user.role != "operator":
            raise Problem(403, "this needs another role", "It needs: operator.")
        given = {"queue": _given(request, "name"), "type": request.query_params.get("type", "")}
        return await self._test(request, user, Form({name: [e] for name, e in given.items()}))

    async def _test(
        self, request: Request, user: User, form: Form, problem: Problem | None = None
    ) -> Response:
        """Show the form, or, if nothing is wrong with it, what would be sent."""
        queue = form.one("queue")
        is_asked = problem is None and "body" in form and "again" not in form
        return self._show(
            request,
            user,
            "test.html",
            problem.status if problem else 200,
            q=await self._database.stats.get(queue),
            workers=len(await self._database.workers_of(queue)) if is_asked else 0,
            filled={name: form.get(name, [""])[0] for name in ("type", "body", "key")},
            body=form.json("body") if is_asked else None,
            is_asked=is_asked,
            problem=problem,
        )

    async def act(self, request: Request, user: User) -> Response:
        """Do what an operator wants, and show the page again from which he did it."""
        form = await self._frame.form(request, user)
        name = request.path_params["action"]
        again = {"set-limits": self._limits, "test-message": self._test}.get(name)
        try:
            if name == "test-message" and form.maybe("confirmed") != "yes":
                form.one("type")
                return await self._test(request, user, form)
            action = await self._replay(form) if name == "replay-message" else ACTIONS.get(name)
            if action is None:
                raise Problem(404, "there is no such action")
            said = await self._database.act(user.name, action, form)
        except Exception as error:
            problem = in_its_own_words(error)
            problem = problem or as_problem(error, self._frame.request_id(request))
            if again is None:
                raise problem from error
            return await again(request, user, form, problem)
        return self._frame.done(request, form, said)

    async def _replay(self, form: Form) -> Action:
        """Retry a message with the body that somebody wrote, who has not seen its secrets."""
        message_id = form.number("id")
        found = await self._database.read(functions.message_status(message_id))
        if found is None:
            raise Problem(404, f"there is no message {message_id}")
        whole = restored(form.json("body"), found.body)
        return Action(
            lambda _: functions.retry_failed([message_id], body=whole),
            ACTIONS["retry-message"].said,
        )


def _given(request: Request, name: str) -> str:
    value: str = request.query_params.get(name, "")
    if not value or "\0" in value:
        raise Problem(400, f"the parameter {name} is missing")
    return value


def _range(request: Request) -> Range:
    return RANGES.get(request.query_params.get("range", "hour"), RANGES["hour"])


def _find(request: Request) -> str:
    return request.query_params.get("find", "").strip()


def _number(text: str) -> int:
    return Form(number=[text]).number("number")


def _moment(text: str) -> datetime:
    return Form(moment=[text]).moment("moment")


def _group(request: Request) -> dict[str, Any]:
    _given(request, "queue")
    return chosen_group(Form({name: [each] for name, each in request.query_params.items()}))
