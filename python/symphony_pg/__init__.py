"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from .app import Symphony
from .client import AsyncClient, Client
from .codec import InvalidMessage
from .context import Context, PermanentError, RetryAfter
from .errors import (
    AccessDenied,
    BadArgument,
    BodyTooLarge,
    ConnectionRefused,
    LeaseLost,
    MalformedBatch,
    NotInstalled,
    QueueNotEmpty,
    SymphonyError,
    UnknownMessage,
    UnknownQueue,
    UnknownWorker,
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from .functions import BrokenInvariant, ClaimedMessage, MessageStatus, Nacked, QueueStats
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
    "Codec",
    "ConnectionRefused",
    "Context",
    "Envelope",
    "InMemoryTransport",
    "InvalidMessage",
    "LeaseLost",
    "MalformedBatch",
    "MessageStatus",
    "Nacked",
    "NotInstalled",
    "PermanentError",
    "PostgresTransport",
    "QueueNotEmpty",
    "QueueStats",
    "RetryAfter",
    "Symphony",
    "SymphonyError",
    "SyncTransport",
    "Transport",
    "UnknownMessage",
    "UnknownMessageType",
    "UnknownQueue",
    "UnknownWorker",
    "Worker",
    "WrongIsolationLevel",
    "WrongState",
    "WrongVersion",
    "__version__",
    "message",
]
