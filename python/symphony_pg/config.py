"""symphony.toml: transports, routing, retries and worker settings in one file.

    config = load("symphony.toml")      # raises ConfigError, which names every mistake and its line
    Client(conn).apply_config(config.wanted)

The file is only read here. What it means, apply_config() says in the database.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from .errors import SymphonyError
from .times import parse_duration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Config", "ConfigError", "Problem", "find", "load"]

FILE = "symphony.toml"
VARIABLE = re.compile(r"\$\$\{|\$\{(\w+)(?::-([^}]*))?\}")
PATTERN = re.compile(r"\*|[^*]*[^*.]|[^*]+\.\*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
TYPES = ("postgres", "sync")
BROKERS = ("redis", "rabbitmq", "sqs")
SCHEMES = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "sync": "sync",
    "redis": "redis",
    "rediss": "redis",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "sqs": "sqs",
}
Keys = tuple[str, ...]


class Problem(NamedTuple):
    """A mistake in the file."""

    line: int
    where: str
    text: str


class ConfigError(SymphonyError):
    """The file cannot be used; `problems` are all of its mistakes."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = sorted(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return each problem as file:line: where: text."""
        return [
            f"{self.path}:{each.line}: {each.where and each.where + ': '}{each.text}"
            for each in self.problems
        ]


@dataclass(frozen=True)
class Config:
    """What the file says, in the words of apply_config() and of the worker."""

    path: Path
    dsn: str | None = None
    wanted: dict[str, Any] = field(default_factory=dict)
    worker: dict[str, Any] = field(default_factory=dict)

    @property
    def has_sync(self) -> bool:
        """True if a transport runs its handlers in the process that dispatches."""
        transports = self.wanted.get("transports", {}).values()
        return any(transport["type"] == "sync" for transport in transports)


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return `path`, else the file of SYMPHONY_CONFIG, else ./symphony.toml if there is one."""
    given = path or os.environ.get("SYMPHONY_CONFIG")
    if given:
        return Path(given)
    return Path(FILE) if Path(FILE).exists() else None


def load(path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Config:
    """Read the file and check all of it; raise ConfigError, or SymphonyError without a file."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SymphonyError(
            f"{path} cannot be read", detail=f"{error}.", hint="Name the file with --config."
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(path, [Problem(line, "", f"this is not TOML: {what}")]) from None
    reader = _Reader(lines_of(text), os.environ if environment is None else environment)
    config = reader.read(path, document)
    if reader.problems:
        raise ConfigError(path, reader.problems)
    return config


def lines_of(text: str) -> dict[Keys, int]:
    """Return the line of each key of a TOML document.

    Statements are told apart by the parser itself: one ends at the first line where it can be read.
    """
    lines: dict[Keys, int] = {}
    table: Keys = ()
    statement, begins = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not statement:
            begins = number
        statement += line + "\n"
        try:
            values = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if re.match(r"\s*\[", statement):
            table = next((keys for keys in _paths(values) if _is_end(values, keys)), ())
            lines.setdefault(table, begins)
        for keys in _paths(values):
            whole = keys if re.match(r"\s*\[", statement) else table + keys
            lines.setdefault(whole, begins)
        statement = ""
    return lines


def _paths(values: Mapping[str, Any], above: Keys = ()) -> Iterator[Keys]:
    for key, value in values.items():
        yield (*above, key)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from _paths(inner, (*above, key))


def _is_end(values: Any, keys: Keys) -> bool:
    for key in keys:
        values = values[key]
    return values in ({}, [{}])


class _Mistake(Exception):  # noqa: N818
    """A value is not what it should be, which is the text."""


class _Unset(Exception):  # noqa: N818
    """A variable is not set; the text says which."""


