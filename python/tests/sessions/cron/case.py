"""What is asked: an expression, item by item, with a moment and a zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

NEVER = "never"
UTC = timezone.utc
HOUR = timedelta(hours=1)
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
