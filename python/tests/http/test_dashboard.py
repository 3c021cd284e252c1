"""The dashboard without a browser: pages, actions, sessions, and what may not be done."""

import hashlib
import html
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from symphony_pg import Client, Symphony
from symphony_pg.database.functions.messages import STATES
from symphony_pg.http import User
from symphony_pg.http.dashboard.rendering import redacted, restored
from symphony_pg.http.dashboard.search import parse
from symphony_pg.http.figures import FRESH, Figures
from symphony_pg.http.problems import Problem
from tests.helpers import Connection, fail
from tests.http.helpers import OPERATOR, VIEWER, bearer, paragraphs, serving

BASE = "/symphony"
PAGES = (
    *("/", "/failed", "/messages", "/workers", "/schedules", "/transports", "/keys", "/audit"),
    *(
        "/settings",
        "/queue?name=mail",
        "/queue?name=orders&range=day",
        "/queue/limits?name=mail",
        "/queue/purge?name=mail",
        "/queue/purge?name=orders",
        "/type?queue=mail&name=A",
        "/type?queue=mail&name=A&range=week",
        "/schedules?name=nightly",
        "/messages/1",
    ),
    *("/failed/group?queue=mail&type=A", "/failed/preview?queue=mail&type=A&error_class=Boom"),
    *("/messages?q=queue:mail+state:failed", "/messages?q=type:A+since:2h", "/failed?queue=mail"),
)
# What was vendored is what its authors have published: htmx.org 2.0.11, uplot 1.6.32.
VENDORED = {
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "htmx.LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
}
CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@pytest.fixture
def filled(client: Client) -> Client:
    """A database in which each page has something to show."""
    client.create_queue("mail", retry_delay=timedelta(seconds=1))
    client.create_queue("orders", ordered=True)
    client.create_transport("mail", queue_name="mail")
    client.set_routes("A", ["mail"])
    client.create_schedule("nightly", "B", "cron", {"expression": "0 2 * * *"}, queue_name="mail")
    fail(client, 3, "A", "Boom", queue="mail")
    client.enqueue_batch([{"message_type": "B", "queue_name": "orders", "group_key": "k"}] * 3)
    client.claim_batch(["orders"], batch_size=1, worker="w1")
    stuck = [{"message_id": 4, "message_type": "B", "seconds": 7.5}, {"message_id": None}, 1]
    client.heartbeat("w1", ["orders"], {"stuck": stuck})
    work = {"message_type": "A", "queue_name": "mail", "handled": 3, "failed": 3}
    client.heartbeat("w0", ["mail"], {}, work=[work | {"worked": [[9, 3]]}])
    return client


@pytest.fixture
def visitor(app: Symphony, filled: Client) -> Iterator[TestClient]:
    with serving(app) as made:
        yield made


def sign_in(visitor: TestClient, token: str = OPERATOR, name: str = "ada") -> Any:
    page = visitor.get(f"{BASE}/sign-in")
    return visitor.post(
        f"{BASE}/sign-in", data={"token": token, "name": name, "proof": proof(page.text)}
    )


def proof(text: str) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', text)
    assert found
    return found[1]


def act(visitor: TestClient, action: str, **fields: Any) -> Any:
    page = visitor.get(f"{BASE}/audit")
    return visitor.post(
        f"{BASE}/do/{action}",
        data={"proof": proof(page.text), "next": f"{BASE}/audit", **fields},
        follow_redirects=False,
    )


@pytest.mark.parametrize("token", [VIEWER, OPERATOR])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_shown(visitor: TestClient, page: str, token: str) -> None:
    assert sign_in(visitor, token).status_code == 200
    answer = visitor.get(BASE + page)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"] == CSP
    assert ("/do/" in answer.text) <= (token == OPERATOR)
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=|hx-on|javascript:", answer.text)


def test_every_link_leads_somewhere(visitor: TestClient) -> None:
    sign_in(visitor)
    links = set[str]()
    for page in PAGES:
        text = visitor.get(BASE + page).text
        links |= {html.unescape(each) for each in re.findall(r'(?:href|src)="([^"#]+)"', text)}
    lost = [each for each in links if visitor.get(each).status_code != 200]
    assert len(links) > 50 and not lost


