# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg failed: the messages that failed for good, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

import click

from ..database.client import Client
from ..database.functions.failed import FailedMessage, Outcome
from .enqueue import as_raw_json
from .kinds import LONGEST_ID, PAST
from .options import as_json_option, connected
from .output import (
    history,
    honest,
    is_for_people,
    record,
    render,
    show_message,
    to_json,
    with_history,
)

__all__ = ["failed"]

F = TypeVar("F", bound=Callable[..., Any])
CHUNK = 10_000
MOST = 1_000_000
GROUPS = {
    "messages": "messages",
    "queue_name": "queue",
    "message_type": "type",
    "error_class": "error class",
    "oldest_at": "oldest",
    "newest_at": "newest",
    "example_id": "example",
    "error": "its error",
}

ROWS = {
    "message_id": "id",
    "queue_name": "queue",
    "message_type": "type",
    "attempt": "attempts",
    "replays": "replays",
    "failed_at": "failed at",
    "error": "error",
}


@click.group()
def failed() -> None:
    """Look at failed messages, bring them back, or remove them."""


def _filters(command: F) -> F:
    """Add the options that choose among the failed messages."""
    for name, parameter, kind, text in reversed(
        [
            ("queue", "queue_name", "QUEUE", "Of this queue."),
            ("type", "message_type", "TYPE", "Of this type."),
            ("error-class", "error_class", "CLASS", "With this class of error; '' for none."),
            ("since", "since", PAST, "That failed since then: a time, or 2h for two hours ago."),
            ("until", "until", PAST, "That failed until then."),
            ("search", "search", "TEXT", "With this text in the error or the body."),
        ]
    ):
        shown = {"metavar": kind} if isinstance(kind, str) else {"type": kind}
        command = click.option(f"--{name}", parameter, help=text, **shown)(command)
    return command


@failed.command("list")
@_filters
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Rows of a page."
)
@click.option("--before", metavar="CURSOR", help="The page behind; the last page names it.")
@connected
@as_json_option
def list_(
    client: Client, limit: int, before: str | None, as_json: bool, **filters: str | datetime | None
) -> None:
    """List failed messages, newest first, by class of error.

    \b
    Examples:
      symphony-pg failed list
      symphony-pg failed list --queue mail --since 2h
    """
    found = client.failed_messages(**filters, **_cursor(before), at_most=limit)  # type: ignore[arg-type]
    if not is_for_people(as_json):
        click.echo(to_json([each._asdict() for each in found]))
        return
    if not found:
        click.echo("No message has failed." if not before else "There are no more.")
        return
    for error_class, group in groupby(sorted(found, key=_class), key=_class):
        rows = [{**each._asdict(), "error": _first_line(each.last_error)} for each in group]
        click.echo(click.style(error_class or "(no class)", bold=True, fg="red"))
        click.echo(render(rows, ROWS) + "\n")
    if len(found) == limit:
        last = found[-1]
        click.echo(f"More: --before {last.failed_at.isoformat()}/{last.message_id}")


def _cursor(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    moment, _, message_id = text.rpartition("/")
    try:
        return {"before_at": datetime.fromisoformat(moment), "before_id": int(message_id)}
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not what the page before named", param_hint="--before"
        ) from None


def _class(each: FailedMessage) -> str:
    return each.error_class or ""


def _first_line(text: str) -> str:
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= 70 else line[:69] + "…"


@failed.command()
@_filters
@click.option("--limit", type=click.IntRange(1, MOST), help="Messages to read [10000].")
@connected
@as_json_option
def stats(
    client: Client, limit: int | None, as_json: bool, **filters: str | datetime | None
) -> None:
    """Count failed messages by queue, type and class of error.

    10,000+ means that only the newest were read: there may be more, and other groups.

    \b
    Example:
      symphony-pg failed stats --since 1d
    """
    groups = client.failed_stats(**filters, at_most=limit)  # type: ignore[arg-type]
    rows = [{**honest(each._asdict()), "error": _first_line(each.example_error)} for each in groups]
    if is_for_people(as_json) and not rows:
        click.echo("No message has failed.")
    elif is_for_people(as_json):
        click.echo(render(rows, GROUPS))
    else:
        click.echo(to_json([each._asdict() for each in groups]))


