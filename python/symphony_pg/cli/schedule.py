# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg schedule: what is enqueued when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import click

from ..app import Symphony
from ..database.client import Client
from ..database.functions.schedules import (
    ClockChange,
    ScheduleDiff,
    UpcomingRun,
)
from ..schedules import interval_text
from .application import app_option
from .enqueue import parse_body, parse_header
from .kinds import DURATION, MOMENT
from .options import connected, listing, options
from .output import Output
from .tables import Column, Row


def _when(row: Row) -> str:
    key = {"cron": "expression", "interval": "every", "once": "at"}[row["schedule_type"]]
    value = row["schedule_config"][key]
    return str(value) if key == "expression" else f"{key} {value}"


COLUMNS = (
    Column("schedule_name", "schedule", least=28),
    Column("when", "when", least=16, value=_when),
    Column("timezone", "zone", rank=2),
    Column("message_type", "message", rank=1),
    Column("queue_name", "queue", rank=4),
    Column("state", "state"),
    Column("next_run_at", "next run"),
    Column("last_run_at", "last run", rank=3),
    Column("run_count", "runs", rank=4),
    Column("managed_by", "declared by", rank=4),
)

RUNS = (
    Column("scheduled_at", "run"),
    Column("fired_at", "fired", rank=1),
    Column("message_id", "message"),
    Column("skipped", "skipped because", least=24),
)


@click.group()
def schedule() -> None:
    """Enqueue messages at certain times, by schedules."""


@schedule.command("list")
@listing
def list_(client: Client, out: Output) -> None:
    """List the schedules, when each runs next and when it did last.

    \b
    state      on; paused; broken: `schedule show` says why; done: it will not run again
    declared   by which application, see `schedule diff`; none: it was made by hand

    \b
    Examples:
      symphony-pg schedule list
      symphony-pg schedule list --json | jq -r '.[] | select(.state == "broken") | .schedule_name'
    """
    schedules = client.schedule_status()
    out.table(schedules, COLUMNS, "There is no schedule.")
    for each in schedules:
        out.pause(each.schedule_name, "paused", each.paused_at, each.paused_by)


@schedule.command()
@click.argument("name")
@options(("runs", click.IntRange(1, 10000), "How many runs.", 10))
@listing
def show(client: Client, out: Output, name: str, runs: int) -> None:
    """Show the schedule NAME and its last runs.

    \b
    Example:
      symphony-pg schedule show report
    """
    (status,) = client.schedule_status(name)
    history = client.schedule_runs(name, runs)
    if out.as_json:
        out.json({**status._asdict(), "runs": history})
        return
    out.record(status)
    out.text()
    out.table(history, RUNS, "It has not run yet.")


@schedule.command()
@click.argument("name")
@click.argument("message_type", metavar="TYPE")
@click.argument("body", default="{}")
@options(
    ("cron", "EXPRESSION", "At these times: '0 9 * * mon-fri'."),
    ("every", DURATION, "So often: 90, 5m, 1h30m, 1d."),
    ("at", "TIME", "Once: '2030-01-31 08:00', on the zone's clocks."),
    ("timezone", "ZONE", "Whose clocks, such as Europe/Paris [UTC]."),
    ("queue queue_name", "QUEUE", "Into this queue [as its type is routed]."),
    ("priority", int, "0 to 9; 9 goes first [its route's, else 5]."),
    ("header headers", ["NAME=VALUE"], "Metadata; repeatable."),
    ("starts-at", MOMENT, "No run before; --every counts from here."),
    ("ends-at", MOMENT, "No run after."),
    ("max-runs", int, "It is done after so many."),
    ("jitter", DURATION, "Delay each message by a random part of this [0]."),
    ("catch-up", "WHICH", "Of runs missed: skip, last or all [last]."),
    ("catch-up-limit", int, "With all: how many at most [100]."),
    ("overlap", "HOW", "allow, or skip a run before the last is done."),
    ("expires expires_in", DURATION, "How long after its time it may start."),
    ("on-expiry", "HOW", "What comes later: fail or drop [fail]."),
)
@connected
def add(
    client: Client,
    out: Output,
    name: str,
    message_type: str,
    body: str,
    cron: str | None,
    every: timedelta | None,
    at: str | None,
    headers: Sequence[str],
    **given: Any,
) -> None:
    """Enqueue messages of TYPE with BODY at certain times.

    A schedule called NAME is replaced; if it was paused it stays so. What an application declares
    with @app.cron is better changed there: it is put right when a worker starts.

    \b
    Examples:
      symphony-pg schedule add report SendReport --cron '0 9 * * mon-fri' --timezone Europe/Paris
      symphony-pg schedule add poll Poll '{"region": "eu"}' --every 15m --overlap skip
      symphony-pg schedule add launch Launch --at '2030-01-31 08:00' --timezone America/New_York
    """
    times = {
        ("cron", "expression"): cron,
        ("interval", "every"): None if every is None else interval_text(every),
        ("once", "at"): at,
    }
    chosen = [(kind, {key: value}) for (kind, key), value in times.items() if value is not None]
    if len(chosen) != 1:
        raise click.UsageError("say when: with one of --cron, --every and --at")
    kind, config = chosen[0]
    next_run_at = client.create_schedule(
        name,
        message_type,
        kind,
        config,
        parse_body(body),
        headers=dict(map(parse_header, headers)) or None,
        **given,
    )
    text = f"Schedule {name} runs {_next(out, next_run_at)}. See: symphony-pg schedule next {name}"
    out.say(text, schedule_name=name, next_run_at=next_run_at)


