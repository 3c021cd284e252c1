"""Mounted in the applications of others: FastAPI, Starlette, and Django's ASGI."""

import sys
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from symphony_pg import Symphony
from symphony_pg.http import create_app
from tests.helpers import ROOT, Connection, Job
from tests.http.helpers import SECRET, TOKENS, VIEWER, bearer
from tests.integrations.test_django import django_dsn
from tests.test_docs import BLOCK

__all__ = ["django_dsn"]


def works(api: Any, root: str, cron: str) -> None:
    """Try a few end points of an application that others are a part of."""
    with TestClient(api) as client:
        assert client.get("/own").text.strip('"') == "own"
        assert client.get(f"{root}/live").json() == {"status": "ok"}
        assert client.get(f"{root}/failed").status_code == 401
        depth = client.get(f"{root}/queue-depth", headers=bearer(VIEWER))
        assert [each["queue"] for each in depth.json()["queues"]] == ["default"]
        assert client.get(f"{root}/live").headers["x-request-id"]
        assert client.get(cron, headers=bearer(SECRET)).json()["done"] == 1
        origin = {"Origin": "https://status.example.com", **bearer(VIEWER)}
        shared = client.get(f"{root}/failed", headers=origin)
        assert shared.headers["access-control-allow-origin"] == origin["Origin"]
        assert client.get("/nowhere").status_code == 404


@pytest.fixture
def job(app: Symphony) -> None:
    app.handler(Job)(lambda job: None)
    app.dispatch(Job())


OPTIONS: dict[str, Any] = {**TOKENS, "cors_origins": ["https://status.example.com"]}


def test_fastapi(app: Symphony, job: None) -> None:
    api = FastAPI()
    api.get("/own")(lambda: "own")
    mounted = create_app(app, **OPTIONS)
    api.mount("/", mounted)
    works(api, "/api/symphony", "/api/cron/symphony-worker")
    mounted.state.close()


def test_under_a_path_of_its_own(app: Symphony, job: None) -> None:
    api = FastAPI()
    api.get("/own")(lambda: "own")
    mounted = create_app(app, path="", cron_path="/cron", **OPTIONS)
    api.mount("/admin/queue", mounted)
    works(api, "/admin/queue", "/admin/queue/cron")
    with TestClient(api) as client:
        described = client.get("/admin/queue/openapi.json", headers=bearer(VIEWER)).json()
    assert described["servers"] == [{"url": "/admin/queue"}]
    mounted.state.close()


def test_starlette(app: Symphony, job: None) -> None:
    own = FastAPI()
    own.get("/own")(lambda: "own")
    mounted = create_app(app, **OPTIONS)
    api = Starlette(routes=[Mount("/api", mounted), Mount("/", own)])
    mounted.state.close()
    mounted = create_app(app, path="/symphony", cron_path="/cron/symphony-worker", **OPTIONS)
    api = Starlette(routes=[Mount("/api", mounted), Mount("/", own)])
    works(api, "/api/symphony", "/api/cron/symphony-worker")
    mounted.state.close()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse")
def test_django(
    app: Symphony, job: None, django_dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse
    from django.urls import path

    urls = ModuleType("urls")
    urls.urlpatterns = [path("own", lambda request: HttpResponse("own"))]  # type: ignore[attr-defined]
    monkeypatch.setattr(settings, "ROOT_URLCONF", urls, raising=False)
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["testserver"], raising=False)
    django = get_asgi_application()
    symphony = create_app(app, **OPTIONS)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        is_ours = scope["type"] == "lifespan" or scope["path"].startswith(
            ("/api/symphony/", "/api/cron/symphony-worker")
        )
        await (symphony if is_ours else django)(scope, receive, send)

    works(application, "/api/symphony", "/api/cron/symphony-worker")


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse")
@pytest.mark.parametrize("page", ["http.md", "dashboard.md"])
def test_django_as_the_pages_show_it(
    page: str, app: Symphony, job: None, django_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block of the page is the `asgi.py`, as it stands."""
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    urls, shop, messages = ModuleType("urls"), ModuleType("shop"), ModuleType("shop.messages")
    urls.urlpatterns = [path("own", lambda request: HttpResponse("own"))]  # type: ignore[attr-defined]
    messages.app = app  # type: ignore[attr-defined]
    monkeypatch.setattr(settings, "ROOT_URLCONF", urls, raising=False)
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["testserver"], raising=False)
    monkeypatch.setitem(sys.modules, "shop", shop)
    monkeypatch.setitem(sys.modules, "shop.messages", messages)
    monkeypatch.setenv("SYMPHONY_VIEWER_TOKENS", VIEWER)
    monkeypatch.setenv("SYMPHONY_WORKER_SECRETS", SECRET)
    texts = [text for _, _, text in BLOCK.findall((ROOT / "docs" / page).read_text())]
    (block,) = (text for text in texts if "get_asgi_application" in text)
    asgi: dict[str, Any] = {}
    exec(block, asgi)
    client = TestClient(asgi["application"])
    assert client.get("/own").text == "own"
    assert client.get("/nowhere").status_code == 404
    assert client.get("/api/symphony/live").json() == {"status": "ok"}
    assert client.get("/api/symphony/failed").status_code == 401
    depth = client.get("/api/symphony/queue-depth", headers=bearer(VIEWER))
    assert [each["queue"] for each in depth.json()["queues"]] == ["default"]
    if page == "http.md":
        done = client.get("/api/cron/symphony-worker", headers=bearer(SECRET)).json()["done"]
        assert done == 1
    else:
        assert client.get("/symphony/", headers=bearer(VIEWER)).status_code == 200
        asked = client.get("/symphony/", follow_redirects=False)
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            "/symphony/sign-in?next=%2Fsymphony%2F",
        )
    asgi["symphony"].state.close()
