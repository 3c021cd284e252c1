"""Schedules in code: a message that is enqueued at certain times, declared where it is defined.

    @app.cron("0 9 * * mon-fri", timezone="Europe/Paris")
    @app.message("SendReport")
    @dataclass
    class SendReport:
        days: int = 1

    @app.every(timedelta(minutes=15), name="poll-eu")
    def poll() -> Poll:
        return Poll(region="eu")

The database fires them. `symphony-pg db install --app` and every worker bring it in line with what
is declared, by the rules of the SQL function sync_schedules().
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from .messages.envelope import OnExpiry
from .messages.types import message_type_of
from .times import check_moment

T = TypeVar("T", bound=Callable[..., Any])  # a class is called as well
CatchUp = Literal["skip", "last", "all"]
Overlap = Literal["allow", "skip"]
NO_OPTIONS = ("self", "expression", "interval", "at", "name")
NAMES = {"queue": "queue_name", "expires": "expires_in"}  # as create_schedule() calls them
UNITS = {"day": 86400, "hour": 3600, "minute": 60}


@dataclasses.dataclass(frozen=True)
class Schedule:
    """What makes the message, and when it is enqueued: arguments of create_schedule()."""

    name: str
    source: Callable[[], Any]
    arguments: Mapping[str, Any]

    def declaration(self) -> dict[str, Any]:
        """Make the message and return the arguments of create_schedule(); None is the default."""
        message = self.source()
        try:
            known = message_type_of(type(message))
        except TypeError as error:
            raise TypeError(f"schedule {self.name!r} makes {message!r}: {error}") from None
        return {
            "schedule_name": self.name,
            "message_type": known.name,
            "body": known.codec.encode(message),
            **self.arguments,
        }


class Schedules:
    """The part of an application that declares schedules."""

    schedules: dict[str, Schedule]

    def cron(
        self,
        expression: str,
        *,
        timezone: str | None = None,
        name: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        max_runs: int | None = None,
        jitter: timedelta | float | None = None,
        catch_up: CatchUp | None = None,
        catch_up_limit: int | None = None,
        overlap: Overlap | None = None,
        expires: timedelta | float | None = None,
        on_expiry: OnExpiry | None = None,
    ) -> Callable[[T], T]:
        """Enqueue a message at the times of a cron expression, on the clocks of a zone [UTC].

        This decorates a message type whose fields all have defaults, or a function without
        arguments that returns a message; it is called when the schedules are synchronised. The
        schedule's name is the type's wire name, or the function's, unless another is given.
        docs/schedules.md explains the options.
        """
        return self._scheduled("cron", {"expression": expression}, locals())

    def every(
        self,
        interval: timedelta | float,
        *,
        name: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        max_runs: int | None = None,
        jitter: timedelta | float | None = None,
        catch_up: CatchUp | None = None,
        catch_up_limit: int | None = None,
        overlap: Overlap | None = None,
        expires: timedelta | float | None = None,
        on_expiry: OnExpiry | None = None,
    ) -> Callable[[T], T]:
        """Enqueue a message every so often, which is a timedelta or seconds.

        It counts from `starts_at`, else from the moment when the schedule was created. What this
        decorates is explained at cron().
        """
        return self._scheduled("interval", {"every": interval_text(interval)}, locals())

    def once(
        self,
        at: datetime,
        *,
        timezone: str | None = None,
        name: str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        catch_up: CatchUp | None = None,
        expires: timedelta | float | None = None,
        on_expiry: OnExpiry | None = None,
    ) -> Callable[[T], T]:
        """Enqueue a message one time; a time without offset is on the clocks of the zone [UTC].

        What this decorates is explained at cron().
        """
        return self._scheduled("once", {"at": at.isoformat()}, locals())

    def declarations(self) -> list[dict[str, Any]]:
        """Return what sync_schedules() is told; this calls the factories."""
        return [schedule.declaration() for schedule in self.schedules.values()]

    def _scheduled(
        self, kind: str, config: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Callable[[T], T]:
        """Return the decorator; `given` has the arguments of cron(), every() or once()."""
        arguments: dict[str, Any] = {"schedule_type": kind, "schedule_config": config}
        for name, value in given.items():
            if name not in NO_OPTIONS and value is not None:
                written = WRITTEN[name](value) if name in WRITTEN else value
                arguments[NAMES.get(name, name)] = written

        def register(source: T) -> T:
            chosen = given["name"] or _name_of(source)
            _check(source, chosen)
            if chosen in self.schedules:
                taken = self.schedules[chosen].source
                raise ValueError(
                    f"schedule {chosen!r} is declared already, by {_describe(taken)}; "
                    "give one of them another name=..."
                )
            self.schedules[chosen] = Schedule(chosen, source, arguments)
            return source

        return register


def _name_of(source: Callable[..., Any]) -> str:
    if isinstance(source, type):
        return message_type_of(source).name
    found: str = getattr(source, "__name__", "<lambda>")
    if found == "<lambda>":
        raise ValueError(f"{source!r} has no name for a schedule; give one: name=...")
    return found


def _check(source: Callable[..., Any], name: str) -> None:
    """Expect something that makes a message when it is called without arguments."""
    if isinstance(source, type):
        message_type_of(source)
    if inspect.iscoroutinefunction(source):
        raise TypeError(f"schedule {name!r}: {_describe(source)} is async; let it be a plain one")
    needed = [
        parameter.name
        for parameter in inspect.signature(source).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise TypeError(
            f"schedule {name!r}: {_describe(source)} cannot be made without {', '.join(needed)}; "
            "give defaults, or schedule a function without arguments that returns the message"
        )


def _describe(source: Callable[..., Any]) -> str:
    return getattr(source, "__qualname__", repr(source))


def _moment(name: str) -> Callable[[datetime], str]:
    """Return what writes a time as ISO 8601, and refuses one without a zone."""

    def written(value: datetime) -> str:
        check_moment(name, value)
        return value.isoformat()

    return written


def interval_text(value: timedelta | float) -> str:
    """Write a duration for PostgreSQL, and for people: 15 minutes, 90 seconds."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    for unit, size in UNITS.items():
        if seconds and seconds % size == 0:
            return _count(seconds / size, unit)
    return _count(seconds, "second")


def _count(number: float, unit: str) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".") + f" {unit}{'' if number == 1 else 's'}"


# How an option is written that JSON has no type for.
WRITTEN: dict[str, Callable[[Any], str]] = {
    "starts_at": _moment("starts_at"),
    "ends_at": _moment("ends_at"),
    "jitter": interval_text,
    "expires": interval_text,
}
