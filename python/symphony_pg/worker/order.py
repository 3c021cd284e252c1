"""The messages of an ordered queue in a worker: of each key one at a time is on its way."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Sequence

from ..database.functions.messages import ClaimedMessage


class Order:
    """What waits in a claim for the message before it of its key.

    A message that failed holds its key until the database has said what becomes of the others.
    """

    def __init__(self, messages: Sequence[ClaimedMessage]) -> None:
        self._keys: dict[str, deque[ClaimedMessage]] = {}
        self._unanswered: set[int] = set()
        self.first: list[ClaimedMessage] = []  # those that may start at once
        for message in messages:
            key = message.group_key
            if key is None or key not in self._keys:
                self.first.append(message)
            if key is not None:
                self._keys.setdefault(key, deque()).append(message)

    def next(self, open_ids: Container[int]) -> list[ClaimedMessage]:
        """Return those that may start now, each once, since the one before them is done."""
        ready = []
        for key, messages in list(self._keys.items()):
            head = messages[0].message_id
            if head in open_ids or head in self._unanswered:
                continue
            messages.popleft()
            if messages:
                ready.append(messages[0])
            else:
                del self._keys[key]
        return ready

    def failing(self, message_id: int) -> None:
        """Let nothing follow a message until answered()."""
        self._unanswered.add(message_id)

    def answered(self, message_id: int, returned: Container[int] | None) -> list[int]:
        """Go on behind a message that failed; return what was given back with it.

        None stands for all that follow it: nobody knows what became of the message.
        """
        gone: list[int] = []
        for messages in self._keys.values():
            if messages[0].message_id == message_id:
                head, *behind = messages
                kept = [
                    each
                    for each in behind
                    if returned is not None and each.message_id not in returned
                ]
                gone = [each.message_id for each in behind if each not in kept]
                messages.clear()
                messages.extend([head, *kept])
        self._unanswered.discard(message_id)
        return gone

    def take_back(self) -> list[int]:
        """Remove what has not started; return the ids."""
        taken: list[int] = []
        for messages in self._keys.values():
            while len(messages) > 1:
                taken.append(messages.pop().message_id)
        return taken[::-1]
