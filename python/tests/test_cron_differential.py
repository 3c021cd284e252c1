"""cron_next() against croniter, cronsim and a plain model of docs/cron.md.

Every case must agree with the model. Where croniter says something else, a named rule has to
recognise why; cronsim's opinion is counted beside it. Nothing may be left over.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from croniter import CroniterBadDateError, CroniterError, croniter
from cronsim import CronSim, CronSimError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("CRON_CASES", "20000"))
BATCH = 50
NEVER = "never"
UTC = timezone.utc
HOUR = timedelta(hours=1)

FIELDS = ("second", "minute", "hour", "day of month", "month", "weekday")
LOW = (0, 0, 0, 1, 1, 0)
HIGH = (59, 59, 23, 31, 12, 6)
NAMES = (
    (),
    (),
    (),
    (),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
)
ZONES = (
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/Paris",
    "Pacific/Apia",
    "Pacific/Chatham",
)


@dataclass(frozen=True)
class Item:
    """One element of a field's list: how we write it, how croniter may, and what it means."""

    text: str
    values: frozenset[int] = frozenset()
    special: str = ""  # L, L-3, 15W, LW, 5#2 or 5L
    croniter: str = ""  # where croniter has another spelling
    oddity: str = ""  # what croniter is known to read differently


@dataclass(frozen=True)
class Case:
    """An expression, six fields of items, with the moment, zone and hash key it is asked for."""

    fields: tuple[tuple[Item, ...], ...]
    has_seconds: bool
    after: datetime
    zone: str
    key: str

    def text(self, attribute: str = "text") -> str:
        """Return the expression, as we or as croniter writes it."""
        fields = [
            ",".join(getattr(item, attribute) or item.text for item in field)
            for field in self.fields
        ]
        return " ".join(fields if self.has_seconds else fields[1:])

    def values(self, field: int) -> list[int]:
        """Return the plain values that a field allows."""
        return sorted(frozenset().union(*(item.values for item in self.fields[field])))

    def specials(self, field: int) -> list[str]:
        """Return the items of a field that only a month can tell."""
        return [item.special for item in self.fields[field] if item.special]

    def is_open(self, field: int) -> bool:
        """Say whether a field begins with a star, or with H/ which is a star in disguise."""
        return self.fields[field][0].text.upper().startswith(("*", "?", "H/"))

    @property
    def either_day(self) -> bool:
        """Say whether one of day of month and weekday suffices."""
        return not self.is_open(3) and not self.is_open(5)

    @property
    def is_frequent(self) -> bool:
        """Say whether the job runs both times round in a repeated hour."""
        return self.is_open(1) or self.is_open(2)


# --- the model: docs/cron.md, one day and one minute after another ---------------------------


@cache
def changes(zone: str) -> list[datetime]:
    """Return the instants from 1989 to 2112 at which a zone's clocks are changed."""
    info = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(info).utcoffset()

    found = []
    day = datetime(1989, 1, 1, tzinfo=UTC)
    while day.year < 2112:
        low, high = day, day + timedelta(days=1)
        if offset(low) != offset(high):
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if offset(middle) == offset(day) else (low, middle)
            found.append(high)
        day += timedelta(days=1)
    return found


