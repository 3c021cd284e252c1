"""Messages of every kind that 0.1.0 could write; written_by_0_1_0.json holds what it stored."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Optional, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pydantic

T = TypeVar("T")
LONG = Decimal("12345678901234567890.12345678901234567890")
BERLIN = timezone(timedelta(hours=1))


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2**40


class Rank(enum.IntEnum):
    FIRST = 1


class Tone(str, enum.Enum):
    C = "c"


class Rights(enum.IntFlag):
    READ = 1
    WRITE = 2


@dataclass
class Address:
    street: str
    number: int | None = None


@dataclass
class Plain:
    text: str
    whole: int
    real: float
    yes: bool
    nothing: None
    at: datetime
    on: date
    price: Decimal
    key: UUID
    colour: Colour
    anything: Any


@dataclass
class Texts:
    texts: list[str]
    table: dict[str, str]


@dataclass
class Numbers:
    wholes: list[int]
    reals: list[float]
    prices: list[Decimal]
    any: list[Any]


@dataclass
class Times:
    ats: list[datetime]
    ons: list[date]


@dataclass
class Enums:
    colours: list[Colour]
    levels: dict[str, Level]
    rank: Rank
    tone: Tone
    rights: Rights


@dataclass
class Unions:
    maybe: str | None
    either: int | str
    number: int | float
    exact: int | Decimal
    address: Optional[Address]  # noqa: UP045
    many: list[Address | None]
    yes_or_text: bool | str
    any: Optional[Any] = None  # noqa: UP045
    list_or_text: list[int] | str | None = None
    table_or_list: dict[str, int] | list[int] | None = None


@dataclass
class Containers:
    deep: dict[str, list[dict[str, list[int]]]]
    addresses: dict[str, Address]
    loose: dict  # type: ignore[type-arg]
    items: list  # type: ignore[type-arg]
    annotated: Annotated[list[Annotated[int, "x"]], "y"]
    thing: object


@dataclass
class Node:
    name: str
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    n: int
    _hidden: int
    late: str = field(default="late", kw_only=True)


@dataclass
class Base:
    LIMIT: ClassVar[int] = 3
    n: int = 1
    total: int = field(init=False)
    notes: list[object] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.total = 2 * self.n
        self.notes.append("made")


@dataclass
class Derived(Base):
    bases: list[Base] = field(default_factory=list)


@dataclass
class Stripped:
    name: str

    def __post_init__(self) -> None:
        self.name = self.name.strip().lower()


@dataclass
class Empty:
    pass


class Undecorated(Address):
    pass


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Options(TypedDict, total=False):
    colour: str
    size: int


class Cat(msgspec.Struct, tag=True):
    name: str


class Fish(msgspec.Struct, tag=True):
    depth: float


class Row(msgspec.Struct, array_like=True):
    n: int
    name: str = ""


class Box(msgspec.Struct, Generic[T]):
    content: T


class Structured(msgspec.Struct, rename="camel", omit_defaults=True):
    order_id: int
    price: Decimal
    at: datetime
    wait: timedelta
    opens: time
    data: bytes
    pair: tuple[int, str]
    point: Point
    options: Options
    pet: Cat | Fish
    row: Row
    box: Box[int]
    tags: set[str]
    by_number: dict[int, str]
    colour: Colour = Colour.RED
    note: str | None = None
    unset: int | msgspec.UnsetType = msgspec.UNSET
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    extra: Any = None
    address: Address | None = None


class Item(pydantic.BaseModel):
    name: str
    count: int = pydantic.Field(default=1, ge=1)


class Modelled(pydantic.BaseModel):
    order_id: int = pydantic.Field(alias="orderId")
    price: Decimal
    at: datetime
    key: UUID
    wait: timedelta
    colour: Colour
    items: list[Item] = []
    tags: set[str] = set()
    extra: Any = None


NOON = datetime(2030, 1, 31, 12, tzinfo=timezone.utc)
MESSAGES: dict[str, Any] = {
    "plain": Plain(
        "häß",
        2**70,
        1.5,
        True,
        None,
        datetime(2030, 1, 31, 8, 0, 0, 123456, BERLIN),
        date(2030, 1, 31),
        LONG,
        UUID(int=7),
        Colour.BLUE,
        {"deep": [1, 2.5, None, True, "x", {"y": {}}, []]},
    ),
    "texts": Texts(
        ["", " ", "\\u0000", '"\\/', "\t\n\r\b\f\x01\x7f", "\u2028\u2029", "😀", "e\u0301", "1e5"],
        {"": "", "a.b": "x", "[0]": "y", "$": "z", "ä😀": "ö", '"': "'"},
    ),
    "numbers": Numbers(
        [0, -1, 2**31, -(2**63), 2**63, 2**64, 10**300, -(2**70)],
        [0.0, 0.1, 1.0, -2.5, 1e15, 1e16, 1e22, 1.5e300, 5e-324, 2.0**53, 1 / 3, 1.7e308],
        [Decimal(each) for each in ("0", "0.00", "-1.10", "1E+3", "1E-30", "1E+400")] + [LONG],
        [0, 1.5, 0.1, 2**70, 1e15, True, 5e-324],
    ),
    "times": Times(
        [
            datetime(2030, 1, 31, 8),
            datetime(1, 1, 1),
            datetime(9999, 12, 31, 23, 59, 59, 999999),
            NOON,
            datetime(2030, 1, 31, 8, 0, 0, 100, BERLIN),
            datetime(2030, 1, 31, 8, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
            datetime(1890, 1, 1, 8, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
        ],
        [date(2030, 1, 31), date(1, 1, 1), date(9999, 12, 31)],
    ),
    "enums": Enums(
        [Colour.RED, Colour.BLUE],
        {"low": Level.LOW, "high": Level.HIGH},
        Rank.FIRST,
        Tone.C,
        Rights.READ | Rights.WRITE,
    ),
    "unions": Unions(
        None, 3, 2.5, Decimal("1.50"), Address("Long Road"), [None, Address("Short Road", 3)], "x"
    ),
    "other unions": Unions("x", "3", 2, 7, None, [], False, [{"any": None}], [1, 2], {"x": 1}),
    "containers": Containers(
        {"a": [{"b": [1, 2]}, {}], "c": []},
        {"home": Address("Long Road", 3)},
        {"a": 1, "b": [1.5]},
        [1, "a", None],
        [1, 2],
        {"any": ["thing"]},
    ),
    "recursive": Node("a", [Node("b", [Node("c")]), Node("d")], Node("e")),
    "frozen": Frozen(1, 2, late="x"),
    "base": Base(5),
    "derived": Derived(3, [Base(1), Base(2)]),
    "stripped": Stripped("  Ada "),
    "empty": Empty(),
    "undecorated": Undecorated("Long Road", 4),
    "struct": Structured(
        2**70,
        LONG,
        NOON,
        timedelta(days=1, seconds=2, microseconds=3),
        time(8, 30),
        b"\x00\xff",
        (1, "a"),
        Point(1, 2.5),
        {"size": 3},
        Fish(1.5),
        Row(1, "a"),
        Box(3),
        {"a"},
        {1: "one", -(2**70): "big"},
        extra={"x": [1.5]},
        address=Address("Long Road"),
    ),
    "other struct": Structured(
        1,
        Decimal("0.10"),
        datetime(2030, 1, 31, 8, 0, 0, 1),
        -timedelta(microseconds=1),
        time(8, 30, 1, 5, timezone.utc),
        b"",
        (0, ""),
        Point(1),
        {},
        Cat("Tom"),
        Row(2),
        Box(0),
        set(),
        {},
        Colour.BLUE,
        "note",
        3,
        2,
    ),
    "model": Modelled(
        orderId=2**70,
        price=LONG,
        at=NOON,
        key=UUID(int=7),
        wait=timedelta(days=1, seconds=2),
        colour=Colour.BLUE,
        items=[Item(name="a", count=2)],
        tags={"a"},
        extra={"x": [1.5, None]},
    ),
}
