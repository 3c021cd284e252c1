"""Secrets in error texts that are logged without a way through the database.

What nack_with_backoff() and snooze() return has no secrets left, and that is what a worker logs.
What never gets there is cut here, more bluntly: at the first place that looks like a secret.
"""

from __future__ import annotations

import re
import traceback
from functools import cache

from .install import sql

__all__ = ["trace_without_secrets", "without_secrets"]

REDACTED = "[redacted]"
NAMES = re.compile(r"c_name\s+constant text :=\s*((?:'[^']*'\s*)+);")


@cache
def secret_names() -> str:
    """Return the pattern of the keys that have secret values, as the SQL of _sanitized() has it."""
    found = NAMES.search(sql())
    assert found is not None
    return "".join(re.findall("'([^']*)'", found[1]))


@cache
def _secret() -> re.Pattern[str]:
    name = secret_names()
    return re.compile(
        rf"""(?P<key>{name}["'\])\\]*\s*[:=,>]|--[\w-]*{name}\s|\b(?:bearer|basic)\s)"""
        r"|postgres(?:ql)?(?:\+\w+)?://|(?<=://)\S*@|\b(?:host|hostaddr|dbname)\s*=",
        re.IGNORECASE,
    )


def without_secrets(text: str) -> str:
    """Return the text up to the first secret; whatever comes after it is not told apart."""
    found = _secret().search(text)
    if found is None:
        return text
    return text[: found.end("key") if found["key"] else found.start()] + REDACTED


def trace_without_secrets(error: BaseException) -> str:
    """Return the class of an error and where it was raised, without its text."""
    where = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__qualname__}\n{where}".rstrip()