def instants(wall: datetime, zone: str) -> list[datetime]:
    """Return when a zone's clocks show a time: once, twice or never."""
    info = ZoneInfo(zone)
    found = {wall.replace(tzinfo=info, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(at for at in found if at.astimezone(info).replace(tzinfo=None) == wall)


def after_the_gap(wall: datetime, zone: str) -> datetime:
    """Return the first instant after the gap in which a skipped time lies."""
    late = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return max(change for change in changes(zone) if change <= late)


def month_length(day: date) -> int:
    return ((day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day


def nearest_weekday(day: date, number: int) -> int:
    """Return the day of the month, Monday to Friday, that is nearest to the given one."""
    candidates = [
        day.replace(day=n)
        for n in range(1, month_length(day) + 1)
        if day.replace(day=n).isoweekday() < 6
    ]
    return min(candidates, key=lambda candidate: abs(candidate.day - number)).day


def special_day(special: str, day: date) -> bool:
    """Say whether a day is the one that L, L-3, 15W, LW, 5#2 or 5L names."""
    last = month_length(day)
    if "#" in special:
        weekday, number = special.split("#")
        return day.isoweekday() % 7 == int(weekday) and (day.day + 6) // 7 == int(number)
    if special == "LW":
        return day.day == nearest_weekday(day, last)
    if special.endswith("W"):
        number = int(special[:-1])
        return number <= last and day.day == nearest_weekday(day, number)
    if special.startswith("L"):
        return day.day == last - int(special[2:] or 0)
    return day.isoweekday() % 7 == int(special[0]) and day.day + 7 > last


def runs_on(case: Case, day: date) -> bool:
    if day.month not in case.values(4):
        return False
    by_day = day.day in case.values(3) or any(special_day(s, day) for s in case.specials(3))
    by_weekday = day.isoweekday() % 7 in case.values(5) or any(
        special_day(s, day) for s in case.specials(5)
    )
    return by_day or by_weekday if case.either_day else by_day and by_weekday


def walls(case: Case, start: datetime) -> Iterator[datetime]:
    """Yield the minutes on the clock in which a job runs."""
    hours, minutes = case.values(2), case.values(1)
    day = start.date()
    while day.year <= start.year + 41:
        if runs_on(case, day):
            for hour in hours:
                for minute in minutes:
                    wall = datetime(day.year, day.month, day.day, hour, minute)
                    if wall >= start:
                        yield wall
        day += timedelta(days=1)


def model(case: Case) -> datetime | str:
    """Return the next run by the contract."""
    local = case.after.astimezone(ZoneInfo(case.zone)).replace(tzinfo=None, second=0, microsecond=0)
    found: list[datetime] = []
    first: datetime | None = None
    for wall in walls(case, local - 3 * HOUR):  # no clock is turned back by more
        if first and wall > first + 3 * HOUR:
            break
        times = instants(wall, case.zone)
        runs = [
            at + timedelta(seconds=second)
            for at in (times if case.is_frequent else times[:1])
            for second in case.values(0)
        ]
        if not times and len(case.values(2)) < 24:
            runs = [after_the_gap(wall, case.zone)]
        coming = [at for at in runs if at > case.after]
        found += coming
        first = first or (wall if coming else None)
    return min(found, default=NEVER)


# --- the random cases -------------------------------------------------------------------------


def ring(field: int, first: int, length: int, step: int = 1) -> frozenset[int]:
    """Return the values met on the ring of a field's values."""
    low, size = LOW[field], HIGH[field] - LOW[field] + 1
    return frozenset(low + (first - low + i) % size for i in range(0, length + 1, step))


def hashed(field: int, key: str, choices: int) -> int:
    digest = hashlib.sha256(f"{FIELDS[field]}:{key}".encode()).hexdigest()
    return int(digest[:7], 16) % choices


@st.composite
def numbers(draw: st.DrawFn, field: int) -> tuple[str, int]:
    """Draw a value with one of its spellings."""
    value = draw(st.integers(LOW[field], HIGH[field]))
    spellings = [str(value)]
    if NAMES[field]:
        name = NAMES[field][value - LOW[field]]
        spellings += [name, name.upper(), name.title()]
    if field == 5 and value == 0:
        spellings.append("7")
    return draw(st.sampled_from(spellings)), value


@st.composite
def ranges(draw: st.DrawFn, field: int) -> Item:
    """Draw a-b, a-b/n or a/n; b may come before a."""
    (text, first), (last_text, last) = draw(numbers(field)), draw(numbers(field))
    if draw(st.integers(0, 2)) and first > last:
        text, first, last_text, last = last_text, last, text, first
    size = HIGH[field] - LOW[field] + 1
    step = draw(st.sampled_from((0, 0, 1, 2, 3, 5))) or draw(st.integers(0, size))
    if step and draw(st.booleans()):
        length = HIGH[field] - int(text) if text == "7" else HIGH[field] - first
        return Item(f"{text}/{step}", ring(field, first, length % size, step))
    numeric_first = 7 if text == "7" and field == 5 else first
    numeric_last = 7 if last_text == "7" and field == 5 else last
    length = numeric_last - numeric_first
    length += size if length < 0 else 0
    oddity = ""
    if first == last:
        oddity = "equal bounds"
    elif first > last and step > 1:
        oddity = "step across the turn"
    suffix = f"/{step}" if step else ""
    values = ring(field, numeric_first, length, step or 1)
    return Item(f"{text}-{last_text}{suffix}", values, oddity=oddity)


@st.composite
def hashes(draw: st.DrawFn, field: int, key: str) -> Item:
    """Draw H, H/n, H(a-b) or H(a-b)/n."""
    size = HIGH[field] - LOW[field] + 1
    first, length, bounds = LOW[field], 27 if field == 3 else size - 1, ""
    if draw(st.booleans()):
        first, last = sorted(draw(st.tuples(*[st.integers(LOW[field], HIGH[field])] * 2)))
        length, bounds = last - first, f"({first}-{last})"
    step = draw(st.sampled_from((0, 1, 2, 5, 7)))
    offset = hashed(field, key, min(step, length + 1) if step else length + 1)
    values = ring(field, first + offset, length - offset if step else 0, step or 1)
    letter = draw(st.sampled_from("Hh"))
    text = f"{letter}{bounds}" + (f"/{step}" if step else "")
    return Item(text, values, croniter=",".join(map(str, sorted(values))), oddity="hash")


@st.composite
def special_days(draw: st.DrawFn, field: int) -> Item:
    """Draw L, L-3, 15W or LW for a day of month; 5#2 or 5L for a weekday."""
    if field == 3:
        number = draw(st.integers(1, 31))
        special = draw(st.sampled_from(("L", "L", f"L-{number - 1}", f"{number}W", "LW")))
        return Item(special, special="L" if special == "L-0" else special, oddity=special[-1])
    text, value = draw(numbers(5))
    if draw(st.booleans()):
        number = draw(st.integers(1, 5))
        return Item(f"{text}#{number}", special=f"{value}#{number}", oddity="#")
    spelling = draw(st.sampled_from((f"{text}L", f"L{text}")))
    return Item(spelling, special=f"{value}L", croniter=f"L{value}", oddity="weekday L")


@st.composite
def fields(draw: st.DrawFn, field: int, key: str) -> tuple[Item, ...]:
    """Draw a field: a star more often than not where that is usual, else a list of items."""
    everything = ring(field, LOW[field], HIGH[field])
    kind = draw(st.integers(0, 9))
    if kind < (2, 2, 3, 4, 5, 5)[field]:
        return (Item(draw(st.sampled_from("*?" if field in (3, 5) else "*")), everything),)
    if kind == 9:
        size = HIGH[field] - LOW[field] + 1
        step = draw(st.sampled_from((1, 2, 3, 5, 7, size)) | st.integers(1, size))
        return (Item(f"*/{step}", ring(field, LOW[field], size - 1, step)),)
    plain = numbers(field).map(lambda pair: Item(pair[0], frozenset((pair[1],))))
    item = plain | plain | ranges(field) | hashes(field, key)
    if field in (3, 5):
        item |= special_days(field)
    return tuple(draw(st.lists(item, min_size=1, max_size=draw(st.sampled_from((1, 1, 1, 2, 3))))))


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Draw a moment; half of them near a change of the zone's clocks."""
    if changes(zone) and draw(st.booleans()):
        seconds = draw(st.integers(-2 * 86400, 2 * 3600))
        moment = draw(st.sampled_from(changes(zone))) + timedelta(seconds=seconds)
    else:
        seconds = draw(st.integers(0, 120 * 365 * 86400))
        moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if draw(st.booleans()):
        moment = moment.replace(second=0)
    return moment + timedelta(microseconds=draw(st.sampled_from((0, 0, 1, 999999))))


@st.composite
def cases(draw: st.DrawFn, zones: list[str]) -> Case:
    zone = draw(st.sampled_from(zones))
    key = draw(st.sampled_from(("", "report", "nightly-backup", "π")))
    has_seconds = draw(st.integers(0, 2)) == 0
    second = draw(fields(0, key)) if has_seconds else (Item("0", frozenset((0,))),)
    rest = [draw(fields(field, key)) for field in range(1, 6)]
    return Case((second, *rest), has_seconds, draw(moments(zone)), zone, key)


# --- the oracles ------------------------------------------------------------------------------


def ask_symphony(conn: psycopg.Connection[Any], batch: list[Case]) -> list[datetime | str]:
    """Return what cron_next() says to each case, in one query."""
    columns = zip(*((case.text(), case.after, case.zone, case.key) for case in batch), strict=True)
    rows = conn.execute(
        """select run_at, problem
           from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[])
               with ordinality as given (expression, after, timezone, hash_key, number),
                pg_temp.next_or_problem(expression, after, timezone, hash_key)
           order by number""",
        [list(column) for column in columns],
    ).fetchall()
    return [run_at.astimezone(UTC) if run_at else problem for run_at, problem in rows]


NEXT_OR_PROBLEM = """
create function pg_temp.next_or_problem(expression text, after timestamptz, timezone text,
                                        hash_key text, out run_at timestamptz, out problem text)
language plpgsql as $$
begin
    run_at := symphony.cron_next(expression, after, timezone, hash_key);
exception
    when invalid_parameter_value then
        problem := case when sqlerrm like '%never runs' then 'never' else sqlerrm end;
end;
$$"""


def ask_croniter(case: Case, expression: str, *, day_or: bool = True) -> datetime | str:
    """Return what croniter says, told to treat a star as Vixie cron does."""
    start = case.after.astimezone(ZoneInfo(case.zone))
    try:
        found = croniter(
            expression,
            start,
            datetime,
            day_or=day_or,
            second_at_beginning=True,
            implement_cron_bug=True,
        ).get_next()
    except CroniterBadDateError:
        return NEVER
    except (CroniterError, AssertionError, RecursionError) as problem:
        return f"{type(problem).__name__}: {problem}"
    return found.astimezone(UTC)


def ask_cronsim(case: Case) -> datetime | str:
    """Return what cronsim says, which knows no question mark."""
    start = case.after.astimezone(ZoneInfo(case.zone))
    try:
        return next(CronSim(case.text("croniter").replace("?", "*"), start)).astimezone(UTC)
    except StopIteration:
        return NEVER
    except CronSimError as problem:
        return f"CronSimError: {problem}"
