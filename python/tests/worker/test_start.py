"""What keeps a worker from starting."""

from dataclasses import dataclass

import pytest

from symphony_pg import Symphony, UnknownQueue, WrongVersion
from tests.helpers import Connection
from tests.worker.helpers import run


def test_an_unknown_queue_ends_the_worker(app: Symphony) -> None:
    with pytest.raises(UnknownQueue):
        run(app, queues=["nowhere"])


def test_another_version_ends_the_worker(app: Symphony, conn: Connection) -> None:
    conn.execute("insert into symphony.release (version) values ('9.0.0')")
    with pytest.raises(WrongVersion):
        run(app)


def test_a_message_type_that_cannot_be_decoded_ends_the_worker(app: Symphony) -> None:
    @dataclass
    class Bad:
        data: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    app.handler(Bad)(lambda bad: None)
    with pytest.raises(TypeError, match="Bad"):
        run(app)