class _Reader:
    """Turns a document into a Config and collects what is wrong with it."""

    def __init__(self, lines: Mapping[Keys, int], environment: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._environment = environment

    def read(self, path: Path, document: dict[str, Any]) -> Config:
        wanted: dict[str, Any] = {}
        self._known((), document, ("transports", "routing", "queues", "retry", "worker"))
        transports = self._table((), document, "transports")
        dsns: dict[str, Keys] = {}
        if transports is not None:
            wanted["transports"] = {
                name: self._transport(("transports", name), value, dsns)
                for name, value in transports.items()
            }
        routing = self._table((), document, "routing")
        if routing is not None:
            known = list(wanted.get("transports", ()))
            wanted["routing"] = {
                name: self._routes(("routing", name), value, known)
                for name, value in routing.items()
            }
        queues = self._table((), document, "queues")
        if queues is not None:
            wanted["queues"] = {
                name: self._settings(("queues", name), value, QUEUE)
                for name, value in queues.items()
            }
        retry = self._table((), document, "retry")
        if retry is not None:
            wanted["retry"] = {
                "*" if name == "default" else name: self._policy(("retry", name), value)
                for name, value in retry.items()
            }
        worker = self._settings(("worker",), document.get("worker", {}), WORKER)
        return Config(path, next(iter(dsns), None), wanted, worker)

    def _transport(self, keys: Keys, value: Any, dsns: dict[str, Keys]) -> dict[str, Any]:
        if isinstance(value, str):
            value = {"dsn" if "://" in value or "=" in value else "type": value}
        found = self._settings(keys, value, TRANSPORT)
        dsn = found.pop("dsn", None)
        if dsn is not None:
            scheme = str(dsn).partition(":")[0]
            kind = SCHEMES.get(scheme)
            if "://" not in str(dsn):  # not shown: it may hold a password
                self._problem((*keys, "dsn"), "must be a URL, such as postgresql://host/dbname")
            elif kind is None:
                self._problem(
                    (*keys, "dsn"), f'"{scheme}" is no scheme of a DSN{_like(scheme, SCHEMES)}'
                )
            elif found.setdefault("type", kind) != kind:
                self._problem((*keys, "type"), f"the DSN is one for {kind}")
            if kind == "postgres":
                dsns.setdefault(dsn, keys)
                if len(dsns) > 1 and dsn != next(iter(dsns)):
                    other = _shown(next(iter(dsns.values())))
                    self._problem(
                        (*keys, "dsn"), f"all queues are in one database, that of {other}"
                    )
        kind = found.setdefault("type", "postgres")
        if kind in BROKERS:
            self._problem(
                (*keys, "type" if dsn is None else "dsn"),
                f'transports of type {kind} are not served yet; use type = "postgres"',
            )
        elif kind not in TYPES:
            self._problem(
                (*keys, "type"), f'unknown type "{kind}"{_like(kind, (*TYPES, *BROKERS))}'
            )
        if kind == "sync":
            for name in ("queue", "priority", "enabled"):
                if name in found:
                    self._problem((*keys, name), f"a sync transport has no {name}; leave it out")
        return found

    def _routes(self, keys: Keys, value: Any, known: list[str]) -> list[Any]:
        self._pattern(keys, keys[-1])
        routes = []
        for each in value if isinstance(value, list) else [value]:
            route = {"transport": each} if isinstance(each, str) else each
            if (
                not isinstance(route, dict)
                or not set(route) <= {"transport", "handler"}
                or not all(isinstance(name, str) for name in route.values())
                or "transport" not in route
            ):
                self._problem(
                    keys,
                    "must name transports, as in "
                    f'["mail", {{transport = "slow", handler = "audit"}}]; there is {_given(each)}',
                )
                continue
            try:
                name = self._expanded(route["transport"])
            except _Unset as unset:
                self._problem(keys, str(unset))
                continue
            if name not in known:
                self._problem(keys, f'unknown transport "{name}"{_like(name, known)}')
            routes.append({**route, "transport": name} if "handler" in route else name)
        return routes

    def _policy(self, keys: Keys, value: Any) -> dict[str, Any]:
        if keys[-1] == "*":
            self._problem(keys, 'the policy of all that is said nowhere else is called "default"')
        self._pattern(keys, keys[-1])
        policy = self._settings(keys, value, RETRY)
        listed: dict[str, str] = {}
        for kind in ERRORS:
            for name in policy.get(RETRY[kind].name, ()):
                if listed.setdefault(name, kind) != kind:
                    self._problem((*keys, kind, name), f"is {listed[name]} already")
        return policy

    def _pattern(self, keys: Keys, pattern: str) -> None:
        if not PATTERN.fullmatch(pattern):
            self._problem(keys, 'is no pattern; write SendEmail, "orders.*" or "*"')

    def _settings(self, keys: Keys, value: Any, kinds: Mapping[str, _Kind]) -> dict[str, Any]:
        """Read a table whose keys are known."""
        if not isinstance(value, dict):
            self._problem(keys, f"must be a table with the keys {', '.join(kinds)}")
            return {}
        self._known(keys, value, kinds)
        settings = {}
        for name, given in value.items():
            if name in kinds and kinds[name].by_class:
                settings[kinds[name].name] = self._by_class((*keys, name), given, kinds[name])
            elif name in kinds:
                kind = kinds[name]
                try:
                    given = self._expanded(given)
                    settings[kind.name] = kind.read(given)
                except _Mistake as mistake:
                    # A DSN is not shown: it may hold a password.
                    shown = "" if name == "dsn" else f"; it is {_given(given)}"
                    self._problem((*keys, name), f"must be {mistake}{shown}")
                except _Unset as unset:
                    self._problem((*keys, name), str(unset))
        return settings

    def _by_class(self, keys: Keys, value: Any, kind: _Kind) -> dict[str, Any]:
        """Read a table whose keys are classes of errors."""
        if not isinstance(value, dict) or "" in value:
            self._problem(keys, 'must be a table of classes, such as {"shop.Throttled" = "1m"}')
            return {}
        return self._settings(keys, value, {name: _Kind(name, kind.read) for name in value})

    def _table(self, keys: Keys, values: dict[str, Any], name: str) -> dict[str, Any] | None:
        value = values.get(name)
        if value is None or isinstance(value, dict):
            return value
        self._problem((*keys, name), "must be a table")
        return None

    def _known(self, keys: Keys, values: Iterable[str], known: Iterable[str]) -> None:
        for name in values:
            if name not in set(known):
                self._problem((*keys, name), f"unknown key{_like(name, known)}")

    def _expanded(self, value: Any) -> Any:
        """Fill in ${VARIABLE} and ${VARIABLE:-default}; $${ stands for ${ itself."""
        if isinstance(value, list):
            return [self._expanded(each) for each in value]
        if not isinstance(value, str):
            return value

        def fill(found: re.Match[str]) -> str:
            name, default = found[1], found[2]
            if name is None:
                return "${"
            text = self._environment.get(name) or default
            if text is None:
                raise _Unset(
                    f"the variable {name} is not set; set it, or write ${{{name}:-default}}"
                )
            return text

        return VARIABLE.sub(fill, value)

    def _problem(self, keys: Keys, text: str) -> None:
        at = keys
        while at and at not in self._lines:
            at = at[:-1]
        self.problems.append(Problem(self._lines.get(at, 1), _shown(keys), text))


def _given(value: Any) -> str:
    """Return a value as a person wrote it, cut off if it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _shown(keys: Keys) -> str:
    return ".".join(key if BARE_KEY.fullmatch(key) else f'"{key}"' for key in keys)


def _like(name: object, known: Iterable[str]) -> str:
    """Return a question, if something known looks like the name; else what is known."""
    known = list(known)
    found = difflib.get_close_matches(str(name), known, 1)
    if found:
        return f'; did you mean "{found[0]}"?'
    return f"; there are {', '.join(known)}" if known else "; there are none"


class _Kind(NamedTuple):
    """What a setting must be, and its name in the database or the worker."""

    name: str
    read: Callable[[Any], Any]
    by_class: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Mistake("a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Mistake("true or false")
    return value


def _names(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise _Mistake('a list of names, such as ["ValueError", "shop.CardRefused"]')
    return values


def _number(least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not least <= number <= most:
            raise _Mistake(f"a number from {least:g} to {most:g}")
        return number

    return read


def _integer(least: int, most: int, plus: int = 0) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
            number = int(value)
        if number is None or not least <= number <= most:
            raise _Mistake(f"a whole number from {least} to {most}")
        return number + plus

    return read


def _seconds(least: float, most: float) -> Callable[[Any], float]:
    """Read "1s", "5m" or "200ms"; a plain number is milliseconds."""
    days = "1 day" if most == DAY else f"{most / DAY:g} days"

    def read(value: Any) -> float:
        seconds = None
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000
        elif isinstance(value, str) and re.search("[a-z]", value):
            try:
                seconds = parse_duration(value).total_seconds()
            except ValueError:
                seconds = None
        if seconds is None or not least <= seconds <= most:
            raise _Mistake(
                f"a time from {least:g} s to {days}, "
                'such as "1s", "5m" or "200ms" '
                "(a number is milliseconds)"
            )
        return seconds

    return read


def _interval(least: float, most: float) -> Callable[[Any], str]:
    read = _seconds(least, most)
    return lambda value: f"{read(value):.6f} s"


def _duration(least: float, most: float) -> Callable[[Any], timedelta]:
    read = _seconds(least, most)
    return lambda value: timedelta(seconds=read(value))


DAY = 86400.0
YEAR = 360 * DAY  # as PostgreSQL compares intervals
TRANSPORT = {
    "type": _Kind("type", _text),
    "dsn": _Kind("dsn", _text),
    "queue": _Kind("queue", _text),
    "priority": _Kind("priority", _integer(0, 9)),
    "enabled": _Kind("enabled", _flag),
}
RETRY = {
    "max_retries": _Kind("max_attempts", _integer(0, 999, plus=1)),
    "delay": _Kind("delay", _interval(0, YEAR)),
    "multiplier": _Kind("multiplier", _number(1, 100)),
    "max_delay": _Kind("max_delay", _interval(0, YEAR)),
    "jitter": _Kind("jitter", _number(0, 1)),
    "permanent": _Kind("permanent_errors", _names),
    "transient": _Kind("transient_errors", _names),
    "retry_after": _Kind("retry_after_errors", _interval(0, YEAR), by_class=True),
    "snooze": _Kind("snooze_errors", _interval(0, YEAR), by_class=True),
}
ERRORS = ("permanent", "transient", "retry_after", "snooze")
QUEUE = {
    "max_retries": _Kind("max_attempts", _integer(0, 999, plus=1)),
    "delay": _Kind("retry_delay", _interval(0, YEAR)),
    "multiplier": _Kind("retry_multiplier", _number(1, 100)),
    "max_delay": _Kind("retry_max_delay", _interval(0, YEAR)),
    "jitter": _Kind("retry_jitter", _number(0, 1)),
    "lease": _Kind("lease", _interval(0.1, DAY)),
    "retention": _Kind("retention", _interval(0, 100 * YEAR)),
    "max_body_bytes": _Kind("max_body_bytes", _integer(1, 268435455)),
    "idempotency_window": _Kind("idempotency_window", _interval(0.000001, 100 * YEAR)),
}
WORKER = {
    "batch_size": _Kind("batch_size", _integer(1, 1000)),
    "max_concurrency": _Kind("concurrency", _integer(1, 1000)),
    "poll_interval": _Kind("poll_interval", _duration(0.001, DAY)),
}
