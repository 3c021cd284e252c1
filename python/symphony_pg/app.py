"""The application: its message types, its handlers, and the way messages are dispatched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar, overload

import psycopg

from .config import FILE, Config, find, load
from .functions import Call, sync_handlers
from .handlers import Handler
from .message import message, message_type_of
from .retry import RetryPolicy
from .schedules import Schedule, Schedules
from .transports import Envelope, PostgresTransport, RoutedTransport, Transport

__all__ = ["Symphony"]

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


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
        sanitize: Callable[[str], str] | None = None,
    ) -> None:
        if config is not None and not isinstance(config, Config):
            config = load(config)
        self.config = config
        if config is not None and dsn is None:
            dsn = os.environ.get("SYMPHONY_DSN") or config.dsn
        self.dsn = dsn
        self.name = name
        self.sanitize = sanitize
        self.schedules: dict[str, Schedule] = {}
        self.handlers: dict[str, Handler] = {}
        is_routed = config is not None and config.has_sync
        self.transport: Transport = transport or (
            RoutedTransport(dsn) if is_routed else PostgresTransport(dsn)
        )
        self.transport.bind(self.handlers, dsn)

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> Symphony:
        """Make an application by a symphony.toml: `path`, SYMPHONY_CONFIG, or ./symphony.toml."""
        return cls(config=find(path) or FILE)

    def __enter__(self) -> Symphony:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that dispatch() opened."""
        self.transport.close()

    async def aclose(self) -> None:
        """Close the connections that dispatch() and dispatch_async() opened."""
        await self.transport.aclose()

    @overload
    def message(self, name: C) -> C: ...

    @overload
    def message(self, name: str | None = None) -> Callable[[C], C]: ...

    def message(self, name: Any = None) -> Any:
        """Give a dataclass a wire name; the same as the function of that name."""
        return message(name)

    def handler(
        self,
        message_type: type | str,
        *,
        name: str = "default",
        permanent: tuple[type[Exception], ...] = (),
    ) -> Callable[[F], F]:
        """Register the function, sync or async, that works on messages of a type.

        The type is a dataclass, or a wire name: then the handler gets the body as it is in JSON.
        The function takes (message) or (message, context). Errors of the `permanent` classes are
        not retried, as if they were PermanentError.

        A type may have several handlers, each with a `name` of its own: each gets a delivery, and
        the retry of one does not run the others again.
        """
        known = None if isinstance(message_type, str) else message_type_of(message_type)
        type_name = message_type if isinstance(message_type, str) else known.name  # type: ignore[union-attr]

        def register(function: F) -> F:
            handler = Handler(function, type_name, known, permanent, name)
            first = self.handlers.setdefault(type_name, handler)
            if first is not handler:
                first.add(handler)
            return function

        return register

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
        message: Any,
        *,
        queue: str | None = None,
        delay: timedelta | float | None = None,
        available_at: datetime | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        group_key: str | None = None,
        headers: Mapping[str, Any] | None = None,
        retry: RetryPolicy | None = None,
    ) -> Envelope:
        """Check and encode a message, to be sent by dispatch_many() with options of its own."""
        known = message_type_of(type(message))
        return Envelope(
            message_type=known.name,
            body=known.codec.encode(message),
            queue_name=queue,
            delay=timedelta(seconds=delay) if isinstance(delay, int | float) else delay,
            available_at=available_at,
            priority=priority,
            idempotency_key=idempotency_key,
            group_key=group_key,
            headers=headers,
            retry=None if retry is None else retry.as_json(),
        )

    def dispatch(
        self,
        message: Any,
        *,
        queue: str | None = None,
        delay: timedelta | float | None = None,
        available_at: datetime | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        group_key: str | None = None,
        headers: Mapping[str, Any] | None = None,
        retry: RetryPolicy | None = None,
        conn: psycopg.Connection[Any] | None = None,
    ) -> int:
        """Enqueue a message where its type is routed, or into a queue, and return its id.

        With `conn` it becomes part of the caller's transaction: it exists if that commits, and
        never otherwise. Without, it is committed at once on a connection of our own.
        """
        envelope = self.envelope(
            message,
            queue=queue,
            delay=delay,
            available_at=available_at,
            priority=priority,
            idempotency_key=idempotency_key,
            group_key=group_key,
            headers=headers,
            retry=retry,
        )
        return self.transport.send([envelope], conn)[0]

    async def dispatch_async(
        self,
        message: Any,
        *,
        queue: str | None = None,
        delay: timedelta | float | None = None,
        available_at: datetime | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        group_key: str | None = None,
        headers: Mapping[str, Any] | None = None,
        retry: RetryPolicy | None = None,
        conn: psycopg.AsyncConnection[Any] | None = None,
    ) -> int:
        """Do what dispatch() does, from async code and with an AsyncConnection."""
        envelope = self.envelope(
            message,
            queue=queue,
            delay=delay,
            available_at=available_at,
            priority=priority,
            idempotency_key=idempotency_key,
            group_key=group_key,
            headers=headers,
            retry=retry,
        )
        return (await self.transport.send_async([envelope], conn))[0]

    def dispatch_many(
        self,
        messages: Iterable[Any],
        *,
        queue: str | None = None,
        priority: int | None = None,
        conn: psycopg.Connection[Any] | None = None,
    ) -> list[int]:
        """Enqueue many messages, all or none, in one call; return their ids in order.

        Items may be envelopes, which carry options of their own.
        """
        envelopes = self._envelopes(messages, queue, priority)
        return self.transport.send(envelopes, conn) if envelopes else []

    async def dispatch_many_async(
        self,
        messages: Iterable[Any],
        *,
        queue: str | None = None,
        priority: int | None = None,
        conn: psycopg.AsyncConnection[Any] | None = None,
    ) -> list[int]:
        """Do what dispatch_many() does, from async code and with an AsyncConnection."""
        envelopes = self._envelopes(messages, queue, priority)
        return await self.transport.send_async(envelopes, conn) if envelopes else []

    def _envelopes(
        self, messages: Iterable[Any], queue: str | None, priority: int | None
    ) -> list[Envelope]:
        return [
            item
            if isinstance(item, Envelope)
            else self.envelope(item, queue=queue, priority=priority)
            for item in messages
        ]
