"""The application: its message types, its handlers, and the way messages are dispatched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from .config import FILE, find, load
from .config.result import Config
from .database.call import Call
from .database.foreign import (
    OWN,
    AnyAsyncConnection,
    AnyConnection,
    Own,
    given,
    given_async,
)
from .database.functions.routing import sync_handlers
from .database.lending import MAX_CONNECTIONS
from .database.silence import CALL_TIMEOUT
from .events import Event
from .handling.batch import BatchHandler
from .handling.classification import ErrorClasses, Errors
from .handling.context import BatchContext, Context
from .handling.django import use_django
from .handling.handler import Handler, each_handler
from .messages.envelope import Envelope, OnDuplicate, OnExpiry, Options, RetryPolicy, sealed
from .messages.hints import Message
from .messages.types import VERSION, message, message_type_of
from .schedules import Schedule, Schedules
from .sending.bus import Bus
from .sending.middleware import Middleware, Phase
from .sending.outbox import current_outbox
from .sending.transport import Transport
from .times import as_expiry, as_timedelta
from .transports.direct import DirectTransport
from .transports.postgres import PostgresTransport
from .transports.queue import QueueTransport
from .transports.routed import RoutedTransport
from .transports.sync import SyncTransport

if TYPE_CHECKING:
    from typing_extensions import Unpack


C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Transport)
M = TypeVar("M")
R = TypeVar("R")


class HandlerOf(Protocol[M]):
    """What handler() returns: it takes a function of (message) or of (message, context)."""

    @overload
    def __call__(self, function: Callable[[M], R], /) -> Callable[[M], R]: ...

    @overload
    def __call__(self, function: Callable[[M, Context], R], /) -> Callable[[M, Context], R]: ...


class BatchHandlerOf(Protocol[M]):
    """What batch_handler() returns: it takes a function of a list of messages."""

    @overload
    def __call__(self, function: Callable[[list[M]], R], /) -> Callable[[list[M]], R]: ...

    @overload
    def __call__(
        self, function: Callable[[list[M], BatchContext], R], /
    ) -> Callable[[list[M], BatchContext], R]: ...


class HandlerOptions(Errors, total=False):
    """What handler() takes beside the type."""

    name: str
    timeout: timedelta | float | None
    concurrency: int | None


class Symphony(Schedules):
    """An application that dispatches messages and handles them.

        app = Symphony("postgresql:///shop")

        @app.message("SendEmail")
        @dataclass
        class SendEmail:
            to: str

        @app.handler(SendEmail)
        def send_email(message: SendEmail) -> None: ...

        app.dispatch(SendEmail(to="ada@example.com"))

    Without a DSN the database is that of SYMPHONY_DSN, else that of the configuration, else of
    libpq's PG* variables. With a configuration, types that are routed to a sync transport are
    handled in dispatch(). The name tells whose schedules are whose, if applications that have
    some share a database.

    dispatch() uses `transport` unless it names another one: one of `transports`, or of those of the
    configuration.
    What a handler dispatches is sent when it has succeeded, unless dispatch_after_handler is False.

    dispatch() and its kin open at most `max_connections` at a time, and wait for one that is free.
    A call of our own, by them or by a worker, that is not answered for `call_timeout` seconds
    is given up with its connection. A transport that is given has such settings of its own.

    `sanitize` takes the text of an error and returns it without what must not be stored or logged,
    beyond the passwords and tokens that the database takes out anyway.
    """

    def __init__(
        self,
        dsn: str | None = None,
        transport: Transport | None = None,
        config: str | os.PathLike[str] | Config | None = None,
        *,
        name: str = "default",
        transports: Mapping[str, Transport] | None = None,
        dispatch_after_handler: bool = True,
        sanitize: Callable[[str], str] | None = None,
        max_connections: int = MAX_CONNECTIONS,
        call_timeout: float = CALL_TIMEOUT,
    ) -> None:
        if config is not None and not isinstance(config, Config):
            config = load(config)
        self.config = config
        if config is not None and dsn is None:
            dsn = os.environ.get("SYMPHONY_DSN") or config.dsn
        self._dsn = dsn
        self.name = name
        self.sanitize = sanitize
        self.call_timeout = call_timeout
        self.bus = Bus(after_handler=dispatch_after_handler)
        self.schedules: dict[str, Schedule] = {}
        self.handlers: dict[str, Handler] = {}
        self.transport = transport or self._usual_transport(
            {"max_connections": max_connections, "call_timeout": call_timeout}
        )
        self.transports = {**self._configured(), **(transports or {})}
        for each in (self.transport, *self.transports.values()):
            self._bind(each)

    def _usual_transport(self, options: dict[str, Any]) -> Transport:
        """Return what obeys the routes of the configuration."""
        config = self.config
        if config is not None and (config.has_sync or config.has_direct):
            return RoutedTransport(brokers=config.brokers, **options)
        return PostgresTransport(**options)

    def _configured(self) -> dict[str, Transport]:
        """Return the transports of the configuration, by name."""
        found = {} if self.config is None else self.config.wanted.get("transports", {})
        return {name: self._named(name, each) for name, each in found.items()}

    def _named(self, name: str, settings: Mapping[str, Any]) -> Transport:
        if settings["type"] == "sync":
            return SyncTransport(max_attempts=1, raises=True)
        broker = None if self.config is None else self.config.brokers.get(name)
        if broker is not None and broker.is_direct and isinstance(self.transport, RoutedTransport):
            return DirectTransport(self.transport, name)
        queue = settings.get("queue", "default") if broker is None else broker.outbox
        return QueueTransport(self.transport, queue, settings.get("priority"))

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> Symphony:
        """Make an application by a symphony.toml: `path`, SYMPHONY_CONFIG, or ./symphony.toml."""
        return cls(config=find(path) or FILE)

    @property
    def dsn(self) -> str | None:
        """Where its database is; None: where SYMPHONY_DSN or libpq's variables say."""
        return self._dsn

    def __enter__(self) -> Symphony:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that dispatch() opened."""
        for each in (self.transport, *self.transports.values()):
            each.close()

    async def aclose(self) -> None:
        """Close the connections that dispatch() and dispatch_async() opened."""
        for each in (self.transport, *self.transports.values()):
            await each.aclose()

    @overload
    def message(self, name: C) -> C: ...

    @overload
    def message(self, name: str | None = None, *, version: int = 1) -> Callable[[C], C]: ...

    def message(self, name: Any = None, *, version: int = 1) -> Any:
        """Give a class a wire name; the same as the function of that name."""
        return message(name) if isinstance(name, type) else message(name, version=version)

    def upcaster(self, message_type: type, *, from_version: int) -> Callable[[F], F]:
        """Register the function that turns a body of a version into one of the next version.

        It takes and returns JSON values. Numbers with a fraction are Decimals, to the last digit.
        """

        def register(function: F) -> F:
            message_type_of(message_type).upcaster(from_version, function)
            return function

        return register

    @overload
    def handler(self, message_type: type[M], **options: Unpack[HandlerOptions]) -> HandlerOf[M]: ...

    @overload
    def handler(self, message_type: str, **options: Unpack[HandlerOptions]) -> Callable[[F], F]: ...

    def handler(
        self,
        message_type: type | str,
        *,
        name: str = "default",
        timeout: timedelta | float | None = None,
        concurrency: int | None = None,
        **errors: Unpack[Errors],
    ) -> Any:
        """Register the function, sync or async, that works on messages of a type.

        The type is a class of messages, or a wire name: then the handler gets the body as it is in
        JSON. The function takes (message) or (message, context). One whose annotation says another
        class is refused.

        A type may have several handlers, each with a `name` of its own: each gets a delivery, and
        the retry of one does not run the others again.

        Errors of the `permanent` classes are not retried, as if they were PermanentError; those of
        the `transient` ones are; `retry_after` and `snooze` map classes to a wait, as if they were
        RetryAfter or Snooze. The most specific class counts. Of all other errors the retry
        policies of the message type and of * say what becomes of them.

        `timeout` is how long it may take, in seconds or as a timedelta; without it, as long as the
        worker allows. A handler that takes longer has failed with a HandlerTimeout.

        `concurrency` is how many messages a worker hands to it at a time. That is for what belongs
        to the process, such as memory or a device; limits for all workers are those of a queue.
        """
        classes = ErrorClasses(**errors)
        known = None if isinstance(message_type, str) else message_type_of(message_type)
        type_name = message_type if isinstance(message_type, str) else known.name  # type: ignore[union-attr]

        def register(function: F) -> F:
            self._register(
                Handler(function, type_name, known, self.bus, classes, name, timeout, concurrency)
            )
            return function

        return register

    def batch_handler(
        self,
        message_type: type[M],
        *,
        size: int = 100,
        max_wait: timedelta = timedelta(seconds=1),
        timeout: timedelta | float | None = None,
        **errors: Unpack[Errors],
    ) -> BatchHandlerOf[M]:
        """Register the function that works on lists of messages of a class.

        It takes (messages) or (messages, context), a BatchContext. It is called when `size`
        messages are there, or `max_wait` after the first one came. Errors and `timeout` are as with
        handler().
        """
        known = message_type_of(message_type)
        classes = ErrorClasses(**errors)

        def register(function: Any) -> Any:
            self._register(
                BatchHandler(function, known, self.bus, classes, size, max_wait, timeout)
            )
            return function

        return register

    def _register(self, handler: Handler) -> None:
        first = self.handlers.setdefault(handler.name, handler)
        if first is not handler:
            first.add(handler)

    def middleware(self, function: Any = None, *, phase: Phase | None = None) -> Any:
        """Put a function around dispatch() and handlers, or around those of one phase.

        `@app.middleware`, `@app.middleware(phase="handle")` or app.middleware(Middleware(…)); the
        first one is the outermost.
        """
        if function is None:
            return lambda function: self.middleware(function, phase=phase)
        added = Middleware.of(function, phase)
        self.bus.add(added)
        try:
            self.compile()
        except TypeError:
            self.bus.remove(added)
            self.compile()
            raise
        return function

    def on(self, event: type[E]) -> Callable[[Callable[[E], Any]], Callable[[E], Any]]:
        """Register a function to be called for each event of a class of symphony_pg.events."""

        def register(listener: Callable[[E], Any]) -> Callable[[E], Any]:
            self.bus.listen(event, listener)
            self.compile()
            return listener

        return register

    def use_frameworks(self) -> None:
        """Put around handlers what the frameworks in this process need; a worker calls this."""
        if use_django(self.bus):
            self.compile()

    def compile(self) -> None:
        """Let the handlers learn what is around them now."""
        for handler in each_handler(self.handlers):
            handler.compile()

    def handler_declarations(self) -> list[Call[list[str]]]:
        """Return the calls that make the handlers known to the database, by name.

        A type with a single handler that was given no name needs none.
        """
        return [
            sync_handlers(name, list(first.all))
            for name, first in self.handlers.items()
            if first.is_declared
        ]

    def envelope(
        self,
        message: Message,
        *,
        queue: str | None = None,
        delay: timedelta | float | None = None,
        available_at: datetime | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        group_key: str | None = None,
        headers: Mapping[str, Any] | None = None,
        retry: RetryPolicy | None = None,
        expires: timedelta | float | datetime | None = None,
        on_expiry: OnExpiry | None = None,
        on_duplicate: OnDuplicate | None = None,
        idempotency_window: timedelta | float | None = None,
    ) -> Envelope:
        """Check and encode a message, to be sent by dispatch_many() with options of its own."""
        if headers and VERSION in headers:
            raise ValueError(f"the header {VERSION!r} is that of the message type: leave it out")
        expires_in, expires_at = (None, None) if expires is None else as_expiry(expires)
        return sealed(
            message,
            headers,
            queue_name=queue,
            delay=timedelta(seconds=delay) if isinstance(delay, int | float) else delay,
            available_at=available_at,
            priority=priority,
            idempotency_key=idempotency_key,
            group_key=group_key,
            retry=None if retry is None else retry.as_json(),
            expires_in=expires_in,
            expires_at=expires_at,
            on_expiry=on_expiry,
            on_duplicate=on_duplicate,
            idempotency_window=None
            if idempotency_window is None
            else as_timedelta(idempotency_window),
        )

    def dispatch(
        self,
        message: Message,
        *,
        conn: AnyConnection | Own = OWN,
        transport: Transport | str | None = None,
        now: bool = False,
        **options: Unpack[Options],
    ) -> int:
        """Enqueue a message where its type is routed, or into a queue, and return its id.

        The options are those of envelope(): queue, delay, priority, idempotency_key and so on.

        With `conn` it becomes part of the caller's transaction: it exists if that commits, and
        never otherwise. Without, it is committed at once on a connection of our own.

        In a handler and without `conn`, it is sent when the handler has succeeded, or with the
        commit of context.transaction(); then the id is 0. `now` sends it at once.

        `group_key` says what it belongs to: in a queue that limits keys it waits for others with
        the same one.

        What is not started by `expires` fails, or is dropped with on_expiry="drop". It is a moment,
        or how long after it is due it may start. With on_duplicate="replace" a message that waits
        for its time and has the same idempotency key gets this content and time; the key is in use
        for `idempotency_window`, or else as long as the queue says.
        """
        envelope = self.envelope(message, **options)
        to = self.transport if transport is None else self._to(transport)
        known = None if conn is OWN else given(conn)
        if self.bus.is_bare and current_outbox.get() is None:
            return to.send([envelope], known)[0]
        return self.bus.dispatch(to, [envelope], known, now)[0]

    async def dispatch_async(
        self,
        message: Message,
        *,
        conn: AnyAsyncConnection | Own = OWN,
        transport: Transport | str | None = None,
        now: bool = False,
        **options: Unpack[Options],
    ) -> int:
        """Do what dispatch() does, from async code and with an AsyncConnection."""
        envelope = self.envelope(message, **options)
        to = self.transport if transport is None else self._to(transport)
        known = None if conn is OWN else given_async(conn)
        if self.bus.is_bare and current_outbox.get() is None:
            return (await to.send_async([envelope], known))[0]
        return (await self.bus.dispatch_async(to, [envelope], known, now))[0]

    def dispatch_many(
        self,
        messages: Iterable[Message | Envelope],
        *,
        queue: str | None = None,
        priority: int | None = None,
        conn: AnyConnection | Own = OWN,
        transport: Transport | str | None = None,
        now: bool = False,
    ) -> list[int]:
        """Enqueue many messages, all or none, in one call; return their ids in order.

        Items may be envelopes, which carry options of their own.
        """
        known = given(conn)
        envelopes = self._envelopes(messages, queue, priority)
        if not envelopes:
            return []
        return self.bus.dispatch(self._to(transport), envelopes, known, now)

    async def dispatch_many_async(
        self,
        messages: Iterable[Message | Envelope],
        *,
        queue: str | None = None,
        priority: int | None = None,
        conn: AnyAsyncConnection | Own = OWN,
        transport: Transport | str | None = None,
        now: bool = False,
    ) -> list[int]:
        """Do what dispatch_many() does, from async code and with an AsyncConnection."""
        known = given_async(conn)
        envelopes = self._envelopes(messages, queue, priority)
        if not envelopes:
            return []
        return await self.bus.dispatch_async(self._to(transport), envelopes, known, now)

    def _envelopes(
        self, messages: Iterable[Message | Envelope], queue: str | None, priority: int | None
    ) -> list[Envelope]:
        return [
            item
            if isinstance(item, Envelope)
            else self.envelope(item, queue=queue, priority=priority)
            for item in messages
        ]

    def _to(self, transport: Transport | str | None) -> Transport:
        if transport is None:
            return self.transport
        if not isinstance(transport, str):
            self._bind(transport)
            return transport
        if transport not in self.transports:
            known = ", ".join(sorted(self.transports)) or "none"
            raise ValueError(
                f"there is no transport {transport!r}; those that have a name: {known}"
            )
        return self.transports[transport]

    def _bind(self, transport: Transport) -> None:
        transport.bind(self.handlers, self.dsn)
        if isinstance(transport, SyncTransport):
            transport.bus, transport.sanitize = self.bus, self.sanitize

    def move(self, dsn: str | None) -> None:
        """Use another database, and so do the transports that were given none of their own."""
        self._dsn = dsn
        for each in (self.transport, *self.transports.values()):
            self._bind(each)
            if isinstance(each, PostgresTransport | RoutedTransport):
                each.move(dsn)

    @contextmanager
    def moved(self, dsn: str) -> Iterator[None]:
        """Use another database, for the length of a with block: in tests."""
        before = self._dsn
        self.move(dsn)
        try:
            yield
        finally:
            self.move(before)

    @contextmanager
    def using(self, transport: T) -> Iterator[T]:
        """Dispatch everything through one transport, for the length of a with block: in tests."""
        before = self.transport, self.transports
        self._bind(transport)
        self.transport, self.transports = transport, dict.fromkeys(self.transports, transport)
        try:
            yield transport
        finally:
            self.transport, self.transports = before
