"""What an operator may do: each action reads a form, and is one call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...database import functions
from ...database.call import Call
from ...times import parse_datetime
from ..problems import Problem

AT_MOST = 10_000
LIMITS = ("concurrency", "rate", "burst", "key_concurrency", "key_rate")


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

    def json(self, name: str) -> Any:
        """Return a field that is any JSON but null."""
        try:
            value = json.loads(self.one(name), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise Problem(400, f"the {name} is not JSON", f"{error}.") from None
        if value is None:
            raise Problem(400, f"the {name} is null", "A message has a body, if only {}.")
        return value

    def moment(self, name: str) -> datetime:
        """Return a field that is a time."""
        try:
            return parse_datetime(self.one(name))
        except ValueError:
            raise Problem(400, f"the field {name} is no time") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")


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
    """Return the failed messages that a form means: those of a queue, a type, a class of error."""
    chosen = {"queue_name": form.one("queue")}
    for name, argument in (("type", "message_type"), ("error_class", "error_class")):
        if (value := form.maybe(name)) is not None:
            chosen[argument] = value
    return chosen


def _shown_group(form: Form) -> dict[str, Any]:
    """Return the same, without what has failed since it was shown, and no more than was shown."""
    return {
        **chosen_group(form),
        "until": form.moment("until"),
        "up_to_id": form.number("up_to_id"),
        "at_most": min(form.number("at_most"), AT_MOST),
    }


def _retry_group(form: Form) -> Call[Any]:
    rate = form.maybe("per_second")
    per_second = float(form.number("per_second")) if rate else None
    return functions.retry_failed(**_shown_group(form), per_second=per_second)


def _remove_group(form: Form) -> Call[Any]:
    return functions.remove_failed(**_shown_group(form))


def _count(what: str) -> Callable[[Form, Any], str]:
    return lambda _, done: f"{sum(each.messages for each in done):,} messages are {what}."


def _outcome(form: Form, done: Any) -> str:
    return f"Message {form.one('id')}: {done[0].outcome}."


def _changed_limits(form: Form) -> dict[str, str | int]:
    """Return the limits that somebody has changed, as he saw them; an empty one is taken away."""
    changed: dict[str, str | int] = {}
    for name in LIMITS:
        given = (form.maybe(name) or "").strip()
        if name not in form or given == form.maybe(f"was_{name}"):
            continue
        if "rate" in name:
            changed[name] = given or "0"
        elif re.fullmatch(r"-?\d{0,9}", given) and given != "-":
            changed[name] = int(given or 0)
        else:
            raise Problem(400, f"{given!r} is no {name.replace('_', ' ')}", "Write a number.")
    return changed


def _say_limits(form: Form, _: Any) -> str:
    changed = _changed_limits(form)
    if not changed:
        return "Nothing was changed."
    told = ", ".join(
        f"{name.replace('_', ' ')} {'has no limit' if each in (0, '0') else f'is {each}'}"
        for name, each in changed.items()
    )
    return f"{form.one('queue')}: {told}."


def _test_message(form: Form) -> Call[Any]:
    return functions.enqueue(
        form.one("type").strip(),
        form.json("body"),
        form.one("queue"),
        group_key=form.maybe("key") or None,
    )


def _switch(name: str, call: Callable[[str], Call[Any]], done: str, not_done: str) -> Action:
    """Switch a queue, a schedule or a transport; the call tells whether that changed it."""
    kind = name.partition("-")[2]
    return Action(
        lambda form: call(form.one(kind)),
        lambda form, changed: f"{form.one(kind)} {done if changed else not_done}.",
    )


def _ask(command: str) -> Action:
    return Action(
        lambda form: functions.request_workers(command, [form.one("worker")]),
        lambda form, _: f"{form.one('worker')} is asked to {command}.",
    )


SWITCHES = (
    ("pause-queue", functions.pause_queue,
     "is paused: workers get nothing of it", "was paused already"),
    ("resume-queue", functions.resume_queue, "is handed out again", "was not paused"),
    ("pause-schedule", functions.pause_schedule, "is paused", "was paused already"),
    ("resume-schedule", functions.resume_schedule,
     "runs again", "will not run again: its time is over"),
    ("disable-transport", functions.disable_transport,
     "is disabled: its messages are held", "was disabled already"),
    ("enable-transport", functions.enable_transport, "is enabled", "was enabled already"),
)  # fmt: skip
ACTIONS = {
    **{each[0]: _switch(*each) for each in SWITCHES},
    "purge-queue": Action(
        lambda form: functions.purge_queue(form.one("queue"), form.one("seen")),
        lambda form, done: f"{done:,} pending messages of {form.one('queue')} are removed.",
    ),
    "set-limits": Action(
        lambda form: functions.configure_queue(form.one("queue"), **_changed_limits(form)),  # type: ignore[arg-type]
        _say_limits,
    ),
    "test-message": Action(
        _test_message,
        lambda form, done: (
            f"Test message {done} of the type {form.one('type').strip()} "
            f"is enqueued into {form.one('queue')}."
        ),
        is_noted=True,
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
    **{f"{command}-worker": _ask(command) for command in ("stop", "pause", "resume")},
    "run-schedule": Action(
        lambda form: functions.run_schedule_now(form.one("schedule")),
        lambda form, done: f"{form.one('schedule')} has enqueued message {done}.",
    ),
    "release-key": Action(
        lambda form: functions.release_key(form.one("queue"), form.one("key")),
        lambda form, done: f"{form.one('key')} {'is let go' if done else 'was not held'}.",
    ),
}
