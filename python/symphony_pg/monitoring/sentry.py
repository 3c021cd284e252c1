"""Sentry: the errors of handlers, with the message they are about, and the time that they take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from typing import Any

from ..extras import needing
from ..handling.context import Context
from ..handling.middlewares import around
from ..outcomes import PermanentError
from ..sending.middleware import Middleware, Passage
from . import conventions as names
from .handled import contexts_of, is_failure, texts_of

HEADERS = ("sentry-trace", "baggage")


def sentry_middleware(*, retries: bool = True) -> Middleware:
    """Report errors of handlers to Sentry, and what is sent and handled as a trace.

    An attempt that is not the last one is a warning, or not reported without `retries`. The last
    one is an error; one that asks to be called later (Snooze, RetryAfter) is neither. We send no
    bodies, but Sentry adds local variables, without include_local_variables=False in its init().
    """
    with needing("sentry_middleware()", "sentry-sdk"):
        import sentry_sdk
    reporter = _Reporter(sentry_sdk, retries)
    return around(reporter.around, "sentry_middleware")


class _Reporter:
    def __init__(self, sdk: Any, retries: bool) -> None:
        self._sdk = sdk
        self._retries = retries

    def around(self, passage: Passage) -> AbstractContextManager[None]:
        if passage.phase == "dispatch":
            return self._around_dispatch(passage)
        return self._around_handler(passage)

    @contextmanager
    def _around_dispatch(self, passage: Passage) -> Iterator[None]:
        with self._sdk.start_span(op=names.SENTRY_PUBLISH, name=passage.message_type) as span:
            written = (self._sdk.get_traceparent(), self._sdk.get_baggage())
            passage.headers.update(
                {name: text for name, text in zip(HEADERS, written, strict=True) if text}
            )
            yield
            span.set_data(names.DESTINATION, passage.options.get("queue_name"))
            span.set_data(names.MESSAGE_ID, passage.message_id or None)

    @contextmanager
    def _around_handler(self, passage: Passage) -> Iterator[None]:
        found = contexts_of(passage)
        first = found[0]
        with self._sdk.isolation_scope() as scope:
            scope.set_tags(_tags(passage, first))
            scope.set_context("symphony", {"message_ids": [each.message_id for each in found]})
            trace = self._sdk.continue_trace(
                texts_of(first.headers, HEADERS),
                op=names.SENTRY_PROCESS,
                name=passage.message_type,
                source="task",
            )
            with self._sdk.start_transaction(trace) as transaction:
                _describe(transaction, first)
                try:
                    yield
                except Exception as error:
                    self._report(scope, error, first)
                    transaction.set_status("internal_error" if is_failure(error) else "ok")
                    raise
                transaction.set_status("ok")

    def _report(self, scope: Any, error: Exception, context: Context) -> None:
        is_last = context.attempt >= context.max_attempts or isinstance(error, PermanentError)
        if is_failure(error) and (is_last or self._retries):
            scope.set_level("error" if is_last else "warning")
            self._sdk.capture_exception(error)


def _tags(passage: Passage, context: Context) -> dict[str, Any]:
    return {
        "symphony.message_type": passage.message_type,
        "symphony.queue": context.queue_name,
        "symphony.attempt": f"{context.attempt} of {context.max_attempts}",
    }


def _describe(transaction: Any, context: Context) -> None:
    waited = datetime.now(timezone.utc) - context.enqueued_at
    transaction.set_data(names.MESSAGE_ID, context.message_id)
    transaction.set_data(names.BODY_SIZE, context.body_size)
    transaction.set_data(names.DESTINATION, context.queue_name)
    transaction.set_data(names.SENTRY_LATENCY, waited.total_seconds() * 1000)
    transaction.set_data(names.SENTRY_RETRIES, context.attempt - 1)
