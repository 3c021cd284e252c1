"""Handlers: the functions that messages are handed to, found by the wire name of the message."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..database.functions.messages import ClaimedMessage
from ..events import Handled, Received
from ..messages.codec import decode_json
from ..messages.hints import JSON, refuse_other_class
from ..messages.types import MessageType
from ..results import finished, is_async, refuse_lazy, refuse_unfinished
from ..sending.bus import Bus
from ..sending.middleware import Next, Passage
from ..sending.outbox import outbox_here
from .classification import USUAL, ErrorClasses
from .context import Context, Holder


class NoHandler(Exception):  # noqa: N818
    """No handler here works on a message. The database puts it off: another worker may have one."""


class UnknownMessageType(NoHandler):
    """No handler is registered for the wire name of a message."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no handler for the message type {name!r}; "
            "is its module imported by the application that --app names?"
        )


class UnknownHandler(NoHandler):
    """The delivery is for a handler that is not registered here."""

    def __init__(self, name: str, handler_name: object) -> None:
        super().__init__(
            f"no handler {handler_name!r} for the message type {name!r}; is it registered by the "
            "application that --app names? If it is gone: "
            f"select symphony.remove_handler({name!r}, {str(handler_name)!r})"
        )


class Handler:
    """A function that works on messages of one type.

    It is called with the message, and with the Context too if it takes two arguments.
    The first handler of a type knows the others by their names, in `all`.

    `call(message, holder)` handles a message whose body is JSON text; for an async function it
    returns a coroutine, and what that returns is to be finished() as well. As long as nobody asks
    for middleware or events, it is call_directly.
    """

    __slots__ = (
        "_chain",
        "all",
        "bus",
        "call",
        "concurrency",
        "decode",
        "errors",
        "function",
        "handler_name",
        "is_async",
        "message_type",
        "name",
        "timeout",
        "two",
        "what",
    )
    kind = "handler"

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        message_type: MessageType | None,
        bus: Bus,
        errors: ErrorClasses = USUAL,
        handler_name: str = "default",
        timeout: timedelta | float | None = None,
        concurrency: int | None = None,
    ) -> None:
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"the concurrency of a handler is 1 or more, not {concurrency}")
        self.concurrency = concurrency
        self.function = function
        self.handler_name = handler_name
        self.all: dict[str, Handler] = {handler_name: self}
        self.name = name
        self.message_type = message_type
        self.bus = bus
        self.errors = errors
        self.timeout = seconds_of(timeout)
        self.decode: Callable[[str, Any], Any] = (
            _raw if message_type is None else message_type.decode
        )
        self.what = f"the {self.kind} {getattr(function, '__qualname__', repr(function))}"
        refuse_lazy(function, self.what)
        self.two = _takes_context(function)
        self._refuse_other_class()
        self.is_async = is_async(function)
        self.call: Callable[[ClaimedMessage, Holder], Any]
        self.compile()

    def _refuse_other_class(self) -> None:
        given = JSON if self.message_type is None else (self.message_type.cls,)
        refuse_other_class(self.function, given, self.what)

    def add(self, other: Handler) -> None:
        """Register another handler of the same type."""
        if other.handler_name in self.all:
            taken = self.all[other.handler_name].function
            raise ValueError(
                f"{self.name} is handled already, by {taken.__qualname__}; "
                'another handler needs a name of its own: handler(..., name="audit")'
            )
        self.all[other.handler_name] = other

    @property
    def is_declared(self) -> bool:
        """True if the database has to know the handlers of this type by name."""
        return list(self.all) != ["default"]

    def compile(self) -> None:
        """Learn what is around the function now; raise TypeError if it does not fit."""
        if self.bus.around("handle") or self.bus.wanted(Received, Handled):
            self._chain = self._around_function()
            self.call = self._call_through_async if self.is_async else self._call_through
        else:
            self.call = self._coroutine if self.is_async else self.call_directly

    def _around_function(self) -> Next:
        innermost = self._innermost_async if self.is_async else self._innermost
        return self.bus.chain("handle", self.is_async, self.what, innermost)

    def call_directly(self, message: ClaimedMessage, holder: Holder) -> None:
        """Decode the body and call the function."""
        if self.two:
            context = Context(message, holder)
            result = self.function(self.decode(message.body, message.headers), context)
        else:
            result = self.function(self.decode(message.body, message.headers))
        if result is not None:
            refuse_unfinished(result, self.what)

    def _coroutine(self, message: ClaimedMessage, holder: Holder) -> Any:
        if self.two:
            context = Context(message, holder)
            return self.function(self.decode(message.body, message.headers), context)
        return self.function(self.decode(message.body, message.headers))

    def _innermost(self, passage: Passage) -> Any:
        two = (passage.context,) if self.two else ()
        result = self.function(passage.message, *two)
        refuse_unfinished(result, self.what)
        return result

    async def _innermost_async(self, passage: Passage) -> Any:
        two = (passage.context,) if self.two else ()
        return await finished(await self.function(passage.message, *two), self.what)

    def _passage(self, message: ClaimedMessage, holder: Holder) -> Passage:
        self.bus.events.emit(Received(message))
        context = Context(message, holder)
        return Passage(
            "handle",
            self.decode(message.body, message.headers),
            self.name,
            dict(context.headers),
            context=context,
            message_id=message.message_id,
        )

    def _call_through(self, message: ClaimedMessage, holder: Holder) -> None:
        started = time.perf_counter()
        self._chain(self._passage(message, holder))
        outbox = outbox_here(self.bus.sender)
        if outbox and not holder.is_cancelled(message.message_id):
            outbox.send()
        self.bus.events.emit(Handled(message, time.perf_counter() - started))

    async def _call_through_async(self, message: ClaimedMessage, holder: Holder) -> None:
        started = time.perf_counter()
        await self._chain(self._passage(message, holder))
        outbox = outbox_here(self.bus.sender)
        if outbox and not holder.is_cancelled(message.message_id):
            await outbox.send_async()
        self.bus.events.emit(Handled(message, time.perf_counter() - started))


