"""Forms of the dashboard: limits of a queue, and a test message."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from symphony_pg import Client, Symphony
from tests.helpers import Connection
from tests.http.helpers import VIEWER, paragraphs, serving
from tests.http.test_dashboard import BASE, act, filled, sign_in

__all__ = ["filled"]

LIMITS = f"{BASE}/queue/limits?name=mail"
TEST = f"{BASE}/queue/test?name=mail"


@pytest.fixture
def visitor(app: Symphony, filled: Client) -> Iterator[TestClient]:
    with serving(app) as made:
        sign_in(made)
        yield made


def fields(page: str, action: str) -> dict[str, str]:
    """Return what a form of a page holds."""
    form = page[page.index(f'action="{BASE}/do/{action}"') :].split("</form>")[0]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = (re.search(rf'{each}="([^"]*)"', tag) for each in ("name", "value"))
        if name and value:
            found[name[1]] = html.unescape(value[1])
    return found


def send(visitor: TestClient, action: str, given: dict[str, str]) -> Any:
    return visitor.post(f"{BASE}/do/{action}", data=given, follow_redirects=False)


def settings(client: Client) -> dict[str, str | None]:
    return {each.setting: each.value for each in client.queue_settings("mail")}


def test_limits_are_shown_and_changed(visitor: TestClient, filled: Client) -> None:
    given = fields(visitor.get(LIMITS).text, "set-limits")
    assert given["rate"] == given["concurrency"] == ""
    answer = send(visitor, "set-limits", given | {"concurrency": "7", "rate": "5/minute"})
    assert answer.status_code == 303
    page = visitor.get(answer.headers["location"]).text
    assert "mail: concurrency is 7, rate is 5/minute." in paragraphs(page)
    assert fields(page, "set-limits")["rate"] == "5/60 s"
    (entry,) = filled.audit(action="configure_queue", actor="ada")
    assert entry.arguments == {"queue_name": "mail", "concurrency": 7, "rate": "5/60 s"}
    given = fields(page, "set-limits")
    send(visitor, "set-limits", given | {"concurrency": "", "key_concurrency": " 2 "})
    found = settings(filled)
    assert (found["concurrency"], found["key_concurrency"], found["rate"]) == (None, "2", "5/60 s")


def test_what_somebody_else_has_changed_meanwhile_stays(
    visitor: TestClient, filled: Client
) -> None:
    given = fields(visitor.get(LIMITS).text, "set-limits")
    filled.configure_queue("mail", concurrency=9)
    send(visitor, "set-limits", given | {"key_rate": "1/s"})
    assert settings(filled)["concurrency"] == "9"
    send(visitor, "set-limits", given)
    assert "Nothing was changed." in visitor.get(LIMITS).text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rate", "fast", ['"fast" is no rate', "Write it as 100/1 s", "names 1 to 1,000,000"]),
        ("key_rate", "1/2 years", ['"1/2 years" is no key_rate']),
        ("burst", "5", ['a setting of queue "mail" is out of range', "burst_has_a_rate"]),
        ("concurrency", "-1", ["out of range", "queue_concurrency_is_sane"]),
        ("concurrency", "200000", ["out of range"]),
        ("concurrency", "many", ["'many' is no concurrency. Write a number."]),
        ("key_concurrency", "9999999999", ["is no key concurrency"]),
    ],
)
def test_what_cannot_be_a_limit_is_told_in_the_words_of_the_database(
    visitor: TestClient, filled: Client, name: str, value: str, told: list[str]
) -> None:
    given = fields(visitor.get(LIMITS).text, "set-limits") | {"key_concurrency": "3"}
    answer = send(visitor, "set-limits", given | {name: value})
    assert answer.status_code == 400
    shown = " ".join(paragraphs(answer.text)).lower()
    for each in told:
        assert each.lower() in shown
    assert 'role="alert"' in answer.text
    again = fields(answer.text, "set-limits")
    assert again[name] == value  # what was typed is still there
    assert again["key_concurrency"] == (value if name == "key_concurrency" else "3")
    assert settings(filled)["key_concurrency"] is None, "all of it or nothing"


def test_a_viewer_sees_limits_and_no_form(app: Symphony, filled: Client) -> None:
    filled.configure_queue("mail", rate="5/minute")
    with serving(app) as visitor:
        sign_in(visitor, VIEWER)
        page = visitor.get(LIMITS).text
        assert "5/60 s" in page and "<fieldset>" in page and "/do/" not in page
        assert visitor.get(TEST).status_code == 403
        assert "queue/test" not in visitor.get(f"{BASE}/queue?name=mail").text


def test_a_test_message_is_sent_after_a_second_look(visitor: TestClient, filled: Client) -> None:
    page = visitor.get(TEST).text
    given = fields(page, "test-message") | {"type": "B", "body": '{"a": "<b>"}', "key": "k1"}
    answer = send(visitor, "test-message", given)
    assert answer.status_code == 200
    assert "Send it into mail?" in paragraphs(answer.text)
    assert "&lt;b&gt;" in answer.text
    assert filled.list_messages("pending", "mail") == [], "it was only looked at"
    forms = answer.text.split("<form")
    (sure,) = (f"<form{each}" for each in forms if 'name="confirmed"' in each)
    answer = send(visitor, "test-message", fields(sure, "test-message"))
    assert answer.headers["location"] == f"{BASE}/queue?name=mail"
    (found,) = filled.list_messages("pending", "mail")
    assert (found.type, found.group_of) == ("B", "k1")
    assert found.message_id is not None
    sent = filled.message_status(found.message_id)
    assert sent is not None and sent.body == {"a": "<b>"}
    (entry,) = filled.audit(actor="ada")
    told = f"Test message {found.message_id} of the type B is enqueued into mail."
    assert (entry.action, entry.arguments) == ("note", {"remark": told})
    assert told in visitor.get(f"{BASE}/queue?name=mail").text


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"type": ""}, 400, "The field type is empty"),
        ({"body": "{"}, 400, "The body is not JSON"),
        ({"body": "NaN"}, 400, "JSON has no NaN"),
        ({"body": "[" * 100_000}, 400, "The body is not JSON"),
        ({"body": "null", "confirmed": "yes"}, 400, "The body is null"),
        ({"type": "x" * 300, "confirmed": "yes"}, 400, "type"),
        ({"queue": "nothing", "confirmed": "yes"}, 404, "nothing"),
    ],
)
def test_what_cannot_be_a_message(
    visitor: TestClient, filled: Client, changed: dict[str, str], status: int, told: str
) -> None:
    given = fields(visitor.get(TEST).text, "test-message")
    answer = send(visitor, "test-message", given | {"type": "B", "body": "{}"} | changed)
    assert answer.status_code == status
    assert told in " ".join(paragraphs(answer.text))
    assert filled.list_messages("pending", "mail") == []


def test_a_message_can_be_changed_before_it_is_sent(visitor: TestClient) -> None:
    given = fields(visitor.get(TEST).text, "test-message")
    given |= {"type": "B", "body": "[1]", "again": "yes"}
    page = send(visitor, "test-message", given).text
    assert fields(page, "test-message")["type"] == "B"
    assert ">[1]</textarea>" in page


def test_only_our_own_errors_are_told_in_their_words(visitor: TestClient, conn: Connection) -> None:
    """PostgreSQL itself raises 22023 as well, and tells how it is inside."""
    pause = "create or replace function symphony.pause_queue(queue_name text) returns boolean "
    inner = "language sql as $$ select set_config('work_mem', 'much', true) is null $$"
    ours = "language plpgsql as $$ begin raise 'not today' using errcode = '55000'; end $$"
    for body, status, told in ((inner, 400, False), (ours, 409, True)):
        conn.execute(pause + body)
        answer = act(visitor, "pause-queue", queue="mail")
        assert answer.status_code == status
        assert ("Not today" in answer.text, "work_mem" in answer.text) == (told, False)


def test_an_operator_needs_a_producer_s_access_to_send(
    app: Symphony, filled: Client, conn: Connection, dsn: str
) -> None:
    from psycopg.conninfo import make_conninfo

    conn.execute("drop role if exists dash_sends")
    conn.execute("create role dash_sends login password 'x'")
    filled.grant_access("dash_sends", "operator")
    acts = make_conninfo(dsn, user="dash_sends", password="x")
    message = {"queue": "mail", "type": "B", "body": "1", "confirmed": "yes"}
    try:
        with serving(app, operator_dsn=acts) as visitor:
            sign_in(visitor)
            assert act(visitor, "test-message", **message).status_code == 403
            filled.grant_access("dash_sends", "producer")
            assert act(visitor, "test-message", **message).status_code == 303
    finally:
        for access in ("operator", "producer"):
            filled.revoke_access("dash_sends", access)
        conn.execute("drop role dash_sends")
