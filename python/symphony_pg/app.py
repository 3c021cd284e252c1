"""The application: its message types, its handlers, and the way messages are dispatched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar, overload

import psycopg

from .handlers import Handler
from .message import message, message_type_of
from .schedules import Schedule, Schedules
from .transports import Envelope, PostgresTransport, Transport

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

    Without a DSN the database is that of SYMPHONY_DSN, else of libpq's PG* variables. The name
    tells whose schedules are whose, if applications that have some share a database.

    `sanitize` takes the text of an error and returns it without what must not be stored or logged,
    beyond the passwords and tokens that the database takes out anyway.
    """

    def __init__(
        self,
        dsn: str | None = None,
        transport: Transport | None = None,
        *,
        name: str = "default",
        sanitize: Callable[[str], str] | None = None,
    ) -> None:
        self.dsn = dsn
        self.name = name
        self.sanitize = sanitize
        self.schedules: dict[str, Schedule] = {}
        self.handlers: dict[str, Handler] = {}
        self.transport: Transport = transport or PostgresTransport(dsn)
        self.transport.bind(self.handlers, dsn)

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
        self, message_type: type | str, *, permanent: tuple[type[Exception], ...] = ()
    ) -> Callable[[F], F]:
        """Register the function, sync or async, that works on messages of a type.

        The type is a dataclass, or a wire name: then the handler gets the body as it is in JSON.
        The function takes (message) or (message, context). Errors of the `permanent` classes are
        not retried, as if they were PermanentError.
        """
        known = None if isinstance(message_type, str) else message_type_of(message_type)
        name = message_type if isinstance(message_type, str) else message_type_of(message_type).name

        def register(function: F) -> F:
            if name in self.handlers:
                taken = self.handlers[name].function
                raise ValueError(f"{name} is handled already, by {taken.__qualname__}")
            self.handlers[name] = Handler(function, name, known, permanent)
            return function

        return register

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
        conn: psycopg.Connection[Any] | None = None,
    ) -> int:
        """Enqueue a message and return its id.

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
