"""What a field may be: it comes back as it was, or it is refused, and the text names the field."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symphony_pg import InvalidMessage, Symphony, message
from symphony_pg.messages.types import message_type_of
from tests.helpers import Connection, known

from .corpus import MESSAGES
from .helpers import codec, taken_apart

T = typing.TypeVar("T")
UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
Number = NewType("Number", int)
LONG = Decimal("12345678901234567890.12345678901234567890")


# Subclasses of plain types, as libraries have them: asyncpg's UUID, Django's SafeString and so on.
class SafeString(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self


class FastUUID(UUID):
    pass


class FrozenDatetime(datetime):
    pass


class FrozenDate(date):
    pass


class Meters(float):
    pass


class Money(Decimal):
    pass


class Span(timedelta):
    pass


class Blob(bytes):
    pass


class Rank(enum.IntEnum):
    FIRST = 1


class Colour(enum.Enum):
    RED = "red"


class Tone(str, enum.Enum):
    C = "c"


class Rights(enum.IntFlag):
    READ = 1
    WRITE = 2


class Pair(enum.Enum):
    ONE = (1, 2)


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Half(enum.Enum):
    HALF = 0.5


@dataclass
class Card:
    number: str


@dataclass
class Cash:
    amount: int


@dataclass
class Animal:
    name: str


@dataclass
class Dog(Animal):
    breed: str = "mutt"


@dataclass(eq=False)
class Unequal:
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    n: int


@dataclass
class Incomparable:
    n: int = field(compare=False)


@dataclass
class Box(Generic[T]):
    content: T


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


@dataclass
class Doubling:
    amount: int

    def __post_init__(self) -> None:
        self.amount *= 2


@dataclass
class Lowered:
    name: str

    def __post_init__(self) -> None:
        self.name = self.name.lower()


@dataclass
class Computed:
    n: int
    twice: int = field(init=False)
    cache: list[object] = field(init=False, default_factory=lambda: [object])
    tag: str = field(init=False, default="tag")

    def __post_init__(self) -> None:
        self.twice = 2 * self.n + len(self.cache) - len(self.tag) + 2


@dataclass(slots=True)
class Slotted:
    n: int
    twice: int = field(init=False)

    def __post_init__(self) -> None:
        self.twice = 2 * self.n


@dataclass
class WithInitVar:
    n: int
    factor: InitVar[int] = 1


@dataclass
class OwnInit:
    n: int

    def __init__(self, text: str) -> None:
        self.n = len(text)


@dataclass
class Dictionary(dict):  # type: ignore[type-arg]
    n: int


class Aged:
    """A dataclass whose field is a property keeps the value elsewhere."""

    n: int


Aged.__annotations__ = {"n": int}
Aged.n = property(lambda self: self._n, lambda self, n: setattr(self, "_n", n))  # type: ignore
Aged = dataclass(Aged)  # type: ignore


class Cat(msgspec.Struct, tag=True):
    name: str


class Fish(msgspec.Struct, tag=True, rename={"depth": "deep.est"}):
    depth: float


class Kitten(Cat, tag=True):
    weeks: int = 1


class Row(msgspec.Struct, array_like=True, tag="row"):
    n: int
    tags: set[str] = set()


class Sparse(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    n: int = 0
    tags: tuple[str, ...] = ()
    unset: int | msgspec.UnsetType = msgspec.UNSET


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Options(TypedDict, total=False):
    colour: str
    size: int


class Model(pydantic.BaseModel):
    n: int


class Back:
    """It comes back as it is, or as `value`."""

    def __init__(self, value: Any = ...) -> None:
        self.value = value


class Refused(str):
    """dispatch() refuses the value."""

    __slots__ = ()


class Undeclared(str):
    """The class is refused when it is declared."""

    __slots__ = ()


BACK = Back()
NOT_FINITE = Refused("f: expected a finite number, got ")
NUL = Refused("f: expected a string without NUL characters")
TWO_TEXTS = Undeclared(
    "X.f: JSON cannot carry this type: Type unions may not contain more than one"
)
INNER = "JSON cannot carry the type "

ROWS: list[tuple[Any, Any, Back | str]] = [
    # Of the issue.
    (Card | Cash, Cash(1), Undeclared("X.f: JSON cannot carry this type: Type unions")),
    (Animal, Dog("Rex", "pug"), Refused("f: expected `Animal`, got `Dog`")),
    (str | datetime, datetime(2030, 1, 1), TWO_TEXTS),
    (UUID | str, UUID(int=7), TWO_TEXTS),
    (Doubling, Doubling(5), Refused("f.amount: 10 does not come back")),
    (Pair, Pair.ONE, Undeclared("X.f: JSON cannot carry this type: Enums must contain")),
    (Mixed, Mixed.ONE, Undeclared("X.f: JSON cannot carry this type: Enums must contain")),
    (Half, Half.HALF, Undeclared("X.f: JSON cannot carry this type: Enums must contain")),
    (WithInitVar, WithInitVar(1), Undeclared("WithInitVar.factor: an InitVar is not kept")),
    (OwnInit, OwnInit("x"), Undeclared("OwnInit: its own __init__ is not called")),
    (Computed, Computed(3), BACK),
    (Slotted, Slotted(3), BACK),
    (UUID, FastUUID(int=7), Back(UUID(int=7))),
    (str, SafeString("x"), Back("x")),
    (datetime, FrozenDatetime(2030, 1, 1, tzinfo=UTC), Back(datetime(2030, 1, 1, tzinfo=UTC))),
    (int, Rank.FIRST, Back(1)),
    # Numbers.
    (int, 2**70, BACK),
    (int, -(10**400), BACK),
    (int, 10**4000 * 10**4000, Refused("f: expected a JSON value, got a very long int")),
    (int, True, Refused("f: expected `int`, got `bool`")),
    (int, 1.0, Refused("f: expected `int`, got `float`")),
    (bool, 1, Refused("f: expected `bool`, got `int`")),
    (float, 1, Back(1.0)),
    (float, Rank.FIRST, Back(1.0)),
    (float, 2**53 + 1, Refused("f: 9007199254740993 does not come back")),
    (float, 1e300, BACK),
    (float, 5e-324, BACK),
    (float, -1.5e16, BACK),
    (float, Meters(1.5), Back(1.5)),
    (float, float("nan"), NOT_FINITE),
    (float | None, float("nan"), NOT_FINITE),
    (float, float("-inf"), NOT_FINITE),
    (float, Decimal("1.5"), Refused("f: expected `float`, got `str`")),
    (int | float, 1.0, BACK),
    (int | float, 1, BACK),
    (int | float, 1e17, Refused("f: expected `int`, got `float`")),
    (Decimal, LONG, BACK),
    (Decimal, Decimal("-0.00"), BACK),
    (Decimal, Decimal("1E+400"), BACK),
    (Decimal, Money("1.10"), Back(Decimal("1.10"))),
    (Decimal, Decimal("NaN"), NOT_FINITE),
    (Decimal, Decimal("sNaN"), NOT_FINITE),
    (Decimal, Decimal("-Infinity"), NOT_FINITE),
    (Decimal, 1.5, Refused("f: expected `Decimal`, got `float`")),
    (Decimal, 1, Refused("f: expected `Decimal`, got `int`")),
    (Decimal, "1.5", Refused("f: expected `Decimal`, got `str`")),
    (int | Decimal, Decimal(1), BACK),
    (float | Decimal, Decimal("1.5"), BACK),
    (float | Decimal, 1.5, BACK),
    (Number, 3, BACK),
    (complex, 1j, Undeclared(f"X.f: {INNER}<class 'complex'>")),
    (Fraction, Fraction(1, 2), Undeclared(f"X.f: {INNER}<class 'fractions.Fraction'>")),
    # Texts.
    (str, "a\tb\n\u2028 😀 \\u0000", BACK),
    (str, "a\0", NUL),
    (str, "\ud800", Refused("f: expected Unicode text, got '\\ud800'")),
    (str, None, Refused("f: expected `str`, got `null`")),
    (str, Tone.C, Back("c")),
    (str, Colour.RED, Refused("f: expected `str`, got `Colour`")),
    (str, UUID(int=7), Refused("f: expected `str`, got `UUID`")),
    (str, b"x", Refused("f: expected `str`, got `bytes`")),
    (bytes, b"\0\xff", BACK),
    (bytes, Blob(b"x"), Back(b"x")),
    (bytes, "eA==", Refused("f: expected `bytes`, got `str`")),
    (bytearray, bytearray(b"x"), BACK),
    (UUID, str(UUID(int=7)), Refused("f: expected `UUID`, got `str`")),
    (Path, Path("x"), Undeclared(f"X.f: {INNER}<class 'pathlib")),
    (IPv4Address, IPv4Address("::1" and "127.0.0.1"), Undeclared(f"X.f: {INNER}<class 'ipaddress")),
    # Times.
    (datetime, datetime(2030, 1, 1, 8), BACK),
    (datetime, datetime(2030, 1, 1, 8, 0, 0, 1, timezone(timedelta(hours=-9, minutes=-30))), BACK),
    (datetime, datetime(2030, 7, 1, 8, tzinfo=BERLIN), BACK),
    (datetime, datetime(2030, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), BACK),
    (datetime, datetime(1890, 1, 1, tzinfo=BERLIN), Refused("f: datetime.datetime(1890, 1, 1")),
    (datetime, date(2030, 1, 1), Refused("f: invalid RFC3339 encoded datetime")),
    (datetime, "2030-01-01T00:00:00", Refused("f: expected `datetime`, got `str`")),
    (date, date(1, 1, 1), BACK),
    (date, FrozenDate(2030, 1, 1), Back(date(2030, 1, 1))),
    (date, datetime(2030, 1, 1), Refused("f: invalid RFC3339 encoded date")),
    (time, time(8, 30, 0, 1, UTC), BACK),
    (timedelta, timedelta(days=-1, microseconds=1), BACK),
    (timedelta, timedelta.max, BACK),
    (timedelta, Span(1), Back(timedelta(1))),
    (timedelta, 5, Refused("f: expected `duration`, got `int`")),
    (timedelta | float, 5.5, BACK),
    (date | datetime, date(2030, 1, 1), TWO_TEXTS),
    # Enums and literals.
    (Colour, Colour.RED, BACK),
    (Colour, "red", Refused("f: expected `Colour`, got `str`")),
    (Tone, Tone.C, BACK),
    (Tone, "c", Refused("f: expected `Tone`, got `str`")),
    (Rank | None, Rank.FIRST, BACK),
    (Rank, 1, Refused("f: expected `Rank`, got `int`")),
    (Rights, Rights.READ | Rights.WRITE, BACK),
    (Literal["a", 1, None], "a", BACK),
    (Literal["a", 1, None], "b", Refused("f: invalid enum value 'b'")),
    (Literal[Colour.RED], Colour.RED, Undeclared("X.f: JSON cannot carry this type: Literal may")),
    (enum.Enum, Colour.RED, Undeclared("X.f: JSON cannot carry th")),
    # Optional and unions.
    (Optional[int], None, BACK),  # noqa: UP045
    (Optional[Any], {"x": [None]}, BACK),  # noqa: UP045
    (int | str | None, "3", BACK),
    (bool | int, True, BACK),
    (bool | int, 1, BACK),
    (Card | str, Card("1"), BACK),
    (Cat | Fish, Fish(1.5), BACK),
    (Cat | Fish, Kitten("Tom"), Refused("f.type: invalid value 'Kitten'")),
    (Cat, Kitten("Tom"), Refused("f.type: invalid value 'Kitten'")),
    (Cat | Card, Cat("Tom"), Undeclared("X.f: JSON cannot carry this type: Type unions")),
    (dict[str, int] | list[int], [1], BACK),
    (list[int] | list[str], [1], TWO_TEXTS),
    # Containers.
    (list[int], [1, 2], BACK),
    (list[int], (1, 2), Refused("f: expected `list`, got `tuple`")),
    (list[int], collections.UserList([1]), Refused("f: expected a JSON value, got [1]")),
    (list[float], [1, 2.5], Back([1.0, 2.5])),
    (Sequence[int], [1], BACK),
    (Sequence[int], (1,), Refused("f: expected `list`, got `tuple`")),
    (tuple[int, str], (1, "a"), BACK),
    (tuple[int, ...], (1, 2, 3), BACK),
    (tuple[int, float], Point(1, 2.0), Refused("f: expected `tuple`, got `Point`")),
    (tuple[int, str], (1,), Refused("f: expected `array` of length 2")),
    (set[str], {"b", "a", "c"}, BACK),
    (set[int], {3, 2**60, 1}, BACK),
    (set[int | str], {1, "1", "a"}, BACK),
    (set[str], frozenset("a"), Refused("f: expected `set`, got `frozenset`")),
    (set[Colour], {"red"}, Refused("f[0]: expected `Colour`, got `str`")),
    (frozenset[tuple[int, int]], frozenset({(2, 1), (1, 2)}), BACK),
    (set[Frozen], {Frozen(n=2), Frozen(n=1)}, BACK),
    (dict[str, Card], {"a": Card("1")}, BACK),
    (dict[str, float], {"a": "x"}, Refused("f.a: expected `float`, got `str`")),
    (dict[str, list[dict[str, int]]], {"a": [{}, {"b": "x"}]}, Refused("f.a[1].b: expected `int`")),
    (dict[str, int], collections.OrderedDict(b=1, a=2), Back({"b": 1, "a": 2})),
    (dict[str, int], collections.Counter("aab"), Back({"a": 2, "b": 1})),
    (dict[str, int], {SafeString("x"): 1}, Back({"x": 1})),
    (dict[int, str], {Rank.FIRST: "a"}, Back({1: "a"})),
    (dict[UUID, int], {FastUUID(int=7): 1}, Back({UUID(int=7): 1})),
    (dict[datetime, int], {FrozenDatetime(2030, 1, 1): 1}, Back({datetime(2030, 1, 1): 1})),
    (dict[int, str], {True: "a"}, Refused("f.True: expected `int`, got `bool`")),
    (dict[str, int], {1: 1}, Refused("f.1: expected `str`, got `int`")),
    (dict[str, int], {"\0": 1}, Refused("f['\\x00']: expected a string without NUL")),
    (dict[str, int], {(1, 2): 1}, Refused("f: expected a JSON value, got {(1, 2): 1}")),
    (dict[int, str], {1: "a", 2**70: "b"}, BACK),
    (dict[int, str], {"1": "a"}, Refused("f.1: expected `int`, got `str`")),
    (dict[int, str], {"x": "a"}, Refused("f.x: expected `int`, got `str`, as a key")),
    (dict[UUID, int], {UUID(int=7): 1}, BACK),
    (dict[date, int], {date(2030, 1, 1): 1}, BACK),
    (dict[Colour, int], {Colour.RED: 1}, BACK),
    (dict[int | str, int], {"1": 1}, Undeclared(f"X.f: {INNER}Union as the key of a dict")),
    (dict[bool, int], {True: 1}, Undeclared(f"X.f: {INNER}Bool as the key of a dict")),
    (dict[tuple[int, int], int], {}, Undeclared(f"X.f: {INNER}Tuple as the key of a dict")),
    (Mapping[str, int], {"a": 1}, BACK),
    (collections.deque, collections.deque(), Undeclared(f"X.f: {INNER}<class 'collections.deque")),
    (dict, {"a": {"b": [1]}}, BACK),
    (list, [1, "a", None], BACK),
    # Anything.
    (Any, {"a": [1, 1.5, True, None, "x", {"b": {}}]}, BACK),
    (object, [1, {"a": 2.5}], BACK),
    (Any, (1, 2), Refused("f: expected `list`, got `tuple`")),
    (Any, {"a": {1}}, Refused("f.a: expected `list`, got `set`")),
    (Any, {1: 2}, Refused("f.1: expected `str`, got `int`")),
    (Any, {None: 2}, Refused("f: expected a JSON value, got {None: 2}")),
    (Any, Card("1"), Refused("f: expected `dict`, got `Card`")),
    (Any, Decimal(1), Refused("f: expected `str`, got `Decimal`")),
    (Any, Rank.FIRST, Back(1)),
    (Any, SafeString("x"), Back("x")),
    (Any, {"a": [float("nan")]}, Refused("f.a[0]: expected a finite number, got nan")),
    (Any, 1e17, Refused("f: expected `int`, got `float`")),
    (Any, {"a": ["\0"]}, Refused("f.a[0]: expected a string without NUL")),
    (Any, {"a\ud800": 1}, Refused("f['a\\ud800']: expected Unicode text")),
    (Any, object(), Refused("f: expected a JSON value, got <object object")),
    (list[Any], [{"a": Model(n=1)}], Refused("f[0].a: expected a JSON value, got Model(n=1)")),
    # Classes.
    (Card, None, Refused("f: expected `object`, got `null`")),
    (Card, {"number": "1"}, Refused("f: expected `Card`, got `dict`")),
    (Card, Card(3), Refused("f.number: expected `str`, got `int`")),  # type: ignore[arg-type]
    (list[Animal], [Animal("a"), Dog("b")], Refused("f[1]: expected `Animal`, got `Dog`")),
    (Dog, Dog("Rex"), BACK),
    (Unequal, Unequal(1), BACK),
    (Incomparable, Incomparable(1), BACK),
    (Incomparable, Incomparable(True), Refused("f.n: expected `int`, got `bool`")),
    (Frozen, Frozen(n=1), BACK),
    (Tree, Tree("a", [Tree("b", [Tree("c")])]), BACK),
    (Box[int], Box(3), BACK),
    (Box[int], Box("3"), Refused("f.content: expected `int`, got `str`")),
    (Box[set[str]], Box({"b", "a"}), BACK),
    (Box[Computed], Box(Computed(3)), BACK),
    (Lowered, Lowered("ADA"), BACK),
    (Dictionary, Dictionary(1), Undeclared("Dictionary: of a dataclass only the fields")),
    (Aged, Aged(1), BACK),  # type: ignore[call-arg]
    (Point, Point(1, 2.5), BACK),
    (Point, (1, 2.5), Refused("f: expected `Point`, got `tuple`")),
    (Options, {"size": 3}, BACK),
    (Options, {"size": 3, "weight": 1}, Refused("f.weight: is lost in JSON")),
    (Options, {"weight": 1, "size": 3}, Refused("f.weight: 'weight' does not come back")),
    (Options, {"size": "3"}, Refused("f.size: expected `int`, got `str`")),
    (Row, Row(1, {"b", "a"}), BACK),
    (Sparse, Sparse(), BACK),
    (Sparse, Sparse(1, ("a",), 3), BACK),
    (Model, Model(n=1), Undeclared(f"X.f: {INNER}<class '")),
    (msgspec.Raw, msgspec.Raw(b"1"), Undeclared(f"X.f: {INNER}Raw")),
    (type, int, Undeclared(f"X.f: {INNER}<class 'type'>")),
    (Annotated[int, msgspec.Meta(ge=1)], 1, BACK),
    (Annotated[int, msgspec.Meta(ge=1)], 0, Refused("f: expected `int` >= 1")),
    (Annotated[str, "a note"], "x", BACK),
]
NAMES = [f"{n} {getattr(hint, '__name__', hint)}" for n, (hint, *_) in enumerate(ROWS)]


def in_dataclass(hint: Any) -> type:
    return make_dataclass("X", [("f", hint)])


def in_struct(hint: Any) -> type:
    return msgspec.defstruct("X", [("f", hint)])


@pytest.mark.parametrize("made", [in_dataclass, in_struct])
@pytest.mark.parametrize(("hint", "value", "wanted"), ROWS, ids=NAMES)
def test_a_value_comes_back_or_is_refused(made: Any, hint: Any, value: Any, wanted: Any) -> None:
    if isinstance(wanted, Undeclared):
        with pytest.raises(TypeError) as refused:
            message_type_of(made(hint))
        assert str(refused.value).startswith(wanted)
        return
    cls = made(hint)
    if isinstance(wanted, Refused):
        with pytest.raises(InvalidMessage) as invalid:
            codec(cls).encode(cls(value))
        assert str(invalid.value).startswith(wanted)
        return
    body = json.dumps(codec(cls).encode(cls(value)))
    read = codec(cls).decode(body)
    expected = value if wanted.value is ... else wanted.value
    assert taken_apart(read) == taken_apart(cls(expected))
    assert json.dumps(codec(cls).encode(read)) == body


def test_what_comes_back_comes_back_from_postgresql_too(conn: Connection) -> None:
    for hint, value, wanted in ROWS:
        if isinstance(wanted, Back):
            cls = in_dataclass(hint)
            body = json.dumps(codec(cls).encode(cls(value)))
            row = conn.execute("select %s::jsonb::text", [body]).fetchone()
            assert row is not None
            expected = value if wanted.value is ... else wanted.value
            assert taken_apart(codec(cls).decode(row[0])) == taken_apart(cls(expected))


def test_a_field_that_is_not_sent_is_not_in_the_body() -> None:
    assert codec(Computed).encode(Computed(3)) == {"n": 3}
    assert codec(Slotted).encode(Slotted(3)) == {"n": 3}
    cls = in_dataclass(list[Computed])
    assert codec(cls).encode(cls([Computed(1)])) == {"f": [{"n": 1}]}


def test_a_dataclass_is_as_it_was_after_msgspec_has_looked_at_it() -> None:
    fields = [each.name for each in dataclasses.fields(Computed)]
    post_init = Computed.__post_init__
    message_type_of(Computed)
    message_type_of(in_dataclass(Box[Computed]))
    assert [each.name for each in dataclasses.fields(Computed)] == fields
    assert Computed.__post_init__ is post_init
    assert "__post_init__" not in vars(Dog)
    assert Computed(3) == codec(Computed).decode('{"n": 3, "twice": 9, "cache": 1}')


def test_a_class_may_be_defined_after_the_one_that_names_it() -> None:
    namespace: dict[str, Any] = {"__name__": __name__, "dataclass": dataclass, "message": message}
    exec("@message\n@dataclass\nclass First:\n    second: 'Second'", namespace)
    first = namespace["First"]
    with pytest.raises(TypeError, match="First: the type of a field is unknown: name 'Second'"):
        codec(first).encode(first(None))
    with pytest.raises(TypeError, match="name 'Second'"):
        message_type_of(first).prepare()
    globals()["Second"] = Card
    try:
        assert codec(first).encode(first(Card("1"))) == {"second": {"number": "1"}}
    finally:
        del globals()["Second"]


@pytest.mark.parametrize("name", MESSAGES)
def test_the_corpus_is_written_or_refused(name: str) -> None:
    sent = MESSAGES[name]
    known = message_type_of(type(sent))
    if name in ("numbers", "times"):  # 5e-324 and 1E+400 are fine, an offset of seconds is not
        sent = type(sent)(*(part[:6] for part in vars(sent).values()))
    body = json.dumps(known.codec.encode(sent))
    read = known.decode(body, {})
    assert taken_apart(read) == taken_apart(sent)
    assert json.dumps(known.codec.encode(read)) == body


def test_a_body_that_fits_nearly_names_the_key() -> None:
    cls = in_dataclass(dict[str, dict[str, list[int]]])
    with pytest.raises(InvalidMessage, match=r"^f\.b\.y\[1\]: expected `int`, got `str`$"):
        codec(cls).decode('{"f": {"a": {"x": [1]}, "b": {"x": [], "y": [1, "z"]}}}')
    cls = in_dataclass(dict[int, int])
    with pytest.raises(InvalidMessage, match=r"^f\.x: expected `int`, got `str`, as a key$"):
        codec(cls).decode('{"f": {"1": 2, "x": 2}}')
    cls = in_dataclass(list[Fish])
    with pytest.raises(InvalidMessage, match=r"^f\[0\]\.deep\.est: expected `float`, got `null`"):
        codec(cls).decode('{"f": [{"type": "Fish", "deep.est": null}]}')
    with pytest.raises(InvalidMessage, match=r"^f\[0\]: expected `object`, got `int`$"):
        codec(cls).decode('{"f": [1, ')


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-31T08:00", datetime(2030, 1, 31, 8)),
        ("2030-01-31 08:00:00+01:00", datetime(2030, 1, 31, 7, tzinfo=UTC)),
        ("2030-01-31T08:00:00+00:53:28", datetime(2030, 1, 31, 7, 6, 32, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_0_1_0_read_it(text: str, moment: datetime) -> None:
    cls = in_dataclass(dict[str, list[datetime]])
    body = json.dumps({"f": {"a": [text, text], "b": [text]}})
    assert codec(cls).decode(body).f == {"a": [moment, moment], "b": [moment]}


def test_what_libraries_derive_from_plain_types(app: Symphony, conn: Connection) -> None:
    safestring = pytest.importorskip("django.utils.safestring")
    pgproto = pytest.importorskip("asyncpg.pgproto.pgproto")

    @message
    @dataclass
    class Page:
        title: str
        key: UUID
        values: dict[str, UUID]

    key = UUID(int=7)
    theirs = pgproto.UUID(str(key))
    page = Page(safestring.mark_safe("<b>"), theirs, {safestring.mark_safe("x"): theirs})
    message_id = app.dispatch(page)
    body = json.dumps(known(conn, message_id).body)
    assert taken_apart(codec(Page).decode(body)) == taken_apart(Page("<b>", key, {"x": key}))


def test_every_dispatch_is_refused_that_would_change_something(app: Symphony) -> None:
    @message
    @dataclass
    class Pets:
        pets: list[Animal]

    with pytest.raises(InvalidMessage, match=r"^pets\[0\]: expected `Animal`, got `Dog`$"):
        app.dispatch(Pets([Dog("Rex")]))


HINTS: list[Any] = [
    *(int, float, str, bool, bytes, Decimal, datetime, date, time, timedelta, UUID),
    *(Any, list, dict, Colour, Tone, Rank, Card, Frozen, Incomparable, Point, Literal["a", 1]),
    *(int | None, int | float, int | str | None, list[int], list[float | None], dict[str, Any]),
    *(set[int], frozenset[str], tuple[int, ...], tuple[int, str], dict[int, str], dict[str, Card]),
    *(list[Card | None], Cat | Fish, Row, Box[int], Box[list[str]], Tree),
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
OTHER = st.one_of(
    ANY_JSON,
    *(st.from_type(hint) for hint in (Decimal, UUID, datetime, Colour, Rank, Card, Point)),
    st.tuples(ANY_JSON) | st.sets(st.integers(), max_size=3) | st.lists(st.builds(Card, ANY_JSON)),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_value_changes_unseen(data: st.DataObject) -> None:
    hint = data.draw(st.sampled_from(HINTS))
    fitting = OTHER if hint in (Any, list, dict, dict[str, Any]) else st.from_type(hint)
    if typing.get_origin(hint) is Box:
        fitting = st.builds(Box, st.from_type(typing.get_args(hint)[0]))
    value = data.draw(st.one_of(fitting, OTHER))
    cls = in_dataclass(hint)
    try:
        body = json.dumps(codec(cls).encode(cls(value)))
    except InvalidMessage as error:
        assert str(error).startswith(("f: ", "f.", "f["))
        return
    read = codec(cls).decode(body)
    assert json.dumps(codec(cls).encode(read)) == body
    assert codec(cls)._encode(read, codec(cls)._declared()) == codec(cls).encode(read)
    if "float" in str(hint):  # an int is a float, too
        assert read.f == value
    elif type(value) is type(read.f):
        assert taken_apart(read.f) == taken_apart(value)
    else:
        assert isinstance(value, type(read.f))
