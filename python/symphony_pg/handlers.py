"""Handlers: the functions that messages are handed to, found by the wire name of the message."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .codec import decode_json
from .context import Context, Holder, PermanentError
from .functions import ClaimedMessage
from .message import MessageType

__all__ = ["Handler", "UnknownMessageType"]


class UnknownMessageType(PermanentError):  # noqa: N818
    """No handler is registered for the wire name of a message."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no handler for the message type {name!r}; "
            "is its module imported by the application that --app names?"
        )


class Handler:
    """A function that works on messages of one type.

    It is called with the message, and with the Context too if it takes two arguments.
    """

    __slots__ = ("decode", "function", "is_async", "message_type", "name", "permanent", "two")

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        message_type: MessageType | None,
        permanent: tuple[type[Exception], ...] = (),
    ) -> None:
        self.function = function
        self.name = name
        self.message_type = message_type
        self.permanent = permanent
        self.decode: Callable[[str], Any] = (
            decode_json if message_type is None else message_type.codec.decode
        )
        self.two = _takes_context(function)
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004
        )

    def call(self, message: ClaimedMessage, holder: Holder) -> Any:
        """Decode the body, which is JSON text, and call the function.

        For an async function this returns its coroutine.
        """
        if self.two:
            return self.function(self.decode(message.body), Context(message, holder))
        return self.function(self.decode(message.body))


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
