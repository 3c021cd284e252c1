"""What symphony.toml says of a transport that leads to a broker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from ..errors import SymphonyError

URL = (
    "Write it as scheme://user:password@host:port/name. In a password write / : @ ? # % as %2F %3A "
    "%40 %3F %23 %25."
)
EVENTS = "cloudevents"
FIFO = ".fifo"  # the ending of the name says of a queue of SQS what it is


@dataclass(frozen=True)
class BrokerSettings:
    """A transport of type rabbitmq, redis or sqs. The DSN is for this process alone.

    `settings` are those that the database knows, too.
    """

    name: str
    type: str
    dsn: str | None = field(default=None, repr=False)
    queue: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def destination(self) -> str:
        """The queue or stream at the broker; by default it has the name of the transport."""
        return str(self.settings.get("destination", self.name))

    @property
    def is_direct(self) -> bool:
        """True if dispatch() publishes to it, unless the database says otherwise."""
        return self.settings.get("outbox") is False

    @property
    def has_events(self) -> bool:
        """True if messages go out as CloudEvents, and come in as such."""
        return self.settings.get("format") == EVENTS

    def beside(self) -> BrokerSettings:
        """Return settings that lead to a destination beside it, which nobody consumes."""
        stem = self.destination.removesuffix(FIFO)
        destination = f"{stem}-probe{self.destination[len(stem) :]}"
        return replace(self, settings={**self.settings, "destination": destination})

    @property
    def outbox(self) -> str:
        """The queue of the database that a relay forwards."""
        return self.queue or f"outbox/{self.name}"

    @property
    def variable(self) -> str:
        """The variable of the environment that has the DSN if the file has none."""
        return f"SYMPHONY_{self.type.upper()}_DSN"

    @property
    def location(self) -> str:
        """The DSN; raise SymphonyError if neither the file nor the environment has one."""
        variable = self.variable
        found = self.dsn or os.environ.get(variable)
        if not found:
            raise SymphonyError(
                f"it is not said where the broker of transport {self.name} is",
                detail="symphony.toml has no dsn for it, and the environment has none.",
                hint=f'Write dsn = "${{{variable}}}" for it, or set {variable}.',
            )
        if not is_url(found):
            raise SymphonyError(
                f"the DSN of the broker of transport {self.name} cannot be read",
                detail="It is not shown, since it may hold a password.",
                hint=URL,
            )
        return found


def is_url(dsn: str) -> bool:
    """Tell whether a DSN can be taken apart; what a library says of one may hold its password."""
    try:
        parts = urlsplit(dsn)
        parts.port  # noqa: B018 (raises if it is no number)
    except ValueError:
        return False
    return "://" in dsn and "@" not in parts.path + parts.fragment
