"""What the dispatches and the handlers of an application share: middleware, events, the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..events import E, Event, Events, Sending, Sent
from ..messages.envelope import Envelope
from .middleware import Middleware, Next, Phase, chain
from .outbox import outbox_here
from .passage import PENDING, Passed, arrived, arrived_async
from .sender import Sender
from .transport import AnyAsyncConnection, AnyConnection, Transport


class Bus:
    """The middleware and the listeners of an application, and the way out for its messages.

    `is_bare` is true while nobody has a say in what is dispatched, unless it is in a handler.
    """

    def __init__(self, *, after_handler: bool = True) -> None:
        self.events = Events()
        self.sender = Sender(self.events)
        self.is_bare = True
        self._middleware: list[Middleware] = []
        self._around_dispatch: dict[str, Next] = {}
        self._after_handler = after_handler

    def add(self, middleware: Middleware, *, outermost: bool = False) -> None:
        """Put a middleware inside of those that are there, or around them."""
        self._middleware.insert(0 if outermost else len(self._middleware), middleware)
        self._compile()

    def remove(self, middleware: Middleware) -> None:
        """Take one away that was added."""
        self._middleware.remove(middleware)
        self._compile()

    def listen(self, kind: type[E], listener: Callable[[E], Any]) -> None:
        """Call the listener for each event of a class."""
        self.events.listen(kind, listener)
        self._compile()

    def _compile(self) -> None:
        self._around_dispatch.clear()
        self.is_bare = not (self.around("dispatch") or self.wanted(Sending, Sent))

    def around(self, phase: Phase) -> list[Middleware]:
        """Return the middleware of a phase, the outermost first."""
        return [each for each in self._middleware if each.phase in (None, phase)]

    def chain(self, phase: Phase, is_async: bool, what: str, innermost: Next) -> Next:
        """Put the middleware of a phase around a function."""
        return chain(self.around(phase), is_async, what, innermost)

    def wanted(self, *kinds: type[Event]) -> bool:
        """Tell whether anybody listens to one of these events."""
        return self.events.wanted(*kinds)

    def dispatch(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyConnection | None,
        now: bool,
    ) -> list[int]:
        """Send messages through the middleware, or keep them for the end of the handler.

        The ids of those that were kept are 0, and so are those that a middleware did not pass on.
        """

        def send(ready: Sequence[Envelope]) -> list[int]:
            if self._hold(transport, ready, conn is None and not now):
                return [PENDING] * len(ready)
            return self.sender.send(transport, ready, conn)

        through = self._through("dispatch()", arrived)
        if through is arrived:
            return send(envelopes)
        passed = Passed(envelopes, send)
        for passage in passed.passages:
            through(passage)
        if passed.waiting:
            passed.note(send(passed.waiting))
        return passed.ids

    async def dispatch_async(
        self,
        transport: Transport,
        envelopes: Sequence[Envelope],
        conn: AnyAsyncConnection | None,
        now: bool,
    ) -> list[int]:
        """Do what dispatch() does, from async code."""

        async def send(ready: Sequence[Envelope]) -> list[int]:
            if self._hold(transport, ready, conn is None and not now):
                return [PENDING] * len(ready)
            return await self.sender.send_async(transport, ready, conn)

        through = self._through("dispatch_async()", arrived_async)
        if through is arrived_async:
            return await send(envelopes)
        passed = Passed(envelopes, send)
        for passage in passed.passages:
            await through(passage)
        if passed.waiting:
            passed.note(await send(passed.waiting))
        return passed.ids

    def _through(self, what: str, innermost: Next) -> Next:
        """Return the middleware of dispatch() or dispatch_async(), put together on first use."""
        if what not in self._around_dispatch:
            is_async = innermost is arrived_async
            self._around_dispatch[what] = self.chain("dispatch", is_async, what, innermost)
        return self._around_dispatch[what]

    def _hold(self, transport: Transport, envelopes: Sequence[Envelope], may_wait: bool) -> bool:
        """Keep messages for the end of the handler that runs here, if there is one."""
        outbox = outbox_here(self.sender) if may_wait and self._after_handler else None
        return outbox is not None and outbox.add(transport, envelopes)
