# ruff: noqa: N818 (a name says what happened)
"""The errors of Symphony: one class for each SQLSTATE that its functions raise.

`translated()` turns psycopg's errors into these, by SQLSTATE and never by message text. Errors
that are not in the table pass through unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from .limits import explain

__all__ = [
    "AccessDenied",
    "BadArgument",
    "BodyTooLarge",
    "ConnectionRefused",
    "LeaseLost",
    "LoginRefused",
    "MalformedBatch",
    "NeedsPython",
    "NotInstalled",
    "QueueNotEmpty",
    "ScheduleTaken",
    "StillReplicated",
    "SymphonyError",
    "TransportNotServed",
    "UnknownMessage",
    "UnknownQueue",
    "UnknownSchedule",
    "UnknownTransport",
    "UnknownWorker",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
    "translated",
]


class SymphonyError(Exception):
    """Something the queue refused: what, why (detail) and what to do next (hint)."""

    sqlstate: str | None = None

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        if sqlstate is not None:
            self.sqlstate = sqlstate

    def __str__(self) -> str:
        lines = [self.message]
        if self.detail:
            lines.append(f"DETAIL: {self.detail}")
        if self.hint:
            lines.append(f"HINT: {self.hint}")
        return "\n".join(lines)


class UnknownQueue(SymphonyError):
    """There is no queue of that name.

    Try again after create_queue().
    """

    sqlstate = "SY001"


class QueueNotEmpty(SymphonyError):
    """The queue still holds messages and may not be dropped without force.

    Try again when it is empty, or give force.
    """

    sqlstate = "SY002"


class UnknownMessage(SymphonyError):
    """There is no message with that id, or it was purged.

    Do not try again: what was removed does not come back.
    """

    sqlstate = "SY003"


class BodyTooLarge(SymphonyError):
    """The body is larger than the queue allows.

    Send less, or raise max_body_bytes with configure_queue().
    """

    sqlstate = "SY004"


class MalformedBatch(SymphonyError):
    """An element of a batch is not a message; the detail names it.

    Correct the element. Nothing of the batch was enqueued.
    """

    sqlstate = "SY005"


class UnknownSchedule(SymphonyError):
    """There is no schedule of that name.

    Try again after create_schedule().
    """

    sqlstate = "SY006"


class ScheduleTaken(SymphonyError):
    """The schedule belongs to another application, or was made by hand.

    Choose another name, or take the schedule over with take_over.
    """

    sqlstate = "SY007"


class LeaseLost(SymphonyError):
    """The claim is no longer held, or the message is already settled.

    Do not try again: the message is handed out anew, and the work may be done twice.
    """

    sqlstate = "SY010"


class UnknownWorker(SymphonyError):
    """There is no worker of that name, or it was silent for too long.

    Name one of those that the detail lists.
    """

    sqlstate = "SY008"


class WrongIsolationLevel(SymphonyError):
    """The call reads how far a lane was handed out, and an old snapshot may not see it.

    Try again in a transaction of its own in READ COMMITTED.
    """

    sqlstate = "SY011"


class StillReplicated(SymphonyError):
    """Logical replication still fills the queues of this server.

    Try again after the switch-over.
    """

    sqlstate = "SY012"


class UnknownTransport(SymphonyError):
    """There is no transport of that name.

    Try again after create_transport().
    """

    sqlstate = "SY020"


class TransportNotServed(SymphonyError):
    """Transports of this type cannot be served yet.

    Choose the type postgres or sync.
    """

    sqlstate = "SY021"


class NeedsPython(SymphonyError):
    """The type is routed to a sync transport only, whose handler SQL cannot run.

    Send the message from Python, or route its type to a queue.
    """

    sqlstate = "SY022"


class WrongVersion(SymphonyError):
    """The schema in the database is of a version that this package does not work with.

    Upgrade the database or the package, so that both are of one version.
    """

    sqlstate = "SY090"


class BadArgument(SymphonyError):
    """An argument is out of range, or not what it should be.

    Correct it. The detail says what is wrong, the hint what is right.
    """

    sqlstate = "22023"


class WrongState(SymphonyError):
    """The call does not fit the present state.

    Try again when it does.
    """

    sqlstate = "55000"


class AccessDenied(SymphonyError):
    """The role was not granted this function.

    Try again after the owner of the schema has granted it with grant_access().
    """

    sqlstate = "42501"


class NotInstalled(SymphonyError):
    """The database has no schema symphony, or not this function in it.

    Try again after: symphony-pg db install.
    """

    sqlstate = "3F000"


class ConnectionRefused(SymphonyError):
    """PostgreSQL could not be reached, or turned the login down.

    Try again when it is there.
    """


class LoginRefused(ConnectionRefused):
    """PostgreSQL is there, and lets nobody in by that name, password or database.

    Correct the name, the password or the database.
    """


CLASSES: dict[str, type[SymphonyError]] = {
    "SY001": UnknownQueue,
    "SY002": QueueNotEmpty,
    "SY003": UnknownMessage,
    "SY004": BodyTooLarge,
    "SY005": MalformedBatch,
    "SY006": UnknownSchedule,
    "SY007": ScheduleTaken,
    "SY008": UnknownWorker,
    "SY010": LeaseLost,
    "SY011": WrongIsolationLevel,
    "SY012": StillReplicated,
    "SY020": UnknownTransport,
    "SY021": TransportNotServed,
    "SY022": NeedsPython,
    "SY090": WrongVersion,
    "22023": BadArgument,
    "22P02": BadArgument,  # text that is not JSON, an interval, a time, …
    "22P05": BadArgument,  # \u0000 in a body
    "22021": BadArgument,  # the same in other text
    "54001": BadArgument,  # nested too deeply for PostgreSQL
    "55000": WrongState,
    "55006": WrongState,  # drop_queue() of a queue that is in use all the time
    "42501": AccessDenied,
    "3F000": NotInstalled,
    "42883": NotInstalled,
}

# For the errors that PostgreSQL itself raises, and which know nothing of Symphony.
HINTS: dict[str, str] = {
    "42501": "Ask the owner of the schema for it: select symphony.grant_access(role_name, access)",
    "3F000": "Run: symphony-pg db install",
    "42883": "The database has no such function, or not for values of these types and sizes. "
    "Run: symphony-pg db status",
    "22P02": "Give a value of the type that the function takes; JSON has no NaN and no infinity.",
    "22P05": "Take the NUL out, or send binary data as base64.",
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


def from_psycopg(error: psycopg.Error) -> SymphonyError | None:
    """Return the error as one of ours, or None if it is not in the table."""
    kind = CLASSES.get(error.sqlstate or "")
    if kind is None:
        return None
    return kind(
        error.diag.message_primary or str(error),
        detail=error.diag.message_detail,
        hint=HINTS.get(error.sqlstate or "", error.diag.message_hint),
        sqlstate=error.sqlstate,
    )


@contextmanager
def translated(arguments: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Raise psycopg's errors as ours, where there is one for its SQLSTATE.

    If it is the arguments that PostgreSQL cannot hold, the error says which.
    """
    try:
        yield
    except psycopg.Error as error:
        ours = _unfit(error, arguments) or from_psycopg(error)
        if ours is None:
            raise
        raise ours from error
    except (UnicodeEncodeError, RecursionError) as error:
        ours = _unfit(error, arguments)
        if ours is None:
            raise
        raise ours from error


def _unfit(error: Exception, arguments: Mapping[str, Any] | None) -> SymphonyError | None:
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
    """Raise a failed connection attempt as ConnectionRefused, a DSN that is none as BadArgument.

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