def _next(out: Output, next_run_at: datetime | None) -> str:
    return "never again" if next_run_at is None else f"next at {out.cell(next_run_at)}"


@schedule.command()
@click.argument("name")
@connected
def pause(client: Client, out: Output, name: str) -> None:
    """Stop the schedule NAME. Its runs are left out until it is resumed.

    It also stays paused when the application that declares it is deployed again.

    \b
    Example:
      symphony-pg schedule pause report
    """
    is_news = client.pause_schedule(name)
    text = f"Schedule {name} is paused{'' if is_news else ' already'}."
    out.say(text, schedule_name=name, paused=True, changed=is_news)


@schedule.command()
@click.argument("name")
@connected
def resume(client: Client, out: Output, name: str) -> None:
    """Let the schedule NAME run again, from its next time on.

    It was paused, or is broken.

    \b
    Example:
      symphony-pg schedule resume report
    """
    next_run_at = client.resume_schedule(name)
    text = f"Schedule {name} runs {_next(out, next_run_at)}."
    out.say(text, schedule_name=name, paused=False, next_run_at=next_run_at)


@schedule.command()
@click.argument("name")
@connected
def remove(client: Client, out: Output, name: str) -> None:
    """Remove the schedule NAME and its history. Messages that it has enqueued stay.

    \b
    Example:
      symphony-pg schedule remove report
    """
    existed = client.remove_schedule(name)
    text = f"Schedule {name} {'is gone' if existed else 'did not exist'}."
    out.say(text, schedule_name=name, removed=existed)


@schedule.command()
@click.argument("name")
@connected
def run(client: Client, out: Output, name: str) -> None:
    """Enqueue the message of the schedule NAME now, beside its times.

    \b
    Example:
      symphony-pg schedule run report
    """
    message_id = client.run_schedule_now(name)
    text = f"Message {message_id} is enqueued. See: symphony-pg message show {message_id}"
    out.say(text, schedule_name=name, message_id=message_id)


@schedule.command("next")
@click.argument("name_or_expression")
@click.option("-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@options(
    ("timezone zone", "ZONE", "As if it went by these clocks."),
    ("from after", MOMENT, "The runs after that time [now]."),
)
@connected
def next_(
    client: Client,
    out: Output,
    name_or_expression: str,
    n: int,
    zone: str | None,
    after: datetime | None,
) -> None:
    """Show the coming runs of a schedule or a cron expression.

    The times are those on its zone's clocks and in UTC.

    Where the clocks are put forward or back, a line says so: what is skipped is run at the end of
    the gap, and what is repeated runs once, unless it is frequent. docs/cron.md has the rules.
    The runs of a paused schedule are those it would have.

    \b
    Examples:
      symphony-pg schedule next report
      symphony-pg schedule next '30 2 * * *' --timezone Europe/Paris --from 2027-03-26 -n 4
    """
    after = after or datetime.now(timezone.utc)
    runs = client.schedule_preview(name_or_expression, n, zone, after)
    changes = client.clock_changes(runs[0].zone, after, runs[-1].run_at) if runs else []
    if out.as_json:
        out.json([_as_values(run, crossed) for run, crossed in _with_changes(runs, changes)])
        return
    if not runs:
        out.text(f"{name_or_expression} does not run again.")
        return
    out.text(f"{runs[0].zone:<30}  UTC", bold=True)
    for run, crossed in _with_changes(runs, changes):
        marks = list(map(change_in_words, crossed))
        if len(marks) > 2:
            marks = [f"the clocks are changed {len(marks)} times"]
        for mark in marks:
            out.text(f"  -- {mark}", colour="yellow")
        local = f"{run.local_time:%a %Y-%m-%d %H:%M:%S} {_offset(run.utc_offset)}"
        out.text(f"{local:<30}  {run.run_at.astimezone(timezone.utc):%a %Y-%m-%d %H:%M:%S}")


