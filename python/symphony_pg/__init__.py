"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from .app import Symphony
from .client import AsyncClient, Client
from .codec import InvalidMessage
from .config import Config, ConfigError
from .context import Context, PermanentError, RetryAfter
from .errors import (
    AccessDenied,
    BadArgument,
    BodyTooLarge,
    ConnectionRefused,
    LeaseLost,
    MalformedBatch,
    NeedsPython,
    NotInstalled,
    QueueNotEmpty,
    SymphonyError,
    TransportNotServed,
    UnknownMessage,
    UnknownQueue,
    UnknownTransport,
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from .functions import (
    BrokenInvariant,
    ClaimedMessage,
    Delivery,
    Difference,
    MessageStatus,
    Nacked,
    QueueStats,
    RetrySetting,
)
from .handlers import UnknownHandler, UnknownMessageType
from .message import Codec, message
from .retry import RetryPolicy
from .transports import (
    Envelope,
    InMemoryTransport,
    PostgresTransport,
    RoutedTransport,
    SyncTransport,
    Transport,
)
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
    "Codec",
    "Config",
    "ConfigError",
    "ConnectionRefused",
    "Context",
    "Delivery",
    "Difference",
    "Envelope",
    "InMemoryTransport",
    "InvalidMessage",
    "LeaseLost",
    "MalformedBatch",
    "MessageStatus",
    "Nacked",
    "NeedsPython",
    "NotInstalled",
    "PermanentError",
    "PostgresTransport",
    "QueueNotEmpty",
    "QueueStats",
    "RetryAfter",
    "RetryPolicy",
    "RetrySetting",
    "RoutedTransport",
    "Symphony",
    "SymphonyError",
    "SyncTransport",
    "Transport",
    "TransportNotServed",
    "UnknownHandler",
    "UnknownMessage",
    "UnknownMessageType",
    "UnknownQueue",
    "UnknownTransport",
    "Worker",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
    "__version__",
    "message",
]
