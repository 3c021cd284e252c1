"""Messages to JSON and back: every type that is allowed, and errors that name the field."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from symphony_pg import InvalidMessage, message
from symphony_pg.messages.types import message_type_of
from symphony_pg.times import parse_datetime, parse_duration, show_duration

from .helpers import codec


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Address:
    street: str
    number: int | None = None


@message("Everything")
@dataclass
class Everything:
    text: str
    whole: int
    real: float
    yes: bool
    nothing: None
    maybe: str | None
    either: int | str
    names: list[str]
    table: dict[str, float]
    address: Address
    addresses: list[Address]
    at: datetime
    on: date
    price: Decimal
    key: UUID
    colour: Colour
    anything: Any
    loose: dict  # type: ignore[type-arg]
    items: list = field(default_factory=list)  # type: ignore[type-arg]


FULL = Everything(
    text="häß",
    whole=2**70,
    real=1.5,
    yes=True,
    nothing=None,
    maybe=None,
    either="x",
    names=["a"],
    table={"x": 1.25},
    address=Address("Long Road", 3),
    addresses=[Address("Short Road")],
    at=datetime(2030, 1, 31, 8, 0, 0, 123456, timezone(timedelta(hours=1))),
    on=date(2030, 1, 31),
    price=Decimal("12345678901234567890.10"),
    key=UUID(int=7),
    colour=Colour.BLUE,
    anything={"deep": [1, 2.5, None]},
    loose={"a": 1},
)


def test_everything_comes_back() -> None:
    body = json.dumps(codec(Everything).encode(FULL))
    back = codec(Everything).decode(body)
    assert back == FULL
    assert str(back.price) == "12345678901234567890.10"
    assert type(back.anything["deep"][1]) is float


def test_wire_names() -> None:
    @message
    @dataclass
    class Plain:
        n: int

    @dataclass
    class Child(Plain):
        pass

    assert message_type_of(Everything).name == "Everything"
    assert message_type_of(Plain).name == "Plain"
    assert message_type_of(Child).name == "Child"
    assert message_type_of(Address).name == "Address"


def test_a_decimal_keeps_its_digits_as_a_number_too() -> None:
    @dataclass
    class Price:
        price: Decimal
        factor: float = 1.0

    read = codec(Price).decode('{"price": 0.10000000000000000001, "factor": 0.1}')
    assert str(read.price) == "0.10000000000000000001"
    assert type(read.factor) is float


def test_unknown_fields_are_ignored_and_defaults_filled_in() -> None:
    assert codec(Address).decode('{"street": "x", "new": 1}') == Address("x", None)


@dataclass
class Node:
    name: str
    children: "list[Node]" = field(default_factory=list)


def test_a_class_may_contain_itself() -> None:
    tree = Node("a", [Node("b")])
    assert codec(Node).decode(json.dumps(codec(Node).encode(tree))) == tree


def with_(**changes: Any) -> str:
    return json.dumps({**codec(Everything).encode(FULL), **changes})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (with_(text=3), "text: expected `str`, got `int`"),
        (with_(whole=True), "whole: expected `int`, got `bool`"),
        (with_(whole=1.5), "whole: expected `int`, got `float`"),
        (with_(real="1"), "real: expected `float`, got `str`"),
        (with_(yes=1), "yes: expected `bool`, got `int`"),
        (with_(nothing=1), "nothing: expected `null`, got `int`"),
        (with_(maybe=1), r"maybe: expected `str \| null`, got `int`"),
        (with_(either=None), r"either: expected `int \| str`, got `null`"),
        (with_(names=["a", 1]), r"names\[1\]: expected `str`, got `int`"),
        (with_(names="a"), "names: expected `array`, got `str`"),
        (with_(table={"x": "y"}), r"table\.x: expected `float`, got `str`"),
        (with_(address={}), r"address\.street: missing"),
        (with_(addresses=[{"street": 1}]), r"addresses\[0\]\.street: expected `str`, got `int`"),
        (with_(at="yesterday"), "at: invalid RFC3339 encoded datetime"),
        (with_(on="2030-13-01"), "on: invalid RFC3339 encoded date"),
        (with_(price="x"), "price: invalid decimal string"),
        (with_(price="NaN"), "price: expected a finite number, got Decimal"),
        (with_(key="x"), "key: invalid UUID"),
        (with_(colour="green"), "colour: invalid enum value 'green'"),
        ("[]", "Everything: expected `object`, got `array`"),
        ("{", "the body is not JSON"),
    ],
)
def test_a_body_that_does_not_fit_names_the_field(body: str, text: str) -> None:
    with pytest.raises(InvalidMessage, match=text):
        codec(Everything).decode(body)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"text": 3}, "text: expected `str`, got `int`"),
        ({"real": float("nan")}, "real: expected a finite number, got nan"),
        ({"price": 1.5}, "price: expected `Decimal`, got `float`"),
        ({"at": date(2030, 1, 1)}, "at: invalid RFC3339 encoded datetime"),
        ({"colour": "red"}, "colour: expected `Colour`, got `str`"),
        ({"anything": {"x": object()}}, r"anything\.x: expected a JSON value"),
        ({"table": {1: 1.0}}, r"table\.1: expected `str`, got `int`"),
        ({"address": None}, "address: expected `object`, got `null`"),
    ],
)
def test_a_message_that_does_not_fit_names_the_field(change: dict[str, Any], text: str) -> None:
    broken = Everything(**{**FULL.__dict__, **change})
    with pytest.raises(InvalidMessage, match=text):
        codec(Everything).encode(broken)


def test_the_class_may_refuse() -> None:
    @dataclass
    class Positive:
        n: int

        def __post_init__(self) -> None:
            if self.n <= 0:
                raise ValueError("n must be positive")

    with pytest.raises(InvalidMessage, match="n must be positive"):
        codec(Positive).decode('{"n": 0}')


def test_types_that_json_cannot_carry() -> None:
    with pytest.raises(TypeError, match=r"Bad\.data: JSON cannot carry the type .*complex"):

        @message
        @dataclass
        class Bad:
            data: complex

    with pytest.raises(TypeError, match="is a dataclass"):
        message_type_of(int)


def test_times_and_durations() -> None:
    utc = timezone.utc
    assert parse_datetime("2030-01-31T08:00:00Z") == datetime(2030, 1, 31, 8, tzinfo=utc)
    assert parse_datetime("2030-01-31T08:00:00.5+00:00").microsecond == 500_000
    assert parse_datetime("2030-01-31T08:00:00.1234567+00:00").microsecond == 123_456
    assert parse_duration("90") == timedelta(seconds=90)
    assert parse_duration("1h30m") == timedelta(minutes=90)
    assert parse_duration("1.5s") == timedelta(seconds=1.5)
    assert parse_duration("200ms") == timedelta(milliseconds=200)
    for text in ("", "x", "5x", "-1", "1h 5"):
        with pytest.raises(ValueError, match="not a duration"):
            parse_duration(text)
    shown = [show_duration(timedelta(seconds=seconds)) for seconds in (0.2, 5, 65, 3700, 90000)]
    assert shown == ["200 ms", "5.0 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]
