# ruff: noqa: D301 (click's \b must not be raw)
"""The command line: `symphony-pg`. Each module here holds the commands of one subject."""

from __future__ import annotations

import click

from ..version import __version__
from .access import access
from .audit import audit
from .config import config
from .consume import consume
from .db import db
from .demo import demo
from .doctor import doctor
from .enqueue import enqueue
from .errors import ErrorsAsText
from .failed import failed
from .key import key
from .message import message
from .options import Given, json_option, wide_option
from .output import has_no_colour
from .policy import policy
from .queue import queue
from .route import route
from .schedule import schedule
from .serve import serve
from .stats import stats
from .top import top
from .transport import transport
from .workers import workers

__all__ = ["main"]


@click.group(cls=ErrorsAsText, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symphony-pg")
@click.option("--dsn", metavar="DSN", help="The database; see below.")
@json_option
@wide_option
@click.pass_context
def main(context: click.Context, dsn: str | None) -> None:
    """Symphony, a message queue inside PostgreSQL.

    \b
    First steps:
      symphony-pg demo                            see it work, on a server of its own
      symphony-pg db install                      install it into your database
      symphony-pg enqueue SendEmail '{"to": "ada@example.com"}'
      symphony-pg consume --app myproject.messages:app default
      symphony-pg stats --watch

    The database is that of --dsn (a URL or key=value pairs), else, with --app, the one that the
    application was given, else of the variable SYMPHONY_DSN, else of libpq's PGHOST, PGDATABASE,
    PGUSER and so on.

    Tables fit the terminal, and 80 columns in a pipe: columns are left out and texts are cut where
    there is no room. --wide shows them all, and --json is for programs. Times are in the zone of
    the variable TZ, else of this computer. NO_COLOR or TERM=dumb: no colours.
    """
    context.ensure_object(Given).dsn = dsn
    if has_no_colour():
        context.color = False


COMMANDS = (
    *(demo, db, access, config, queue, transport, route, policy, schedule),
    *(enqueue, consume, serve, workers, stats, top, doctor, message, key, failed, audit),
)

for command in COMMANDS:
    main.add_command(command)
