"""psycopg's errors as Symphony's, by SQLSTATE and never by message text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from ..errors import CLASSES, BadArgument, ConnectionRefused, LoginRefused, SymphonyError
from .limits import explain

# For the errors that PostgreSQL itself raises, and which know nothing of Symphony.
HINTS: dict[str, str] = {
    "3F000": "Run: symphony-pg db install",
    "42883": "The database has no such function, or not for values of these types and sizes. "
    "Run: symphony-pg db status",
    "22P02": "Give a value of the type that the function takes; JSON has no NaN and no infinity.",
    "22003": "Write a number of fewer digits, or send it as a string.",
    "22P05": "Take the NUL out, or send binary data as base64.",
}
# And for one that Symphony raises, too, with a hint that fits better.
WITHOUT_HINT = {
    "42501": "Ask the owner of the schema for it: select symphony.grant_access(role_name, access)",
}

# libpq keeps the SQLSTATE of a failed login to itself. Where the server speaks another language,
# it is a ConnectionRefused like any other.
LOGIN_REFUSED = re.compile(
    r"FATAL: +((password|peer|ident|certificate) authentication failed|no pg_hba\.conf entry"
    r"|pg_hba\.conf rejects|(role|database) .*(does not exist|is not permitted to log in)"
    r"|permission denied for database|no such (user|database))|no password supplied",
    re.IGNORECASE,
)

UNFIT = "Take it out, or send binary data as base64."


# What psycopg raises, and Python for what it cannot send.
TRANSLATED = (psycopg.Error, UnicodeEncodeError, RecursionError)


def raise_ours(error: BaseException, arguments: Mapping[str, Any] | None = None) -> None:
    """Raise the error of any driver as one of ours, where there is one for its SQLSTATE.

    If it is the arguments that PostgreSQL cannot hold, the error says which.
    """
    if ours := _unfit(error, arguments) or _ours(error):
        raise ours from error


@contextmanager
def translated(arguments: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Raise what raise_ours() knows as one of our errors."""
    try:
        yield
    except TRANSLATED as error:
        raise_ours(error, arguments)
        raise


def _ours(error: BaseException) -> SymphonyError | None:
    if isinstance(error, psycopg.Error):
        told = error.diag
        text, detail, hint = told.message_primary, told.message_detail, told.message_hint
    else:
        text = str(next(iter(error.args), error))
        detail, hint = getattr(error, "detail", None), getattr(error, "hint", None)
    sqlstate = getattr(error, "sqlstate", None) or ""
    if (kind := CLASSES.get(sqlstate)) is None:
        return None
    hint = HINTS.get(sqlstate, hint) or WITHOUT_HINT.get(sqlstate)
    return kind(text or str(error), detail=detail, hint=hint, sqlstate=sqlstate)


def _unfit(error: BaseException, arguments: Mapping[str, Any] | None) -> SymphonyError | None:
    if arguments is None:
        return None
    if isinstance(error, RecursionError):
        return BadArgument(
            "an argument is nested too deeply for Python",
            detail="Nothing was sent to PostgreSQL.",
            hint="Flatten it, or send it as text.",
        )
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate not in (None, "22P02", "22P05", "22021"):
        return None
    found = explain(arguments)
    if found is None:
        return None
    what, where = found
    return BadArgument(what, detail=where, hint=UNFIT, sqlstate=sqlstate or "22021")


@contextmanager
def connecting(dsn: str) -> Iterator[None]:
    """Raise a failed connection attempt as ConnectionRefused, an unreadable DSN as BadArgument.

    LoginRefused is for what waiting does not help with.

    What libpq quotes from the DSN is not shown where it may be a part of the password.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        if LOGIN_REFUSED.search(str(error)):
            raise LoginRefused(
                "PostgreSQL refuses the login",
                detail=_unquoted(error, dsn),
                hint="Compare user, password and database in --dsn, SYMPHONY_DSN or the PG* "
                "variables with those of the server, and its pg_hba.conf.",
                sqlstate=error.sqlstate,
            ) from None
        raise ConnectionRefused(
            "cannot connect to PostgreSQL",
            detail=_unquoted(error, dsn),
            hint="Is it running, and do --dsn, SYMPHONY_DSN or the PG* variables point to it?",
            sqlstate=error.sqlstate,
        ) from None
    except psycopg.ProgrammingError as error:
        raise BadArgument(
            "the DSN cannot be read",
            detail=_unquoted(error),
            hint="Write postgresql://user@host/dbname, or host=… dbname=…; in a URL a password has "
            "%40 for @, %2F for / and %25 for %.",
        ) from None


def _unquoted(error: psycopg.Error, dsn: str | None = None) -> str:
    """Return the text in one line, without what it quotes that may be secret.

    That is what stands where a URL has its password, which ends at the last @ for people and at
    the first one for libpq; and without a DSN to compare with, all of it.
    """
    secret = None if dsn is None else re.sub(r"^\w+://[^:@/]*:?", "", dsn).rpartition("@")[0]

    def show(found: re.Match[str]) -> str:
        text = found[1] or found[2]
        is_secret = secret is None or "@" in text or text in secret
        return "[redacted]" if is_secret else found[0]

    return re.sub("\"([^\"]+)\"|'([^']+)'", show, " ".join(str(error).split()))
