"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from . import events
from .app import Symphony
from .batch import BatchContext
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
    WrongIsolationLevel,
    WrongState,
    WrongVersion,
)
from .functions import BrokenInvariant, ClaimedMessage, MessageStatus, Nacked, QueueStats
from .handlers import UnknownMessageType
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
    "Codec",
    "ConnectionRefused",
    "Context",
    "Envelope",
    "InMemoryTransport",
    "InvalidMessage",
    "LeaseLost",
    "MalformedBatch",
    "MessageStatus",
    "Middleware",
    "Nacked",
    "NewerVersion",
    "Next",
    "NotInstalled",
    "Passage",
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
