"""Redis: a stream with a consumer group. What is done in all groups is deleted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage
from ..waiting import within
from .broker import Broker, BrokerAway, BrokerFull, Delivery, NeverSent
from .extras import needs
from .files import check_files, named_in
from .wire import Received, delivery_of, packed

PATIENCE = 10.0
MAX_IDLE = 30.0
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
CONTENT_TYPE = "content-type"
EVENT = "data"  # the field that an event is in, for Dapr, too
LOOK = 1.0  # for entries whose consumer has gone, this often at most
Outcome = Exception | None
# What is done is deleted if nobody else reads the stream. Other groups may have it still before
# them: then goes what is below the lowest entry that any group has open, or has not read.
ACK = """
local stream, entries = KEYS[1], {unpack(ARGV, 2)}
if redis.call('EXISTS', stream) == 0 then return 0 end
redis.call('XACK', stream, ARGV[1], unpack(entries))
local groups = redis.call('XINFO', 'GROUPS', stream)
if #groups < 2 then return redis.call('XDEL', stream, unpack(entries)) end

local function numbers(id)
    local ms, seq = string.match(id, '(%d+)-(%d+)')
    return tonumber(ms), tonumber(seq)
end
local low, low_seq
for _, said in ipairs(groups) do
    local group = {}
    for place = 1, #said, 2 do group[said[place]] = said[place + 1] end
    local open = redis.call('XPENDING', stream, group.name, '-', '+', 1)[1]
    local ms, seq = numbers(open and open[1] or group['last-delivered-id'])
    if not open then seq = seq + 1 end
    if not low or ms < low or ms == low and seq < low_seq then low, low_seq = ms, seq end
