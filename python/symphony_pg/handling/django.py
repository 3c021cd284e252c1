"""Django's connections around handlers, as around requests: those that are of no use are closed.

Where Django is configured a worker puts this around its handlers by itself: without it, every
handler that comes after a lost connection fails, until the worker is started again.
"""

from __future__ import annotations

import sys
from typing import Any

from ..sending.bus import Bus
from ..sending.middleware import Middleware, Next, Passage

NAME = "django_middleware"


def django_middleware() -> Middleware:
    """Call Django's close_old_connections() before and after each handler in a worker.

    A handler that runs in dispatch(), or in a test, has the connections of the request or the test,
    and leaves them as they are.
    """

    def sync(passage: Passage, next_: Next) -> Any:
        from django.db import close_old_connections

        if _is_in_dispatch(passage):
            return next_(passage)
        close_old_connections()
        try:
            return next_(passage)
        finally:
            close_old_connections()

    async def async_(passage: Passage, next_: Next) -> Any:
        from asgiref.sync import sync_to_async
        from django.db import close_old_connections

        if _is_in_dispatch(passage):
            return await next_(passage)
        close = sync_to_async(close_old_connections)  # in the thread that the ORM works in
        await close()
        try:
            return await next_(passage)
        finally:
            await close()

    return Middleware(sync, async_, "handle", NAME)


def use_django(bus: Bus) -> bool:
    """Put the middleware around all others if Django is configured; tell if it was added now."""
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    if settings is None or not settings.configured:
        return False
    if any(each.name == NAME for each in bus.around("handle")):
        return False
    bus.add(django_middleware(), outermost=True)
    return True


def _is_in_dispatch(passage: Passage) -> bool:
    """Tell whether the message is in no claim: a transport of this process runs the handler."""
    context = passage.context
    if isinstance(passage.message, list) and hasattr(context, "of"):
        context = context.of(passage.message[0])
    return bool(context.claim_id == 0)