@failed.command()
@click.argument("message_ids", nargs=-1, required=True)
@connected
@as_json_option
def show(client: Client, message_ids: Sequence[str], as_json: bool) -> None:
    """Show messages with every attempt that failed, and the tracebacks.

    \b
    Example:
      symphony-pg failed show 42 43
    """
    known, bad = _ids(message_ids)
    shown = []
    for message_id in known:
        status = client.message_status(message_id)
        if status is None:
            bad.append(Outcome(message_id, "unknown", 0))
        elif is_for_people(as_json):
            show_message(status, client.message_history(message_id), as_json)
            click.echo()
        else:
            shown.append(with_history(status, client.message_history(message_id)))
    if is_for_people(as_json):
        _tell(bad)
    else:
        click.echo(to_json(shown + [_plain(each) for each in bad]))
    if bad:
        raise SystemExit(1)


def _chosen(command: F) -> F:
    """Add what retry and remove have in common."""
    for option in (
        click.option("--review", is_flag=True, help="Show each, and ask what to do."),
        click.option("--limit", type=click.IntRange(1), help="At most so many of a filter."),
        click.option("--dry-run", is_flag=True, help="Only say what would be done."),
        click.option("--all", "everything", is_flag=True, help="All of them."),
        _filters,
        click.argument("message_ids", nargs=-1),
    ):
        command = option(command)
    return command


@failed.command()
@_chosen
@click.option("--body", help="With one id: its new body, as JSON.")
@click.option("--per-second", type=float, help="So many a second; without: all at once.")
@connected
@as_json_option
def retry(
    client: Client,
    message_ids: Sequence[str],
    everything: bool,
    dry_run: bool,
    review: bool,
    limit: int | None,
    body: str | None,
    per_second: float | None,
    as_json: bool,
    **filters: str | datetime | None,
) -> None:
    """Bring failed messages back, with all their attempts before them.

    By id, by filter, or --all. On a terminal without any of these: one by one, as with --review.
    One that fails again is failed again. Exit code 1 if one of the ids was not failed.

    \b
    Examples:
      symphony-pg failed retry 42 43
      symphony-pg failed retry 42 --body '{"to": "ada@example.com"}'
      symphony-pg failed retry --error-class ConnectionError --dry-run
      symphony-pg failed retry --queue mail --per-second 50
    """
    if _wants_review(message_ids, everything, review, as_json, filters):
        _review(client, filters, as_json)
        return
    options = {"body": _json(body), "per_second": per_second, "dry_run": dry_run}
    size = CHUNK if per_second is None else MOST

    def act(**chosen: Any) -> list[Outcome]:
        return client.retry_failed(**chosen, **options)

    _apply(client, act, "retried", size, message_ids, everything, dry_run, limit, as_json, filters)


@failed.command()
@_chosen
@click.option("--yes", is_flag=True, help="Do not ask.")
@connected
@as_json_option
def remove(
    client: Client,
    message_ids: Sequence[str],
    everything: bool,
    dry_run: bool,
    review: bool,
    limit: int | None,
    yes: bool,
    as_json: bool,
    **filters: str | datetime | None,
) -> None:
    """Remove failed messages for good: by id, by filter, or --all.

    On a terminal without any of these: one by one, as with --review. Exit code 1 if one of the ids
    was not failed.

    \b
    Examples:
      symphony-pg failed remove 42
      symphony-pg failed remove --type OldReport --until 30d --dry-run
    """
    if _wants_review(message_ids, everything, review, as_json, filters):
        _review(client, filters, as_json)
        return
    if not (yes or dry_run or message_ids):
        click.confirm("Remove them for good?", abort=True, err=True)

    def act(**chosen: Any) -> list[Outcome]:
        return client.remove_failed(**chosen, dry_run=dry_run)

    _apply(client, act, "removed", CHUNK, message_ids, everything, dry_run, limit, as_json, filters)


def _wants_review(
    message_ids: Sequence[str],
    everything: bool,
    review: bool,
    as_json: bool,
    filters: dict[str, Any],
) -> bool:
    if review and not is_for_people(as_json):
        raise click.UsageError("--review asks questions: it needs a terminal")
    if review and message_ids:
        raise click.UsageError("--review takes filters, and no ids")
    named = message_ids or everything or any(value is not None for value in filters.values())
    return review or (not named and is_for_people(as_json))


