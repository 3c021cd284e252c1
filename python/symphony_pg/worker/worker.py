"""The worker: claims messages, hands them to handlers, reports what became of them.

One task claims, on a connection that commits asynchronously: a claim that a crash of the server
forgets is handed out again. Acks, nacks, leases and ticks go over a second connection, which
commits synchronously. Handlers run in `concurrency` slots.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from .. import functions
from ..connections import AsyncConnections, Connections, backend
from ..errors import AccessDenied, UnknownQueue, WrongState, translated
from ..events import Event, WorkerIdle, WorkerStarted, WorkerStopped
from ..functions import ClaimedMessage
from ..version import __version__, check_compatible
from .backlog import Backlog
from .claim import Claim, Pace
from .heart import Heart, resident_memory
from .link import (
    LAST_WORDS,
    Clock,
    Doorbell,
    Link,
    Stopped,
    committed_asynchronously,
    telling_the_time,
)
from .rest import LINGER_POLL, Rest, Ticker
from .settler import Counts, Settler
from .slots import Slots

if TYPE_CHECKING:
    from ..app import Symphony

__all__ = ["Worker"]

log = logging.getLogger("symphony_pg.worker")

QUEUES_INTERVAL = 2.0
MOST_SHOWN = 20
PROBES = 4
# After a claim that was not full: let messages gather, a millisecond for each that was found, so
# that the acks of a few at a time do not make the producers' commits wait for the disk.
GATHER = 0.001
LONGEST_GATHER = 0.02
VERSION = "select symphony.version()"
SHORTEST_LEASE = 0.1  # no queue has a shorter one, whatever the clock of the server did


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
    all_queues     work off all queues there are or will be, those served least recently first
    exclude        but none of these
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
    ) -> None:
        self.app = app
        self.queues = [] if all_queues else list(queues)
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self.concurrency = concurrency
        self.counts = Counts()
        self.has_stuck_handlers = False
        self._dsn = dsn if dsn is not None else app.dsn
        self._batch_size = batch_size
        self._limit = limit
        self._failure_limit = failure_limit
        self._memory_limit = memory_limit
        self._time_limit = time_limit
        self._drain = drain
        self._grace = grace
        self._listens = listen
        self._ticks = tick
        self._declares = schedules and bool(app.schedules)
        self._poll_interval = poll_interval
        self._all_queues = all_queues
        self._exclude = frozenset(exclude)
        self._heard: set[str] = set()
        self._has_session = False
        self._is_paused = False
        self._stopping = False
        self._is_signalled = False
        self._claiming: asyncio.Task[None] | None = None
        self._is_out_of_time = False
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Claim no more, finish what runs, give the rest back. Safe to call from any thread."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._wake_up)

    def _on_time_limit(self) -> None:
        self._is_out_of_time = not self._stopping
        self.stop()

    def _wake_up(self) -> None:
        assert self._loop is not None
        self._bell.ring()
        self._changed.set()
        self._claim_link.stop()
        if self._claiming is None:
            self._link.stop()  # there is nothing to settle
        else:
            self._loop.call_later(LAST_WORDS, self._claiming.cancel)
        if self._settler.open:
            self._heart.beat()

    async def run(self, *, signals: bool = False) -> Counts:
        """Work until stop() or a limit; return what was done.

        A server that is away is waited for. If the time limit ends that, the error is raised; so is
        LoginRefused, if that is what the server says at the first attempt.

        With `signals`, SIGTERM and SIGINT call stop(), and a second one ends the process at once:
        then leases end, and the messages are handed out again.
        """
        for first in self.app.handlers.values():
            for handler in first.all.values():
                if handler.message_type is not None:
                    handler.message_type.prepare()
        self._set_up()
        assert self._loop is not None
        if self._stopping:
            self._wake_up()
        if self._time_limit is not None:
            self._loop.call_later(self._time_limit, self._on_time_limit)
        with self._signals() if signals else nullcontext():
            try:
                with suppress(Stopped):
                    if self._all_queues:
                        await self._look_for_queues()
                    await self._claim_link.connection()
                    await self._link.connection()
                    for declaration in self.app.handler_declarations():
                        await self._link.run(declaration)
                    if self._declares:
                        await self._sync_schedules()
                    await self._work()
            finally:
                await self._claim_link.close()
                await self._link.close()
                self._lender.close()
                await self._async_lender.close()
        if self._is_out_of_time:
            self._failure = self._failure or self._claim_link.refusal or self._link.refusal
        if self._failure is not None:
            raise self._failure
        return self.counts

    def _set_up(self) -> None:
        pooled: dict[str, Any] = {} if self._listens else {"prepare_threshold": None}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._clock = Clock()
        self._heart = Heart(self._describe, self._obey)
        self._bell = Doorbell(self._heart.beat)
        self._claim_link = Link(self._dsn, "claims", self._prepare_claims, **pooled)
        self._link = Link(self._dsn, "acks", self._check_version, **pooled)
        self._lender = Connections(self._dsn, keep=self.concurrency, **pooled)
        self._async_lender = AsyncConnections(self._dsn, keep=self.concurrency, **pooled)
        self._pace = Pace(self.concurrency, self._batch_size)
        self._backlog = Backlog(self.app.handlers, self._changed)
        self._rest = Rest(
            self._claim_link,
            self._bell,
            self.name,
            self.queues,
            self._poll_interval,
            lambda: self._emit(WorkerIdle(self.name, self.queues)),
        )
        self._ticker = Ticker(self._link, self._clock, self._bell.ring)
        self._settler = Settler(
            self._link,
            self.counts,
            self._changed,
            self._on_lost,
            self._ticker.expect,
            self._count_failures,
            self.app.bus.events,
            self.app.sanitize,
        )
        self._slots = Slots(
            self.concurrency,
            self._backlog,
            self.app.handlers,
            self._pace,
            self._settler.progress,
            self.app.bus,
            self.app.sanitize,
        )

    async def _prepare_claims(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Make a new connection one for claims: bodies stay text, which is decoded just once."""
        await self._check_version(conn)
        conn.adapters.register_loader("jsonb", TextLoader)
        self._has_session = self._listens and await backend(conn) == conn.info.backend_pid
        if self._has_session:
            await conn.execute("select set_config('synchronous_commit', 'off', false)")
            await conn.execute(
                "select set_config('default_transaction_isolation', 'read committed', false)"
            )
        elif self._listens and await self._shares_sessions(conn):
            log.warning("behind a transaction pooler: polling, as with --no-listen")
            self._listens = False
        if self._listens:
            self._bell.attach(conn)
            self._heard.clear()
            await self._listen_to_queues(conn)
        self._rest.reset()

    async def _shares_sessions(self, conn: psycopg.AsyncConnection[Any]) -> bool:
        """Tell whether one session of the server works for both of our connections, or several do.

        False proves nothing if others use the pooler, too.
        """
        other = await self._link.connection()
        seen = {(await backend(conn), await backend(other)) for _ in range(PROBES)}
        return len(seen) > 1 or any(one == another for one, another in seen)

    async def _listen_to_queues(self, conn: psycopg.AsyncConnection[Any]) -> None:
        for queue in set(self.queues) - self._heard:
            channel = sql.Identifier(f"symphony:{queue}")
            await conn.execute(sql.SQL("listen {}").format(channel))
            self._heard.add(queue)

    async def _check_version(self, conn: psycopg.AsyncConnection[Any]) -> None:
        with translated():
            row = await (await conn.execute(VERSION)).fetchone()
        assert row is not None
        check_compatible(row[0])

    async def _sync_schedules(self) -> None:
        """Create and change the schedules that the application declares."""
        call = functions.sync_schedules(self.app.name, self.app.declarations())
        try:
            found = await self._link.run(call)
        except AccessDenied as error:
            log.warning("schedules are not synchronised, which takes a producer: %s", error.message)
            return
        for each in found:
            if each.outcome == "orphaned":
                log.warning(
                    "schedule %s is declared no longer and goes on; to end it: "
                    "symphony-pg schedule remove %s",
                    each.schedule_name,
                    each.schedule_name,
                )
            elif each.outcome != "unchanged":
                log.info("schedule %s is %s", each.schedule_name, each.outcome)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Not a callback of the event loop: a handler that blocks that would put it off.
        if self._is_signalled:
            os._exit(128 + number)
        self._is_signalled = True
        assert self._loop is not None
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
        self._slots.start(self._spawn)
        settling = self._spawn(self._settler.run())
        others = [self._spawn(self._settler.keep_leases())]
        others.append(self._spawn(self._with_queues_there_are(self._beat)))
        if self._all_queues:
            others.append(self._spawn(self._follow_queues()))
        if self._ticks:
            others.append(self._spawn(self._ticker.run()))
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
            self._failure = self._failure or error
        finally:
            await self._finish(settling)
            for task in others:
                task.cancel()
            await self._link.finish(others, LAST_WORDS)
            self._link.stop()
            self._emit(WorkerStopped(self.name, self.queues, self.counts.as_dict()))
            with suppress(Exception):
                await self._link.run(functions.stop_worker(self.name))

    def _emit(self, event: Event) -> None:
        self.app.bus.events.emit(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task whose failure ends the worker."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Stopped):
            self._failure = self._failure or error
            self.stop()

    async def _claim(self) -> None:
        """Claim until nothing more is to be claimed, or for little longer than until stop()."""
        claiming = self._with_queues_there_are(self._claim_until_stopped)
        self._claiming = asyncio.create_task(claiming)
        try:
            await asyncio.wait([self._claiming])
        finally:
            self._claiming.cancel()
        if not self._claiming.cancelled():
            self._claiming.result()

    async def _claim_until_stopped(self) -> None:
        was_woken = False
        while not self._stopping:
            if not await self._has_room():
                return
            if self._is_paused:
                await self._wait_paused()
                continue
            if self._all_queues:
                await self._hear_new_queues()
            size = self._claim_size()
            if size == 0:
                return
            if self._is_too_large():
                self.stop()
                return
            was_quiet, finds = not self._settler.open, self._ticker.finds
            self._bell.clear()
            call = functions.claim_batch(self.queues, size, self.name)
            if not self._has_session:
                call = committed_asynchronously(call)
            messages = await self._claim_link.run(telling_the_time(call, self._clock))
            if messages:
                await self._accept(messages)
                await self._rest.end()
                if len(messages) < size and not self._drain:
                    await asyncio.sleep(min(len(messages) * GATHER, LONGEST_GATHER))
            elif not self._drain:
                if was_woken:
                    self._ticker.hurry()  # perhaps the notification was for a delayed message
                was_woken = await self._rest.wait(self._listens)
            elif self._backlog.batches.flush():
                continue
            elif was_quiet and not await self._has_found_more(finds):
                return
            else:
                await asyncio.sleep(LINGER_POLL)

    async def _has_found_more(self, finds: int) -> bool:
        """Tell whether a tick has made messages pending since there were so many finds."""
        if self._ticks:
            await self._ticker.tick()
        return self._ticker.finds > finds

    async def _has_room(self) -> bool:
        """Wait until slots have nothing to do, or will have nothing before a claim is back.

        Return False when the worker stops instead.
        """
        backlog = self._backlog
        while not self._stopping:
            self._changed.clear()
            if not self._settler.is_behind:
                waiting, busy = backlog.size, self.concurrency - backlog.free_slots
                if not waiting and backlog.free_slots:
                    return True
                if backlog.is_in_hand and self._pace.is_nearly_through(waiting + busy):
                    return True
            await self._changed.wait()
        return False

    async def _wait_paused(self) -> None:
        """Wait, as one that need not be notified of messages, until there may be news."""
        await self._rest.end()
        self._bell.clear()
        if self._is_paused and not self._stopping:
            conn = await self._claim_link.connection() if self._listens else None
            await self._bell.wait(conn, self._poll_interval)

    async def _with_queues_there_are(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something, and begin anew with the present queues if one of ours was dropped."""
        while True:
            try:
                return await work()
            except UnknownQueue:
                if not self._all_queues:
                    raise
                await self._look_for_queues()

    async def _follow_queues(self) -> None:
        while True:
            await asyncio.sleep(QUEUES_INTERVAL)
            await self._look_for_queues()

    async def _look_for_queues(self) -> None:
        found = await self._link.run(functions.list_queues())
        if not (queues := [queue for queue in found if queue not in self._exclude]):
            raise WrongState(
                "there is no queue to work off",
                detail=f"There are these, and all are excluded: {', '.join(found) or '(none)'}.",
                hint="Create one: symphony-pg queue create NAME",
            )
        if not self.queues and (unknown := self._exclude.difference(found)):
            log.warning("excluded, but not there: %s", ", ".join(sorted(unknown)))
        self.queues[:] = queues

    async def _hear_new_queues(self) -> None:
        if self._listens and not self._heard.issuperset(self.queues):
            await self._rest.end()  # to declare itself idle for these as well
            with suppress(psycopg.OperationalError):  # then a new connection listens
                await self._listen_to_queues(await self._claim_link.connection())

    def _is_too_large(self) -> bool:
        if self._memory_limit is None or (size := resident_memory()) <= self._memory_limit:
            return False
        log.info("stopping: %d bytes in memory, the limit is %d", size, self._memory_limit)
        return True

    def _count_failures(self) -> None:
        failures = self.counts.retried + self.counts.failed
        if self._failure_limit is not None and failures >= self._failure_limit:
            if not self._stopping:
                log.info("stopping: %d attempts failed, the limit", failures)
            self.stop()

    def _claim_size(self) -> int:
        size = self._pace.batch_size(self._backlog.free_slots)
        size = max(size, min(self._batch_size, self._backlog.batches.room))
        if self._limit is None:
            return size
        return min(size, self._limit - self.counts.claimed)

    async def _accept(self, messages: Sequence[ClaimedMessage]) -> None:
        lease = max(self._clock.seconds_until(messages[0].lease_until), SHORTEST_LEASE)
        claim = Claim(messages, lease, self._lender, self._async_lender)
        self.counts.claimed += claim.size
        self._settler.add(claim)
        if messages[0].alone:
            await self._accept_alone(claim, messages, lease)
        else:
            self._backlog.add(claim, messages)

    async def _accept_alone(
        self, claim: Claim, messages: Sequence[ClaimedMessage], patience: float
    ) -> None:
        """Hold nothing beside a message that may take us down with it.

        But neither it nor what is pending waits for ever for work that is long.
        """
        self._backlog.batches.flush()
        await self._until_open(lambda: len(self._settler.open) <= 1, patience)
        if claim.lost:
            self.counts.lost += claim.size
        if claim.lost or self._stopping:
            await self._settler.release({claim: [messages[0].message_id]})
            return
        self._backlog.add(claim, messages)
        self._backlog.batches.flush()
        await self._until_open(lambda: claim.claim_id not in self._settler.open, patience)

    async def _until_open(self, condition: Callable[[], bool], patience: float) -> None:
        """Wait until the open claims are as they should be; look away after some time."""
        deadline = time.monotonic() + patience
        while not (condition() or self._stopping) and (left := deadline - time.monotonic()) > 0:
            self._changed.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    def _on_lost(self, claim: Claim) -> None:
        unstarted = self._backlog.take_back(claim)
        self.counts.lost += sum(len(ids) for ids in unstarted.values())
        self._slots.cancel(claim)

    async def _beat(self) -> None:
        await self._heart.run(self._link, self.name, self.queues)

    def _describe(self) -> dict[str, Any]:
        """Return what the heartbeat tells of us."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "python": platform.python_version(),
            "concurrency": self.concurrency,
            **({"state": "stopping"} if self._stopping else {}),
            "memory": resident_memory(),
            **self.counts.as_dict(),
            "running": [
                {"message_id": message.message_id, "seconds": round(seconds, 1)}
                for message, seconds in self._slots.running(MOST_SHOWN)
            ],
        }

    def _obey(self, request: str | None) -> None:
        """Do what an operator asked for."""
        if request == "stop" and not self._stopping:
            log.info("stopping, as was asked: %d messages are in hand", self._in_hand)
            self.stop()
        if self._is_paused != (request == "pause"):
            self._is_paused = not self._is_paused
            log.info("paused, as was asked" if self._is_paused else "going on, as was asked")
            self._bell.ring()

    async def _finish(self, settling: asyncio.Task[None]) -> None:
        """Give back what has not started, wait for what has, settle it; all within the grace."""
        deadline = time.monotonic() + self._grace

        def left() -> float:
            return max(deadline - time.monotonic(), LAST_WORDS)

        self._ticker.stop()
        releasing = self._spawn(self._settler.release(self._backlog.take_back()))
        await self._link.finish([releasing], left())
        self._backlog.close()
        running = await self._slots.finish(deadline - time.monotonic())
        self.has_stuck_handlers = self._slots.are_stuck
        self._settler.give_up(running, f"the worker was stopped and waited {self._grace:g} s")
        self._settler.close()
        if not await self._link.finish([settling], left()):
            log.warning("%d messages in hand could not be settled; their leases end", self._in_hand)
