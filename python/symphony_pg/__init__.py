"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from . import events
from .app import Symphony
from .batch import BatchContext
from .client import AsyncClient, Client
from .codec import InvalidMessage
from .config import Config, ConfigError
from .context import Context, PermanentError, RetryAfter, Snooze
from .errors import (
    AccessDenied,
    BadArgument,
    BodyTooLarge,
    ConnectionRefused,
    LeaseLost,
    LoginRefused,
    MalformedBatch,
    NeedsPython,
    NotInstalled,
    QueueNotEmpty,
    ScheduleTaken,
    StillReplicated,
    SymphonyError,
    TransportNotServed,
    UnknownMessage,
    UnknownQueue,
    UnknownSchedule,
    UnknownTransport,
    UnknownWorker,
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from .functions import (
    BrokenInvariant,
    ClaimedMessage,
    ClockChange,
    Delivery,
    Difference,
    Event,
    FailedGroup,
    FailedMessage,
    MessageStatus,
    Nacked,
    Outcome,
    QueueStats,
    Rebased,
    RetrySetting,
    ScheduleDiff,
    ScheduleRun,
    ScheduleStatus,
    UpcomingRun,
)
from .handlers import UnknownHandler, UnknownMessageType
from .limits import RawJson
from .local import InMemoryTransport, SyncTransport
from .message import Codec, NewerVersion, message
from .middleware import (
    Middleware,
    Next,
    Passage,
    logging_middleware,
    timing_middleware,
    transaction_middleware,
    validation_middleware,
)
from .retry import RetryPolicy
from .routed import RoutedTransport
from .transports import Envelope, PostgresTransport, Transport
from .version import __version__
from .worker import Worker

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "BadArgument",
    "BatchContext",
    "BodyTooLarge",
    "BrokenInvariant",
    "ClaimedMessage",
    "Client",
    "ClockChange",
    "Codec",
    "Config",
    "ConfigError",
    "ConnectionRefused",
    "Context",
    "Delivery",
    "Difference",
    "Envelope",
    "Event",
    "FailedGroup",
    "FailedMessage",
    "InMemoryTransport",
    "InvalidMessage",
    "LeaseLost",
    "LoginRefused",
    "MalformedBatch",
    "MessageStatus",
    "Middleware",
    "Nacked",
    "NeedsPython",
    "NewerVersion",
    "Next",
    "NotInstalled",
    "Outcome",
    "Passage",
    "PermanentError",
    "PostgresTransport",
    "QueueNotEmpty",
    "QueueStats",
    "RawJson",
    "Rebased",
    "RetryAfter",
    "RetryPolicy",
    "RetrySetting",
    "RoutedTransport",
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
    "TransportNotServed",
    "UnknownHandler",
    "UnknownMessage",
    "UnknownMessageType",
    "UnknownQueue",
    "UnknownSchedule",
    "UnknownTransport",
    "UnknownWorker",
    "UpcomingRun",
    "Worker",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
    "__version__",
    "events",
    "logging_middleware",
    "message",
    "timing_middleware",
    "transaction_middleware",
    "validation_middleware",
]