def test_what_is_wrong_comes_first(conn: Connection, visitor: TestClient) -> None:
    conn.execute("update symphony.worker set started_at = started_at - interval '1 hour'")
    sign_in(visitor)  # and nothing has ticked in that hour
    text = visitor.get(f"{BASE}/").text
    assert 0 < text.index('id="now"') < text.index('class="tiles"') < text.index('id="queues"')
    assert re.search(r'id="now">\d+ things? (is|are) wrong<', text)


@pytest.mark.parametrize(
    ("table", "hidden", "shown"),
    [
        ("message", ["/workers", "/queue?name=mail"], ["/failed", "/schedules"]),
        ("failed_message", ["/failed", "/failed?queue=mail", "/queue?name=mail"], ["/workers"]),
    ],
)
def test_a_locked_table_hides_figures_and_not_what_is_wrong(
    conn: Connection, visitor: TestClient, table: str, hidden: list[str], shown: list[str]
) -> None:
    with conn.transaction():
        conn.execute(f"lock table symphony.{table} in access exclusive mode")
        first = sign_in(visitor)
        refused = {visitor.get(BASE + path).status_code for path in hidden}
        others = [visitor.get(BASE + path) for path in shown]
    assert first.status_code == 200
    assert f"Table symphony.{table} is locked" in paragraphs(first.text)[1]
    assert 'class="tiles"' not in first.text
    assert refused == {503}, "they would say that there is nothing"
    assert [each.status_code for each in others] == [200] * len(others)
    assert not any('class="empty"' in each.text for each in others)


def test_what_a_worker_does(visitor: TestClient) -> None:
    sign_in(visitor)
    text = visitor.get(f"{BASE}/workers").text
    assert text.count('/symphony/messages/4">4</a> B <small>7.5 s</small>') == 1
    assert text.count(">over its limit<") == 2


def test_nobody_looks_without_a_token(app: Symphony, visitor: TestClient) -> None:
    answer = visitor.get(f"{BASE}/failed?queue=mail", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/symphony/sign-in?next=%2Fsymphony%2Ffailed%3Fqueue%3Dmail"
    )
    assert sign_in(visitor, "x" * 20).status_code == 401
    assert visitor.get(f"{BASE}/", follow_redirects=False).status_code == 303
    assert visitor.post(f"{BASE}/do/pause-queue", data={"queue": "mail"}).status_code == 403
    with serving(app, viewer_tokens=[], operator_tokens=[]) as closed:
        assert closed.get(f"{BASE}/").status_code == 503
    with serving(app, dashboard_path=None) as without:
        assert without.get(f"{BASE}/").status_code == 404


def test_a_session_ends_with_its_token_and_in_time(
    app: Symphony, visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(visitor, VIEWER)
    cookie = visitor.cookies["symphony_session"]
    assert VIEWER not in cookie

    def looks(cookie: str, **options: Any) -> bool:
        with serving(app, **options) as other:
            other.cookies.set("symphony_session", cookie)
            return other.get(f"{BASE}/audit", follow_redirects=False).status_code == 200

    assert looks(cookie)
    assert looks(cookie, viewer_tokens=["another-token-0123456789", VIEWER])
    assert not looks(cookie, viewer_tokens=["another-token-0123456789"])
    assert not looks(cookie.replace("viewer.", "operator.", 1))
    assert not looks(cookie[:-1] + ("0" if cookie[-1] != "0" else "1"))
    monkeypatch.setattr("symphony_pg.http.dashboard.session.time.time", lambda: 4e9)
    assert not looks(cookie)


def test_signing_out(visitor: TestClient) -> None:
    sign_in(visitor, VIEWER)
    page = visitor.get(f"{BASE}/audit")
    visitor.post(f"{BASE}/sign-out", data={"proof": proof(page.text)})
    assert visitor.get(f"{BASE}/audit", follow_redirects=False).status_code == 303


def test_forms_of_other_pages_are_refused(visitor: TestClient, conn: Connection) -> None:
    sign_in(visitor)
    page = visitor.get(f"{BASE}/audit")
    whole = {"queue": "mail", "proof": proof(page.text)}

    def status(fields: dict[str, str], **headers: str) -> int:
        headers = {name.replace("_", "-"): each for name, each in headers.items()}
        return visitor.post(
            f"{BASE}/do/pause-queue", data=fields, headers=headers, follow_redirects=False
        ).status_code

    assert status({"queue": "mail"}) == status({"queue": "mail", "proof": "x" * 43}) == 403
    assert status(whole, sec_fetch_site="cross-site") == 403
    assert status(whole, sec_fetch_site="same-site") == 403
    assert status(whole, origin="https://evil.example") == 403
    assert not conn.execute("select paused from symphony.queue_stats('mail')").fetchall()[0][0]
    assert status(whole, sec_fetch_site="same-origin") == 303
    assert visitor.get(f"{BASE}/do/pause-queue").status_code == 405


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "/symphony//x", "/x"]
)
def test_no_page_leads_elsewhere(visitor: TestClient, wanted: str) -> None:
    sign_in(visitor)
    answer = act(visitor, "pause-queue", queue="mail", next=wanted)
    assert answer.headers["location"] == f"{BASE}/"
    answer = visitor.get(f"{BASE}/theme", params={"next": wanted}, follow_redirects=False)
    assert answer.headers["location"] == f"{BASE}/"


