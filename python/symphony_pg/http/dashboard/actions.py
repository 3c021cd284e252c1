"""What an operator may do: each action reads a form, and is one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...database import functions
from ...database.call import Call
from ...times import parse_datetime
from ..problems import Problem

__all__ = ["ACTIONS", "AT_MOST", "Action", "Form", "chosen_group"]

AT_MOST = 10_000


class Form(dict[str, list[str]]):
    """The fields of a form."""

    def one(self, name: str) -> str:
        """Return a field that has to be there."""
        value = self.get(name, [""])[0]
        if not value or "\0" in value:
            raise Problem(400, f"the field {name} is empty")
        return value

    def maybe(self, name: str) -> str | None:
        """Return a field, or None if it is not there; it may be empty."""
        return self.get(name, [None])[0]

    def number(self, name: str) -> int:
        """Return a field that is a number."""
        text = self.one(name)
        if not text.isdecimal() or len(text) > 18:
            raise Problem(400, f"the field {name} is no number")
        return int(text)


@dataclass(frozen=True)
class Action:
    """A call, made of a form, and what to say when it is done.

    With `is_noted` this is a remark in the audit trail: the call itself, which is a producer's,
    leaves nothing there.
    """

    call: Callable[[Form], Call[Any]]
    said: Callable[[Form, Any], str]
    is_noted: bool = False


def chosen_group(form: Form) -> dict[str, Any]:
    """Return the failed messages that a form means: those of a group that had failed by then."""
    try:
        until = parse_datetime(form.one("until"))
    except ValueError:
        raise Problem(400, "the field until is no time") from None
    chosen: dict[str, Any] = {"queue_name": form.one("queue"), "until": until}
    if (message_type := form.maybe("type")) is not None:
        chosen["message_type"] = message_type
    if (error_class := form.maybe("error_class")) is not None:
        chosen["error_class"] = error_class
    return chosen


def _retry_group(form: Form) -> Call[Any]:
    rate = form.maybe("per_second")
    return functions.retry_failed(
        **chosen_group(form),
        per_second=float(form.number("per_second")) if rate else None,
        at_most=min(form.number("at_most"), AT_MOST),
    )


def _remove_group(form: Form) -> Call[Any]:
    return functions.remove_failed(
        **chosen_group(form), at_most=min(form.number("at_most"), AT_MOST)
    )


def _count(what: str) -> Callable[[Form, Any], str]:
    return lambda _, done: f"{sum(each.messages for each in done):,} messages are {what}."


def _outcome(form: Form, done: Any) -> str:
    return f"Message {form.one('id')}: {done[0].outcome}."


def _name(name: str, done: str, not_done: str) -> Callable[[Form, Any], str]:
    return lambda form, result: f"{form.one(name)} {done if result else not_done}."


ACTIONS = {
    "pause-queue": Action(
        lambda form: functions.pause_queue(form.one("queue")),
        _name("queue", "is paused: workers get nothing of it", "was paused already"),
    ),
    "resume-queue": Action(
        lambda form: functions.resume_queue(form.one("queue")),
        _name("queue", "is handed out again", "was not paused"),
    ),
    "purge-queue": Action(
        lambda form: functions.purge_queue(form.one("queue")),
        lambda form, done: f"{done:,} pending messages of {form.one('queue')} are removed.",
    ),
    "cancel-message": Action(
        lambda form: functions.cancel(form.number("id")),
        lambda form, done: (
            f"Message {form.one('id')} "
            f"{'is cancelled' if done else 'cannot be cancelled any more: it has begun'}."
        ),
        is_noted=True,
    ),
    "retry-message": Action(lambda form: functions.retry_failed([form.number("id")]), _outcome),
    "remove-message": Action(lambda form: functions.remove_failed([form.number("id")]), _outcome),
    "retry-group": Action(_retry_group, _count("pending again")),
    "remove-group": Action(_remove_group, _count("removed")),
    **{
        f"{command}-worker": Action(
            lambda form, command=command: functions.request_workers(  # type: ignore[misc]
                command, [form.one("worker")]
            ),
            lambda form, _, command=command: (  # type: ignore[misc]
                f"{form.one('worker')} is asked to {command}."
            ),
        )
        for command in ("stop", "pause", "resume")
    },
    "run-schedule": Action(
        lambda form: functions.run_schedule_now(form.one("schedule")),
        lambda form, done: f"{form.one('schedule')} has enqueued message {done}.",
    ),
    "pause-schedule": Action(
        lambda form: functions.pause_schedule(form.one("schedule")),
        _name("schedule", "is paused", "was paused already"),
    ),
    "resume-schedule": Action(
        lambda form: functions.resume_schedule(form.one("schedule")),
        _name("schedule", "runs again", "will not run again: its time is over"),
    ),
    "disable-transport": Action(
        lambda form: functions.disable_transport(form.one("transport")),
        _name("transport", "is disabled: its messages are held", "was disabled already"),
    ),
    "enable-transport": Action(
        lambda form: functions.enable_transport(form.one("transport")),
        _name("transport", "is enabled", "was enabled already"),
    ),
    "release-key": Action(
        lambda form: functions.release_key(form.one("queue"), form.one("key")),
        _name("key", "is let go", "was not held"),
    ),
}
