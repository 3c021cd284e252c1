# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg failed: the messages that failed for good, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import click

from ..database.acting import actor
from ..database.client import Client
from ..database.functions.failed import FailedMessage, Outcome
from ..database.functions.messages import LONGEST_ID
from .enqueue import as_raw_json
from .kinds import PAST
from .options import F, connected, listing, options
from .output import Output, with_history
from .tables import Column, Row

MOST = 1_000_000


def _error(name: str) -> Callable[[Row], str]:
    """Return the first line of an error, without its class, which is shown beside it."""

    def error(row: Row) -> str:
        line: str = row[name].strip().split("\n", 1)[0]
        error_class = (row["error_class"] or "").rpartition(".")[2]
        return line.removeprefix(f"{row['error_class']}: ").removeprefix(f"{error_class}: ")

    return error


GROUPS = (
    Column("messages", "messages"),
    Column("queue_name", "queue", least=8),
    Column("message_type", "type", least=20),
    Column("error_class", "error class", least=20),
    Column("oldest_at", "oldest", rank=3),
    Column("newest_at", "newest", rank=2),
    Column("example_id", "example"),
    Column("error", "its error", rank=1, least=20, value=_error("example_error")),
)

MESSAGES = (
    Column("message_id", "id"),
    Column("queue_name", "queue", rank=1, least=8),
    Column("message_type", "type", least=20),
    Column("attempt", "attempts", rank=2),
    Column("replays", "replays", rank=3),
    Column("failed_at", "failed at"),
    Column("error", "error", least=24, value=_error("last_error")),
)


@click.group()
def failed() -> None:
    """Look at failed messages, bring them back, or remove them."""


_filters = options(
    ("queue queue_name", "QUEUE", "Of this queue."),
    ("type message_type", "TYPE", "Of this type."),
    ("error-class", "CLASS", "With this class of error; '' for none."),
    ("since", PAST, "That failed since then: a time, or 2h for two hours ago."),
    ("until", PAST, "That failed until then."),
    ("search", "TEXT", "With this text in the error or the body."),
)


@failed.command("list")
@_filters
@options(
    ("limit", click.IntRange(1, MOST), "Rows of a page.", 50),
    ("before", "CURSOR", "The page behind; the last page names it."),
)
@listing
def list_(client: Client, out: Output, limit: int, before: str | None, **filters: Any) -> None:
    """List failed messages, newest first, by class of error.

    \b
    Examples:
      symphony-pg failed list
      symphony-pg failed list --queue mail --since 2h
    """
    found = client.failed_messages(**filters, **_cursor(before), at_most=limit)
    if out.as_json or not found:
        out.table(found, MESSAGES, "There are no more." if before else "No message has failed.")
        return
    out.groups(found, MESSAGES, lambda each: each.error_class or "(no class)")
    if len(found) == limit:
        last = found[-1]
        out.text(f"More: --before {last.failed_at.isoformat()}/{last.message_id}")


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


@failed.command()
@_filters
@options(("limit at_most", click.IntRange(1, MOST), "Messages to read [10000]."))
@listing
def stats(client: Client, out: Output, **filters: Any) -> None:
    """Count failed messages by queue, type and class of error.

    10,000+ means that only the newest were read: there may be more, and other groups.

    \b
    Example:
      symphony-pg failed stats --since 1d
    """
    out.table(client.failed_stats(**filters), GROUPS, "No message has failed.")


@failed.command()
@click.argument("message_ids", nargs=-1, required=True)
@connected
def show(client: Client, out: Output, message_ids: Sequence[str]) -> None:
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
        elif out.as_json:
            shown.append(with_history(status, client.message_history(message_id)))
        else:
            out.message(status, client.message_history(message_id))
            out.text()
    _tell(out, bad)
    out.json(shown + [_plain(each) for each in bad])
    if bad:
        raise SystemExit(1)


def _chosen(command: F) -> F:
    """Add what retry and remove have in common."""
    common = options(
        ("all everything", bool, "All of them."),
        ("dry-run", bool, "Only say what would be done."),
        ("limit", click.IntRange(1), "At most so many of a filter."),
        ("review", bool, "Show each, and ask what to do."),
    )
    return click.argument("message_ids", nargs=-1)(_filters(common(command)))