@pytest.mark.parametrize("action", ["retry-group", "remove-group"])
def test_a_bulk_action_touches_what_was_there_at_the_preview(
    visitor: TestClient, filled: Client, conn: Connection, action: str
) -> None:
    sign_in(visitor)
    page = visitor.get(f"{BASE}/failed/preview?queue=mail&type=A&error_class=Boom").text
    assert "<h1>3 messages</h1>" in page
    form = page[page.index(f'action="/symphony/do/{action}"') :].split("</form>")[0]
    fields = {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)
    }
    others = fail(filled, 2, "A", "Boom", queue="mail")  # seen late, and stamped early
    conn.execute("update symphony.failed_message set failed_at = %s where message_id = any (%s)", [
        "2000-01-01T00:00:00Z", others
    ])  # fmt: skip
    filled.remove_failed([1])  # the number does not keep them out
    answer = visitor.post(
        f"{BASE}/do/{action}", data={**fields, "per_second": ""}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert {each.message_id for each in filled.failed_messages("mail")} == {*others}
    assert filled.queue_stats("mail")[0].pending == (2 if action == "retry-group" else 0)


def test_a_group_of_any_error_is_not_taken_for_one_of_none(
    visitor: TestClient, filled: Client
) -> None:
    fail(filled, 1, "A", "Other", queue="mail")
    sign_in(visitor)
    for page in ("group", "preview"):
        told = {
            asked: re.findall(
                r'<code class="error">([^<]*)</code>',
                visitor.get(f"{BASE}/failed/{page}?queue=mail&type=A{asked}").text,
            )
            for asked in ("", "&error_class=Boom", "&error_class=")
        }
        assert told[""] == ["any error"] and told["&error_class=Boom"] == ["Boom"]
        assert told["&error_class="] in (["no class of error"], [])  # nothing to do has no name
    assert "<h1>4 messages</h1>" in visitor.get(f"{BASE}/failed/preview?queue=mail&type=A").text


def test_a_purge_removes_what_was_there_at_the_preview(visitor: TestClient, filled: Client) -> None:
    filled.enqueue_batch([{"message_type": "C", "queue_name": "mail"}] * 3)
    sign_in(visitor)
    page = visitor.get(f"{BASE}/queue/purge?name=mail").text
    assert "<h1>3 pending messages</h1>" in page
    form = page[page.index('action="/symphony/do/purge-queue"') :].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    late = filled.enqueue_batch([{"message_type": "C", "queue_name": "mail"}] * 2)
    answer = visitor.post(f"{BASE}/do/purge-queue", data=fields, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/queue?name=mail")
    assert [each.message_id for each in filled.claim_batch(["mail"])] == late
    assert act(visitor, "purge-queue", queue="mail").status_code == 400  # nobody has seen it
    assert act(visitor, "purge-queue", queue="mail", seen="x").status_code == 400
    assert "There is nothing to do" in visitor.get(f"{BASE}/queue/purge?name=mail").text


def test_secrets_are_not_shown_and_survive_an_edit(visitor: TestClient, filled: Client) -> None:
    body = {"to": "ada", "card": {"token": "tok_1"}, "list": [{"password": "p"}, 1.5]}
    fail_one = filled.enqueue("C", body, queue_name="mail")
    (claimed,) = filled.claim_batch(["mail"])
    filled.nack_with_backoff(claimed.claim_id, fail_one, "it broke", "Boom", retryable=False)
    sign_in(visitor)
    page = visitor.get(f"{BASE}/messages/{fail_one}").text
    assert "tok_1" not in page and "[redacted]" in page
    edited = redacted(body) | {"to": "eve"}
    broken = act(visitor, "replay-message", id=fail_one, body="{")
    assert broken.status_code == 400 and "not JSON" in broken.text
    nothing = act(visitor, "replay-message", id=fail_one, body="null")
    assert nothing.status_code == 400 and "body is null" in nothing.text
    act(visitor, "replay-message", id=fail_one, body=json.dumps(edited))
    found = filled.message_status(fail_one)
    assert found is not None and found.body == body | {"to": "eve"}
    (replayed,) = [each for each in filled.message_history(fail_one) if each.event == "replayed"]
    assert replayed.old_body == body
    assert "Body before" in visitor.get(f"{BASE}/messages/{fail_one}").text


def test_what_was_edited_and_what_was_not() -> None:
    original = {"a": 1, "token": "s", "list": [{"secret": "t"}, 2]}
    shown = redacted(original)
    assert shown == {"a": 1, "token": "[redacted]", "list": [{"secret": "[redacted]"}, 2]}
    assert restored(shown, original) == original
    assert restored({"token": "new"}, original) == {"token": "new"}
    assert restored(shown | {"list": shown["list"] + [3]}, original) == original | {
        "list": [{"secret": "t"}, 2, 3]
    }
    assert restored([], original) == []


def test_names_and_texts_cannot_break_out(visitor: TestClient, filled: Client) -> None:
    evil = "<script>alert(1)</script>"
    filled.create_queue("evil")
    fail(filled, 1, "T", evil, queue="evil")
    sign_in(visitor, OPERATOR, evil)
    for page in ("/", "/failed", "/failed/group?queue=evil", "/messages?q=queue:evil"):
        text = visitor.get(BASE + page).text
        assert "<script>" not in text and "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hello", "'hello' is not understood"),
        ("state:lost", "there is no state 'lost'"),
        ("since:soon", "'soon' is not a time"),
        ("since:999999d", "'999999d' is not a time"),
        ("until:99999999999d", "'99999999999d' is not a time"),
        ("type:'x", "a quotation mark is not closed"),
    ],
)
def test_a_search_that_is_not_understood(visitor: TestClient, text: str, title: str) -> None:
    with pytest.raises(Problem, match=re.escape(title)):
        parse(text)
    sign_in(visitor)
    answer = visitor.get(f"{BASE}/messages", params={"q": text})
    assert answer.status_code == 400
    assert html.escape(title[1:], quote=False).replace("'", "&#39;") in answer.text


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_searched(client: Client, state: str) -> None:
    found = parse(f"state:{state} since:7d")
    assert found["state"] == state  # type: ignore[index]
    assert client.list_messages(**found) == []  # type: ignore[arg-type]


