"""What 0.1.0 wrote is still read: the bodies are those that it stored, as PostgreSQL shows them."""

import json
from pathlib import Path
from typing import Any

import pytest

from symphony_pg.messages.types import message_type_of

from .corpus import MESSAGES
from .helpers import taken_apart

WRITTEN: dict[str, str] = json.loads(
    (Path(__file__).parent / "written_by_0_1_0.json").read_text(encoding="utf-8")
)


def test_every_message_of_the_corpus_was_written() -> None:
    assert set(WRITTEN) == set(MESSAGES)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_0_1_0_wrote_is_read(name: str) -> None:
    message: Any = MESSAGES[name]
    known = message_type_of(type(message))
    read = known.decode(WRITTEN[name], {})
    assert taken_apart(read) == taken_apart(message)
