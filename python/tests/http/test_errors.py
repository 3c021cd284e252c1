"""Whatever goes wrong, at whatever route: no answer tells what is inside.

The routes are those that the application has, so a new one is among them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from starlette.routing import Route

from symphony_pg import Symphony
from symphony_pg.http import create_app, figures
from tests.helpers import NOWHERE, Connection
from tests.http.helpers import OPERATOR, SECRET, TOKENS, VIEWER, bearer, serving
from tests.http.test_problems import INSIDE, told

ROLE = "http_nobody"
TEXT_OF_AN_ERROR = "select secret from symphony.queue; Traceback postgresql://ada:hunter2@db/shop"
IN_PATHS = {"message_id:int": "1", "action": "pause-queue", "name": "none.css"}
# What answers without a secret, and without the database.
OPEN = ("live", "status", "sign-in", "sign-out", "theme", "static")
NEEDS_NOTHING = ("live", "openapi.json", "sign-in", "sign-out", "theme", "static")


@dataclass
class Place:
    """A route, and how it is asked."""

    path: str
    methods: list[str]

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def token(self) -> str:
        is_work = self.path.endswith(("/worker", "-worker", "/tick"))
        return SECRET if self.is_api and is_work else OPERATOR

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        return any(each in self.path.split("/") for each in names)


@dataclass
class Fault:
    """What is made wrong, and which statuses may come of it."""

    name: str
    statuses: set[int]
    send: Callable[[Place], dict[str, Any]]
    dsn: Callable[["Ward"], str] = lambda ward: ward.dsn
    spares: tuple[str, ...] = NEEDS_NOTHING


@dataclass
class Ward:
    """A database in which something is made wrong."""

    dsn: str
    conn: Connection
    stack: ExitStack
    monkeypatch: pytest.MonkeyPatch

    def without_grants(self) -> str:
        password = conninfo_to_dict(self.dsn)["password"]
        self.conn.execute(f"create role {ROLE} login password '{password}'".encode())
        self.stack.callback(self.conn.execute, f"drop role {ROLE}".encode())
        return make_conninfo(self.dsn, user=ROLE)

    def locked(self) -> str:
        """Let somebody lock the tables, so that each statement takes too long."""
        self.monkeypatch.setattr(figures, "STATEMENT_TIMEOUT", 300)
        session = psycopg.connect(self.dsn)
        self.stack.callback(session.close)
        for table in ("queue", "lane", "tick", "message", "turn", "audit", "retry_policy"):
            session.execute(f"lock table symphony.{table} in access exclusive mode".encode())
        for table in ("schedule", "transport", "parked", "access", "failed_message", "claim"):
            session.execute(f"lock table symphony.{table} in access exclusive mode".encode())
        return make_conninfo(self.dsn, options="-c statement_timeout=300")

    def broken(self) -> str:
        """Let what is called raise an error of nobody's."""
        names = self.conn.execute(
            "select p.oid::regprocedure::text, pg_get_functiondef(p.oid) from pg_proc as p "
            "where p.pronamespace = 'symphony'::regnamespace and left(p.proname, 1) <> '_' "
            "and p.prosecdef and p.proname <> 'check' "
            "and p.prolang = (select oid from pg_language where lanname = 'plpgsql')"
        ).fetchall()
        body = f"$_$begin raise exception '{TEXT_OF_AN_ERROR}'; end$_$"
        for _, definition in names:
            head = re.split(r"\nAS \$", definition)[0]
            self.conn.execute(f"{head}\nAS {body}".encode())
            self.stack.callback(self.conn.execute, definition.encode())
        return self.dsn


def rightly(place: Place) -> dict[str, Any]:
    return {"headers": bearer(place.token)}


def with_a_bad_body(place: Place) -> dict[str, Any]:
    junk = b"\xff{not json: %00&queue=%00&proof=\x00" * 100
    return {"headers": bearer(place.token), "content": junk}


FAULTS = [
    Fault("no secret", {401, 503}, lambda _: {}, spares=OPEN),
    Fault("a wrong secret", {401, 429}, lambda _: {"headers": bearer("x" * 40)}, spares=OPEN),
    Fault("a secret of odd bytes", {401, 429}, lambda _: {"headers": {
        b"authorization": b"Bearer \xff\x00'; select 1 --"}}, spares=OPEN),
    Fault("a secret for something else", {403}, lambda each: {"headers": bearer(
        VIEWER if each.token == SECRET else SECRET)}, spares=OPEN),
    Fault("an odd parameter", {200, 400, 404}, lambda each: {
        **rightly(each), "params": {"colour": "'; select 1 --", "queue": "\0", "name": "\0"}}),
    Fault("a bad body", {200, 400, 403, 404, 413}, with_a_bad_body),
    Fault("a wrong method", {405}, rightly, spares=()),
    Fault("the database is away", {503}, rightly, lambda _: NOWHERE),
    Fault("the login is refused", {503}, rightly,
          lambda ward: make_conninfo(ward.dsn, password="hunter2", user="ada")),
    Fault("no grant", {403, 503}, rightly, Ward.without_grants),
    Fault("a statement takes too long", {200, 503}, rightly, Ward.locked),
    Fault("an error of nobody's", {500}, rightly, Ward.broken),
]  # fmt: skip


def places(app: Symphony) -> list[Place]:
    """Return all routes, with something for what is open in their paths."""
    found = []
    for route in create_app(app, **TOKENS).routes:
        assert isinstance(route, Route)
        path = re.sub(r"{([\w:]+)}", lambda part: IN_PATHS[part[1]], route.path)
        methods = [each for each in sorted(route.methods or ()) if each != "HEAD"]
        found.append(Place(path, methods))
    assert len([each for each in found if each.is_api]) >= 9
    return found


@pytest.fixture
def ward(dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    conn.execute("select symphony.tick()")  # else the status is "down", which is no error
    with ExitStack() as stack:
        yield Ward(dsn, conn, stack, monkeypatch)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_answer_tells_what_is_inside(fault: Fault, ward: Ward) -> None:
    hidden = [*secrets_of(ward.dsn), ROLE, "hunter2"]
    dsn = fault.dsn(ward)
    looked_at = 0
    with (
        Symphony(dsn, call_timeout=2) as app,
        serving(app, max_seconds=2) as client,
    ):
        for place in places(app):
            for method in ["PATCH"] if fault.name == "a wrong method" else place.methods:
                given = (
                    {"params": {"name": "default", "queue": "default"}} if not place.is_api else {}
                )
                answer = client.request(
                    method, place.path, follow_redirects=False, **{**given, **fault.send(place)}
                )
                where = (
                    f"{fault.name}: {method} {place.path}: {answer.status_code} {answer.text[:300]}"
                )
                if place.is_api and not place.is_one_of(fault.spares):
                    assert answer.status_code in fault.statuses, where
                if answer.status_code < 400:
                    continue
                looked_at += 1
                text = re.sub("<input[^>]*>", "", answer.text)  # one of them is for a token
                assert not (found := INSIDE.search(text)), f"{found} {where}"
                assert [each for each in hidden if each in text] == [], where
                if place.is_api:
                    told(answer)
    print(f"{fault.name}: {looked_at} errors looked at")
    assert looked_at > 0


def secrets_of(dsn: str) -> list[str]:
    known = conninfo_to_dict(dsn)
    return [str(known[each]) for each in ("password", "port")]
