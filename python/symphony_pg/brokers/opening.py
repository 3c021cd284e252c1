"""The broker that a transport leads to."""

from __future__ import annotations

from ..config.broker import BrokerSettings
from .broker import Broker
from .rabbitmq import RabbitMQ
from .redis import Redis
from .sqs import SQS

BROKERS: dict[str, type[Broker]] = {"rabbitmq": RabbitMQ, "redis": Redis, "sqs": SQS}


def broker_of(settings: BrokerSettings) -> Broker:
    """Return the broker of a transport, not connected yet."""
    return BROKERS[settings.type](settings)
