"""Who may do what: tokens, secrets, the host application's users, and a limit on wrong guesses.

A secret is kept as its SHA-256, and compared with all of them in constant time: how long that takes
tells neither how much of a guess was right, nor how long a secret is, nor which one it was.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from hmac import digest as hmac
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BadArgument
from .problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request


SHORTEST = 16
GUESSES = 10
WINDOW = 60.0
MOST_ADDRESSES = 10_000
SAFE = ("GET", "HEAD", "OPTIONS")

Role = Literal["viewer", "operator", "worker"]
VARIABLES: dict[Role, str] = {
    "viewer": "SYMPHONY_VIEWER_TOKENS",
    "operator": "SYMPHONY_OPERATOR_TOKENS",
    "worker": "SYMPHONY_WORKER_SECRETS",
}
Authenticate = Callable[[Any], "User | Awaitable[User | None] | None"]


@dataclass(frozen=True)
class User:
    """Who makes a request: a name for the audit trail, and "viewer" or "operator"."""

    name: str
    role: Literal["viewer", "operator"]


class Secrets:
    """Secrets of one kind; each of them opens the same door."""

    def __init__(self, secrets: Iterable[str]) -> None:
        given = tuple(secrets)
        if any(len(each) < SHORTEST for each in given):
            raise BadArgument(
                f"a token or secret has less than {SHORTEST} characters",
                detail="It could be guessed.",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        self._digests = tuple(map(_digest, given))

    def __bool__(self) -> bool:
        return bool(self._digests)

    def know(self, given: str) -> bool:
        """Tell whether this is one of them, in the same time whatever it is."""
        digest, found = _digest(given), False
        for each in self._digests:
            found |= compare_digest(each, digest)
        return found

    def seal(self, secret: str, text: str) -> str:
        """Return a proof that whoever had this secret wrote the text."""
        return hmac(_digest(secret), text.encode(), "sha256").hex()

    def sealed(self, text: str, proof: str) -> bool:
        """Tell whether one of them, as they are now, is behind the proof."""
        found = False
        for each in self._digests:
            made = hmac(each, text.encode(), "sha256").hex()
            found |= compare_digest(made.encode(), proof.encode("utf-8", "surrogatepass"))
        return found


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _secrets_of(role: Role, given: Sequence[str] | None) -> Secrets:
    """Return what was given for a role, else what the environment has for it."""
    if given is None:
        texts = os.environ.get(VARIABLES[role], "").split(",")
        given = [text for each in texts if (text := each.strip())]
        if role == "worker" and not given and (secret := os.environ.get("CRON_SECRET")):
            given = [secret]
    if isinstance(given, str):
        raise TypeError("give a list of tokens, even if it is only one")
    return Secrets(given)


class _Guesses:
    """The wrong tokens of the last minute, by address."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds an address may not guess any more."""
        guesses, now = self._at.get(address), monotonic()
        while guesses and guesses[0] <= now - WINDOW:
            guesses.popleft()
        if guesses is None or len(guesses) < GUESSES:
            return 0.0
        return guesses[0] + WINDOW - now

    def note(self, address: str) -> None:
        """Remember a wrong one, of so many addresses at most."""
        self._at.setdefault(address, deque(maxlen=GUESSES)).append(monotonic())
        self._at.move_to_end(address)
        if len(self._at) > MOST_ADDRESSES:
            self._at.popitem(last=False)


