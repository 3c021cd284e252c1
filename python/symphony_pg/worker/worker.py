"""The worker: claims messages, hands them to handlers, reports what became of them.

One task claims, on a connection of its own, and commits asynchronously: a claim that a crash of the
server forgets is handed out again. Acks, nacks, leases and ticks go over a second connection, which
commits synchronously. Handlers run in `concurrency` slots.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import secrets
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

import psycopg

from ..app import Symphony
from ..brokers.opening import broker_of
from ..brokers.reach import Reach
from ..config.broker import BrokerSettings
from ..database import functions
from ..database.functions.messages import ClaimedMessage
from ..database.lending import Connections
from ..errors import AccessDenied, UnknownQueue, WorkerStuck, WrongState
from ..events import Event, WorkerIdle, WorkerStarted, WorkerStopped
from ..handling.handler import each_handler, seconds_of
from ..handling.logged import name_messages
from ..handling.middlewares import use_transactions
from ..version import __version__
from ..waiting import Flag
from .arrival import Arrival
from .backlog import Backlog
from .claim import Claim
from .claimer import Claimer, Limits
from .clock import Clock
from .crew import Crew
from .done import Done
from .doorbell import Doorbell
from .heartbeat import Heartbeat, resident_memory
from .idling import Idling
from .link import LAST_WORDS, Link, Stopped
from .listening import Listening
from .pace import Pace
from .queues import Queues
from .receiver import BrokerSource, DeliveredClaim, Receiver
from .settler import Counts, Settler
from .signals import Signals
from .slots import Slots
from .source import PostgresSource, Source
from .strangers import Strangers
from .ticker import Ticker
from .watchdog import Watchdog

__all__ = ["Worker"]

log = logging.getLogger("symphony_pg.worker")
MOST_SHOWN = 20
LONGEST_SILENCE = 30.0


class Worker:
    """Works off queues, earlier ones first, until it is stopped or a limit is reached.

    concurrency    handlers that run at a time
    batch_size     messages to claim at most; fewer are claimed when handlers are slow
    limit          end after so many messages
    failure_limit  end after so many attempts that failed
    memory_limit   end when the process has so many bytes in memory; looked at between claims
    time_limit     end after so many seconds
    drain          end when nothing is left to do now
    grace          seconds that running handlers get after stop()
    listen         False: poll only, and keep no state in the session (transaction poolers); when
                   it turns out that there is one, this is so anyway
    tick           False: leave the tick to others
    schedules      False: leave the schedules in the database as they are
    poll_interval  seconds between looks at the queue when nothing is notified
    handler_timeout  seconds that handlers may take that have no timeout of their own
    all_queues     work off all queues there are or will be, those served least recently first
    exclude        but none of these
    install        install the schema if it is not there
    transport      consume from the broker that this transport leads to, and from no queue
    """

    def __init__(
        self,
        app: Symphony,
        queues: Sequence[str] = ("default",),
        *,
        dsn: str | None = None,
        name: str | None = None,
        concurrency: int = 1,
        batch_size: int = 100,
        limit: int | None = None,
        failure_limit: int | None = None,
        memory_limit: int | None = None,
        time_limit: float | None = None,
        drain: bool = False,
        grace: float = 30.0,
        listen: bool = True,
        tick: bool = True,
        schedules: bool = True,
        poll_interval: float = 1.0,
        all_queues: bool = False,
        exclude: Sequence[str] = (),
        install: bool = False,
        handler_timeout: float | None = None,
        transport: BrokerSettings | None = None,
    ) -> None:
        self.app = app
        self._transport = transport
        self._reach = None if transport is None else Reach(broker_of(transport), self._beat_soon)
        if transport is not None:
            queues = (transport.outbox,)
        self._queues = Queues(queues, are_all=all_queues, exclude=exclude)
        self.queues = self._queues.names
        self._has_own_name = not name
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.concurrency = concurrency
        self.counts = Counts()
        self.has_stuck_handlers = False
        self._dsn = dsn if dsn is not None else app.dsn
        self._limits = Limits(concurrency, batch_size, limit, memory_limit, poll_interval, drain)
        self._failure_limit = failure_limit
        self._time_limit = time_limit
        self._handler_timeout = seconds_of(handler_timeout)
        self._grace = grace
        self._listens = listen
        self._ticks = tick
        self._arrival = Arrival(app, self._dsn, installs=install, declares=schedules)
        self._crew = Crew(self.stop)
        self._spawn = self._crew.spawn
        self._stopping = False
        self._asked_at: float | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._is_out_of_time = False
        self._is_set_up = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Claim no more, finish what runs, give the rest back. Safe to call from any thread."""
        self._stopping = True
        self._asked_at = self._asked_at or time.monotonic()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._wake_up)

    @property
    def is_stopping(self) -> bool:
        """True after stop()."""
        return self._stopping

    @property
    def grace_left(self) -> float:
        """How many seconds of the grace are left, which begins with stop()."""
        return self._grace + (self._asked_at or time.monotonic()) - time.monotonic()

    def slots(self) -> dict[str, int]:
        """Return how many slots are idle, busy with a handler, or stuck in one. From any thread."""
        if self._is_set_up:
            return self._slots.by_state()
        return {"idle": self.concurrency, "busy": 0, "stuck": 0}

    def why_not_alive(self) -> str | None:
        """Return why only a new process would help, or None. From any thread.

        It is no reason that PostgreSQL is away: the worker waits for it.
        """
        if not self._is_set_up:
            return None
        if (silence := self._watchdog.silence) > LONGEST_SILENCE:
            return f"the event loop is blocked for {silence:.0f} s"
        if self.slots()["stuck"] == self.concurrency:
            return "every handler goes on after its time limit"
        return None

    def why_not_ready(self) -> str | None:
        """Return why nothing is claimed at present, or None. From any thread."""
        if self._stopping:
            return "the worker stops"
        if not (self._is_set_up and self._is_connected):
            return "the worker is not connected to PostgreSQL"
        if self._reach is not None and self._reach.state != "up":
            return "the worker is not connected to its broker"
        return self.why_not_alive()

    @property
    def _is_connected(self) -> bool:
        """True with PostgreSQL; who consumes from a broker needs no connection to claim by."""
        return self._link.is_open and (self._reach is not None or self._claim_link.is_open)

    def _on_time_limit(self) -> None:
        self._is_out_of_time = not self._stopping
        self.stop()

    def _wake_up(self) -> None:
        assert self._loop is not None
        self._taker.stop()
        self._changed.set()
        self._claim_link.stop()
        if self._claiming is None:
            self._link.stop()  # there is nothing to settle
        else:
            self._loop.call_later(LAST_WORDS, self._claiming.cancel)
        if self._settler.open:
            self._heartbeat.beat()

    async def run(self, *, signals: bool | Signals = False) -> Counts:
        """Work until stop() or a limit; return what was done.

        A server that is away is waited for. If the time limit ends that, the error is raised; so is
        LoginRefused, if that is what the server says at the first attempt.

        With `signals`, SIGTERM, SIGINT and SIGHUP call stop(), and a second one ends the process:
        then leases end, and the messages are handed out again. A child that a handler forks is not
        concerned.
        """
        if not hasattr(os, "fork"):
            raise WrongState(
                "the worker needs POSIX",
                detail="It is not made for Windows, where dispatch() and all else work.",
                hint="Run it on Linux or macOS, in WSL or in a container.",
            )
        for handler in each_handler(self.app.handlers):
            if handler.message_type is not None:
                handler.message_type.prepare()
        name_messages()
        self.app.use_frameworks()
        self._set_up(bool(signals))
        assert self._loop is not None
        if self._stopping:
            self._wake_up()
        if self._time_limit is not None:
            self._loop.call_later(self._time_limit, self._on_time_limit)
        caught: AbstractContextManager[Signals | None] = nullcontext()
        if signals:
            caught = Signals() if signals is True else nullcontext(signals)
        with caught as found, self._watchdog:
            if found is not None:
                found.ask(self._on_signal)
                found.catch(signal.SIGUSR1, self._watchdog.ask)
            try:
                with suppress(Stopped):
                    await self._queues.look(self._link)
                    if self._transport is None:
                        await self._claim_link.connection()
                    await self._link.connection()
                    await self._arrival.declare(self._link)
                    await self._work()
            finally:
                await self._claim_link.close()
                await self._link.close()
                if self._reach is not None:
                    self._reach.stop()
                    await self._reach.hang_up()
                self._lender.close()
        if self._is_out_of_time:
            self._crew.note(self._claim_link.refusal or self._link.refusal)
        if self._crew.failure is not None:
            raise self._crew.failure
        return self.counts

    def _set_up(self, owns_process: bool) -> None:
        options: dict[str, Any] = {"call_timeout": self.app.call_timeout}
        if not self._listens:
            options["prepare_threshold"] = None
        self._loop = asyncio.get_running_loop()
        self._changed = Flag()
        done = self._done()
        self._heartbeat = Heartbeat(self._describe, done.take, self._obey)
        self._bell = Doorbell(self.name, self._heartbeat.beat)
        self._claim_link = Link(self._dsn, "claims", self._prepare_claims, **options)
        self._link = Link(self._dsn, "acks", self._arrival.check_version, **options)
        self._lender = Connections(self._dsn, most=self.concurrency, **options)
        self._listening = Listening(self._queues, self._bell, self._link, listens=self._listens)
        self._idling = Idling(
            self._claim_link,
            self._bell,
            self.name,
            self.queues,
            self._limits.poll_interval,
            lambda: self._emit(WorkerIdle(self.name, self.queues)),
        )
        clock = Clock()
        self._ticker = Ticker(self._link, clock, self._bell.ring, ticks=self._ticks)
        self._strangers = Strangers(self.app.handlers)
        self._settler = Settler(
            self._source(),
            self.counts,
            self._changed,
            self._on_lost,
            self._ticker.expect,
            self._count_failures,
            lambda claim: self._backlog.follow(claim),
            self.app.bus.events,
            self._strangers,
            self.app.sanitize,
        )
        pace = Pace(self.concurrency, self._limits.batch_size)
        self._backlog = Backlog(self.app.handlers, self._changed, self._give_back)
        self._slots = Slots(
            self.concurrency,
            self._backlog,
            self.app.handlers,
            pace,
            done,
            self._progress,
            self.app.bus,
            self.app.sanitize,
            self._handler_timeout,
            self._on_stuck,
        )
        self._watchdog = Watchdog(
            self._settler.shortest_lease,
            self._slots.of_task,
            lambda: json.dumps(self._describe()),
            owns_process=owns_process,
        )
        self._receiver = self._make_receiver(pace)
        self._claimer = Claimer(
            worker=self.name,
            has_own_name=self._has_own_name,
            limits=self._limits,
            queues=self._queues,
            link=self._claim_link,
            listening=self._listening,
            clock=clock,
            bell=self._bell,
            idling=self._idling,
            ticker=self._ticker,
            pace=pace,
            backlog=self._backlog,
            settler=self._settler,
            counts=self.counts,
            changed=self._changed,
            hold=partial(Claim, lender=self._lender, worker=self.name),
            on_memory_limit=self.stop,
        )
        self._is_set_up = True

    def _done(self) -> Done:
        """Return what counts the work of handlers for the figures."""
        return Done()

    def _source(self) -> Source:
        """Return who hears what became of messages."""
        if self._transport is None or self._reach is None:
            return PostgresSource(self._link)
        return BrokerSource(self._reach, self._link, self._transport.name, self.name)

    def _make_receiver(self, pace: Pace) -> Receiver | None:
        """Return what takes messages from a broker, if that is where they come from."""
        if self._transport is None or self._reach is None:
            return None
        if self._transport.settings.get("inbox"):
            use_transactions(self.app.bus, self._transport.outbox)
            self.app.compile()
        return Receiver(
            limits=self._limits,
            prefetch=int(self._transport.settings.get("prefetch", self._limits.batch_size)),
            reach=self._reach,
            pace=pace,
            backlog=self._backlog,
            settler=self._settler,
            counts=self.counts,
            changed=self._changed,
            hold=partial(
                DeliveredClaim,
                lender=self._lender,
                transport=self._transport.name,
                worker=self.name,
            ),
            on_memory_limit=self.stop,
        )

    @property
    def _taker(self) -> Claimer | Receiver:
        """What fills the backlog."""
        return self._receiver or self._claimer

    def _beat_soon(self) -> None:
        if self._loop is not None:
            self._heartbeat.beat()

    async def _prepare_claims(self, conn: psycopg.AsyncConnection[Any]) -> None:
        await self._arrival.check_version(conn)
        await self._listening.prepare(conn)
        self._idling.reset()

    def _on_signal(self) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop_for_signal)

    def _stop_for_signal(self) -> None:
        log.info("stopping: %d messages are in hand; a second signal ends at once", self._in_hand)
        self.stop()

    @property
    def _in_hand(self) -> int:
        return sum(claim.size for claim in self._settler.open.values())

    async def _work(self) -> None:
        # An earlier process of this name may have left something that was asked of it.
        await self._link.run(functions.stop_worker(self.name))
        if self._reach is not None:
            self._reach.broker.origin = await self._link.run(functions.origin())
        with suppress(AccessDenied, UnknownQueue):  # claiming says so, or finds other queues
            waiting = await self._link.run(functions.waiting_types(self.queues))
            self._strangers.expect(waiting)
        self._slots.start(self._spawn)
        settling = self._spawn(self._settler.run())
        others = [self._spawn(self._settler.keep_leases())]
        others.append(self._spawn(self._queues.served(self._link, self._beat)))
        others.append(self._spawn(self._slots.watch()))
        others.append(self._spawn(self._watchdog.run()))
        if self._queues.are_all:
            others.append(self._spawn(self._queues.follow(self._link)))
        if self._ticks:
            others.append(self._spawn(self._ticker.run()))
            others.append(self._spawn(self._ticker.purge()))
        try:
            self._emit(WorkerStarted(self.name, self.queues))
            await self._claim()
            self._backlog.batches.flush()
            while self._settler.open and not self._stopping:
                self._changed.clear()
                await self._changed.wait()
        except Stopped:
            pass  # the server is away, and nobody waits for it any more
        except Exception as error:
            self._crew.note(error)
        finally:
            self._crew.end()
            await self._finish(settling)
            for task in others:
                task.cancel()
            await self._link.finish(others, LAST_WORDS)
            self._link.stop()
            self._emit(WorkerStopped(self.name, self.queues, self.counts.as_dict()))
            with suppress(Exception):
                await self._heartbeat.end(self._link, self.name, self.queues)
                await self._link.run(functions.stop_worker(self.name))

    def _emit(self, event: Event) -> None:
        self.app.bus.events.emit(event)

    def _on_stuck(self, what: str) -> None:
        log.error("stopping: every handler goes on after its time limit")
        stuck = WorkerStuck(
            f"all {self.concurrency} slots are stuck, the last one in {what}",
            detail="Their handlers went on after their time limit, and threads cannot be ended.",
            hint="Start the worker again. The history of their messages has the stacks.",
        )
        self._crew.fail(stuck)

    async def _claim(self) -> None:
        """Claim until nothing more is to be claimed, or for little longer than until stop()."""
        self._claiming = asyncio.create_task(self._queues.served(self._link, self._taker.run))
        try:
            await asyncio.wait([self._claiming])
        finally:
            self._claiming.cancel()
        if not self._claiming.cancelled():
            self._claiming.result()
        elif not self._stopping and (error := self._crew.was_cancelled(self._claiming)):
            raise error

    def _count_failures(self) -> None:
        failures = self.counts.retried + self.counts.failed
        if self._failure_limit is not None and failures >= self._failure_limit:
            if not self._stopping:
                log.info("stopping: %d attempts failed, the limit", failures)
            self.stop()

    def _progress(self, claim: Claim) -> None:
        self._backlog.follow(claim)
        self._settler.progress(claim)

    def _give_back(self, claim: Claim) -> None:
        """Let others have what does not start soon, since its handlers are limited.

        A broker would count that as an attempt, so what it handed out is kept.
        """
        if self._transport is not None:
            return
        taken = self._backlog.take_back(claim)
        self.counts.claimed -= sum(len(ids) for ids in taken.values())
        self._changed.set()
        self._spawn(self._settler.release(taken))

    def _on_lost(self, claim: Claim) -> None:
        unstarted = self._backlog.take_back(claim)
        self.counts.lost += sum(len(ids) for ids in unstarted.values())
        self._slots.cancel(claim)

    async def _beat(self) -> None:
        await self._heartbeat.run(self._link, self.name, self.queues)

    def _describe(self) -> dict[str, Any]:
        """Return what the heartbeat tells of us."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "python": platform.python_version(),
            "concurrency": self.concurrency,
            **({} if self._transport is None else {"transport": self._transport.name}),
            **({"state": "stopping"} if self._stopping else {}),
            "memory": resident_memory(),
            **self.counts.as_dict(),
            "running": [
                {"message_id": message.message_id, "seconds": round(seconds, 1)}
                for message, seconds in self._slots.running(MOST_SHOWN)
            ],
            **({"stuck": stuck} if (stuck := self._stuck()) else {}),
            **({} if (busy := self._slots.busy()) is None else {"busy": round(busy, 1)}),
        }

    def _stuck(self) -> list[dict[str, Any]]:
        """Return what goes on after its time limit; its messages are no longer in our hands."""
        return [
            {
                "message_id": message.message_id,
                "message_type": message.message_type,
                "seconds": round(seconds, 1),
            }
            for message, seconds in self._slots.stuck(MOST_SHOWN)
        ]

    def _obey(self, request: str | None) -> None:
        """Do what an operator asked for."""
        if request == "stop" and not self._stopping:
            log.info("stopping, as was asked: %d messages are in hand", self._in_hand)
            self.stop()
        if self._taker.is_paused != (request == "pause"):
            self._taker.is_paused = not self._taker.is_paused
            log.info("paused, as was asked" if self._taker.is_paused else "going on, as was asked")
            self._bell.ring()

    async def _give_up(self, running: Sequence[tuple[Claim, ClaimedMessage]]) -> None:
        """Let what has not come to an end within the grace have failed."""
        self._settler.give_up(running, f"the worker was stopped and waited {self._grace:g} s")

    async def _finish(self, settling: asyncio.Task[None]) -> None:
        """Give back what has not started, wait for what has, settle it; all within the grace."""
        deadline = time.monotonic() + self.grace_left

        def left() -> float:
            return max(deadline - time.monotonic(), LAST_WORDS)

        self._ticker.stop()
        if self._receiver is not None:
            await self._receiver.finish(deadline)
        releasing = self._spawn(self._settler.release(self._backlog.take_back()))
        await self._link.finish([releasing], left())
        self._backlog.close()
        running = await self._slots.finish(deadline - time.monotonic())
        self.has_stuck_handlers = self._slots.are_stuck
        await self._give_up(running)
        self._settler.close()
        if not await self._link.finish([settling], left()):
            log.warning("%d messages in hand could not be settled; their leases end", self._in_hand)
