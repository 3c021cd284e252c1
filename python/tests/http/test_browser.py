"""The dashboard in a real Chromium: every page, in two colours, three widths, without scripts.

Playwright runs an event loop of its own in the thread of the tests, and is stopped with this file,
so that other files may run theirs.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from psycopg.conninfo import make_conninfo

from fetch import axe, chromium
from symphony_pg import Client, Symphony
from symphony_pg.http import create_app
from tests.helpers import Connection, fail
from tests.http.helpers import OPERATOR, TOKENS, VIEWER
from tests.http.test_acts import DONE, hold_key
from tests.http.test_dashboard import PAGES, filled
from tests.http.test_many import many_queues

__all__ = ["filled"]

ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PREVIEW = "/failed/preview?queue=mail&type=A"
WIDTHS = (360, 1280, 1920)
COLOURS: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = chromium.obtain()
    if found is None:
        pytest.skip("there is no Chromium")
    program, environment = found
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program,
            env={**environment},
            chromium_sandbox=False,
            args=list(ARGUMENTS),
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def rules() -> str:
    script = axe.obtain()
    if script is None:
        pytest.skip("there is no axe-core")
    return script


@pytest.fixture
def address(app: Symphony, filled: Client) -> Iterator[str]:
    with at_a_port(app) as found:
        yield found


@contextmanager
def at_a_port(app: Symphony, **options: Any) -> Iterator[str]:
    """Serve the dashboard at a free port."""
    api = create_app(app, **TOKENS, **options)
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/symphony"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def visiting(
    browser: Browser,
    address: str,
    token: str = OPERATOR,
    refused: tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Page]:
    """Open a page of somebody who has signed in.

    Scripts must not fail, and nothing is refused but what is to be.
    """
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(10_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
    page.goto(f"{address}/")
    page.get_by_label("Token").fill(token)
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield page
    context.close()
    assert len(troubles) == len(refused), troubles
    for trouble, status in zip(troubles, refused, strict=True):
        assert f"responded with a status of {status}" in trouble


def judged(page: Page, rules: str, name: str) -> list[str]:
    """Return what is wrong with a page, in three widths, light and dark: it follows both."""
    found: list[str] = []
    page.evaluate(rules)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name} is too wide for {width}")
        for colours in COLOURS:
            page.emulate_media(color_scheme=colours)
            for each in page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]:
                node = each["nodes"][0]["html"][:200]
                found.append(f"{name}, {width}, {colours}: {each['id']}: {node}")
    return found


def test_every_page_fits_and_hinders_nobody(browser: Browser, rules: str, address: str) -> None:
    found: list[str] = []
    with visiting(browser, address, reduced_motion="reduce") as page:
        for path in (*PAGES, "/queue/test?name=mail"):
            page.goto(address + path)
            found += judged(page, rules, path)
    assert not found, "\n".join(found)


def test_pages_of_several_databases_fit_and_hinder_nobody(
    browser: Browser, rules: str, app: Symphony, filled: Client, dsn: str
) -> None:
    away = make_conninfo(dsn, port=1)
    with (
        at_a_port(app, databases={"shop": dsn, "billing": dsn, "away": away}) as address,
        visiting(browser, address, reduced_motion="reduce") as page,
    ):
        expect(page.get_by_role("heading", level=2)).to_have_count(3)
        found = judged(page, rules, "databases")
        page.get_by_role("link", name="shop").click()
        page.get_by_text("Database", exact=True).click()
        expect(page.get_by_role("link", name="billing")).to_be_visible()
        found += judged(page, rules, "a page of several, and the switch")
    assert not found, "\n".join(found)


def test_what_stands_between_pages_fits_and_hinders_nobody(
    browser: Browser, rules: str, address: str, conn: Connection
) -> None:
    """The form to sign in, what is refused, a question before an action, and long lists."""
    many_queues(conn)
    refused = ("404", "400", "400")
    with visiting(browser, address, refused=refused, reduced_motion="reduce") as page:
        found: list[str] = []
        for path in ("/queue?name=nothing", "/messages?q=hello", "/", "/?find=mail"):
            page.goto(address + path)
            found += judged(page, rules, path)
        page.goto(f"{address}/queue/test?name=mail&type=T")
        page.get_by_role("button", name="Look at it").click()
        found += judged(page, rules, "a test message before it is sent")
        page.goto(f"{address}/queue/limits?name=mail")
        page.get_by_role("textbox", name="Burst").fill("5")
        page.get_by_role("button", name="Change the limits").click()
        expect(page.get_by_role("alert")).to_be_visible()
        found += judged(page, rules, "limits that are refused")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        found += judged(page, rules, "sign in")
    assert not found, "\n".join(found)


def test_a_page_renews_itself_and_keeps_the_focus(
    browser: Browser, address: str, filled: Client
) -> None:
    with visiting(browser, address) as page:
        page.locator("#pause-mail").focus()
        fail(filled, 1, "Late", "TooLate")
        expect(page.get_by_role("link", name="Late")).to_be_visible()
        expect(page.locator("#pause-mail")).to_be_focused()


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_operator_acts(
    browser: Browser, address: str, filled: Client, conn: Connection, has_scripts: bool
) -> None:
    with visiting(browser, address, refused=("400",), java_script_enabled=has_scripts) as page:
        page.locator("#pause-mail").click()
        expect(page.get_by_role("status").first).to_contain_text("mail is paused")
        page.locator("#resume-mail").click()
        expect(page.locator("#pause-mail")).to_be_visible()
        page.goto(f"{address}/failed")
        page.get_by_role("link", name="A", exact=True).click()
        page.get_by_role("link", name="Retry or remove all of them").click()
        expect(page.get_by_role("heading", name="3 messages")).to_be_visible()
        page.get_by_role("button", name="Retry 3").click()
        expect(page.get_by_role("status").first).to_contain_text("3 messages are pending again")
        (failed,) = fail(filled, 1, "Edited", "Boom")
        page.goto(f"{address}/messages/{failed}")
        page.get_by_text("Retry with another body").click()
        page.get_by_label("Body, in JSON").fill('{"n": 7}')
        page.get_by_role("button", name="Retry with this body").click()
        expect(page.get_by_text("Replayed by")).to_be_visible()
        page.goto(f"{address}/queue?name=mail")
        page.get_by_role("link", name="Limits").click()
        page.get_by_role("textbox", name="Burst").fill("5")
        page.get_by_role("button", name="Change the limits").click()
        expect(page.get_by_role("alert")).to_contain_text("queue_burst_has_a_rate")
        page.get_by_role("textbox", name="Rate").first.fill("100/1 s")
        page.get_by_role("button", name="Change the limits").click()
        expect(page.get_by_role("status").first).to_contain_text("rate is 100/1 s, burst is 5")
        page.get_by_role("link", name="mail", exact=True).click()
        page.get_by_role("link", name="Test message").click()
        page.get_by_label("Type").fill("Test")
        page.get_by_label("Body, in JSON").fill('{"n": 8}')
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_role("heading", name="Send it into mail?")).to_be_visible()
        page.get_by_role("button", name="Send it").click()
        expect(page.get_by_role("status").first).to_contain_text("Test message")
        found = filled.message_status(failed)
        assert found is not None and found.body == {"n": 7}
    assert conn.execute(
        "select action from symphony.audit() where actor = 'ada' order by 1"
    ).fetchall() == [
        *(("configure_queue",), ("note",), ("pause_queue",)),
        *(("resume_queue",), ("retry_failed",), ("retry_failed",)),
    ]


# Where an action is, and what is clicked there: a link or a summary first, a button last.
CLICKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "release-key": ("/keys", ("#release-1",)),
    "pause-queue": ("/", ("#pause-mail",)),
    "resume-queue": ("/", ("#resume-mail",)),
    "set-limits": ("/queue/limits?name=mail", ("#set-limits",)),
    "test-message": ("/queue/test?name=mail&type=T", ("#look", "#send")),
    "run-schedule": ("/schedules", ("#run-1",)),
    "pause-schedule": ("/schedules", ("#pause-1",)),
    "resume-schedule": ("/schedules", ("#resume-1",)),
    "disable-transport": ("/transports", ("#disable-1",)),
    "enable-transport": ("/transports", ("#enable-1",)),
    "pause-worker": ("/workers", ("#pause-w1",)),
    "resume-worker": ("/workers", ("#resume-w1",)),
    "stop-worker": ("/workers", ("#stop-w1",)),
    "cancel-message": ("/messages/6", ("#cancel",)),
    "purge-queue": ("/queue?name=mail", ("text=Purge", "#purge")),
    "retry-message": ("/messages/1", ("#retry",)),
    "replay-message": ("/messages/2", ("text=Retry with another body", "#replay")),
    "remove-message": ("/messages/3", ("#remove",)),
    "retry-group": (f"{PREVIEW}&error_class=Late", ("#retry-group",)),
    "remove-group": (f"{PREVIEW}&error_class=Later", ("text=Remove them", "#remove-group")),
}


def test_every_action_is_a_click_and_leaves_its_row(
    browser: Browser, address: str, filled: Client
) -> None:
    """Without scripts, so that each is a form; the requests tell that none is left out."""
    assert {*CLICKS} == {*DONE}
    fail(filled, 1, "A", "Late", queue="mail")
    fail(filled, 1, "A", "Later", queue="mail")
    hold_key(filled)
    done: list[str] = []
    with visiting(browser, address, java_script_enabled=False) as page:
        page.on("request", lambda sent: done.append(sent.url) if sent.method == "POST" else None)
        for action, (path, clicks) in CLICKS.items():
            page.goto(address + path)
            if action == "set-limits":
                page.get_by_label("Burst").fill("")
                page.get_by_label("In hands at a time").first.fill("5")
            for each in clicks:
                page.locator(each).first.click()
            expect(page.locator("p.said")).to_be_visible()
        page.goto(f"{address}/audit")
        expect(page.locator("tbody tr", has_text="ada")).to_have_count(len(CLICKS))
    acted = [each.rpartition("/do/")[2] for each in done]
    assert acted == sorted([*CLICKS, "test-message"], key=[*CLICKS].index)  # it is asked twice
    assert [each.action for each in filled.audit(actor="ada")][::-1] == [
        DONE[each].audit for each in CLICKS
    ]


def test_every_post_of_a_viewer_is_refused(browser: Browser, address: str, filled: Client) -> None:
    """By his own browser, with his cookies and the proof of his page."""
    post = """([to, fields]) => fetch(to, {method: "POST", body: new URLSearchParams(
        {proof: document.querySelector("[name=proof]").value, ...fields})}).then(a => a.status)"""
    with visiting(browser, address, VIEWER, refused=("403",) * len(DONE)) as page:
        for action, do in DONE.items():
            assert page.evaluate(post, [f"{address}/do/{action}", do.fields]) == 403
    assert filled.audit(actor="ada") == []


def test_a_viewer_has_no_buttons_but_his_own(browser: Browser, address: str) -> None:
    with visiting(browser, address, VIEWER) as page:
        for path in PAGES:
            page.goto(address + path)
            named = page.get_by_role("button").all_inner_texts()
            assert {*named} <= {"Sign out", "Search", "Filter"}, path
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()


def test_charts_are_drawn_from_the_table(browser: Browser, address: str, filled: Client) -> None:
    with visiting(browser, address) as page:
        page.goto(f"{address}/queue?name=mail")
        expect(page.locator(".charts canvas")).to_have_count(3)
        page.get_by_text("The figures as a table").click()
        expect(page.locator("#figures tbody tr")).to_have_count(60)
        expect(page.locator(".plot").first).to_be_hidden()  # the same, without a pointer
        page.get_by_role("link", name="day").click()
        page.get_by_text("The figures as a table").click()
        expect(page.locator("#figures tbody tr")).to_have_count(24)


def test_charts_are_drawn_without_scripts(browser: Browser, address: str) -> None:
    with visiting(browser, address, java_script_enabled=False) as page:
        page.goto(f"{address}/queue?name=mail")
        drawn = page.locator(".plot svg")
        expect(drawn).to_have_count(3)
        expect(drawn.first).to_have_accessible_name(re.compile("^Messages a minute: In [1-9]"))
        assert drawn.first.evaluate("each => each.getBoundingClientRect().height") > 100
        page.goto(f"{address}/type?queue=mail&name=A")
        expect(page.locator(".plot svg")).to_have_count(2)


def test_colours_by_choice_and_pages_by_keyboard(browser: Browser, address: str) -> None:
    with visiting(browser, address, color_scheme="light") as page:

        def background() -> str:
            return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

        light = background()
        page.get_by_role("link", name="dark").click()
        page.wait_for_url(f"{address}/")
        assert background() != light
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