class Doorkeeper:
    """Lets in who may, and nobody if it was told of no secret.

    `given` are the tokens or secrets of each role; None: those of the environment.
    """

    def __init__(
        self,
        given: Mapping[Role, Sequence[str] | None],
        authenticate: Authenticate | None = None,
    ) -> None:
        self._secrets = {role: _secrets_of(role, given.get(role)) for role in VARIABLES}
        self._authenticate = authenticate
        self._guesses = _Guesses()

    @property
    def lets_look(self) -> bool:
        """True if there is anybody who may look."""
        return bool(self._authenticate or self._secrets["viewer"] or self._secrets["operator"])

    @property
    def is_closed(self) -> bool:
        """True if nobody may do anything."""
        return not (self.lets_look or self._secrets["worker"])

    async def admit(self, request: Request, *roles: Role) -> User | None:
        """Return who it is; raise a Problem unless he has one of the roles.

        None is for who has the secret of the worker.
        """
        if not self._is_open(roles):
            raise Problem(
                503,
                "closed: nobody may do this here yet",
                "The server was started without the tokens or secrets that this needs.",
                hint="docs/http.md tells which variables hold them.",
            )
        given = request.headers.get("authorization")
        if given is None:
            user = await self._user(request)
            if user is None:
                raise _unauthorized("a token is needed")
            if user.role not in roles and not (user.role == "operator" and "viewer" in roles):
                raise Problem(403, "this needs another role", f"It needs: {', '.join(roles)}.")
            return user
        return self._bearer(given, _address(request), roles)

    async def identify(self, request: Request) -> User | None:
        """Return who looks, or None for who gives no token; a wrong one is refused."""
        if request.headers.get("authorization") is None:
            return await self._user(request)
        return await self.admit(request, "viewer") if self.lets_look else None

    def sign_in(self, request: Request, token: str, session: str) -> str:
        """Return the session with the role of a token and a proof of both; refuse a wrong token.

        It holds for as long as the token is one of those that are known.
        """
        user = self._bearer(f"Bearer {token}", _address(request), ("viewer", "operator"))
        assert user is not None
        text = f"{user.role}.{session}"
        return f"{text}.{self._secrets[user.role].seal(token.strip(), text)}"

    def signed_in(self, cookie: str) -> tuple[Literal["viewer", "operator"], str] | None:
        """Return the role and the session of what sign_in() has returned; None: it is not that."""
        text, _, proof = cookie.rpartition(".")
        role, _, session = text.partition(".")
        for each in ("viewer", "operator"):
            if role == each and self._secrets[each].sealed(text, proof):
                return each, session
        return None

    def _is_open(self, roles: Sequence[Role]) -> bool:
        if "viewer" in roles or "operator" in roles:
            wanted = {*roles, "operator"}
            return bool(self._authenticate) or any(self._secrets[each] for each in wanted)
        return any(self._secrets[each] for each in roles)

    def _bearer(self, header: str, address: str, roles: Sequence[Role]) -> User | None:
        if wait := self._guesses.wait(address):
            raise Problem(
                429,
                "too many wrong tokens",
                f"From one address {GUESSES} a minute are looked at.",
                headers={"Retry-After": str(int(wait) + 1)},
            )
        scheme, _, token = header.partition(" ")
        known = [role for role, secrets in self._secrets.items() if secrets.know(token.strip())]
        if scheme.lower() != "bearer" or not known:
            self._guesses.note(address)
            raise _unauthorized("the token is not known")
        if "operator" in known and ("operator" in roles or "viewer" in roles):
            return User("operator", "operator")
        if "viewer" in known and "viewer" in roles:
            return User("viewer", "viewer")
        if "worker" in known and "worker" in roles:
            return None
        raise Problem(403, "this token is for something else", f"It needs: {', '.join(roles)}.")

    async def _user(self, request: Request) -> User | None:
        """Ask the host application, whose users may have come by a cookie."""
        if self._authenticate is None:
            return None
        found = self._authenticate(request)
        user = await found if inspect.isawaitable(found) else found
        if user is not None and request.method not in SAFE and not is_own_page(request):
            raise Problem(403, "the request comes from another site")
        return user


def is_own_page(request: Request) -> bool:
    """Tell whether a browser says that one of our own pages makes the request.

    Others can have it sent with the user's cookie, but not change these headers.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")


def _unauthorized(title: str) -> Problem:
    return Problem(
        401,
        title,
        "Send the header Authorization: Bearer TOKEN.",
        headers={"WWW-Authenticate": 'Bearer realm="symphony"'},
    )


def _address(request: Request) -> str:
    """Return who guesses: an address, or the network of one that has billions of them."""
    host = request.client.host if request.client else "?"
    try:
        found = ip_address(host)
    except ValueError:
        return host
    if isinstance(found, IPv6Address):
        return str(int(found) >> 64)
    return host
