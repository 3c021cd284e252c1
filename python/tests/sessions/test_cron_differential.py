"""cron_next() against croniter, cronsim and a plain model of docs/cron.md.

Every case must agree with the model. Where croniter says something else, a named rule has to
recognise why; cronsim's opinion is counted beside it. Nothing may be left over.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from croniter import CroniterBadDateError, CroniterError, croniter
from cronsim import CronSim, CronSimError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.helpers import ROOT, Connection

LIST = ROOT / "build" / "cron-differences.tsv"
LIST_TITLES = "decided by\tcase\there\tcroniter\tcronsim sides with"
CASES = int(os.environ.get("CRON_CASES", "20000"))
BATCH = 50
BYTES = 100  # enough for nearly any case
NEVER = "never"
UTC = timezone.utc
HOUR = timedelta(hours=1)
YEAR = 365 * 86400
T = TypeVar("T")

FIELDS = ("second", "minute", "hour", "day of month", "month", "weekday")
LOW = (0, 0, 0, 1, 1, 0)
HIGH = (59, 59, 23, 31, 12, 6)
SIZE = (60, 60, 24, 31, 12, 7)
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


@dataclass(frozen=True, repr=False)
class Case:
    """An expression, six fields of items, with the moment, zone and hash key it is asked for."""

    fields: tuple[tuple[Item, ...], ...]
    has_seconds: bool
    after: datetime
    zone: str
    key: str

    def text(self) -> str:
        """Return the expression as we write it."""
        return self._join(lambda item: item.text)

    def croniter_text(self, *plain: str) -> str:
        """Return the expression as croniter writes it, items of some oddities as plain lists."""

        def spell(item: Item) -> str:
            if item.oddity in plain:
                return ",".join(map(str, sorted(item.values)))
            return item.croniter or item.text

        return self._join(spell)

    def _join(self, spell: Callable[[Item], str]) -> str:
        fields = [",".join(map(spell, field)) for field in self.fields]
        return " ".join(fields if self.has_seconds else fields[1:])

    def __repr__(self) -> str:
        """Return what tells this case from others."""
        return f"{self.text()!r} after {self.after} in {self.zone} for {self.key!r}"

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


def is_repetition(at: datetime, zone: str) -> bool:
    """Say whether a zone's clocks show this time for the second time."""
    return at in instants(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0), zone)[1:]


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
        weekday, nth = special.split("#")
        return day.isoweekday() % 7 == int(weekday) and (day.day + 6) // 7 == int(nth)
    if special == "LW":
        return day.day == nearest_weekday(day, last)
    if special.endswith("W"):
        wanted = int(special[:-1])
        return wanted <= last and day.day == nearest_weekday(day, wanted)
    if special.startswith("L"):
        return day.day == last - int(special[2:] or 0)
    return day.isoweekday() % 7 == int(special[0]) and day.day + 7 > last


def days(case: Case, start: date) -> Iterator[date]:
    """Yield the days on which a job runs."""
    numbers, months, weekdays = (frozenset(case.values(field)) for field in (3, 4, 5))
    day_specials, weekday_specials = case.specials(3), case.specials(5)
    either_day = case.either_day
    day = start
    while day.year <= start.year + 41:
        if day.month not in months:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            continue
        by_day = day.day in numbers or any(special_day(s, day) for s in day_specials)
        by_weekday = day.isoweekday() % 7 in weekdays or any(
            special_day(s, day) for s in weekday_specials
        )
        if (by_day and by_weekday) or (either_day and (by_day or by_weekday)):
            yield day
        day += timedelta(days=1)


def walls(case: Case, start: datetime) -> Iterator[datetime]:
    """Yield the minutes on the clock in which a job runs."""
    hours, minutes = case.values(2), case.values(1)
    for day in days(case, start.date()):
        for hour in hours:
            for minute in minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute)
                if wall >= start:
                    yield wall


def model(case: Case) -> datetime | str:
    """Return the next run by the contract."""
    local = case.after.astimezone(ZoneInfo(case.zone)).replace(tzinfo=None, second=0, microsecond=0)
    seconds = [timedelta(seconds=second) for second in case.values(0)]
    runs_every_hour, is_frequent = len(case.values(2)) == 24, case.is_frequent
    found: list[datetime] = []
    first: datetime | None = None
    for wall in walls(case, local - 3 * HOUR):  # no clock is turned back by more
        if first and wall > first + 3 * HOUR:
            break
        times = instants(wall, case.zone)
        if not times and not runs_every_hour:
            runs = [after_the_gap(wall, case.zone)]
        else:
            runs = [at + second for at in times[: 2 if is_frequent else 1] for second in seconds]
        coming = [at for at in runs if at > case.after]
        found += coming
        first = first or (wall if coming else None)
    return min(found, default=NEVER)


