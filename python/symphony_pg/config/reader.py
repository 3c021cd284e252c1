"""Turns the document of symphony.toml into a Config, and collects its mistakes."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from .broker import URL, BrokerSettings, is_url
from .lines import Keys
from .remarks import remarks
from .result import Config, Problem
from .settings import BROKERS, ERRORS, QUEUE, RETRY, TRANSPORT, WORKER, Kind, Mistake

VARIABLE = re.compile(r"\$\$\{|\$\{(\w+)(?::-([^}]*))?\}")
PATTERN = re.compile(r"(?=(?s:.){1,200}\Z)(\*|[^*]+(\.\*)?)")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
TYPES = ("postgres", "sync", *BROKERS)
SCHEMES = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "sync": "sync",
    "redis": "redis",
    "rediss": "redis",
    "valkey": "redis",
    "valkeys": "redis",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "sqs": "sqs",
}


class _Unset(Exception):  # noqa: N818
    """A variable is not set; the text says which."""


class Reader:
    """Turns a document into a Config and collects what is wrong with it."""

    def __init__(self, lines: Mapping[Keys, int], environment: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._brokers: dict[str, BrokerSettings] = {}
        self._lines = lines
        self._environment = environment

    def read(self, path: Path, document: dict[str, Any]) -> Config:
        """Return what the document says; what is wrong with it is in `problems` then."""
        wanted: dict[str, Any] = {}
        self._known((), document, ("transports", "routing", "queues", "retry", "worker"))
        dsns: dict[str, Keys] = {}
        sections: dict[str, Callable[[Keys, Any], Any]] = {
            "transports": lambda keys, value: self._transport(keys, value, dsns),
            "routing": lambda keys, value: self._routes(keys, value, wanted.get("transports", ())),
            "queues": lambda keys, value: self._settings(keys, value, QUEUE),
            "retry": self._policy,
        }
        for section, read in sections.items():
            table = document.get(section)
            if isinstance(table, dict):
                wanted[section] = {
                    name: read((section, name), each) for name, each in table.items()
                }
            elif table is not None:
                self._problem((section,), "must be a table")
        if "default" in wanted.get("retry", ()):
            wanted["retry"]["*"] = wanted["retry"].pop("default")
        worker = self._settings(("worker",), document.get("worker", {}), WORKER)
        told = () if self.problems else remarks(wanted, self._brokers, self._environment)
        found = tuple(sorted(self._at(keys, text) for keys, text in told))
        return Config(path, next(iter(dsns), None), wanted, worker, self._brokers, found)

    def _transport(self, keys: Keys, value: Any, dsns: dict[str, Keys]) -> dict[str, Any]:
        if isinstance(value, str):
            value = {"dsn" if "://" in value or "=" in value else "type": value}
        of_broker = BROKERS.get(self._type_of(value), {})
        found = self._settings(keys, value, {**TRANSPORT, **of_broker})
        dsn = found.pop("dsn", None)
        if dsn is not None:
            scheme = str(dsn).partition(":")[0]
            kind = SCHEMES.get(scheme)
            if "://" not in str(dsn):  # not shown: it may hold a password
                self._problem((*keys, "dsn"), "must be a URL, such as postgresql://host/dbname")
            elif kind is None:
                self._problem(
                    (*keys, "dsn"), f'"{scheme}" is not a scheme of a DSN{_like(scheme, SCHEMES)}'
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
            if dsn is not None and "://" in str(dsn) and not is_url(str(dsn)):
                self._problem((*keys, "dsn"), f"cannot be read; it is not shown. {URL}")
            config = {name: found.pop(name) for name in of_broker if name in found}
            self._brokers[keys[-1]] = BrokerSettings(
                keys[-1], kind, dsn, found.get("queue"), config
            )
            found["config"] = config
        elif kind not in TYPES:
            self._problem((*keys, "type"), f'unknown type "{kind}"{_like(kind, TYPES)}')
        if kind == "sync":
            for name in ("queue", "priority", "enabled"):
                if name in found:
                    self._problem((*keys, name), f"a sync transport has no {name}; leave it out")
        return found

    def _type_of(self, value: Any) -> str:
        """Return the type of a transport, whose other settings depend on it."""
        found = value.get("type") if isinstance(value, dict) else None
        if found is None and isinstance(value, dict) and isinstance(value.get("dsn"), str):
            try:
                scheme = str(self._expanded(value["dsn"])).partition(":")[0]
            except _Unset:
                return "postgres"
            found = SCHEMES.get(scheme)
        return found if isinstance(found, str) else "postgres"

    def _routes(self, keys: Keys, value: Any, known: Collection[str]) -> list[Any]:
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
        for key, kind in ERRORS.items():
            for name in policy.get(kind.name, ()):
                if listed.setdefault(name, key) != key:
                    self._problem((*keys, key, name), f"is {listed[name]} already")
        return policy

    def _pattern(self, keys: Keys, pattern: str) -> None:
        if not PATTERN.fullmatch(pattern):
            self._problem(keys, 'is not a pattern; write SendEmail, "orders.*" or "*"')

    def _settings(self, keys: Keys, value: Any, kinds: Mapping[str, Kind]) -> dict[str, Any]:
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
                except Mistake as mistake:
                    # A DSN is not shown: it may hold a password.
                    shown = "" if name == "dsn" else f"; it is {_given(given)}"
                    self._problem((*keys, name), f"must be {mistake}{shown}")
                except _Unset as unset:
                    self._problem((*keys, name), str(unset))
        return settings

    def _by_class(self, keys: Keys, value: Any, kind: Kind) -> dict[str, Any]:
        """Read a table whose keys are classes of errors."""
        if not isinstance(value, dict) or "" in value:
            self._problem(keys, 'must be a table of classes, such as {"shop.Throttled" = "1m"}')
            return {}
        return self._settings(keys, value, {name: Kind(name, kind.read) for name in value})

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
        self.problems.append(self._at(keys, text))

    def _at(self, keys: Keys, text: str) -> Problem:
        """Return a remark with the line it is about."""
        at = keys
        while at and at not in self._lines:
            at = at[:-1]
        return Problem(self._lines.get(at, 1), _shown(keys), text)


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
