"""What an error tells: what its reader needs, and nothing of how it is inside."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from starlette.testclient import TestClient

from symphony_pg import BadArgument, Client, Symphony, WrongState
from symphony_pg.http import views
from tests.helpers import NOWHERE, Connection
from tests.http.helpers import SECRET, VIEWER, WORKER, bearer, serving

# What no answer may hold: a traceback, SQL, a DSN, a file, a class of ours or of a driver.
INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|psycopg|symphony_pg\.|(?-i:[a-z]Error\b)|select |from symphony"
    r"|symphony\.\w+\(|postgres(ql)?://|host=|port=|password|dbname|127\.0\.0\.1|\$\d|%\(",
    re.IGNORECASE,
)


def told(answer: Any) -> dict[str, Any]:
    """Return the JSON of an error, which tells nothing that is inside."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert not INSIDE.search(answer.text), answer.text
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "request_id"} <= {*body}
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    for name, value in {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'",
    }.items():
        assert answer.headers[name] == value
    return body


@pytest.fixture
def client(app: Symphony) -> Iterator[TestClient]:
    with serving(app) as client:
        yield client


def test_every_refusal(client: TestClient) -> None:
    viewer, worker = bearer(VIEWER), bearer(SECRET)
    root = "/api/symphony"
    for path, headers, method, status in (
        ("/", {}, "GET", 404),
        (f"{root}/", viewer, "GET", 404),
        (f"{root}/worker/", worker, "GET", 404),  # and not a redirect
        (f"{root}/live", {}, "DELETE", 405),
        (f"{root}/tick", worker, "GET", 405),
        (f"{root}/failed", {}, "GET", 401),
        (f"{root}/failed", worker, "GET", 403),
        (f"{root}/failed?colour=red", viewer, "GET", 400),
        (f"{root}/failed?queue=", viewer, "GET", 400),
        (f"{root}/failed?type=%00", viewer, "GET", 400),
        (f"{root}/failed?type=A&type=B", viewer, "GET", 400),
        (f"{root}/queue-depth?queue=nowhere", viewer, "GET", 404),
        (f"{root}/queue-depth?queue=default'--", viewer, "GET", 404),
        (f"{WORKER}?seconds=0", worker, "GET", 400),
        (f"{WORKER}?seconds=26", worker, "GET", 400),
        (f"{WORKER}?seconds=nan", worker, "GET", 400),
        (f"{WORKER}?seconds=x", worker, "POST", 400),
        (f"{WORKER}?limit=0", worker, "GET", 400),
        (f"{WORKER}?limit=1e9", worker, "GET", 400),
        (f"{WORKER}?limit=1.5", worker, "GET", 400),
        (f"{WORKER}?queue=default", worker, "GET", 400),
        (f"{WORKER}?queues=", worker, "GET", 400),
        (f"{WORKER}?queues=a%00b", worker, "GET", 400),
        (f"{WORKER}?seconds=1&seconds=2", worker, "GET", 400),
        (f"{WORKER}?queues=nowhere", worker, "GET", 404),
        (f"{root}/tick?x=1", worker, "POST", 400),
    ):
        answer = client.request(method, path, headers=headers, follow_redirects=False)
        assert answer.status_code == status, (path, answer.text)
        told(answer)
    assert client.head(WORKER, headers=worker).status_code == 405


def test_an_error_of_ours_says_its_code_and_the_cure(client: TestClient) -> None:
    body = told(client.get("/api/symphony/queue-depth?queue=nowhere", headers=bearer(VIEWER)))
    assert body["code"] == "SY001"
    assert body["type"] == "urn:symphony-pg:error:SY001"
    assert "nowhere" in body["title"]


