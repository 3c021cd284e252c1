"""Who may do what: closed by default, several secrets, constant time, and few guesses."""

import ast
import inspect
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from symphony_pg import BadArgument, Symphony
from symphony_pg.http import User, access, create_app
from tests.helpers import NOWHERE
from tests.http.helpers import OPERATOR, SECRET, TOKENS, VIEWER, WORKER, bearer, serving

OPEN = ("/live", "/status")
VIEWED = ("/queue-depth", "/failed", "/metrics", "/openapi.json")
# Of no length and of great length, almost right, right for something else, and no text at all.
WRONG = (
    *("", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), "x" * len(SECRET), "x" * 10_000),
    *("\u00e9" * 20, " "),
)


@pytest.fixture
def client(app: Symphony) -> Iterator[TestClient]:
    with serving(app) as client:
        yield client


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIEWER_TOKENS", "OPERATOR_TOKENS", "WORKER_SECRETS"):
        monkeypatch.delenv(f"SYMPHONY_{name}", raising=False)
    monkeypatch.delenv("CRON_SECRET", raising=False)


@pytest.mark.parametrize("path", VIEWED)
def test_who_may_look(client: TestClient, path: str) -> None:
    path = f"/api/symphony{path}"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer(SECRET)).status_code == 403
    for token in (VIEWER, OPERATOR):
        assert client.get(path, headers=bearer(token)).status_code == 200
    assert client.post(path, headers=bearer(OPERATOR)).status_code == 405


def test_who_may_tick_and_work(client: TestClient) -> None:
    tick = "/api/symphony/tick"
    statuses = {
        token: (
            client.post(tick, headers=bearer(token)).status_code,
            client.post(WORKER, headers=bearer(token)).status_code,
        )
        for token in (VIEWER, OPERATOR, SECRET)
    }
    assert statuses == {VIEWER: (403, 403), OPERATOR: (200, 403), SECRET: (200, 200)}
    assert client.post(tick).status_code == client.post(WORKER).status_code == 401