def _with_changes(
    runs: Sequence[UpcomingRun], changes: Sequence[ClockChange]
) -> Iterator[tuple[UpcomingRun, list[ClockChange]]]:
    """Give each run the changes of the clocks since the one before."""
    left = list(changes)
    for run in runs:
        crossed = [each for each in left if each.changed_at <= run.run_at]
        left = left[len(crossed) :]
        yield run, crossed


def _as_values(run: UpcomingRun, crossed: Sequence[ClockChange]) -> dict[str, Any]:
    return {
        **run._asdict(),
        "run_at": run.run_at.astimezone(timezone.utc),
        "clock_changes": [
            {
                **each._asdict(),
                "changed_at": each.changed_at.astimezone(timezone.utc),
                "mark": change_in_words(each),
            }
            for each in crossed
        ],
    }


def change_in_words(change: ClockChange) -> str:
    """Say how the clocks are changed, such as '2027-03-28: clocks go forward 02:00 → 03:00'."""
    before, after = change.clock_before, change.clock_after
    way = "forward" if after > before else "back"
    shown = f"{before:%H:%M} → {after:%H:%M}"
    if before.date() != after.date():
        shown = f"{before:%Y-%m-%d %H:%M} → {after:%Y-%m-%d %H:%M}"
    return f"{before:%a %Y-%m-%d}: clocks go {way} {shown}"


def _offset(offset: timedelta) -> str:
    hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02}:{minutes:02}"


@schedule.command()
@app_option(required=True, help="The application that declares schedules.")
@connected
def diff(client: Client, out: Output, app: Symphony) -> None:
    """Compare the schedules with those the application declares.

    \b
    +  new        would be created by `symphony-pg db install --app` and when a worker starts
    ~  changed    would be changed; each setting is shown as database → application
    =  paused, broken or done although it is as declared; that stays
    -  orphaned   the application declares it no longer; it goes on until it is removed
    !  taken      it belongs to another application or was made by hand; that is an error

    The exit code is 1 if there is any of these, but for done ones.

    \b
    Example:
      symphony-pg schedule diff --app shop.messages:app
    """
    found = client.schedule_diff(app.name, app.declarations())
    out.json(found)
    for line in _diff_lines(out, found, app.name):
        out.text(line)
    if any(each.outcome != "unchanged" or not each.enabled for each in found):
        raise SystemExit(1)


def _diff_lines(out: Output, found: Sequence[ScheduleDiff], app_name: str) -> Iterator[str]:
    for each in found:
        name, state = click.style(each.schedule_name, bold=True), each.state
        suffix = "" if state in ("on", None) else f", {state}"
        if each.outcome == "new":
            yield click.style(f"+ {name}  new, runs {_next(out, each.next_run_at)}", fg="green")
        elif each.outcome == "orphaned":
            yield click.style(f"- {name}  orphaned{suffix}", fg="red")
            yield f"    To end it: symphony-pg schedule remove {each.schedule_name}"
        elif each.outcome == "taken":
            owner = each.changes["managed_by"][0]
            whose = f"belongs to application {owner}" if owner else "was made by hand"
            yield click.style(f"! {name}  taken{suffix}: it {whose}", fg="red")
        elif each.outcome == "changed":
            yield click.style(f"~ {name}  changed{suffix}", fg="yellow")
        elif state != "on":
            yield f"= {name}  {state}"
        if each.last_error is not None:
            yield f"    {each.last_error}"
        width = max(map(len, each.changes), default=0)
        for setting, (there, declared) in sorted(each.changes.items()):
            yield f"    {setting:<{width}}  {out.cell(there)} → {out.cell(declared)}"
    same = sum(each.outcome == "unchanged" for each in found)
    yield f"{same} of {len(found)} schedules are as application {app_name} declares them."