def test_an_error_of_others_is_in_the_log_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("select 1 from symphony.queue where password = 'x'")

    monkeypatch.setattr(views, "document", fail)
    body = told(client.get("/api/symphony/openapi.json", headers=bearer(VIEWER)))
    assert body["status"] == 500
    assert body["request_id"] in caplog.text
    assert "RuntimeError" in caplog.text and "views.py" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection to server at 127.0.0.1 failed"),
        psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
        psycopg.errors.UndefinedTable('relation "symphony.queue" does not exist'),
        KeyError("password"),
        BadArgument("select 1", hint="select 2"),
        WrongState("select 1", hint="select 2"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised(
    client: TestClient, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(views, "document", fail)
    body = told(client.get("/api/symphony/openapi.json", headers=bearer(VIEWER)))
    expected = {psycopg.OperationalError: 503, BadArgument: 400, WrongState: 409}
    kinds = [status for kind, status in expected.items() if isinstance(error, kind)]
    assert body["status"] == (kinds or [500])[0]


def test_a_host_application_that_fails_to_say_who_it_is(app: Symphony) -> None:
    def authenticate(request: object) -> None:
        raise KeyError("password")

    with serving(app, authenticate=authenticate) as client:
        assert told(client.get("/api/symphony/failed"))["status"] == 500
        assert client.get("/api/symphony/failed", headers=bearer(VIEWER)).status_code == 200


PATHS = ("status", "queue-depth", "failed", "metrics")


def test_a_database_that_is_away() -> None:
    with serving(Symphony(NOWHERE)) as client:
        assert client.get("/api/symphony/live").status_code == 200
        for path in PATHS:
            answer = client.get(f"/api/symphony/{path}", headers=bearer(VIEWER))
            assert told(answer)["status"] == 503, path
            assert answer.headers["retry-after"] == "5"
        assert told(client.get("/api/symphony/status"))["status"] == 503
        for path in ("worker?seconds=1", "tick"):
            answer = client.post(f"/api/symphony/{path}", headers=bearer(SECRET))
            assert told(answer)["status"] == 503


def test_a_login_that_is_refused(dsn: str) -> None:
    with serving(Symphony(make_conninfo(dsn, user="nobody_knows_him"))) as client:
        answer = client.get("/api/symphony/failed", headers=bearer(VIEWER))
        assert told(answer)["status"] == 503
        assert str(conninfo_to_dict(dsn)["dbname"]) not in answer.text


def test_a_database_without_symphony(empty_dsn: str) -> None:
    with serving(Symphony(empty_dsn)) as client:
        for path in PATHS:
            answer = client.get(f"/api/symphony/{path}", headers=bearer(VIEWER))
            assert told(answer)["status"] == 503


def test_the_grants_are_the_second_wall(dsn: str, conn: Connection) -> None:
    for access in ("observer", "consumer"):
        password = conninfo_to_dict(dsn)["password"]
        conn.execute(f"create role http_{access} login password '{password}'")
        Client(conn).grant_access(f"http_{access}", access)
    looks, works = (make_conninfo(dsn, user=f"http_{each}") for each in ("observer", "consumer"))
    try:
        with serving(Symphony(works), dsn=looks) as client:
            for path in PATHS:
                answer = client.get(f"/api/symphony/{path}", headers=bearer(VIEWER))
                assert answer.status_code in (200, 503 if path == "status" else 200)
            answer = client.get(f"{WORKER}?seconds=3", headers=bearer(SECRET))
            assert answer.status_code == 200, answer.text
            assert answer.json()["remaining"] == 0
            assert client.post("/api/symphony/tick", headers=bearer(SECRET)).status_code == 200
        with serving(Symphony(looks), dsn=works) as client:
            for path in ("queue-depth", "failed", "metrics"):
                answer = client.get(f"/api/symphony/{path}", headers=bearer(VIEWER))
                assert told(answer)["status"] == 403
            for path in ("worker", "tick"):
                answer = client.post(f"/api/symphony/{path}", headers=bearer(SECRET))
                assert told(answer)["status"] == 403
    finally:
        for access in ("observer", "consumer"):
            Client(conn).revoke_access(f"http_{access}", access)
            conn.execute(f"drop owned by http_{access}")
            conn.execute(f"drop role http_{access}")


def test_a_look_cannot_write_and_ends_in_time(
    app: Symphony, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    body = "begin insert into symphony.lane_use values (1); return; end"
    replaced = "create or replace function symphony.metrics() returns table (metric text, "
    replaced += (
        "labels jsonb, value double precision) language plpgsql security definer as $$ {} $$"
    )
    with serving(app) as client:
        for inside in (body, "begin perform pg_sleep(60); return; end"):
            conn.execute(replaced.format(inside).encode())
            answer = client.get("/api/symphony/metrics", headers=bearer(VIEWER))
            assert told(answer)["status"] in (500, 503)
            assert answer.elapsed.total_seconds() < 6
    assert conn.execute("select count(*) from symphony.lane_use where lane_id = 1").fetchone() == (
        0,
    )
