"""Publishing at once, from any thread and any event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..database.process import here
from ..errors import BadArgument, NotConfirmed, SymphonyError
from ..redaction import without_secrets
from .broker import BrokerAway, NeverSent
from .opening import broker_of
from .reach import Reach

BATCH_SIZE = 100
LAST_WORDS = 3.0
Outcome = Exception | None


class Post:
    """Publishes to the brokers of transports, and raises what they do not confirm.

    Connections live in an event loop of their own, in a thread of their own, one in each process:
    so whoever sends shares them, from whatever thread or loop.
    """

    def __init__(self, brokers: Mapping[str, BrokerSettings], patience: float) -> None:
        self.origin: str | None = None  # of the database whose ids messages have
        self._brokers = brokers
        self._patience = patience
        self._offices: dict[int, _Office] = {}  # by process; those of a parent are left alone

    def publish(self, transport: str, messages: Sequence[ClaimedMessage]) -> None:
        """Publish in order; return when each is confirmed, raise NotConfirmed if one is not."""
        outcomes = self._begin(transport, messages).result()
        self._check(transport, messages, outcomes)

    async def publish_async(self, transport: str, messages: Sequence[ClaimedMessage]) -> None:
        """Do what publish() does, from async code."""
        outcomes = await asyncio.wrap_future(self._begin(transport, messages))
        self._check(transport, messages, outcomes)

    def close(self) -> None:
        """Hang up."""
        office = self._offices.pop(here.pid, None)
        if office is not None:
            office.close()

    def _begin(
        self, transport: str, messages: Sequence[ClaimedMessage]
    ) -> Future[Sequence[Outcome]]:
        if transport not in self._brokers:
            raise SymphonyError(
                f"it is not said where the broker of transport {transport} is",
                detail="The database sends its messages directly, and symphony.toml has no "
                "transport of that name.",
                hint=f"Write [transports.{transport}] there, or run: symphony-pg config apply.",
            )
        settings = self._brokers[transport]
        settings.location  # noqa: B018 (raises if it is said nowhere)
        office = self._offices.get(here.pid) or self._offices.setdefault(here.pid, _Office())
        return office.begin(settings, self.origin or "", messages, self._patience)

    def _check(
        self, transport: str, messages: Sequence[ClaimedMessage], outcomes: Sequence[Outcome]
    ) -> None:
        """Raise the worst of what the broker says, with what it did confirm."""
        wrong = [each for each in outcomes if each is not None]
        if not wrong:
            return
        confirmed = [
            message.message_id
            for message, outcome in zip(messages, outcomes, strict=True)
            if outcome is None
        ]
        never = next((each for each in wrong if isinstance(each, NeverSent)), None)
        error = never or wrong[0]
        count = "" if len(messages) == 1 else f"{len(wrong)} of {len(messages)} messages: "
        detail = f"{count}{without_secrets(str(error))}"
        if never is not None:
            raise BadArgument(
                f"the broker of transport {transport} will never take this",
                detail=detail,
                hint="Send less, with a reference to the rest.",
            )
        raise NotConfirmed(
            f"the broker of transport {transport} has not confirmed what was sent",
            detail=detail,
            hint="Try again. What must not wait for the broker goes through the database: give it "
            "a delay of 0, or set outbox = true. Whether it is up: symphony-pg transport test.",
            confirmed=confirmed,
        )


class _Office:
    """The thread and its event loop, in which brokers are reached; it begins with the first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread()
        self._outlets: dict[str, _Outlet] = {}

    def begin(
        self,
        settings: BrokerSettings,
        origin: str,
        messages: Sequence[ClaimedMessage],
        patience: float,
    ) -> Future[Sequence[Outcome]]:
        """Publish in the thread; the future has what became of each message."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="symphony-post", daemon=True
                )
                self._thread.start()
            if settings.name not in self._outlets:
                self._outlets[settings.name] = _Outlet(settings, origin)
            work = self._outlets[settings.name].publish(messages, patience)
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Give up what is under way, hang up, and end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(LAST_WORDS)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(LAST_WORDS)
        if not self._thread.is_alive():
            loop.close()

    async def _end(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for each in self._outlets.values():
            await each.close()
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)


class _Outlet:
    """One broker. What a connection had not confirmed when it was lost goes out by a new one."""

    def __init__(self, settings: BrokerSettings, origin: str) -> None:
        self._reach = Reach(broker_of(settings))
        self._reach.broker.origin = origin
        self._size = int(settings.settings.get("batch_size", BATCH_SIZE))

    async def publish(
        self, messages: Sequence[ClaimedMessage], patience: float
    ) -> Sequence[Outcome]:
        """Publish in portions, in order; what follows one that failed is not sent."""
        outcomes: list[Outcome] = []
        for start in range(0, len(messages), self._size):
            portion = messages[start : start + self._size]
            outcomes += await self._publish(portion, patience)
            if any(outcomes):
                break
        return outcomes + [BrokerAway("one before it was not confirmed")] * (
            len(messages) - len(outcomes)
        )

    async def _publish(
        self, messages: Sequence[ClaimedMessage], patience: float
    ) -> Sequence[Outcome]:
        """Publish; after so many seconds nobody knows what became of them."""
        work = asyncio.ensure_future(self._try_twice(messages))
        done, _ = await asyncio.wait([work], timeout=patience)
        if done:
            return work.result()
        work.cancel()
        await asyncio.wait([work])
        await self._reach.hang_up()
        return [BrokerAway(f"it has not answered for {patience:g} s")] * len(messages)

    async def _try_twice(self, messages: Sequence[ClaimedMessage]) -> Sequence[Outcome]:
        outcomes, is_new = await self._try(messages)
        left = [place for place, each in enumerate(outcomes) if type(each) is BrokerAway]
        if left and not is_new:
            found, _ = await self._try([messages[place] for place in left])
            for place, outcome in zip(left, found, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _try(self, messages: Sequence[ClaimedMessage]) -> tuple[list[Outcome], bool]:
        """Return what became of messages, and whether the connection was a new one."""
        outcomes: list[Outcome]
        before = self._reach.sessions
        try:
            await self._reach.open()
            session = self._reach.sessions
            outcomes = await self._reach.broker.publish(messages)
        except BrokerAway as error:
            return [error] * len(messages), True
        if any(type(each) is BrokerAway for each in outcomes):
            await self._reach.hang_up(session)
        return outcomes, session != before

    async def close(self) -> None:
        """Hang up."""
        await self._reach.hang_up()
