# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg demo: the whole life of a few thousand messages."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import click

from ..app import Symphony
from ..database.client import Client
from ..database.connections import connect, dsn_or_default
from ..database.install import install
from ..handling.context import Context
from ..messages.types import message
from ..outcomes import PermanentError
from ..server import Server
from ..worker import Worker
from .consume import outcome
from .demo_web import ChargeCard, ResizeImage, SendEmail, serve_demo
from .kinds import PORT
from .options import chosen_dsn, dsn_option, options, output
from .stats import COLUMNS

QUEUE = "demo"


@message("demo.Remind")
@dataclass
class Remind:
    """Is delayed."""

    user_id: int


def _application(dsn: str) -> tuple[Symphony, Counter[str]]:
    app = Symphony(dsn)
    handled: Counter[str] = Counter()

    @app.handler(SendEmail)
    def send_email(_: SendEmail) -> None:
        handled["e-mails sent"] += 1

    @app.handler(ResizeImage)
    def resize_image(_: ResizeImage, context: Context) -> None:
        if context.attempt == 1:
            raise ConnectionError("the image store did not answer")
        handled["images resized at the second attempt"] += 1

    @app.handler(Remind)
    async def remind(_: Remind) -> None:
        handled["reminders sent after their delay"] += 1

    @app.handler(ChargeCard)
    def charge_card(charge: ChargeCard) -> None:
        if charge.amount < 0:
            raise PermanentError(f"cannot charge {charge.amount}")
        handled["cards charged"] += 1

    return app, handled


@click.command()
@options(
    ("messages", click.IntRange(100), "How many.", 5000),
    ("keep", bool, "Let the server run until Ctrl-C, to look around."),
    ("web", bool, "Let traffic go on, and show it in the dashboard."),
    ("port", PORT, "Where the dashboard is, with --web.", 8787),
)
@dsn_option
def demo(messages: int, keep: bool, web: bool, port: int, dsn: str | None) -> None:
    """Watch a few thousand messages go through PostgreSQL.

    It starts a PostgreSQL of its own and throws it away at the end; with --dsn it uses that one,
    installs Symphony there if need be, and leaves a queue called demo behind.

    \b
    Examples:
      symphony-pg demo
      symphony-pg demo --keep
      symphony-pg demo --web
    """
    given = chosen_dsn(dsn)
    place: AbstractContextManager[Server | None] = nullcontext()
    if given is None:
        _tell("Starting a PostgreSQL of our own ...")
        place = Server()
    with _quiet(), place as server:
        target = server.dsn if server is not None else dsn_or_default(given)
        if web:
            serve_demo(target, port)
            return
        _run(target, messages)
        _what_next(target, server is not None and not keep)
        if keep and server is not None:
            click.echo("\nThe server runs until you press Ctrl-C.")
            _wait_for_interrupt()


@contextmanager
def _quiet() -> Iterator[None]:
    """Log no failures of messages: they are part of the show."""
    log = logging.getLogger("symphony_pg")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _run(dsn: str, messages: int) -> None:
    with connect(dsn) as conn:
        client = Client(conn)
        is_new = install(conn)
        _tell(f"Symphony {client.version()} {'installed' if is_new else 'was there already'}.")
        client.create_queue(QUEUE, retry_delay=timedelta(seconds=1))
        app, handled = _application(dsn)
        with app:
            _enqueue(app, messages)
            _tell("\nA worker starts:")
            worker = Worker(app, [QUEUE], concurrency=4)
            seconds = asyncio.run(_work_off(worker, messages))
        _tell(f"\n{outcome(worker.counts)}; {seconds:.1f} s in all, waits included:")
        for what, number in sorted(handled.items()):
            _tell(f"  {number:>6,} {what}")
        _tell(f"  {worker.counts.retried:>6,} failures, retried after a second")
        _tell(f"  {worker.counts.failed:>6,} failed for good: kept, until somebody decides")
        _tell("\nWhat `symphony-pg stats` says:")
        output().table(client.queue_stats(QUEUE), COLUMNS, "")
        broken = client.check()
        _tell(f"\nInvariants: {broken or 'all hold'}.")


def _enqueue(app: Symphony, messages: int) -> None:
    images, reminders = messages // 20, messages // 20
    charges = messages // 10
    emails = messages - images - reminders - charges
    batch = [app.envelope(SendEmail(f"user-{n}@example.com"), queue=QUEUE) for n in range(emails)]
    batch += [app.envelope(ResizeImage(f"{n}.png"), queue=QUEUE) for n in range(images)]
    batch += [app.envelope(Remind(n), queue=QUEUE, delay=1.5) for n in range(reminders)]
    batch += [
        app.envelope(ChargeCard(n if n else -5, "tok_4242"), queue=QUEUE, priority=9)
        for n in range(charges)
    ]
    started = time.monotonic()
    for first in range(0, len(batch), 1000):
        app.dispatch_many(batch[first : first + 1000])
    seconds = time.monotonic() - started
    _tell(f"{messages:,} messages of four types enqueued, {messages / seconds:,.0f} a second.")


async def _work_off(worker: Worker, messages: int) -> float:
    """Run the worker until every message is done or failed; return how long that took."""
    started = time.monotonic()
    run = asyncio.create_task(worker.run())
    shown_at = 0.0
    counts = worker.counts
    while counts.done + counts.failed < messages and not run.done():
        await asyncio.sleep(0.05)
        if time.monotonic() - shown_at > (0.1 if output().is_live else 1):
            shown_at = time.monotonic()
            _show_progress(worker, messages, shown_at - started)
    seconds = time.monotonic() - started
    worker.stop()
    await run
    _show_progress(worker, messages, seconds)
    if output().is_live:
        click.echo()
    return seconds


def _show_progress(worker: Worker, messages: int, seconds: float) -> None:
    counts = worker.counts
    finished = counts.done + counts.failed
    text = f"  {finished / messages:4.0%}  {seconds:4.1f} s  {outcome(counts)}"
    if output().is_live:
        full = int(30 * finished / messages)
        click.echo(f"\r\033[K  {'█' * full}{'░' * (30 - full)}{text}", nl=False)
    else:
        click.echo(text)


def _what_next(dsn: str, is_gone: bool) -> None:
    if is_gone:
        _tell("\nNext, keep the server for a look around:\n")
        _tell("  symphony-pg demo --keep")
        _tell("\nor watch traffic going on, in the dashboard:\n")
        _tell("  symphony-pg demo --web        (make demo-web)")
        _tell("\nor begin with a database of your own:\n")
        _tell("  export SYMPHONY_DSN=postgresql:///mydatabase")
        _tell("  symphony-pg db install")
    else:
        _tell("\nNext, look around from another terminal:\n")
        _tell(f"  export SYMPHONY_DSN={dsn}")
        _tell("  symphony-pg stats")
    _tell('  symphony-pg enqueue SendEmail \'{"to": "ada@example.com"}\'')
    _tell("  symphony-pg message why 1")


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo()


def _tell(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()
