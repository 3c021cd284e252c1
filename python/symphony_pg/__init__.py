"""Symphony: a message queue inside PostgreSQL.

The rules of the queue are SQL functions; this package calls them and hands messages to handlers.
"""

from . import errors, events
from .app import Symphony
from .config.result import Config, ConfigError
from .database.client import AsyncClient, Client
from .database.functions.failed import FailedGroup, FailedMessage, Outcome
from .database.functions.installation import BrokenInvariant, Obstacle, Rebased
from .database.functions.messages import ClaimedMessage, HistoryEntry, MessageStatus, Nacked
from .database.functions.queues import QueueStats, WaitingType
from .database.functions.routing import Delivery, Difference, RetrySetting
from .database.functions.schedules import (
    ClockChange,
    ScheduleDiff,
    ScheduleRun,
    ScheduleStatus,
    UpcomingRun,
)
from .database.limits import RawJson
from .errors import *  # noqa: F403 (all of them)
from .events import Event
from .handling.context import BatchContext, Context
from .handling.handler import UnknownHandler, UnknownMessageType
from .handling.logged import MessageFilter
from .handling.middlewares import (
    logging_middleware,
    timing_middleware,
    transaction_middleware,
    validation_middleware,
)
from .messages.codec import InvalidMessage
from .messages.envelope import Envelope, RetryPolicy
from .messages.types import Codec, NewerVersion, message
from .outcomes import HandlerTimeout, PermanentError, RetryAfter, Snooze
from .sending.middleware import Middleware, Next, Passage
from .sending.transport import Transport
from .transports.memory import InMemoryTransport
from .transports.postgres import PostgresTransport
from .transports.routed import RoutedTransport
from .transports.sync import SyncTransport
from .version import __version__
from .worker import Worker

__all__ = [
    "AsyncClient",
    "BatchContext",
    "BrokenInvariant",
    "ClaimedMessage",
    "Client",
    "ClockChange",
    "Codec",
    "Config",
    "ConfigError",
    "Context",
    "Delivery",
    "Difference",
    "Envelope",
    "Event",
    "FailedGroup",
    "FailedMessage",
    "HandlerTimeout",
    "HistoryEntry",
    "InMemoryTransport",
    "InvalidMessage",
    "MessageFilter",
    "MessageStatus",
    "Middleware",
    "Nacked",
    "NewerVersion",
    "Next",
    "Obstacle",
    "Outcome",
    "Passage",
    "PermanentError",
    "PostgresTransport",
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
    "Snooze",
    "Symphony",
    "SyncTransport",
    "Transport",
    "UnknownHandler",
    "UnknownMessageType",
    "UpcomingRun",
    "WaitingType",
    "Worker",
    "__version__",
    "events",
    "logging_middleware",
    "message",
    "timing_middleware",
    "transaction_middleware",
    "validation_middleware",
]
__all__ += errors.__all__

# The class of an error is stored with its message: by its public name, wherever its file is.
for _name in __all__:
    if isinstance(_found := globals()[_name], type) and issubclass(_found, BaseException):
        _found.__module__ = __name__
del _name, _found
