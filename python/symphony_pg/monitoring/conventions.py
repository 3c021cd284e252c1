"""The names that spans and measurements have, in one place.

OpenTelemetry's conventions for messaging are still in development, and some of them were renamed
lately: when they are again, this file changes and nothing else.
"""

from __future__ import annotations

SYSTEM = "messaging.system"
DESTINATION = "messaging.destination.name"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
MESSAGE_ID = "messaging.message.id"
CONVERSATION_ID = "messaging.message.conversation_id"
BODY_SIZE = "messaging.message.body.size"
MESSAGE_COUNT = "messaging.batch.message_count"
CLIENT_ID = "messaging.client.id"
CONSUMER_GROUP = "messaging.consumer.group.name"
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

SENT_MESSAGES = "messaging.client.sent.messages"
CONSUMED_MESSAGES = "messaging.client.consumed.messages"
OPERATION_DURATION = "messaging.client.operation.duration"
PROCESS_DURATION = "messaging.process.duration"
SECONDS_BETWEEN = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0),
)

# Of our own.
MESSAGE_TYPE = "symphony.message.type"
ATTEMPT = "symphony.message.attempt"
PRIORITY = "symphony.message.priority"

# Values.
SYMPHONY = "symphony"
SEND, PROCESS = "send", "process"

# Of Sentry's page about queues, beside MESSAGE_ID, BODY_SIZE and DESTINATION.
SENTRY_LATENCY = "messaging.message.receive.latency"
SENTRY_RETRIES = "messaging.message.retry.count"
SENTRY_PUBLISH, SENTRY_PROCESS = "queue.publish", "queue.process"