def test_a_search(visitor: TestClient) -> None:
    sign_in(visitor)
    answer = visitor.get(f"{BASE}/messages?q=2", follow_redirects=False)
    assert answer.headers["location"] == f"{BASE}/messages/2"
    found = visitor.get(f"{BASE}/messages", params={"q": "queue:orders state:processing"}).text
    assert len(re.findall(r'<th scope="row"><a href="/symphony/messages/', found)) == 1
    for no_message in (99, 2**63 - 1, 2**63):
        assert visitor.get(f"{BASE}/messages/{no_message}").status_code == 404


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the calls that the pages read by, as they come."""
    found: list[str] = []
    read = Figures.read

    async def counted(self: Figures, call: Any) -> Any:
        found.append(call.statement.decode())
        return await read(self, call)

    monkeypatch.setattr(Figures, "read", counted)
    return found


def test_twenty_who_watch_ask_the_queries_of_one(
    app: Symphony, filled: Client, asked: list[str]
) -> None:
    with serving(app) as visitor:
        for _ in range(20):
            assert visitor.get(f"{BASE}/", headers=bearer(VIEWER)).status_code == 200
    assert len(asked) == 5, asked


def test_twenty_at_a_time_for_many_periods_ask_the_queries_of_one(
    app: Symphony, filled: Client, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let them all look in each of some periods; only the sparklines are fresh for longer."""
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now, time=time.time)
    monkeypatch.setattr("symphony_pg.http.figures.time", clock)  # that of the event loop goes on

    def look(visitor: TestClient) -> int:
        return visitor.get(f"{BASE}/", headers=bearer(VIEWER)).status_code

    def watch(viewers: int) -> list[int]:
        nonlocal now
        counts = []
        with serving(app) as visitor, ThreadPoolExecutor(viewers) as many:
            for _ in range(4):
                asked.clear()
                assert {*many.map(look, [visitor] * viewers)} == {200}
                counts.append(len(asked))
                now += FRESH
        return counts

    assert watch(20) == watch(1) == [5, 4, 4, 4]