@pytest.mark.parametrize("wrong", WRONG, ids=lambda text: f"{len(text)} {text[:3]!r}")
def test_a_wrong_secret_is_told_nothing(client: TestClient, wrong: str) -> None:
    answer = client.get(WORKER, headers={b"Authorization": f"Bearer {wrong}".encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["detail"].startswith("The token is not known.")
    for scheme in ("Basic", "", SECRET):
        with_scheme = client.get(WORKER, headers={"Authorization": f"{scheme} x{SECRET}"})
        assert with_scheme.status_code == 401


def test_secrets_are_rotated_one_by_one(app: Symphony, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = "the-old-secret-0123456789", "the-new-secret-0123456789"

    def statuses(**options: Any) -> list[int]:
        with serving(app, **options) as client:
            found = [client.get(WORKER, headers=bearer(each)).status_code for each in (old, new)]
            return [
                *found,
                client.get("/api/cron/symphony-worker", headers=bearer(new)).status_code,
            ]

    assert statuses(worker_secrets=[old]) == [200, 401, 401]
    assert statuses(worker_secrets=[old, new]) == [200, 200, 200]
    monkeypatch.setenv("CRON_SECRET", old)
    assert statuses(worker_secrets=None) == [200, 401, 401]
    monkeypatch.setenv("SYMPHONY_WORKER_SECRETS", f" {new} ,, {old}")
    assert statuses(worker_secrets=None) == [200, 200, 200]
    monkeypatch.setenv("SYMPHONY_WORKER_SECRETS", new)
    assert statuses(worker_secrets=None) == [401, 200, 200]


def test_without_secrets_all_is_closed(app: Symphony) -> None:
    with TestClient(create_app(app)) as client:
        for path in (*VIEWED, "/worker"):
            for headers in ({}, bearer(VIEWER), bearer("")):
                answer = client.get(f"/api/symphony{path}", headers=headers)
                assert answer.status_code == 503, path
                assert "docs/http.md" in answer.json()["detail"]
        assert [client.get(f"/api/symphony{path}").status_code for path in OPEN] == [200, 503]
        assert client.post("/api/symphony/tick").status_code == 503


@pytest.mark.parametrize("name", TOKENS)
def test_a_short_secret_and_a_single_text_are_refused(app: Symphony, name: str) -> None:
    wrong: list[tuple[type[Exception], Any]] = [
        (BadArgument, ["x" * 15]),
        (BadArgument, [VIEWER, ""]),
        (TypeError, VIEWER),
    ]
    for error, tokens in wrong:
        options: dict[str, Any] = {name: tokens}
        with pytest.raises(error, match=r"less than 16 characters|list of tokens"):
            create_app(app, **options)


def test_secrets_are_compared_in_constant_time() -> None:
    """No secret is compared by == or by its beginning, and no loop over them ends early."""
    tree = ast.parse(inspect.getsource(access))
    know = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "know"
    )
    (loop,) = [node for node in ast.walk(know) if isinstance(node, ast.For)]
    assert ast.unparse(loop) == (
        "for each in self._digests:\n    found |= compare_digest(each, digest)"
    )
    compared = {
        ast.unparse(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for part in (node.left, *node.comparators)
    }
    assert not any("digest" in each or each == "token" for each in compared)
    (asked,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ListComp) and "know" in ast.unparse(node)
    ]
    assert "in self._secrets.items() if secrets.know(" in ast.unparse(asked)  # all of them


def test_few_guesses_from_an_address(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/worker", "/queue-depth", "/status", "/tick"):
        assert client.post(f"/api/symphony{path}").status_code in (401, 405)  # these are no guesses
    for _ in range(10):
        assert client.get(WORKER, headers=bearer("x" * 20)).status_code == 401
    for token in ("x" * 20, SECRET):
        for path in (WORKER, "/api/symphony/status", "/api/symphony/failed"):
            answer = client.get(path, headers=bearer(token))
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert client.get("/api/symphony/status").status_code in (200, 503)
    an_hour_later = time.monotonic() + 3600
    monkeypatch.setattr(access, "monotonic", lambda: an_hour_later)
    assert client.get(WORKER, headers=bearer(SECRET)).status_code == 200


def test_addresses_are_told_apart_and_forgotten(app: Symphony) -> None:
    def status(host: str) -> int:
        with TestClient(api, client=(host, 1)) as client:
            answer = client.get("/api/symphony/failed", headers=bearer("x" * 20))
            return int(answer.status_code)

    api = create_app(app, **TOKENS)
    assert [status("192.0.2.1") for _ in range(11)] == [401] * 10 + [429]
    assert status("192.0.2.2") == 401
    of_one_network = [status(f"2001:db8::{number:x}") for number in range(11)]
    assert of_one_network == [401] * 10 + [429]
    assert status("2001:db8:0:1::1") == 401
    guesses = access._Guesses()
    for number in range(access.MOST_ADDRESSES + 5):
        guesses.note(str(number))
    assert len(guesses._at) == access.MOST_ADDRESSES


@pytest.mark.parametrize("is_async", [False, True])
def test_the_users_of_the_host_application(app: Symphony, is_async: bool) -> None:
    def found(request: Any) -> User | None:
        name = request.cookies.get("session")
        return None if name is None else User(name, "operator" if name == "ada" else "viewer")

    async def found_async(request: Any) -> User | None:
        return found(request)

    options: dict[str, Any] = {
        "authenticate": found_async if is_async else found,
        "worker_secrets": [],
    }
    depth, tick = "/api/symphony/queue-depth", "/api/symphony/tick"
    with serving(app, viewer_tokens=[], operator_tokens=[], **options) as client:
        assert client.get(depth).status_code == 401
        for name, expected in (("bob", [200, 403]), ("ada", [200, 200])):
            cookie = {"Cookie": f"session={name}"}
            same = {**cookie, "Sec-Fetch-Site": "same-origin"}
            assert [
                client.get(depth, headers=cookie).status_code,
                client.post(tick, headers=same).status_code,
            ] == expected
        for other in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
            {"Origin": "https://evil.example"},
            {},
        ):
            answer = client.post(tick, headers={"Cookie": "session=ada", **other})
            assert answer.status_code == 403, other
        own = {"Cookie": "session=ada", "Origin": "http://testserver"}
        assert client.post(tick, headers=own).status_code == 200
        assert client.post(WORKER, headers=own).status_code == 503  # it has no secret


def test_metrics_may_be_public_and_nothing_else(app: Symphony) -> None:
    with serving(app, metrics_public=True) as client:
        assert client.get("/api/symphony/metrics").status_code == 200
        assert client.get("/api/symphony/failed").status_code == 401


def test_pages_of_named_origins_may_look(app: Symphony) -> None:
    ours, others = "https://status.example.com", "https://evil.example"
    asked = {"Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "authorization"
    with serving(app, cors_origins=[ours]) as client:
        for origin, allowed in ((ours, ours), (others, None)):
            headers = {**bearer(VIEWER), "Origin": origin}
            answer = client.get("/api/symphony/queue-depth", headers=headers)
            assert answer.headers.get("access-control-allow-origin") == allowed
            before = client.options("/api/symphony/failed", headers={"Origin": origin, **asked})
            assert (before.status_code == 200) == (allowed is not None)
            for path in ("worker", "tick"):
                answer = client.options(
                    f"/api/symphony/{path}", headers={"Origin": origin, **asked}
                )
                assert answer.status_code == 405
                assert "access-control-allow-origin" not in answer.headers
    with serving(app) as client:
        answer = client.get("/api/symphony/live", headers={"Origin": ours})
        assert "access-control-allow-origin" not in answer.headers


def test_it_is_made_without_a_database() -> None:
    create_app(Symphony(NOWHERE), **TOKENS)
