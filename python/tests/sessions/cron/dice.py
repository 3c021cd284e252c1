"""Random cases, many of them near a change of the clocks."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from tests.sessions.cron.case import FIELDS, HIGH, LOW, NAMES, SIZE, UTC, ZONES, Case, Item
from tests.sessions.cron.model import changes

BYTES = 100  # enough for nearly any case
YEAR = 365 * 86400
T = TypeVar("T")


def ring(field: int, first: int, length: int, step: int = 1) -> frozenset[int]:
    """Return the values met on the ring of a field's values."""
    low = LOW[field]
    return frozenset(low + (first - low + i) % SIZE[field] for i in range(0, length + 1, step))


class Dice:
    """Choices read off random bytes: one draw for a whole batch is fast and shrinks well."""

    def __init__(self, data: bytes) -> None:
        self.data = iter(data)

    def below(self, limit: int) -> int:
        """Return a number from 0 to limit - 1, taking as many bytes as it needs."""
        value = 0
        for _ in range((limit.bit_length() + 7) // 8):
            value = value * 256 + next(self.data, 0)
        return value % limit

    def among(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]


def number(dice: Dice, field: int) -> tuple[str, int]:
    """Return a value of a field, and one of its spellings; Sunday is 0 or 7, as written."""
    value = LOW[field] + dice.below(SIZE[field])
    if not NAMES[field] or dice.below(2):
        if field == 5 and value == 0 and dice.below(2):
            value = 7
        return str(value), value
    name = NAMES[field][value - LOW[field]]
    return dice.among((name, name.upper(), name.title())), value


def a_range(dice: Dice, field: int) -> Item:
    """Return a-b, a-b/n or a/n; b may come before a."""
    (text, first), (last_text, last) = number(dice, field), number(dice, field)
    if first > last and dice.below(3):
        text, first, last_text, last = last_text, last, text, first
    step = dice.among((0, 0, 1, 2, 3, 1 + dice.below(SIZE[field])))
    if step and dice.below(2):
        values = ring(field, first, (HIGH[field] - first) % SIZE[field], step)
        return Item(f"{text}/{step}", values)
    length = last - first if last >= first else last - first + SIZE[field]
    oddity = ""
    if first % SIZE[field] == last % SIZE[field]:
        oddity = "equal bounds"
    elif first > last and step > 1:
        oddity = "step across the turn"
    suffix = f"/{step}" if step else ""
    return Item(f"{text}-{last_text}{suffix}", ring(field, first, length, step or 1), oddity=oddity)


def a_hash(dice: Dice, field: int, key: str) -> Item:
    """Return H, H/n, H(a-b) or H(a-b)/n."""
    first, length, bounds = LOW[field], 27 if field == 3 else SIZE[field] - 1, ""
    if dice.below(2):
        first += dice.below(SIZE[field])
        length = dice.below(HIGH[field] - first + 1)
        bounds = f"({first}-{first + length})"
    step = dice.among((0, 1, 2, 5, 7))
    digest = hashlib.sha256(f"{FIELDS[field]}:{key}".encode()).hexdigest()
    offset = int(digest[:7], 16) % (min(step, length + 1) if step else length + 1)
    values = ring(field, first + offset, length - offset if step else 0, step or 1)
    text = dice.among("Hh") + bounds + (f"/{step}" if step else "")
    return Item(text, values, croniter=",".join(map(str, sorted(values))), oddity="H")


def a_special(dice: Dice, field: int) -> Item:
    """Return L, L-3, 15W or LW for a day of month; 5#2 or 5L for a weekday."""
    if field == 3:
        special = dice.among(("L", "L", f"L-{dice.below(31)}", f"{1 + dice.below(31)}W", "LW"))
        return Item(special, special=special, oddity=special if special[-1] in "LW" else "L-3")
    text, value = number(dice, 5)
    if dice.below(2):
        nth = 1 + dice.below(5)
        return Item(f"{text}#{nth}", special=f"{value % 7}#{nth}", oddity="#")
    spelling = dice.among((f"{text}L", f"L{text}"))
    return Item(spelling, special=f"{value % 7}L", croniter=f"L{value % 7}", oddity="5L")


def an_item(dice: Dice, field: int, key: str) -> Item:
    kind = dice.below(6 if field in (3, 5) else 5)
    if kind < 2:
        text, value = number(dice, field)
        return Item(text, ring(field, value, 0))
    if kind < 4:
        return a_range(dice, field)
    return a_hash(dice, field, key) if kind == 4 else a_special(dice, field)


def a_field(dice: Dice, field: int, key: str) -> tuple[Item, ...]:
    """Return a star, a step over everything, or a list of one to three items."""
    kind = dice.below(10)
    if kind < (2, 2, 3, 4, 5, 5)[field]:
        text = dice.among("*?") if field in (3, 5) else "*"
        return (Item(text, ring(field, LOW[field], SIZE[field] - 1)),)
    if kind == 9:
        step = 1 + dice.below(SIZE[field])
        return (Item(f"*/{step}", ring(field, LOW[field], SIZE[field] - 1, step)),)
    return tuple(an_item(dice, field, key) for _ in range(dice.among((1, 1, 1, 2, 3))))


def a_moment(dice: Dice, zone: str) -> tuple[datetime, datetime | None]:
    """Return a moment from 1990 to 2110, half of them near a change of the clocks; the change."""
    change = dice.among(changes(zone)) if changes(zone) and dice.below(2) else None
    if change:
        moment = change + timedelta(seconds=dice.below(28 * 3600) - 26 * 3600)
    else:
        moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.below(120 * YEAR))
    if dice.below(2):
        moment = moment.replace(second=0)
    return moment + timedelta(microseconds=dice.among((0, 0, 1, 999999))), change


def hours_near(dice: Dice, change: datetime, zone: str) -> tuple[Item, ...]:
    """Return an hour field that runs when the clocks are changed."""
    hour = change.astimezone(ZoneInfo(zone)).hour
    first, length = (hour + dice.below(4) - 2) % 24, dice.below(4)
    if dice.below(3) == 0:
        step = dice.among((1, 2, 3, 5))
        return (Item(f"*/{step}", ring(2, 0, 23, step)),)
    return tuple(Item(str(n), ring(2, n, 0)) for n in sorted(ring(2, first, length)))


def a_case(data: bytes, zones: Sequence[str]) -> Case:
    """Return the case that some random bytes stand for."""
    dice = Dice(data)
    zone, key = dice.among(zones), dice.among(("", "report", "nightly-backup", "π"))
    moment, change = a_moment(dice, zone)
    has_seconds = dice.below(3) == 0
    second = a_field(dice, 0, key) if has_seconds else (Item("0", ring(0, 0, 0)),)
    minute = a_field(dice, 1, key)
    days: list[tuple[Item, ...]]
    if change and dice.below(3):
        hour = hours_near(dice, change, zone)
        days = [(Item("*", ring(field, LOW[field], SIZE[field] - 1)),) for field in (3, 4, 5)]
    else:
        hour = a_field(dice, 2, key)
        days = [a_field(dice, field, key) for field in (3, 4, 5)]
    return Case((second, minute, hour, *days), has_seconds, moment, zone, key)


def a_batch(data: bytes, zones: Sequence[str] = ZONES) -> list[Case]:
    """Return the cases that some random bytes stand for."""
    return [a_case(data[start : start + BYTES], zones) for start in range(0, len(data), BYTES)]