def test_it_rests_when_nobody_watches(
    app: Symphony, filled: Client, conn: Connection, asked: list[str]
) -> None:
    def statements() -> list[Any]:
        return conn.execute(
            "select pid, query_start, state from pg_stat_activity "
            "where datname = current_database() and backend_type = 'client backend' "
            "and pid <> pg_backend_pid() order by 1"
        ).fetchall()

    with serving(app) as visitor:
        assert visitor.get(f"{BASE}/", headers=bearer(VIEWER)).status_code == 200
        known, before = len(asked), statements()
        assert before and {state for _, _, state in before} == {"idle"}
        time.sleep(2.5 * FRESH)
        assert (len(asked), statements()) == (known, before)


def test_where_it_is_mounted_and_users_of_the_host(app: Symphony, filled: Client) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from symphony_pg.http import create_app

    def known(request: Any) -> User | None:
        name = request.cookies.get("who")
        return User(name, "operator") if name else None

    api = create_app(app, dashboard_path="", path="/api", authenticate=known)
    with TestClient(Starlette(routes=[Mount("/ops/queue", api)])) as visitor:
        visitor.cookies.set("who", "grace")
        page = visitor.get("/ops/queue/audit")
        assert page.status_code == 200
        assert {*re.findall(r'(?:href|src|action)="(/[^/"]*/?)', page.text)} == {"/ops/"}
        answer = visitor.post(
            "/ops/queue/do/pause-queue",
            data={"queue": "mail", "proof": proof(page.text), "next": "/ops/queue/"},
            headers={"sec-fetch-site": "same-origin"},
            follow_redirects=False,
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/queue/")
    api.state.close()
    assert filled.audit(actor="grace")


def test_viewers_and_operators_are_roles_of_the_database(
    app: Symphony, filled: Client, conn: Connection, dsn: str
) -> None:
    from psycopg.conninfo import make_conninfo

    for name, access in (("dash_looks", "observer"), ("dash_acts", "operator")):
        conn.execute(f"drop role if exists {name}")
        conn.execute(f"create role {name} login password 'x'")
        filled.grant_access(name, access)
    looks, acts = (
        make_conninfo(dsn, user=name, password="x") for name in ("dash_looks", "dash_acts")
    )
    try:
        with serving(app, dsn=looks, operator_dsn=acts) as visitor:
            sign_in(visitor)
            for page in PAGES:
                assert visitor.get(BASE + page).status_code == 200, page
            assert act(visitor, "pause-queue", queue="mail").status_code == 303
        (entry,) = filled.audit(action="pause_queue")
        assert (entry.role_name, entry.actor) == ("dash_acts", "ada")
        with serving(app, dsn=looks, operator_dsn=looks) as visitor:
            sign_in(visitor)
            assert act(visitor, "resume-queue", queue="mail").status_code == 403
    finally:
        for name, access in (("dash_looks", "observer"), ("dash_acts", "operator")):
            filled.revoke_access(name, access)
            conn.execute(f"drop role {name}")


def test_what_was_vendored_is_whole() -> None:
    folder = resources.files("symphony_pg.http.dashboard") / "static"
    found = {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.iterdir()
        if each.name in VENDORED
    }
    assert found == VENDORED
    assert len((folder / "symphony.css").read_bytes()) <= 12_000
