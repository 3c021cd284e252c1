"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from .app import Symphony
from .client import AsyncClient, Client
from .codec import InvalidMessage
from .context import Context, PermanentError, RetryAfter, Snooze
from .errors import (
    AccessDenied,
    BadArgument,
    BodyTooLarge,
    ConnectionRefused,
    LeaseLost,
    MalformedBatch,
    NotInstalled,
    QueueNotEmpty,
    ScheduleTaken,
    StillReplicated,
    SymphonyError,
    UnknownMessage,
    UnknownQueue,
    UnknownSchedule,
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from .functions import (
    BrokenInvariant,
    ClaimedMessage,
    ClockChange,
    Event,
    FailedGroup,
    FailedMessage,
    MessageStatus,
    Nacked,
    Outcome,
    QueueStats,
    Rebased,
    ScheduleDiff,
    ScheduleRun,
    ScheduleStatus,
    UpcomingRun,
)
from .handlers import UnknownMessageType
from .message import Codec, message
from .transports import Envelope, InMemoryTransport, PostgresTransport, SyncTransport, Transport
from .version import __version__
from .worker import Worker

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "BadArgument",
    "BodyTooLarge",
    "BrokenInvariant",
    "ClaimedMessage",
    "Client",
    "ClockChange",
    "Codec",
    "ConnectionRefused",
    "Context",
    "Envelope",
    "Event",
    "FailedGroup",
    "FailedMessage",
    "InMemoryTransport",
    "InvalidMessage",
    "LeaseLost",
    "MalformedBatch",
    "MessageStatus",
    "Nacked",
    "NotInstalled",
    "Outcome",
    "PermanentError",
    "PostgresTransport",
    "QueueNotEmpty",
    "QueueStats",
    "Rebased",
    "RetryAfter",
    "ScheduleDiff",
    "ScheduleRun",
    "ScheduleStatus",
    "ScheduleTaken",
    "Snooze",
    "StillReplicated",
    "Symphony",
    "SymphonyError",
    "SyncTransport",
    "Transport",
    "UnknownMessage",
    "UnknownMessageType",
    "UnknownQueue",
    "UnknownSchedule",
    "UpcomingRun",
    "Worker",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
    "__version__",
    "message",
]
