"""What a handler says that it takes is what it gets. `make lint` runs a type checker over this."""

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict, TypeVar, Union

import msgspec
import pydantic
import pytest

from symphony_pg import BatchContext, Context, InMemoryTransport, Symphony
from tests.helpers import Job, SendEmail


@dataclass
class Base:
    n: int = 0


@dataclass
class Derived(Base):
    pass


class Numbered(Protocol):
    n: int


class Body(TypedDict):
    n: int


class Struct(msgspec.Struct):
    n: int = 0


class Model(pydantic.BaseModel):
    n: int = 0


B = TypeVar("B", bound=Base)
C = TypeVar("C", Derived, SendEmail)


@pytest.fixture
def app() -> Symphony:
    return Symphony(transport=InMemoryTransport())


def one(hint: Any) -> Any:
    """Return a function that says it takes this."""

    def handle(message: Any) -> None:
        pass

    handle.__annotations__["message"] = hint
    return handle


FITTING = [
    Derived,
    Base,
    object,
    Any,
    Numbered,
    "Derived",
    "NotThereYet",
    Derived | SendEmail,
    Union[SendEmail, Base],  # noqa: UP007
    Annotated[Derived, "a note"],
    Derived | None,
    B,
    C,
    TypeVar("D"),
]
OTHER = [
    SendEmail,
    "SendEmail",
    SendEmail | Job,
    Annotated[SendEmail, ""],
    int,
    None.__class__,
    dict,
]


@pytest.mark.parametrize("hint", FITTING, ids=str)
def test_what_a_message_may_be_is_taken(app: Symphony, hint: Any) -> None:
    app.handler(Derived)(one(hint))
    app.batch_handler(Job)(one(list[Job]))


@pytest.mark.parametrize("hint", OTHER, ids=str)
def test_what_it_can_never_be_is_refused(app: Symphony, hint: Any) -> None:
    with pytest.raises(TypeError, match=r"the handler one.* gets Derived, and its annotation says"):
        app.handler(Derived)(one(hint))
    assert not app.handlers


@pytest.mark.parametrize(
    "hint", [list[Derived], Sequence[Base], Iterable[Any], list, Any, "list[Derived]", Sequence]
)
def test_a_batch_is_a_list(app: Symphony, hint: Any) -> None:
    app.batch_handler(Derived)(one(hint))


@pytest.mark.parametrize("hint", [Derived, list[SendEmail], tuple[Derived, ...], set, "Derived"])
def test_and_nothing_else(app: Symphony, hint: Any) -> None:
    with pytest.raises(TypeError, match="annotation"):
        app.batch_handler(Derived)(one(hint))


@pytest.mark.parametrize("hint", [dict, dict[str, Any], Mapping[str, int], Body, list, int, float])
def test_a_handler_of_a_name_gets_json(app: Symphony, hint: Any) -> None:
    app.handler("A")(one(hint))


@pytest.mark.parametrize("hint", [Derived, Struct, Model, "Derived", set, bytes])
def test_and_no_class(app: Symphony, hint: Any) -> None:
    with pytest.raises(TypeError, match="gets a JSON value, and its annotation says"):
        app.handler("A")(one(hint))


class Handlers:
    def right(self, message: Derived, context: Context) -> None: ...

    def wrong(self, message: "SendEmail") -> None: ...

    def __call__(self, message: "SendEmail") -> None: ...


def test_methods_and_objects_are_looked_at_as_well(app: Symphony) -> None:
    app.handler(Derived)(Handlers().right)
    for wrong in (Handlers().wrong, Handlers(), functools.partial(Handlers().wrong)):
        with pytest.raises(TypeError, match="annotation says SendEmail"):
            app.handler(Derived, name="other")(wrong)  # type: ignore[arg-type]


def test_what_a_type_checker_says(app: Symphony) -> None:
    """Without the comments mypy would find an error in each of these lines, and only in these."""

    def of_base(message: Base) -> None: ...

    def of_email(message: SendEmail) -> None: ...

    async def of_either(message: Derived | SendEmail, context: Context) -> None: ...

    def of_anything(message: Any, context: Any) -> None: ...

    def of_some(messages: list[Derived], context: BatchContext) -> None: ...

    checked: Callable[[Derived], None] = app.handler(Derived)(of_base)
    app.handler(Derived, name="2")(of_either)
    app.handler(Derived, name="3")(of_anything)
    app.handler(Derived, name="4")(lambda message: message.n)
    app.handler("A")(of_anything)
    app.batch_handler(Derived)  # not called: a type has one batch handler
    with pytest.raises(TypeError):
        app.handler(Derived, name="5")(of_email)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        app.batch_handler(Derived)(of_base)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        app.batch_handler(SendEmail)(of_some)  # type: ignore[arg-type]

    for message in (Derived(), Struct(), Model()):
        app.dispatch(message)
    app.dispatch_many([Derived(), Struct(), app.envelope(Model())])
    with pytest.raises(TypeError):
        app.dispatch("nonsense")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        app.dispatch_many(["nonsense"])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        app.dispatch({"n": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        asyncio.run(app.dispatch_async(7))  # type: ignore[arg-type]
    assert checked is of_base