end
return redis.call('XTRIM', stream, 'MINID', string.format('%.0f-%.0f', low, low_seq))
"""


class Redis(Broker):
    """A stream of Redis. One connection reads and may block, another one does all the rest."""

    most_bytes = 512 * 2**20 - 2**16

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(settings)
        self._redis = needs("redis.asyncio", "redis")
        self._errors = needs("redis.exceptions", "redis")
        given = settings.settings
        self.lease = float(given.get("max_idle", MAX_IDLE))
        self._group = str(given.get("group", "symphony"))
        self._stream = settings.destination
        self._me = secrets.token_hex(8)
        self._connections: tuple[Any, Any] | None = None  # for all else, and for reading
        self._has_read = False
        self._looked = -LOOK
        self._cursor = "0-0"

    async def open(self) -> None:
        """Connect, and make the stream and the group."""
        dsn = self.settings.location.replace("valkey", "redis", 1)
        check_files(named_in(dsn, FILES))
        options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        try:
            async with self._translated(), _understood():
                connect = partial(self._redis.Redis.from_url, dsn, retry=None, **options)
                self._connections = connect(), connect()
                await self._conn.ping()
                if self.settings.settings.get("declare", True):
                    await self._declare()
        except BaseException:
            await self.close()
            raise

    async def _declare(self) -> None:
        try:
            await self._conn.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except self._errors.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def close(self) -> None:
        """Hang up. A consumer of the group that has nothing in hand leaves no trace."""
        if self._has_read:
            self._has_read = False
            with suppress(Exception):
                await within(2, self._leave())
        connections, self._connections = self._connections, None
        await _hang_up(connections)

    async def _leave(self) -> None:
        held = await self._conn.xpending_range(
            self._stream, self._group, "-", "+", 1, consumername=self._me
        )
        if not held:
            await self._conn.xgroup_delconsumer(self._stream, self._group, self._me)

    @property
    def _conn(self) -> Any:
        return self._opened()[0]

    @property
    def _reader(self) -> Any:
        return self._opened()[1]

    def _opened(self) -> tuple[Any, Any]:
        """Return the connections; another task may have hung up meanwhile."""
        if self._connections is None:
            raise BrokerAway("the connection to Redis is closed")
        return self._connections

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """Let everything that the connection does be BrokerAway, and what it may not hold too.

        Who was about to connect while another task has hung up does so all the same.
        """
        connections = self._connections
        try:
            yield
        except (BrokerAway, NeverSent):
            raise
        except self._errors.OutOfMemoryError as error:
            raise BrokerFull(f"Redis: {error}") from error
        except (self._errors.RedisError, OSError, asyncio.TimeoutError) as error:
            raise BrokerAway(f"Redis: {error or type(error).__name__}") from error
        finally:
            if self._connections is not connections:
                await _hang_up(connections)

    async def publish(self, messages: Sequence[ClaimedMessage]) -> list[Outcome]:
        """Publish in order, in one pipeline."""
        sent, outcomes = [], dict[int, Outcome]()
        pipeline = self._conn.pipeline(transaction=False)
        for place, message in enumerate(messages):
            pack = packed(message, self.settings, self.origin)
            if (size := len(pack.body.encode())) > self.most_bytes:
                outcomes[place] = NeverSent(f"its body has {size} bytes, which Redis never takes")
                continue
            sent.append(place)
            fields = (
                {**pack.beside, "body": pack.body}
                if pack.beside
                else {CONTENT_TYPE: pack.content_type, EVENT: pack.body}
            )
            pipeline.xadd(self._stream, fields)
        try:
            async with self._translated():
                answers = await pipeline.execute(raise_on_error=False) if sent else []
        except BrokerAway as error:
            return [outcomes.get(place, error) for place in range(len(messages))]
        outcomes.update(zip(sent, map(self._outcome, answers), strict=True))
        return [outcomes[place] for place in range(len(messages))]

    def _outcome(self, answer: Any) -> Outcome:
        if not isinstance(answer, Exception):
            return None
        if isinstance(answer, self._errors.OutOfMemoryError):
            return BrokerFull(f"Redis: {answer}")
        return BrokerAway(f"Redis: {answer}")

    async def consume(self, width: int) -> None:
        """Nothing comes by itself."""

    async def receive(self, most: int, wait: float) -> list[Delivery]:
        """Return what nobody works on any more, one at a time; else what is new."""
        self._has_read = True
        async with self._translated():
            if found := await self._left_behind():
                return found
            answer = await self._reader.xreadgroup(
                self._group,
                self._me,
                {self._stream: ">"},
                count=most,
                block=max(1, int(wait * 1000)) if wait else None,
            )
        entries = answer[0][1] if answer else []
        return [self._delivery(entry, fields, 0) for entry, fields in entries]

    async def _left_behind(self) -> list[Delivery]:
        """Take over an entry whose consumer has not been heard of for as long as a lease."""
        now = asyncio.get_running_loop().time()
        if self._cursor == "0-0" and now - self._looked < LOOK:
            return []
        self._looked = now
        cursor, entries, *_ = await self._conn.xautoclaim(
            self._stream,
            self._group,
            self._me,
            min_idle_time=int(self.lease * 1000),
            start_id=self._cursor,
            count=1,
        )
        self._cursor = _text(cursor)
        if not entries:
            return []
        entry, fields = entries[0]
        pending = await self._conn.xpending_range(self._stream, self._group, entry, entry, 1)
        times = pending[0]["times_delivered"] if pending else 2
        return [self._delivery(entry, fields, max(times - 1, 1))]

    def _delivery(self, entry: Any, fields: Mapping[bytes, bytes], redelivered: int) -> Delivery:
        field = b"body" if b"body" in fields else EVENT.encode()
        body = fields.get(field, b"")
        others = {_text(key): _text(text) for key, text in fields.items() if key != field}
        is_ours = "attempt" in others and "id" in others
        if not is_ours and not body:
            body = repr(others).encode()  # no JSON: it fails, and shows what there was
        received = Received(
            body,
            others if is_ours else {},
            {} if is_ours else others,
            f"{self._stream}/{_text(entry)}",
            others.get("type"),
            redelivered,
            entry,
            others.get(CONTENT_TYPE),
        )
        return delivery_of(received, self.settings, self.lease, self.origin)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge entries, and delete what no group needs any more."""
        entries = [each.token for each in deliveries]
        async with self._translated():
            await self._conn.register_script(ACK)([self._stream], [self._group, *entries])

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let others take them over: each is as idle as if its lease had ended."""
        async with self._translated():
            for each in deliveries:
                await self._conn.xclaim(
                    self._stream,
                    self._group,
                    self._me,
                    0,
                    [each.token],
                    idle=int(self.lease * 1000) + 1,
                    retrycount=each.redelivered,
                )

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Begin their lease anew."""
        if not deliveries:
            return
        entries = [each.token for each in deliveries]
        async with self._translated():
            await self._conn.xclaim(self._stream, self._group, self._me, 0, entries, justid=True)

    async def count(self) -> int:
        """Return how many entries there are for this group, also those in hand."""
        async with self._translated():
            entries = int(await self._conn.xlen(self._stream))
            groups = await self._conn.xinfo_groups(self._stream) if entries else []
        mine = next((each for each in groups if _text(each["name"]) == self._group), None)
        if len(groups) < 2 or mine is None or mine["lag"] is None:  # what it does not know
            return entries
        return int(mine["pending"]) + int(mine["lag"])


@asynccontextmanager
async def _understood() -> AsyncIterator[None]:
    """Tell what is wrong with a DSN: Redis is connected to when the first command is sent."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise BrokerAway(f"Redis: the DSN is not understood: {error}") from error


async def _hang_up(connections: Iterable[Any] | None) -> None:
    """Close both, also when whoever waits for that is cancelled."""
    closing = [asyncio.ensure_future(each.aclose()) for each in connections or ()]
    if closing:
        await asyncio.wait(closing)


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
