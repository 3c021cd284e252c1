# ruff: noqa: D301 (click's \b must not be raw)
"""symphony-pg consume: the worker."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

import click

from ..config.result import Config
from ..errors import WorkerStuck, WrongState
from ..monitoring.probes import worker_pages
from ..monitoring.prometheus import WorkerMetrics
from ..version import __version__
from ..worker import Counts, Worker
from ..worker.beside import relays_beside
from ..worker.relay import Relay
from ..worker.signals import Signals
from .application import load_app
from .config import CONFIG, use_config
from .errors import as_text
from .kinds import ADDRESS, DURATION, INTERVAL, MEMORY
from .lifeline import Parent
from .logs import LEVEL, configure_logging, start_logging
from .options import chosen_dsn, dsn_option, options, printing
from .output import Output
from .relay import broker_settings, chosen_brokers
from .reload import run_reloading

log = logging.getLogger("symphony_pg.worker")
PROGRESS_INTERVAL = 0.5
LAST_SECOND = 1.0
Beside = AbstractAsyncContextManager[None]
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


@click.command()
@click.argument("queues", nargs=-1)
@click.option(
    "--app", "reference", required=True, envvar="SYMPHONY_APP", metavar="MODULE:NAME",
    help="The application [SYMPHONY_APP].",
)  # fmt: skip
@options(
    ("concurrency", click.IntRange(1, 1000), "Handlers that run at a time.", 1),
    ("batch-size", click.IntRange(1, 1000),
     "Messages to claim at most; slow handlers get fewer.", 100),
    ("limit", click.IntRange(1), "End after so many messages."),
    ("failure-limit", click.IntRange(1), "End after so many attempts that failed."),
    ("memory-limit", MEMORY, "End when the process has so much in memory, such as 256M."),
    ("time-limit", DURATION, "End after so long."),
    ("drain", bool, "End when there is nothing to do."),
    ("grace", DURATION, "What running handlers get when the worker is stopped.", "30s"),
    ("install", bool, "Install the schema if it is not there."),
    ("handler-timeout", INTERVAL, "What handlers may take that have no timeout of their own."),
    ("no-listen", bool, "Poll only: for transaction poolers."),
    ("no-tick", bool, "Leave delays, retries and leases to others."),
    ("no-schedules", bool, "Leave the schedules in the database as they are."),
    ("poll-interval", INTERVAL, "Between two looks when nothing is notified.", "1s"),
)  # fmt: skip
@click.option(
    "--config", metavar="FILE", is_eager=True, callback=use_config,
    help=f"Its worker settings are defaults here. {CONFIG}",
)  # fmt: skip
@options(
    ("all all_queues", bool, "Work off all queues, also those created later."),
    ("transport", "NAME",
     "Consume from the broker that this transport of the file leads to, and from no queue."),
    ("relay relayed", ["TRANSPORT"],
     "Forward the messages of this transport to its broker, too; may be given again."),
    ("relay-all", bool, "Forward those of all transports of the file."),
    ("exclude", ["QUEUE"], "With --all: but not this one."),
    ("log-level", LEVEL, "What is logged [info, or as the application configures it]."),
    ("metrics-port metrics_at", ADDRESS, "Serve /metrics of this worker for Prometheus there."),
    ("probe-port probes_at", ADDRESS, "Serve /live and /ready there: 200, or 503 and why."),
    ("reload", bool, "Restart when a Python file changes."),
    ("name", str, "What the worker calls itself [host:pid:random]."),
)  # fmt: skip
@dsn_option
@printing
def consume(
    queues: Sequence[str],
    reference: str,
    no_schedules: bool,
    config: Config | None,
    log_level: str | None,
    reload: bool,
    metrics_at: tuple[str, int] | None,
    probes_at: tuple[str, int] | None,
    transport: str | None,
    relayed: Sequence[str],
    relay_all: bool,
    dsn: str | None,
    out: Output,
    **settings: Any,
) -> None:
    """Work off QUEUES, earlier ones first. If none is named: "default".

    With --all, queues take turns every few seconds: the one served least recently comes first.

    Ctrl-C or SIGTERM: nothing more is claimed, running handlers finish, the rest is given back.
    A second one ends at once; nothing is lost, what was running is handed out again later.
    A limit ends the worker in the same way, with exit code 0: let a supervisor start it again.
    If all handlers go on after their time limits, it ends with exit code 75.
    Relays run in the same process. They stop last, within the same grace.

    \b
    Examples:
      symphony-pg consume --app shop.messages:app
      symphony-pg consume urgent mail --app shop.messages:app --concurrency 8
      symphony-pg consume --app shop.messages:app --drain --time-limit 50s     (from cron)
      symphony-pg consume --app shop.messages:app --all --exclude bulk --memory-limit 256M
      symphony-pg consume --app shop.messages:app --metrics-port 9090 --probe-port 8081
      symphony-pg consume --app shop.messages:app --reload                     (while you write it)
      symphony-pg consume --app shop.messages:app --transport orders           (from a broker)
      symphony-pg consume --app shop.messages:app --relay orders               (and to a broker)
    """
    all_queues = settings["all_queues"]
    if all_queues and queues:
        raise click.UsageError("Name queues, or give --all, but not both.")
    if transport and (queues or all_queues):
        raise click.UsageError("Name queues, or a transport, but not both.")
    if relayed and relay_all:
        raise click.UsageError("Name transports to relay, or give --relay-all, but not both.")
    if settings["exclude"] and not all_queues:
        raise click.UsageError("--exclude takes queues out of --all, which is not given.")
    if reload:
        sys.exit(run_reloading(reference))
    start_logging(out)
    # What comes during the import is not lost.
    signals = click.get_current_context().with_resource(Signals())
    parent = Parent(signals)
    app = load_app(reference)
    parent.ready()
    configure_logging(log_level)
    if not app.handlers:
        raise WrongState(
            f"{reference} has no handlers",
            detail="Every message would fail, as one of an unknown type.",
            hint="Import the modules that define them where the application is defined.",
        )
    if (dsn := chosen_dsn(dsn, config)) is not None:
        app.move(dsn)  # what handlers dispatch goes where their messages are
    forwarded = chosen_brokers(config, relayed) if relayed or relay_all else []
    listen = not settings.pop("no_listen")
    relay = partial(Relay, dsn=chosen_dsn(dsn, config), listen=listen)
    relays = [relay(each) for each in forwarded]
    last = [relay(each, drain=True) for each in forwarded if settings["drain"]]
    metrics = None if metrics_at is None else WorkerMetrics(app)
    worker = Worker(
        app,
        queues or ("default",),
        listen=listen,
        tick=not settings.pop("no_tick"),
        schedules=not no_schedules,
        transport=broker_settings(config, transport) if transport else None,
        **{name: _in_seconds(each) for name, each in settings.items()},
    )
    pages = worker_pages(worker, metrics, metrics_at, probes_at)
    urls = click.get_current_context().with_resource(pages)
    out.text(f"{click.style('symphony-pg', bold=True)} {worker.name}")
    if transport:
        out.text(f"transport {transport}")
    else:
        out.text(f"queues    {'all' if all_queues else ', '.join(worker.queues)}")
    for each in forwarded:
        out.text(f"relay     {each.outbox} to {each.type} {each.destination}")
    out.text(f"handlers  {', '.join(sorted(app.handlers))}")
    if app.schedules and not no_schedules:
        out.text(f"schedules {', '.join(sorted(app.schedules))}")
    for url in urls:
        out.text(f"serving   {url}")
    out.text("Ctrl-C stops.\n")
    if not out.is_live:
        log.info(
            "%s starts",
            worker.name,
            extra={
                "version": __version__,
                "queues": "all" if all_queues else worker.queues,
                "handlers": sorted(app.handlers),
                "schedules": [] if no_schedules else sorted(app.schedules),
                "concurrency": worker.concurrency,
                **({"serving": urls} if urls else {}),
            },
        )
    beside = relays_beside(worker, relays, last) if relays else nullcontext()
    asyncio.run(_end_in_time(worker, signals, out, beside))


def _in_seconds(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


async def _end_in_time(worker: Worker, signals: Signals, out: Output, beside: Beside) -> None:
    """Run the worker; end the process at once if handlers would keep it alive."""
    failure = None
    try:
        await _work(worker, signals, out, beside)
    except Exception as error:
        failure = error
    if worker.has_stuck_handlers or await _has_stuck_threads():
        if failure is not None:
            click.echo(_as_text(failure), err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code(failure))
    if failure is not None:
        raise failure


def exit_code(failure: Exception | None) -> int:
    """Return what tells a supervisor whether to start the worker again."""
    if isinstance(failure, WorkerStuck):
        return TRY_AGAIN
    return 0 if failure is None else 1


async def _has_stuck_threads() -> bool:
    """Tell whether what handlers gave to `asyncio.to_thread` is still running."""
    ending = asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor())
    _, late = await asyncio.wait([ending], timeout=LAST_SECOND)
    return bool(late)


def _as_text(error: Exception) -> str:
    text = as_text(error)
    return f"Error: {text}" if text is not None else "".join(traceback.format_exception(error))


async def _work(worker: Worker, signals: Signals, out: Output, beside: Beside) -> None:
    progress = asyncio.create_task(_show_progress(worker)) if out.is_live else None
    started = time.monotonic()
    try:
        async with beside:
            counts = await worker.run(signals=signals)
    finally:
        if progress is not None:
            progress.cancel()
            click.echo("\r\033[K", nl=False)
    seconds = time.monotonic() - started
    out.say(summary(counts, seconds), **counts.as_dict(), seconds=round(seconds, 3))


async def _show_progress(worker: Worker) -> None:
    before, looked = 0, time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_INTERVAL)
        done, now = worker.counts.done, time.monotonic()
        rate = (done - before) / (now - looked)
        before, looked = done, now
        click.echo(f"\r\033[K{outcome(worker.counts)}  ({rate:,.0f} a second)", nl=False)


def outcome(counts: Counts) -> str:
    """Return the counts in words, those that are not zero."""
    parts = [f"{counts.done:,} done"]
    for name in ("retried", "failed", "snoozed", "lost", "released"):
        if number := getattr(counts, name):
            parts.append(f"{number:,} {name}")
    return ", ".join(parts)


def summary(counts: Counts, seconds: float) -> str:
    """Return the counts and the rate in one sentence."""
    rate = counts.claimed / max(seconds, 0.001)
    return f"{outcome(counts)} in {seconds:.1f} s, {rate:,.0f} a second"
