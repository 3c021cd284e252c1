"""What others watch us with: traces, errors and log lines by middleware, metrics, probes.

app.middleware(otel_middleware())       spans that follow a message: OpenTelemetry
app.middleware(sentry_middleware())     errors of handlers, and how long they take: Sentry
app.middleware(structlog_middleware())  which message a line of the log belongs to: structlog

The libraries are imported when a middleware is made.
"""

from .otel import otel_middleware
from .sentry import sentry_middleware
from .structlog import structlog_middleware

__all__ = ["otel_middleware", "sentry_middleware", "structlog_middleware"]
