"""The model: docs/cron.md, one day and one minute after another."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.sessions.cron.case import HOUR, NEVER, UTC, Case


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
