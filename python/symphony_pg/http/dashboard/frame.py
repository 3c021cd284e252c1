"""What is around all pages: who looks, sessions, colours, errors, and the files that pages load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ...version import __version__
from ..access import Doorkeeper, User
from ..problems import Problem, as_problem
from .actions import Form
from .rendering import environment
from .session import Sessions

Page = Callable[[Request, User], Awaitable[Response]]
LONGEST_FORM = 1_500_000
SAID = "symphony_said"
THEME = "symphony_theme"
THEMES = ("light", "dark", "auto")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Frame:
    """Shows pages to who may see them. `names` are those of several databases."""

    def __init__(
        self, doorkeeper: Doorkeeper, path: str, request_id: str, names: tuple[str, ...] = ()
    ) -> None:
        self._doorkeeper = doorkeeper
        self._sessions = Sessions(doorkeeper, path)
        self._path = path
        self._request_id = request_id
        self._names = names
        self._templates = environment()
        self._static = _static()

    def routes(self) -> list[Route]:
        """Return what belongs to no database."""
        return [
            self.route("/sign-in", self.sign_in, methods=("GET", "POST"), is_open=True),
            self.route("/sign-out", self.sign_out, methods=("POST",), is_open=True),
            Route(self._path + "/theme", self.theme, methods=["GET"]),
            Route(self._path + "/static/{name}", self.static, methods=["GET"]),
        ]

    def route(
        self,
        path: str,
        page: Page,
        place: str = "",
        methods: tuple[str, ...] = ("GET",),
        is_open: bool = False,
    ) -> Route:
        """Return what shows a page to who may see it, and of an error what may be told.

        place is below which path a database has its pages.
        """

        async def answered(request: Request) -> Response:
            user: User | None = None
            request.state.place = place
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
                return await page(request, user or User("", "viewer"))
            except Exception as error:
                problem = as_problem(error, self.request_id(request))
                return self.show(request, user, "problem.html", problem.status, problem=problem)

        return Route(self._path + place + path, answered, methods=[*methods])

    def request_id(self, request: Request) -> str:
        """Return by which id the log knows a request."""
        return str(request.scope[self._request_id])

    def root(self, request: Request) -> str:
        """Return where the dashboard is."""
        return str(request.scope.get("root_path", "")) + self._path

    def base(self, request: Request) -> str:
        """Return where the pages of the database are that a request is about."""
        return self.root(request) + str(request.state.place)

    def show(
        self, request: Request, user: User | None, template: str, status: int = 200, **values: Any
    ) -> Response:
        """Return a page."""
        root, base = self.root(request), self.base(request)
        said = unquote(request.cookies.get(SAID, ""))
        theme = request.cookies.get(THEME, "auto")
        html = self._templates.get_template(template).render(
            root=root,
            base=base,
            database=base[len(root) :].rpartition("/")[2],
            databases=self._names,
            here=_address(request),
            below=request.url.path.removeprefix(base).removeprefix("/"),
            user=user if user is None or user.name else None,
            may_act=user is not None and user.role == "operator",
            proof=self._sessions.proof(request),
            said=said,
            theme=theme if theme in THEMES else "auto",
            version=__version__,
            given=request.query_params,
            request_id=self.request_id(request),
            link=_link(base),
            root_link=_link(root),
            **values,
        )
        response = HTMLResponse(html, status)
        self._sessions.keep_proof(request, response)
        if said:
            self._sessions.set_cookie(request, response, SAID, "", 0)
        return response

    async def form(self, request: Request, user: User | None = None) -> Form:
        """Return what somebody has sent from one of our pages, who may act."""
        if user is not None and user.role != "operator":
            raise Problem(403, "this needs another role", "It needs: operator.")
        form = await _form(request)
        self._sessions.check(request, form.maybe("proof") or "")
        return form

    def done(self, request: Request, form: Form, said: str) -> Response:
        """Show the page again from which somebody did something, and say what he did."""
        response = RedirectResponse(self._back(request, form), 303)
        self._sessions.set_cookie(request, response, SAID, quote(said), 60)
        return response

    def _to_sign_in(self, request: Request) -> Response:
        if request.method != "GET":
            raise Problem(403, "you are not signed in", "The session may be over. Sign in again.")
        asked = urlencode({"next": _address(request)})
        return RedirectResponse(f"{self.root(request)}/sign-in?{asked}", 303)

    def _back(self, request: Request, form: Form) -> str:
        root, wanted = self.root(request), form.maybe("next") or ""
        is_ours = wanted.startswith(f"{root}/") and "\\" not in wanted and "//" not in wanted
        return wanted if is_ours else f"{self.base(request)}/"

    async def sign_in(self, request: Request, _: User) -> Response:
        """Ask for a token, and begin a session with it."""
        if request.method == "GET":
            goes_to = request.query_params.get("next", "")
            return self.show(request, None, "sign-in.html", goes_to=goes_to, problem=None)
        form = await self.form(request)
        response = RedirectResponse(self._back(request, form), 303)
        try:
            self._sessions.begin(
                request, response, form.maybe("token") or "", form.maybe("name") or ""
            )
        except Problem as problem:
            return self.show(
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
        await self.form(request)
        response = RedirectResponse(f"{self.root(request)}/sign-in", 303)
        self._sessions.end(request, response)
        return response

    async def theme(self, request: Request) -> Response:
        """Remember whether somebody wants it light or dark."""
        request.state.place = ""
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
