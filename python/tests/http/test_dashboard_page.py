"""docs/dashboard.md: what it says of proxies, FastAPI and Django is tried as it is written."""

import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient

from symphony_pg import Client, Symphony
from tests.helpers import ROOT
from tests.http.helpers import OPERATOR, serving
from tests.http.test_dashboard import filled, proof
from tests.integrations.test_django import django_dsn
from tests.test_docs import BLOCK

__all__ = ["django_dsn", "filled"]

PAGE = ROOT / "docs" / "dashboard.md"


def section(title: str) -> str:
    found = PAGE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def code(title: str) -> str:
    return str(next(found[2] for found in BLOCK.findall(section(title)) if found[0] == "python"))


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_OPERATOR_TOKENS", OPERATOR)


def works(api: Any, base: str) -> None:
    """Sign in, look, follow links and act, all of it below one path."""
    with TestClient(api) as visitor:
        page = visitor.get(f"{base}/")
        assert page.url.path == f"{base}/sign-in"
        given = {"token": OPERATOR, "name": "ada", "proof": proof(page.text), "next": f"{base}/"}
        page = visitor.post(f"{base}/sign-in", data=given)
        assert (page.status_code, page.url.path) == (200, f"{base}/")
        links = {*re.findall(r'(?:href|src|action)="([^"]+)"', page.text)} - {"#main"}
        assert all(each.startswith(f"{base}/") for each in links)
        for each in links:
            if "/do/" not in each and "sign-out" not in each and "/theme" not in each:
                assert visitor.get(each.replace("&amp;", "&")).status_code == 200, each
        given = {"queue": "mail", "proof": proof(page.text), "next": f"{base}/"}
        done = visitor.post(f"{base}/do/pause-queue", data=given)
        assert "mail is paused" in done.text


def test_in_fastapi(app: Symphony, filled: Client) -> None:
    names: dict[str, Any] = {"app": app}
    exec(code("In FastAPI"), names)
    api: FastAPI = names["api"]
    api.get("/own")(lambda: "own")
    works(api, "/symphony")
    assert TestClient(api).get("/own").text == '"own"'
    assert TestClient(api).get("/symphony/api/live").json() == {"status": "ok"}
    (mounted,) = (each for each in api.routes if isinstance(each, Mount))
    mounted.app.state.close()  # type: ignore[attr-defined]  # a mounted one is not told the end


@pytest.fixture
def patch(django_dsn: str) -> Iterator[pytest.MonkeyPatch]:
    """Patch while Django is configured, and no longer."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse")
def test_in_django(app: Symphony, filled: Client, patch: pytest.MonkeyPatch) -> None:
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    urls, messages = ModuleType("urls"), ModuleType("shop.messages")
    urls.urlpatterns = [path("own", lambda request: HttpResponse("own"))]  # type: ignore[attr-defined]
    messages.app = app  # type: ignore[attr-defined]
    patch.setattr(settings, "ROOT_URLCONF", urls, raising=False)
    patch.setattr(settings, "ALLOWED_HOSTS", ["testserver"], raising=False)
    patch.setitem(sys.modules, "shop", ModuleType("shop"))
    patch.setitem(sys.modules, "shop.messages", messages)
    names: dict[str, Any] = {}
    exec(code("In Django"), names)

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # servers do without, as Django has none
            await names["symphony"](scope, receive, send)
        else:
            await names["application"](scope, receive, send)

    works(served, "/symphony")
    assert TestClient(names["application"]).get("/own").text == "own"


def test_behind_a_proxy(app: Symphony, filled: Client) -> None:
    """What nginx adds by the lines of the page, after a server has believed it."""
    text = section("Behind a proxy")
    for each in ("location /symphony/", "X-Forwarded-Proto $scheme", "Host $http_host"):
        assert each in text  # $host has no port, and forms are refused then
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    with serving(app) as visitor:
        api: Any = ProxyHeadersMiddleware(visitor.app, trusted_hosts="*")  # type: ignore[arg-type]
        with TestClient(api, base_url="http://queue.example.com") as proxied:
            told = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}
            page = proxied.get("/symphony/sign-in", headers=told)
            assert all("Secure" in each for each in page.headers.get_list("set-cookie"))
            plain = proxied.get("/symphony/sign-in")
            assert "Secure" not in plain.headers["set-cookie"]
