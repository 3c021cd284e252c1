"""From dispatch() to the database by few calls, in few files, and all of them downward."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest

import symphony_pg
from symphony_pg import Symphony
from tests.helpers import Connection, Job
from tests.test_rooms import ROOMS

PACKAGE = Path(symphony_pg.__file__).parent
CALLS, FILES = 25, 6


class Step(NamedTuple):
    """A call of a function of the package, and the file of the one above it."""

    caller: str | None
    file: str
    function: str


class Trip:
    """Writes down the calls for the length of a with block; to go on with a coroutine is one."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __enter__(self) -> "Trip":
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (file := _file(frame)):
            above = frame.f_back
            while above is not None and _file(above) is None:
                above = above.f_back
            caller = None if above is None else _file(above)
            self.steps.append(Step(caller, file, frame.f_code.co_name))

    @property
    def files(self) -> set[str]:
        return {step.file for step in self.steps}

    @property
    def upward(self) -> list[Step]:
        return [
            step for step in self.steps if step.caller and _height(step.file) < _height(step.caller)
        ]

    def __str__(self) -> str:
        shown = "\n".join(f"{each.caller} -> {each.file} {each.function}()" for each in self.steps)
        return f"{len(self.steps)} calls in {len(self.files)} files\n{shown}"


def _file(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else None


def _height(file: str) -> int:
    return ROOMS.index(Path(file).parts[0].removesuffix(".py"))


def _sync(app: Symphony) -> Trip:
    for n in range(10):  # a connection is open, and the statement prepared
        app.dispatch(Job(n))
    with Trip() as trip:
        app.dispatch(Job(10))
    return trip


def _async(app: Symphony) -> Trip:
    async def dispatch() -> Trip:
        for n in range(10):
            await app.dispatch_async(Job(n))
        with Trip() as trip:
            await app.dispatch_async(Job(10))
        await app.aclose()
        return trip

    return asyncio.run(dispatch())


@pytest.mark.parametrize("dispatched", [_sync, _async], ids=["sync", "async"])
def test_a_message_is_on_its_way_after_few_calls(
    app: Symphony, conn: Connection, dispatched: Callable[[Symphony], Trip]
) -> None:
    trip = dispatched(app)
    assert trip.upward == [], trip
    assert len(trip.files) <= FILES, trip
    assert len(trip.steps) <= CALLS, trip
    sent = conn.execute("select count(*) from symphony.message").fetchone()
    assert sent == (11,)
