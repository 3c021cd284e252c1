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
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from .. import functions
from ..connections import AsyncConnections, Connections
from ..errors import translated
from ..events import Event, WorkerIdle, WorkerStarted, WorkerStopped
from ..functions import ClaimedMessage
from ..version import __version__, check_compatible
from .backlog import Backlog
from .claim import Claim, Pace
from .link import Clock, Doorbell, Link, Stopped
from .rest import LINGER_POLL, Rest, Ticker
from .settler import Counts, Settler
from .slots import Slots

if TYPE_CHECKING:
    from ..app import Symphony

__all__ = ["Worker"]

log = logging.getLogger("symphony_pg.worker")

HEARTBEAT_INTERVAL = 10.0
LAST_WORDS = 2.0
# After a claim that was not full: let messages gather, so that the acks of a few at a time do not
# make the producers' commits wait for the disk.
GATHER = 0.004
VERSION_AND_TIME = "select symphony.version(), clock_timestamp()"


class Worker:
    """Works off queues, earlier ones first, until it is stopped or a limit is reached.

    concurrency    handlers that run at a time
    batch_size     messages to claim at most; fewer are claimed when handlers are slow
    limit          end after so many messages
    time_limit     end after so many seconds
    drain          end when nothing is left to do now
    grace          seconds that running handlers get after stop()
    listen         False: poll only, and keep no state in the session (transaction poolers)
    tick           False: leave the tick to others
    poll_interval  seconds between looks at the queue when nothing is notified
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
        time_limit: float | None = None,
        drain: bool = False,
        grace: float = 30.0,
        listen: bool = True,
        tick: bool = True,
        poll_interval: float = 1.0,
    ) -> None:
        self.app = app
        self.queues = list(queues)
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self.concurrency = concurrency
        self.counts = Counts()
        self.has_stuck_threads = False
        self._dsn = dsn if dsn is not None else app.dsn
        self._batch_size = batch_size
        self._limit = limit
        self._time_limit = time_limit
        self._drain = drain
        self._grace = grace
        self._listens = listen
        self._ticks = tick
        self._poll_interval = poll_interval
        self._stopping = False
        self._is_signalled = False
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Claim no more, finish what runs, give the rest back. Safe to call from any thread."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._wake_up)

    def _wake_up(self) -> None:
        self._bell.ring()
        self._changed.set()
        self._claim_link.stop()

    async def run(self, *, signals: bool = False) -> Counts:
        """Work until stop() or a limit; return what was done.

        With `signals`, SIGTERM and SIGINT call stop(), and a second one ends the process at once:
        then leases end, and the messages are handed out again.
        """
        for handler in self.app.handlers.values():
            if handler.message_type is not None:
                handler.message_type.prepare()
        self._set_up()
        assert self._loop is not None
        if self._time_limit is not None:
            self._loop.call_later(self._time_limit, self.stop)
        with self._signals() if signals else nullcontext():
            try:
                with suppress(Stopped):
                    await self._claim_link.connection()
                    await self._link.connection()
                    await self._work()
            finally:
                await self._claim_link.close()
                await self._link.close()
                self._lender.close()
                await self._async_lender.close()
        if self._failure is not None:
            raise self._failure
        return self.counts

    def _set_up(self) -> None:
        pooled: dict[str, Any] = {} if self._listens else {"prepare_threshold": None}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._clock = Clock()
        self._bell = Doorbell()
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
            self.app.bus.events,
        )
        self._slots = Slots(
            self.concurrency,
            self._backlog,
            self.app.handlers,
            self._pace,
            self._settler.progress,
            self.app.bus,
        )

    async def _prepare_claims(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Make a new connection one for claims: bodies stay text, which is decoded just once."""
        await self._check_version(conn)
        conn.adapters.register_loader("jsonb", TextLoader)
        if self._listens:
            await conn.execute("select set_config('synchronous_commit', 'off', false)")
            self._bell.attach(conn)
            for queue in self.queues:
                channel = sql.Identifier(f"symphony:{queue}")
                await conn.execute(sql.SQL("listen {}").format(channel))
        self._rest.reset()

    async def _check_version(self, conn: psycopg.AsyncConnection[Any]) -> None:
        with translated():
            row = await (await conn.execute(VERSION_AND_TIME)).fetchone()
        assert row is not None
        check_compatible(row[0])
        self._clock.set(row[1])

    @contextmanager
    def _signals(self) -> Iterator[None]:
        assert self._loop is not None
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in numbers:
                self._loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        if self._is_signalled:
            os._exit(128 + number)
        self._is_signalled = True
        log.info("stopping: %d messages are in hand; a second signal ends at once", self._in_hand)
        self.stop()

    @property
    def _in_hand(self) -> int:
        return sum(claim.size for claim in self._settler.open.values())

    async def _work(self) -> None:
        self._slots.start(self._spawn)
        settling = self._spawn(self._settler.run())
        others = [self._spawn(self._settler.keep_leases()), self._spawn(self._beat())]
        if self._ticks:
            others.append(self._spawn(self._ticker.run()))
        try:
            self._emit(WorkerStarted(self.name, self.queues))
            await self._claim_until_stopped()
            self._backlog.batches.flush()
            while self._settler.open and not self._stopping:
                self._changed.clear()
                await self._changed.wait()
        except Exception as error:
            self._failure = self._failure or error
        finally:
            await self._finish(settling)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self._emit(WorkerStopped(self.name, self.queues, self.counts.as_dict()))
            with suppress(Exception):
                await asyncio.wait_for(self._link.run(functions.stop_worker(self.name)), LAST_WORDS)

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

    async def _claim_until_stopped(self) -> None:
        was_woken = False
        while not self._stopping:
            await self._wait_for_room()
            size = self._claim_size()
            if size == 0:
                return
            was_quiet, finds = not self._settler.open, self._ticker.finds
            self._bell.clear()
            call = functions.claim_batch(self.queues, size, self.name)
            messages = await self._claim_link.run(call)
            if messages:
                self._accept(messages)
                await self._rest.end()
                if len(messages) < size and not self._drain:
                    await asyncio.sleep(GATHER)
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

    async def _wait_for_room(self) -> None:
        """Wait until slots have nothing to do, or will have nothing before a claim is back."""
        backlog = self._backlog
        while not self._stopping:
            self._changed.clear()
            if not self._settler.is_behind:
                waiting, busy = backlog.size, self.concurrency - backlog.free_slots
                if not waiting and backlog.free_slots:
                    return
                if backlog.is_in_hand and self._pace.is_nearly_through(waiting + busy):
                    return
            await self._changed.wait()

    def _claim_size(self) -> int:
        size = self._pace.batch_size(self._backlog.free_slots)
        size = max(size, min(self._batch_size, self._backlog.batches.room))
        if self._limit is None:
            return size
        return min(size, self._limit - self.counts.claimed)

    def _accept(self, messages: Sequence[ClaimedMessage]) -> None:
        lease = self._clock.seconds_until(messages[0].lease_until)
        claim = Claim(messages, lease, self._lender, self._async_lender)
        self.counts.claimed += claim.size
        self._settler.add(claim)
        self._backlog.add(claim, messages)

    def _on_lost(self, claim: Claim) -> None:
        unstarted = self._backlog.take_back(claim)
        self.counts.lost += sum(len(ids) for ids in unstarted.values())
        self._slots.cancel(claim)

    async def _beat(self) -> None:
        details = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "python": platform.python_version(),
            "concurrency": self.concurrency,
        }
        while True:
            await self._link.run(functions.heartbeat(self.name, self.queues, details))
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    async def _finish(self, settling: asyncio.Task[None]) -> None:
        """Give back what has not started, wait for what has, settle it; all within the grace."""
        deadline = time.monotonic() + self._grace

        def left() -> float:
            return max(deadline - time.monotonic(), LAST_WORDS)

        self._ticker.stop()
        with suppress(asyncio.TimeoutError, Stopped):
            await asyncio.wait_for(self._settler.release(self._backlog.take_back()), left())
        self._backlog.close()
        running = await self._slots.finish(deadline - time.monotonic())
        self.has_stuck_threads = self._slots.threads_are_stuck
        self._settler.give_up(running, f"the worker was stopped and waited {self._grace:g} s")
        self._settler.close()
        await asyncio.wait([settling], timeout=left())
        if not settling.done():
            log.warning("%d messages in hand could not be settled; their leases end", self._in_hand)
            settling.cancel()
