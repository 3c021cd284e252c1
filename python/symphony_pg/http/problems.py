"""What went wrong, as problem+json (RFC 9457), and nothing of how it is inside.

Texts are those of our own errors, SQLSTATE SY…. Of all others only the log tells, by request_id.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg

from ..errors import (
    AccessDenied,
    BadArgument,
    ConnectionRefused,
    NoAnswer,
    NoConnectionFree,
    NotInstalled,
    SymphonyError,
    UnknownMessage,
    UnknownQueue,
    WrongState,
    WrongVersion,
)
from ..redaction import trace_without_secrets

log = logging.getLogger("symphony_pg.http")

OWN_CODES = "SY"
STATUS = {UnknownQueue: 404, UnknownMessage: 404, WrongVersion: 503}
AGAIN = {"Retry-After": "5"}
# What is told of errors that are not ours, by the first class that fits.
TOLD: tuple[tuple[Any, ...], ...] = (
    (AccessDenied, 403, "the role of this server may not do this",
     "grant_access() has not granted it."),
    (BadArgument, 400, "an argument is not what it should be"),
    (WrongState, 409, "this does not fit the present state"),
    (NotInstalled, 503, "Symphony is not installed in the database"),
    (psycopg.errors.QueryCanceled, 503, "the database took too long"),
    (ConnectionRefused | NoAnswer | NoConnectionFree | psycopg.OperationalError, 503,
     "the database cannot be reached"),
    (Exception, 500, "internal error", "The log of the server tells more, by request_id."),
)  # fmt: skip


class Problem(Exception):  # noqa: N818 (the name of RFC 9457)
    """Why a request is not answered as it wants: a status, a title, and what helps."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        *,
        hint: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.hint = hint
        self.code = code
        self.headers = headers


def as_problem(error: Exception, request_id: str) -> Problem:
    """Return what may be told of an error; log what may not."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, SymphonyError) and (error.sqlstate or "").startswith(OWN_CODES):
        status = next((each for kind, each in STATUS.items() if isinstance(error, kind)), 409)
        meaning = (inspect.getdoc(type(error)) or "").partition("\n")[0]  # the hint is SQL
        return Problem(status, error.message, meaning, code=error.sqlstate)
    log.error("request %s: %s", request_id, trace_without_secrets(error))
    _, status, title, *detail = next(each for each in TOLD if isinstance(error, each[0]))
    return Problem(status, title, *detail, headers=AGAIN if status == 503 else None)


def in_its_own_words(error: Exception) -> Problem | None:
    """Return an error as the database tells it to people who act; None: it is not one of ours.

    Ours are raised by a statement RAISE. Others would tell how it is inside.
    """
    cause = error.__cause__
    if not isinstance(error, SymphonyError) or not isinstance(cause, psycopg.Error):
        return None
    if cause.diag.source_function != "exec_stmt_raise":
        return None
    known = as_problem(error, "") if (error.sqlstate or "").startswith(OWN_CODES) else None
    status = known.status if known else 400 if isinstance(error, BadArgument) else 409
    return Problem(status, error.message, error.detail, hint=error.hint, code=error.sqlstate)


def body_of(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return the JSON of a problem: our errors have a code and a type, others a status alone."""
    if problem.code is not None:
        about = {
            "type": f"urn:symphony-pg:error:{problem.code}",
            "title": problem.title,
            "detail": problem.detail,
            "code": problem.code,
        }
    else:
        first = f"{problem.title[:1].upper()}{problem.title[1:]}."
        about = {
            "type": "about:blank",
            "title": HTTPStatus(problem.status).phrase,
            "detail": " ".join(filter(None, (first, problem.detail, problem.hint))),
        }
    return {**about, "status": problem.status, "request_id": request_id}
