"""What the middleware here ask of a passage: which messages it is about, one or a batch of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..handling.context import Context
from ..outcomes import AlreadyDone, RetryAfter, Snooze
from ..sending.middleware import Passage


def contexts_of(passage: Passage) -> list[Context]:
    """Return the contexts of the messages that are being handled."""
    context = passage.context
    if isinstance(context, Context):
        return [context]
    return [context.of(message) for message in passage.message]


def texts_of(headers: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return those headers of these names that are text: anybody may have written them."""
    return {name: text for name in names if isinstance(text := headers.get(name), str)}


def is_failure(error: BaseException) -> bool:
    """Tell whether something went wrong: it was not put off by its handler, or done before."""
    return not isinstance(error, Snooze | RetryAfter | AlreadyDone)