def _raw(body: str, headers: Any) -> Any:  # noqa: ARG001
    return decode_json(body)


def each_handler(handlers: Mapping[str, Handler]) -> Iterator[Handler]:
    """Yield all handlers: of each type the first, and those that it knows by their names."""
    for first in handlers.values():
        yield from first.all.values()


def handler_of(handlers: Mapping[str, Handler], message_type: str, headers: Any) -> Handler:
    """Return the handler of a message: that of its header, else the first of its type.

    `headers` is a mapping, or its JSON text.
    """
    first = handlers.get(message_type)
    if first is None:
        raise UnknownMessageType(message_type)
    if "handler" not in headers:
        return first
    wanted = (json.loads(headers) if isinstance(headers, str) else headers).get("handler")
    if wanted is None:
        return first
    try:
        return first.all[wanted]
    except (KeyError, TypeError):
        raise UnknownHandler(first.name, wanted) from None


def find_handler(
    handlers: Mapping[str, Handler], message_type: str, headers: Any
) -> Handler | None:
    """Return the handler of a message, or None, and whoever calls it will say why."""
    try:
        return handler_of(handlers, message_type, headers)
    except NoHandler:
        return None


def seconds_of(timeout: timedelta | float | None) -> float | None:
    """Return a time limit in seconds; raise ValueError if nothing could be done within it."""
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    if not seconds > 0:
        raise ValueError(f"a time limit is more than 0 seconds, and {timeout} is not")
    return seconds


def _takes_context(function: Callable[..., Any]) -> bool:
    positional = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]
    if len(positional) not in (1, 2):
        raise TypeError(
            f"a handler takes (message) or (message, context), and {function!r} takes "
            f"{len(positional)} arguments"
        )
    return len(positional) == 2