# --- the random cases -------------------------------------------------------------------------


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


# --- the oracles ------------------------------------------------------------------------------


def ask_symphony(conn: Connection, batch: list[Case]) -> list[datetime | str]:
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
        found: datetime = croniter(
            expression,
            start,
            datetime,
            day_or=day_or,
            second_at_beginning=True,
            implement_cron_bug=True,
        ).get_next()
    except CroniterBadDateError:
        return NEVER
    except CroniterError as problem:
        return f"{type(problem).__name__}: {problem}"
    return found.astimezone(UTC)


def ask_cronsim(case: Case) -> datetime | str:
    """Return what cronsim says, which knows no question mark."""
    start = case.after.astimezone(ZoneInfo(case.zone))
    try:
        return next(CronSim(case.croniter_text().replace("?", "*"), start)).astimezone(UTC)
    except StopIteration:
        return NEVER
    except CronSimError as problem:
        return f"CronSimError: {problem}"


def ask_respelled(case: Case) -> datetime | str:
    """Return what croniter says if each field is a plain list, and OR is left to us."""

    def spell(field: int) -> list[str]:
        if not case.specials(field) and len(case.values(field)) == SIZE[field]:
            return ["*"]
        plain = [",".join(map(str, case.values(field)))] if case.values(field) else []
        return plain + [f"L{s[0]}" if s[1:] == "L" else s for s in case.specials(field)]

    second, minute, hour, month = (spell(field)[0] for field in (0, 1, 2, 4))
    days, weekdays = spell(3), spell(5)
    if case.either_day:
        pairs = [(day, "*") for day in days] + [("*", weekday) for weekday in weekdays]
    else:
        pairs = [(day, weekday) for day in days for weekday in weekdays]
    answers = [
        ask_croniter(case, f"{second} {minute} {hour} {day} {month} {weekday}", day_or=False)
        for day, weekday in pairs
    ]
    if problems := [a for a in answers if isinstance(a, str) and a != NEVER]:
        return problems[0]
    return min((a for a in answers if isinstance(a, datetime)), default=NEVER)


# --- the rules: where croniter differs, and why -----------------------------------------------


def reading(case: Case, theirs: datetime | str, respelled: datetime | str) -> str | None:
    """Name what croniter reads differently, or refuses to read."""
    items = [item for field in case.fields for item in field]
    oddities = {item.oddity for item in items}
    if isinstance(theirs, str) and theirs != NEVER:
        if case.specials(3) and oddities & {"LW", "L-3"}:
            return "croniter does not know LW and L-3"
        if "'W' can only be used with a single day" in theirs:
            return "croniter takes 15W only alone"
        if "does not support mixing literal values and nth" in theirs:
            return "croniter does not mix FRI with FRI#2 or 5L"
        return None
    if case.either_day and (case.specials(5) or any("W" in s for s in case.specials(3))):
        return "croniter joins 15W, FRI#2 and 5L to the other day field by AND"
    if case.specials(5) and case.values(5):
        return "croniter forgets FRI beside FRI#2 or 5L"
    if "L" in case.specials(3) and len(case.values(3)) == 30:
        return "croniter takes 30 days and L for every day"
    both = ("equal bounds", "step across the turn")
    for plain, name in (
        (both[:1], "croniter takes 5-5 for the whole field"),
        (both[1:], "croniter counts a step across the turn one too far"),
        (both, "croniter takes 5-5 for the whole field and counts a step across the turn too far"),
    ):
        if ask_croniter(case, case.croniter_text(*plain)) == respelled:
            return name
    if ask_croniter(case, case.croniter_text(*both), day_or=False) == respelled and any(
        case.fields[field][0].text.upper().startswith("H/") for field in (3, 5)
    ):
        return "H/n is an unrestricted field, as */n is; to croniter it is a plain list"
    return None