def _apply(
    client: Client,
    act: Callable[..., list[Outcome]],
    done: str,
    size: int,
    message_ids: Sequence[str],
    everything: bool,
    dry_run: bool,
    limit: int | None,
    as_json: bool,
    filters: dict[str, Any],
) -> None:
    """Retry or remove: by id in one call, by filter in chunks, each a transaction of its own."""
    if not message_ids:
        count = sum(_chunks(client, act, size, everything, dry_run, limit, filters))
        verb = f"would be {done}" if dry_run else f"{'is' if count == 1 else 'are'} {done}"
        if is_for_people(as_json):
            click.echo(f"{count:,} message{'' if count == 1 else 's'} {verb}.")
        else:
            click.echo(to_json({"messages": count, "outcome": done, "dry_run": dry_run}))
        return
    known, outcomes = _ids(message_ids)
    chosen = {**filters, **({"everything": True} if everything else {})}
    outcomes = act(message_ids=known, **chosen) + outcomes
    if is_for_people(as_json):
        _tell(outcomes, dry_run)
    else:
        click.echo(to_json([_plain(each) for each in outcomes]))
    if any(each.outcome != done for each in outcomes):
        raise SystemExit(1)


def _chunks(
    client: Client,
    act: Callable[..., list[Outcome]],
    size: int,
    everything: bool,
    dry_run: bool,
    limit: int | None,
    filters: dict[str, Any],
) -> Iterator[int]:
    """Yield how many each call dealt with.

    What fails again while we go on is newer than all we saw at first, and is not taken twice.
    """
    chosen = {**filters, "everything": everything}
    if dry_run:
        count = act(**chosen)[0].messages
        yield count if limit is None else min(count, limit)
        return
    named = any(value is not None for value in filters.values())
    groups = client.failed_stats(**filters) if named != everything else []
    if groups:
        chosen |= {"everything": False, "until": max(each.newest_at for each in groups)}
    left = MOST * MOST if limit is None else limit
    while left > 0:
        wanted = min(size, left)
        count = act(**chosen, at_most=wanted)[0].messages
        yield count
        left = left - count if count == wanted else 0


def _review(client: Client, filters: dict[str, Any], as_json: bool) -> None:
    """Show one failed message after the other, and do what the person says."""
    counts = {"retried": 0, "removed": 0, "skipped": 0}
    for each in _pages(client, filters):
        record(each._asdict(), as_json)
        while True:
            answer = click.prompt(
                "[r]etry, [s]kip, re[m]ove, [t]raceback, [q]uit",
                type=click.Choice(list("rsmtq")),
                show_choices=False,
                default="s",
            )
            if answer != "t":
                break
            click.echo(history(client.message_history(each.message_id)))
        if answer == "q":
            break
        if answer == "s":
            counts["skipped"] += 1
            continue
        verb = client.retry_failed if answer == "r" else client.remove_failed
        (outcome,) = verb([each.message_id])
        _tell([outcome])
        if outcome.outcome in counts:
            counts[outcome.outcome] += 1
        click.echo()
    click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")


def _pages(client: Client, filters: dict[str, Any]) -> Iterator[FailedMessage]:
    page = client.failed_messages(**filters)
    while page:
        yield from page
        last = page[-1]
        page = client.failed_messages(
            **filters, before_at=last.failed_at, before_id=last.message_id
        )


def _ids(texts: Sequence[str]) -> tuple[list[int], list[Outcome]]:
    """Return the numbers, and an outcome for each that is not a number."""
    known, bad = [], []
    for text in texts:
        if text.isascii() and text.isdigit() and int(text) <= LONGEST_ID:
            known.append(int(text))
        else:
            bad.append(Outcome(None, f"not an id: {text}", 0))
    return known, bad


def _json(body: str | None) -> Any:
    if body is None:
        return None
    try:
        value = as_raw_json(body)
    except ValueError as error:
        raise click.BadParameter(f"it is not JSON: {error}", param_hint="--body") from None
    if value.strip() == "null":
        raise click.BadParameter("a body must not be null", param_hint="--body")
    return value


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {"message_id": outcome.message_id, "outcome": outcome.outcome}


def _tell(outcomes: Sequence[Outcome], dry_run: bool = False) -> None:
    for each in outcomes:
        if each.message_id is None:
            click.echo(each.outcome)
        elif each.messages:
            verb = "would be" if dry_run else "is"
            click.echo(f"Message {each.message_id} {verb} {each.outcome}.")
        else:
            click.echo(f"Message {each.message_id} is not failed: {each.outcome}.")
