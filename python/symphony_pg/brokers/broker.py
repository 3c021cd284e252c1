"""What every broker can do for a relay and for a consumer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..config.broker import BrokerSettings
from ..database.functions.messages import ClaimedMessage


class BrokerAway(Exception):  # noqa: N818
    """The broker cannot be reached, or has said nothing; what was to be done may be done or not."""


class BrokerFull(BrokerAway):
    """The broker is there and takes no more."""


class NeverSent(Exception):  # noqa: N818
    """The broker will take this message at no time; the text says why."""


@dataclass(slots=True)
class Delivery:
    """A message that the broker has handed out, until it is acked or given back.

    `key` is what first_receipt() knows it by, and `token` is what the broker does. `problem` says
    why it cannot be read; then its body is {"raw": its text}.
    """

    message: ClaimedMessage
    key: str
    token: Any
    redelivered: int = 0
    is_foreign: bool = False
    problem: str | None = None


class Broker(ABC):
    """One destination of one broker. Every method raises BrokerAway when it cannot be reached.

    `origin` tells messages of our database from those of others. `lease` is for how many seconds a
    delivery is ours unless it is extended. Where `has_sessions` is true, deliveries are lost with
    the connection that they came by.
    """

    origin = ""
    lease: float
    has_sessions = False
    most_bytes: int

    def __init__(self, settings: BrokerSettings) -> None:
        self.settings = settings

    @abstractmethod
    async def open(self) -> None:
        """Connect, and make what is needed there unless the settings forbid that."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up. What was handed out is handed out again."""

    @abstractmethod
    async def publish(self, messages: Sequence[ClaimedMessage]) -> list[Exception | None]:
        """Publish in order and await every confirm.

        None: it is confirmed; NeverSent, BrokerFull, or BrokerAway for what nobody knows.
        """

    @abstractmethod
    async def consume(self, width: int) -> None:
        """Let at most so many messages be on their way from now on.

        With 0, receive() fetches a single one: what took down whoever had it does so alone.
        """

    @abstractmethod
    async def receive(self, most: int, wait: float) -> list[Delivery]:
        """Return what is there, or wait so many seconds for a first message."""

    @abstractmethod
    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Let the broker forget them."""

    @abstractmethod
    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let the broker hand them out again."""

    @abstractmethod
    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Begin their lease anew."""

    @abstractmethod
    async def count(self) -> int:
        """Return how many messages wait there, as far as the broker knows."""