def clocks(case: Case, ours: datetime | str, theirs: datetime | str) -> str | None:
    """Name the rule by which croniter, given plain lists, still comes to another moment."""
    if isinstance(theirs, str):
        return None
    local = theirs.astimezone(ZoneInfo(case.zone))
    too_long = [
        s for s in case.specials(3) if "1" <= s[0] <= "9" and int(s[:-1]) > month_length(local)
    ]
    if too_long and (isinstance(ours, str) or ours > theirs):
        return "croniter moves 31W into a shorter month"
    if isinstance(ours, str):
        return None
    if not case.is_frequent and is_repetition(theirs, case.zone) and ours > theirs:
        return "croniter runs a fixed time again when it is repeated"
    if case.is_frequent and is_repetition(ours, case.zone) and ours < theirs:
        return "croniter misses the repetition of a frequent job"
    if ours in changes(case.zone) and theirs == ours + timedelta(seconds=min(case.values(0))):
        return "croniter keeps the second of a run that it moves out of a gap"
    return None


def explain(case: Case, ours: datetime | str, theirs: datetime | str) -> str | None:
    """Name the rules that lead from croniter's answer to ours; None if they do not."""
    respelled = ask_respelled(case)
    if isinstance(respelled, str) and respelled != NEVER:
        return reading(case, theirs, respelled)  # nothing but the model can tell
    names = []
    if theirs != respelled:
        names.append(reading(case, theirs, respelled))
    if respelled != ours:
        names.append(clocks(case, ours, respelled))
    return None if None in names else "; ".join(filter(None, names))


def second_opinion(case: Case, ours: datetime | str, theirs: datetime | str) -> str:
    """Say whom cronsim agrees with."""
    opinion = ask_cronsim(case)
    if opinion == ours:
        return "ours"
    if opinion == theirs:
        return "croniter's"
    return "refused" if isinstance(opinion, str) and opinion != NEVER else "another"


def unlike_zones(conn: Connection) -> set[str]:
    """Return the zones of which server and Python know different changes of clocks."""
    moments = [
        (zone, at)
        for zone in ZONES
        for change in changes(zone)
        for at in (change - timedelta(seconds=1), change)
    ] + [
        (zone, datetime(year, month, 15, tzinfo=UTC))
        for zone in ZONES
        for year in range(1989, 2112)
        for month in range(1, 13)
    ]
    rows = conn.execute(
        """select at at time zone zone
           from unnest(%s::text[], %s::timestamptz[]) with ordinality as moment (zone, at, number)
           order by number""",
        [list(column) for column in zip(*moments, strict=True)],
    ).fetchall()
    return {
        zone
        for (zone, at), (local,) in zip(moments, rows, strict=True)
        if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local
    }


@pytest.mark.slow
def test_every_difference_from_croniter_is_explained(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    conn.execute(NEXT_OR_PROBLEM)
    unlike = unlike_zones(conn)
    zones = [zone for zone in ZONES if zone not in unlike]
    compared: set[str] = set()
    differences: Counter[tuple[str, str]] = Counter()
    listed: set[str] = set()

    @settings(
        max_examples=CASES * 21 // 20 // BATCH + 1,  # a few cases are drawn twice
        derandomize="CRON_CASES" not in os.environ,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=BATCH * BYTES, max_size=BATCH * BYTES))
    def compare(data: bytes) -> None:
        batch = a_batch(data, zones)
        for case, ours in zip(batch, ask_symphony(conn, batch), strict=True):
            compared.add(repr(case))
            assert ours == model(case), f"{case}: the model says {model(case)}, not {ours}"
            theirs = ask_croniter(case, case.croniter_text())
            if theirs != ours:
                rule = explain(case, ours, theirs)
                assert rule, f"{case}: croniter says {theirs}, not {ours}"
                opinion = second_opinion(case, ours, theirs)
                differences[rule, opinion] += 1
                values = (rule, case, ours, theirs, opinion)
                listed.add("\t".join(map(str, values)))

    compare()

    LIST.write_text("\n".join([LIST_TITLES, *sorted(listed), ""]))
    with capsys.disabled():
        print(
            f"\n{len(compared)} cases, {differences.total()} differences, none unexplained; "
            f"each is listed in {LIST.relative_to(ROOT)}"
        )
        for rule in sorted({rule for rule, _ in differences}):
            opinions = {opinion: n for (name, opinion), n in differences.items() if name == rule}
            print(f"{sum(opinions.values()):6} {rule}; cronsim: {opinions}")
        if unlike:
            print(f"left out, for the time zone data differ: {', '.join(sorted(unlike))}")
    assert len(compared) >= CASES
