"""Who may do what, over all routes there are: what is new fails here until it is in the tables."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from symphony_pg import Client, Symphony
from symphony_pg.http import create_app
from symphony_pg.http.dashboard.actions import ACTIONS
from tests.helpers import Connection
from tests.http.helpers import OPERATOR, TOKENS, VIEWER, bearer, serving
from tests.http.test_dashboard import BASE, PAGES, act, filled, proof, sign_in

__all__ = ["filled"]


class Do(NamedTuple):
    """What an action is given, what its row in the audit trail says, and what goes before it."""

    fields: dict[str, Any]
    audit: str
    first: Callable[[Client], object] = lambda _: None


def hold_key(client: Client) -> None:
    """Let the first message of a key wait for its retry, and the others for it."""
    found = client.conn.execute(
        "select claim_id from symphony.claim where worker = 'w1'"
    ).fetchone()
    assert found is not None
    client.nack_with_backoff(found[0], 4, "it broke", "Boom", retry_after=timedelta(hours=1))
    assert client.claim_batch(["orders"]) == []


MAIL, ONE, GROUP = (
    {"queue": "mail"},
    {"id": 1, "body": "7"},
    {"queue": "mail", "type": "A", "until": "2100-01-01T00:00:00Z", "up_to_id": 9, "at_most": 2},
)
WORKER, SCHEDULE, TRANSPORT = {"worker": "w1"}, {"schedule": "nightly"}, {"transport": "mail"}
DONE = {
    "pause-queue": Do(MAIL, "pause_queue"),
    "resume-queue": Do(MAIL, "resume_queue", lambda client: client.pause_queue("mail")),
    "purge-queue": Do({"queue": "orders", "seen": "9999999:9999999:"}, "purge_queue"),
    "set-limits": Do({**MAIL, "concurrency": "5"}, "configure_queue"),
    "test-message": Do({**MAIL, "type": "T", "body": "{}", "confirmed": "yes"}, "note"),
    "cancel-message": Do({"id": 6}, "note"),
    "retry-message": Do(ONE, "retry_failed"),
    "remove-message": Do(ONE, "remove_failed"),
    "replay-message": Do(ONE, "retry_failed"),
    "retry-group": Do(GROUP, "retry_failed"),
    "remove-group": Do(GROUP, "remove_failed"),
    "stop-worker": Do(WORKER, "request_workers"),
    "pause-worker": Do(WORKER, "request_workers"),
    "resume-worker": Do(WORKER, "request_workers"),
    "run-schedule": Do(SCHEDULE, "run_schedule_now"),
    "pause-schedule": Do(SCHEDULE, "pause_schedule"),
    "resume-schedule": Do(
        SCHEDULE, "resume_schedule", lambda client: client.pause_schedule("nightly")
    ),
    "disable-transport": Do(TRANSPORT, "disable_transport"),
    "enable-transport": Do(
        TRANSPORT, "enable_transport", lambda client: client.disable_transport("mail")
    ),
    "release-key": Do({"queue": "orders", "key": "k"}, "release_key", hold_key),
}
# What is posted to elsewhere, and which answer a viewer gets: only his own session is his.
ELSEWHERE = {
    f"{BASE}/sign-in": 401,
    f"{BASE}/sign-out": 303,
    "/api/symphony/worker": 403,
    "/api/cron/symphony-worker": 403,
    "/api/symphony/tick": 403,
}


@pytest.fixture
def visitor(app: Symphony, filled: Client) -> Iterator[TestClient]:
    with serving(app) as made:
        yield made


def routes(app: Symphony) -> list[Route]:
    api = create_app(app, **TOKENS)
    api.state.close()
    return [each for each in api.routes if isinstance(each, Route)]


def audit(client: Client) -> list[tuple[str, str | None]]:
    return [(each.action, each.actor) for each in client.audit() if each.actor]


def test_every_route_that_takes_a_post_is_in_a_table(app: Symphony) -> None:
    posted = {each.path for each in routes(app) if "POST" in (each.methods or ())}
    assert posted == {*ELSEWHERE, f"{BASE}/do/{{action}}"}
    others = {each for route in routes(app) for each in route.methods or ()}
    assert others == {"GET", "HEAD", "POST"}


def test_every_action_is_in_a_table() -> None:
    assert {*DONE} == {*ACTIONS, "replay-message"}


def test_every_page_is_in_the_list_that_the_browser_walks(app: Symphony) -> None:
    pages = [each for each in routes(app) if each.path.startswith(f"{BASE}/")]
    looked = [
        {
            "type": "http",
            "method": "GET",
            "path": f"{BASE}{page}".partition("?")[0],
            "root_path": "",
        }
        for page in PAGES
    ]
    seen = {each.path for each in pages if any(each.matches(at)[0] == Match.FULL for at in looked)}
    shown = {each.path for each in pages if "GET" in (each.methods or ())}
    files = {f"{BASE}/static/{{name}}", f"{BASE}/theme"}
    assert shown - seen == {*files, f"{BASE}/sign-in", f"{BASE}/queue/test"}  # for operators alone


def test_several_databases_have_the_pages_of_one_and_a_first_page(
    app: Symphony, filled: Client, dsn: str
) -> None:
    api = create_app(app, **TOKENS, databases={"a": dsn, "b": dsn})
    api.state.close()
    several = {each.path for each in api.routes if isinstance(each, Route)}
    pages = {each.path for each in routes(app) if each.path.startswith(f"{BASE}/")}
    of_nobody = {f"{BASE}/{each}" for each in ("sign-in", "sign-out", "theme", "static/{name}")}
    of_each = {each.removeprefix(BASE) for each in pages - of_nobody}
    expected = {f"{BASE}/db/{name}{page}" for name in "ab" for page in of_each}
    shown = {each for each in several if each.startswith(f"{BASE}/")}
    assert shown == expected | of_nobody | {f"{BASE}/"}


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_viewer_changes_nothing_but_his_session(
    visitor: TestClient, filled: Client, path: str
) -> None:
    sign_in(visitor, VIEWER)
    page = visitor.get(f"{BASE}/audit").text
    fields = {"proof": proof(page), "token": "x" * 20}
    options: Any = {} if path.startswith(BASE) else {"headers": bearer(VIEWER)}
    answer = visitor.post(path, data=fields, follow_redirects=False, **options)
    assert answer.status_code == ELSEWHERE[path]
    assert audit(filled) == []


@pytest.mark.parametrize("action", DONE)
def test_an_operator_acts_with_a_row_in_the_audit_trail_and_a_viewer_does_not(
    visitor: TestClient, filled: Client, conn: Connection, action: str
) -> None:
    fields, told, first = DONE[action]
    first(filled)
    sign_in(visitor, VIEWER)
    assert act(visitor, action, **fields).status_code == 403
    assert (
        visitor.post(f"{BASE}/do/{action}", data=fields, headers=bearer(VIEWER)).status_code == 403
    )
    assert audit(filled) == []
    sign_in(visitor, OPERATOR, "ada & eve")
    answer = act(visitor, action, **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/audit")
    shown = visitor.get(f"{BASE}/audit").text
    assert 'role="status">' in shown.split("<main")[1][:200]
    assert audit(filled) == [(told, "ada & eve")]
    assert "ada &amp; eve" in shown
