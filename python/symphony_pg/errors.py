# ruff: noqa: N818 (a name says what happened)
"""The errors of Symphony: one class for each SQLSTATE that its functions raise.

`translated()` turns psycopg's errors into these, by SQLSTATE and never by message text. Errors
that are not in the table pass through unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AccessDenied",
    "BadArgument",
    "BodyTooLarge",
    "ConnectionRefused",
    "LeaseLost",
    "LoginRefused",
    "MalformedBatch",
    "MessageReturned",
    "NeedsPython",
    "NoAnswer",
    "NoConnectionFree",
    "NotConfirmed",
    "NotInstalled",
    "QueueNotEmpty",
    "ScheduleTaken",
    "StillReplicated",
    "SymphonyError",
    "UnknownMessage",
    "UnknownQueue",
    "UnknownSchedule",
    "UnknownTransport",
    "UnknownWorker",
    "WorkerStuck",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
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


class MessageReturned(LeaseLost):
    """The message was given back, since one before it of its key did not succeed.

    Do not try again: the message is handed out anew when its turn comes.
    """

    sqlstate = "SY013"


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


class NeedsPython(SymphonyError):
    """The type is routed to a sync transport only, or to a broker directly: SQL can do neither.

    Send the message from Python, or name a queue.
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
    """The role was not granted this function, or not for this queue.

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


class NoAnswer(SymphonyError):
    """PostgreSQL was silent for longer than call_timeout: whether the call took effect is unknown.

    Try again, with an idempotency_key if a message must not be there twice.
    """

    sqlstate = "08007"


class NotConfirmed(SymphonyError):
    """A broker has not confirmed what dispatch() sent directly: it may be there or not.

    Try again when the broker is there. The attribute `confirmed` has the ids of what is there.
    """

    def __init__(self, message: str, *, confirmed: Sequence[int] = (), **more: str | None) -> None:
        super().__init__(message, **more)
        self.confirmed = list(confirmed)


class NoConnectionFree(SymphonyError):
    """All connections that dispatch() may open were in use for too long.

    Try again, with a larger max_connections or fewer calls at a time.
    """

    sqlstate = "53300"


class WorkerStuck(SymphonyError):
    """All handlers of a worker went on after their time limit, so that it could do nothing more.

    Start the worker again in a new process: threads cannot be ended.
    """


# Which class an SQLSTATE of PostgreSQL is. Those of our own, SY…, say it themselves.
CLASSES: dict[str, type[SymphonyError]] = {
    kind.sqlstate: kind
    for kind in [*globals().values()]
    if isinstance(kind, type) and issubclass(kind, SymphonyError)
    if kind.sqlstate is not None and kind.sqlstate.startswith("SY")
}
CLASSES |= {
    "22023": BadArgument,
    "22P02": BadArgument,  # text that is not JSON, an interval, a time, …
    "22P05": BadArgument,  # \u0000 in a body
    "22003": BadArgument,  # a number with more digits than PostgreSQL has
    "22021": BadArgument,  # the same in other text
    "54001": BadArgument,  # nested too deeply for PostgreSQL
    "55000": WrongState,
    "55006": WrongState,  # drop_queue() of a queue that is in use all the time
    "42501": AccessDenied,
    "3F000": NotInstalled,
    "42883": NotInstalled,
}
