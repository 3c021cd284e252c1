"""structlog: each line that a handler logs says which message it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..extras import needing
from ..handling.middlewares import around
from ..sending.middleware import Middleware, Passage
from .handled import contexts_of, texts_of


def structlog_middleware() -> Middleware:
    """Bind what identifies a message to structlog's context variables, while it is handled.

    structlog.contextvars.merge_contextvars must be among the processors. A batch has message_ids.
    """
    with needing("structlog_middleware()", "structlog"):
        from structlog.contextvars import bound_contextvars

    @contextmanager
    def bound(passage: Passage) -> Iterator[None]:
        with bound_contextvars(**_named(passage)):
            yield

    return around(bound, "structlog_middleware", "handle")


def _named(passage: Passage) -> dict[str, Any]:
    found = contexts_of(passage)
    first = found[0]
    named = {"message_type": passage.message_type, "queue_name": first.queue_name}
    if isinstance(passage.message, list):
        return {**named, "message_ids": [each.message_id for each in found]}
    return {
        **named,
        "message_id": first.message_id,
        "attempt": first.attempt,
        **texts_of(first.headers, ("correlation_id",)),
    }
