# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg doctor: what is wrong now, and what helps."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

import click

from ..database.client import Client
from ..database.functions.health import Incident
from ..version import __version__
from .cells import without_codes
from .options import connected, options
from .output import Output

COLOURS = {"critical": "red", "warning": "yellow", "note": None}
SEVERITIES = tuple(COLOURS)
MOST_SHOWN = 10


@click.command()
@options(
    ("fail-on", click.Choice(SEVERITIES), "From which severity on the exit code is 1.", "warning"),
)
@connected
def doctor(client: Client, out: Output, fail_on: str) -> None:
    """Say what is wrong now, and what helps.

    \b
    critical   work that is due is not done
    warning    some of it is held up, or soon will be
    note       somebody wanted it so, and nothing waits

    The exit code is 0 if nothing is wrong, or only notes are made; and 1 if something is wrong, or
    if it cannot be found out. What each sentence means is told in docs/runbook.md.

    \b
    Examples:
      symphony-pg doctor
      symphony-pg doctor --fail-on critical > /dev/null || page-somebody
      symphony-pg doctor --json | jq '.[].code'
    """
    found = client.health(__version__)
    out.json(found)
    say_incidents(out, found)
    if any(SEVERITIES.index(each.severity) <= SEVERITIES.index(fail_on) for each in found):
        raise SystemExit(1)


def say_incidents(out: Output, found: Sequence[Incident], *, cause_first: bool = False) -> None:
    """Write what is wrong for people, three lines for each. What helps comes second.

    With `cause_first` the cause does, for those who look and do not read on.
    """
    width = shutil.get_terminal_size((80, 24)).columns
    for each in found[:MOST_SHOWN]:
        head = _wrapped(f"{each.severity}: ", each.sentence, width)
        out.text(head, colour=COLOURS[each.severity], bold=True)
        run = f"  run  {without_codes(each.command)}"
        why = _wrapped("  why  ", each.cause, width)
        for line in (why, run) if cause_first else (run, why):
            out.text(line)
    if len(found) > MOST_SHOWN:
        out.text(f"{len(found) - MOST_SHOWN} more: symphony-pg doctor --json")
    if all(each.severity == "note" for each in found):
        out.text("Nothing is wrong.")


def _wrapped(label: str, text: str, width: int) -> str:
    """Return a text of which no line is too long, but for a word that cannot be broken."""
    return textwrap.fill(
        without_codes(text),
        width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
