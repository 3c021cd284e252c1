"""What tests of every folder use."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from symphony_pg import Client, MessageStatus, message

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 20.0
# Nobody listens there.
NOWHERE = "host=127.0.0.1 port=1 user=x dbname=x"

Connection = psycopg.Connection[Any]
T = TypeVar("T")
# For a test of both forms of a handler.
KINDS = pytest.mark.parametrize("kind", ["sync", "async"])


@dataclass
class Job:
    n: int = 0


def jobs(count: int) -> list[Job]:
    return [Job(n) for n in range(count)]


@message("SendEmail")
@dataclass
class SendEmail:
    to: str = "ada"


def wait_until(condition: Callable[[], T], what: object, seconds: float = TIMEOUT) -> T:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def fullest(handed_out: Iterable[tuple[float, int]], rate: float) -> float:
    """Return how many were handed out in any time beyond those that a rate a second names."""
    level, most, before = 0.0, 0.0, 0.0
    for at, messages in handed_out:
        level = max(0.0, level - rate * (at - before)) + messages
        most, before = max(most, level), at
    return most


def one(conn: Connection, statement: Any, *arguments: Any) -> Any:
    """Return the row that a query must have, or its only value."""
    row = conn.execute(statement, arguments).fetchone()
    assert row is not None
    return row if len(row) > 1 else row[0]


def known(conn: Connection, message_id: int) -> MessageStatus:
    """Return what is known of a message, which must be something."""
    found = Client(conn).message_status(message_id)
    assert found is not None
    return found


def status(conn: Connection, message_id: int) -> str:
    """Return the status of a message."""
    return known(conn, message_id).status


def fail(
    client: Client,
    count: int = 1,
    type_: str = "A",
    error_class: str = "Boom",
    queue: str = "default",
) -> list[int]:
    """Enqueue messages and let them fail for good; return their ids."""
    message = {"message_type": type_, "queue_name": queue}
    ids = client.enqueue_batch([{**message, "body": {"n": n}} for n in range(count)])
    while messages := client.claim_batch([queue], batch_size=1000):
        for each in messages:
            client.nack_with_backoff(
                each.claim_id, each.message_id, "it broke", error_class, retryable=False
            )
    return ids


def end_other_sessions(conn: Connection) -> None:
    """End all sessions of a database but one."""
    conn.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
