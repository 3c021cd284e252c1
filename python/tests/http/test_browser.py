"""The dashboard in a real Chromium: every page, in two colours, three widths, without scripts.

Playwright runs an event loop of its own in the thread of the tests, and is stopped with this file,
so that other files may run theirs.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fetch import axe, chromium
from symphony_pg import Client, Symphony
from symphony_pg.http import create_app
from tests.helpers import Connection, fail
from tests.http.helpers import OPERATOR, TOKENS, VIEWER
from tests.http.test_dashboard import PAGES, filled

__all__ = ["filled"]

ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
WIDTHS = (360, 1024, 1920)


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
    """Serve the dashboard at a free port."""
    api = create_app(app, **TOKENS)
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/symphony"
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
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    yield page
    context.close()
    assert len(troubles) == len(refused), troubles
    for trouble, status in zip(troubles, refused, strict=True):
        assert f"responded with a status of {status}" in trouble


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_fits_and_hinders_nobody(
    browser: Browser, rules: str, address: str, colours: Any
) -> None:
    found: list[str] = []
    with visiting(browser, address, color_scheme=colours, reduced_motion="reduce") as page:
        for path in PAGES:
            page.goto(address + path)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append(f"{path} is too wide for {width}")
            page.evaluate(rules)
            for each in page.evaluate("axe.run()")["violations"]:
                found.append(f"{path}: {each['id']}: {each['nodes'][0]['html'][:200]}")
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
