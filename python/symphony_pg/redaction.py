"""Secrets in error texts that are logged without a way through the database.

What nack_with_backoff() and snooze() return has no secrets left, and that is what a worker logs.
What never gets there is cut here, more bluntly: at the first place that looks like a secret.
"""

from __future__ import annotations

import re
import traceback

REDACTED = "[redacted]"
# Keys that have secret values: c_name of the SQL function _sanitized(), as a test compares.
SECRET_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|authorization|cookie|credential|"  # noqa: S105
    r"(?:api|access|private|auth)[_-]?key)(?:[_-]?(?:key|id|value|hash)|s|\d+)?"
)
SECRET = re.compile(
    rf"""(?P<key>{SECRET_NAMES}["'\])\\]*\s*[:=,>]|--[\w-]*{SECRET_NAMES}\s|\b(?:bearer|basic)\s)"""
    r"|postgres(?:ql)?(?:\+\w+)?://|(?<=://)\S*@|\b(?:host|hostaddr|dbname)\s*=",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return the text up to the first secret; whatever comes after it is not told apart."""
    found = SECRET.search(text)
    if found is None:
        return text
    return text[: found.end("key") if found["key"] else found.start()] + REDACTED


def trace_without_secrets(error: BaseException) -> str:
    """Return the class of an error and where it was raised, without its text."""
    where = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__qualname__}\n{where}".rstrip()
