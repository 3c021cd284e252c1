"""Who is at the browser: a session in a cookie, and a proof that a form came from our own page.

A cookie says who it is and until when; a token that is still known is behind it. Nothing is kept.
"""

from __future__ import annotations

import base64
import secrets
import time
from hmac import compare_digest
from typing import TYPE_CHECKING

from ..access import Doorkeeper, User, is_own_page
from ..problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


COOKIE = "symphony_session"
CSRF = "symphony_csrf"
LASTS = 12 * 3600
LONGEST_NAME = 60


class Sessions:
    """Begins and ends sessions, and tells whose they are."""

    def __init__(self, doorkeeper: Doorkeeper, path: str) -> None:
        self._doorkeeper = doorkeeper
        self._path = path

    async def user(self, request: Request) -> User | None:
        """Return who makes a request; None: somebody who has to sign in."""
        user = await self._doorkeeper.identify(request)
        if user is not None or "authorization" in request.headers:
            return user
        found = self._doorkeeper.signed_in(request.cookies.get(COOKIE, ""))
        if found is None:
            return None
        role, session = found
        until, _, name = session.partition(".")
        if not until.isdigit() or int(until) < time.time():
            return None
        return User(_read(name) or role, role)

    def begin(self, request: Request, response: Response, token: str, name: str) -> None:
        """Sign somebody in; raise a Problem if the token is wrong."""
        text = f"{int(time.time()) + LASTS}.{_written(name.strip()[:LONGEST_NAME])}"
        value = self._doorkeeper.sign_in(request, token, text)
        self.set_cookie(request, response, COOKIE, value, LASTS)

    def end(self, request: Request, response: Response) -> None:
        """Sign somebody out."""
        self.set_cookie(request, response, COOKIE, "", 0)

    def proof(self, request: Request) -> str:
        """Return what the forms of this browser carry, so that no other site's are taken."""
        known: str = request.cookies.get(CSRF, "")
        if len(known) < 32:
            known = getattr(request.state, "csrf", "") or secrets.token_urlsafe(32)
            request.state.csrf = known
        return known

    def keep_proof(self, request: Request, response: Response) -> None:
        """Give the browser the proof, if the answer holds forms and it has none."""
        if made := getattr(request.state, "csrf", ""):
            self.set_cookie(request, response, CSRF, made, None)

    def check(self, request: Request, proof: str) -> None:
        """Refuse a form that no page of ours has sent; a program with a token needs no proof."""
        if "authorization" in request.headers:
            return
        known = request.cookies.get(CSRF, "")
        if (
            len(known) < 32
            or not compare_digest(known.encode(), proof.encode("utf-8", "surrogatepass"))
            or not _may_be_own(request)
        ):
            raise Problem(403, "the form does not come from this page", "Load it anew.")

    def set_cookie(
        self, request: Request, response: Response, name: str, value: str, max_age: int | None
    ) -> None:
        """Set a cookie that only our pages get, and no script."""
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=(request.scope.get("root_path", "") + self._path) or "/",
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )


def _may_be_own(request: Request) -> bool:
    """Tell whether a request comes from our page, as far as the browser tells it at all."""
    told = ("sec-fetch-site", "origin")
    return is_own_page(request) or not any(each in request.headers for each in told)


def _written(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode("utf-8", "replace")).decode()


def _read(name: str) -> str:
    try:
        return base64.urlsafe_b64decode(name).decode()
    except ValueError:
        return ""
