"""What the tests of the end points use."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from symphony_pg import Symphony
from symphony_pg.http import create_app

VIEWER = "viewer-token-0123456789"
OPERATOR = "operator-token-0123456789"
SECRET = "worker-secret-0123456789"
WORKER = "/api/symphony/worker"
TOKENS: dict[str, Any] = {
    "viewer_tokens": [VIEWER],
    "operator_tokens": [OPERATOR],
    "worker_secrets": [SECRET],
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def paragraphs(page: str) -> list[str]:
    """Return what a page says below its head, without its tags: a text for each block."""
    main = page.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    blocks = re.split(r"</?(?:h\d|p|pre|ul|li|dl|div|dt|dd|section|tr|t[hd])\b[^>]*>", main)
    texts = (html.unescape(re.sub(r"<[^>]*>", "", each)) for each in blocks)
    return [" ".join(each.split()) for each in texts if each.strip()]


@contextmanager
def serving(app: Symphony, **options: Any) -> Iterator[TestClient]:
    """Answer requests by an application with tokens and a handler, in this process."""
    if not app.handlers:
        app.handler("Unused")(_unused)
    with TestClient(create_app(app, **{**TOKENS, **options})) as client:
        yield client


def _unused(body: Any) -> None:
    """Be there, as the worker runs for an application that handles something."""
    raise AssertionError(body)