@failed.command()
@_chosen
@options(
    ("body", str, "With one id: its new body, as JSON."),
    ("per-second", float, "So many a second; without: all at once."),
)
@connected
def retry(
    client: Client, out: Output, body: str | None, per_second: float | None, **given: Any
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
    chosen = _Choice(given)
    if chosen.wants_review(out):
        _review(client, out, chosen.filters)
        return
    one = partial(client.retry_failed, body=_json(body), per_second=per_second)
    many = partial(client.retry_many_failed, per_second=per_second, actor=actor())
    chosen.deal_with(out, one, many if body is None else None, "retried")


@failed.command()
@_chosen
@options(("yes", bool, "Do not ask."))
@connected
def remove(client: Client, out: Output, yes: bool, **given: Any) -> None:
    """Remove failed messages for good: by id, by filter, or --all.

    On a terminal without any of these: one by one, as with --review. Exit code 1 if one of the ids
    was not failed.

    \b
    Examples:
      symphony-pg failed remove 42
      symphony-pg failed remove --type OldReport --until 30d --dry-run
    """
    chosen = _Choice(given)
    if chosen.wants_review(out):
        _review(client, out, chosen.filters)
        return
    if not (yes or chosen.dry_run or chosen.message_ids):
        click.confirm("Remove them for good?", abort=True, err=True)
    chosen.deal_with(
        out, client.remove_failed, partial(client.remove_many_failed, actor=actor()), "removed"
    )


class _Choice:
    """What _chosen has let a person say: which messages are meant, and what to do with them."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.message_ids: Sequence[str] = given.pop("message_ids")
        self.dry_run: bool = given.pop("dry_run")
        self._everything: bool = given.pop("everything")
        self._review: bool = given.pop("review")
        self._limit: int | None = given.pop("limit")
        self.filters = given  # all that is left

    def wants_review(self, out: Output) -> bool:
        """Tell whether to show one after the other, and ask."""
        if self._review and not out.can_ask:
            raise click.UsageError("--review asks questions: it needs a terminal")
        if self._review and self.message_ids:
            raise click.UsageError("--review takes filters, and no ids")
        filters = any(value is not None for value in self.filters.values())
        is_named = self.message_ids or self._everything or filters
        return self._review or (not is_named and out.can_ask)

    def deal_with(
        self,
        out: Output,
        one: Callable[..., list[Outcome]],
        many: Callable[..., int] | None,
        done: str,
    ) -> None:
        """Call what deals with some messages at once, or with many, and say what was done."""
        given: dict[str, Any] = {**self.filters, "everything": self._everything}
        if self.message_ids:
            known, bad = _ids(self.message_ids)
            found = one(known, **given, dry_run=self.dry_run)
            _tell_outcomes(out, found + bad, done, self.dry_run)
            return
        if many is None or self.dry_run:
            count = one(**given, dry_run=self.dry_run)[0].messages
        else:
            count = many(**given, at_most=self._limit)
        _tell_count(out, count, done, self.dry_run, self._limit)


def _tell_outcomes(out: Output, outcomes: Sequence[Outcome], done: str, dry_run: bool) -> None:
    """Say what became of each id."""
    _tell(out, outcomes, dry_run)
    out.json([_plain(each) for each in outcomes])
    if any(each.outcome != done for each in outcomes):
        raise SystemExit(1)


def _tell_count(out: Output, count: int, done: str, dry_run: bool, limit: int | None) -> None:
    """Say how many a filter meant."""
    if dry_run and limit is not None:
        count = min(count, limit)
    verb = f"would be {done}" if dry_run else f"{'is' if count == 1 else 'are'} {done}"
    text = f"{count:,} message{'' if count == 1 else 's'} {verb}."
    out.say(text, messages=count, outcome=done, dry_run=dry_run)


def _review(client: Client, out: Output, filters: dict[str, Any]) -> None:
    """Show one failed message after the other, and do what the person says."""
    counts = {"retried": 0, "removed": 0, "skipped": 0}
    for each in _pages(client, filters):
        out.record(each)
        while True:
            answer = click.prompt(
                "[r]etry, [s]kip, re[m]ove, [t]raceback, [q]uit",
                type=click.Choice(list("rsmtq")),
                show_choices=False,
                default="s",
            )
            if answer != "t":
                break
            out.history(client.message_history(each.message_id))
            out.text()
        if answer == "q":
            break
        if answer == "s":
            counts["skipped"] += 1
            continue
        verb = client.retry_failed if answer == "r" else client.remove_failed
        (outcome,) = verb([each.message_id])
        _tell(out, [outcome])
        if outcome.outcome in counts:
            counts[outcome.outcome] += 1
        out.text()
    out.text(", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")


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


def _tell(out: Output, outcomes: Sequence[Outcome], dry_run: bool = False) -> None:
    for each in outcomes:
        if each.message_id is None:
            out.text(each.outcome, colour="red")
        elif each.messages:
            verb = "would be" if dry_run else "is"
            out.text(f"Message {each.message_id} {verb} {each.outcome}.")
        else:
            out.text(f"Message {each.message_id} is not failed: {each.outcome}.", colour="red")
