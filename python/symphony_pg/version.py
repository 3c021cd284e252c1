"""The version of the package, and which schemas it works with."""

from __future__ import annotations

from .errors import WrongVersion

__version__ = "0.1.0"


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def check_compatible(schema: str) -> None:
    """Raise WrongVersion unless a schema of that version can do what this package asks of it.

    The database is upgraded first and the clients follow, so a newer minor version will do.
    """
    found, ours = _release(schema), _release(__version__)
    if found[0] != ours[0] or found < ours:
        raise WrongVersion(
            f"the schema symphony is version {schema}, this package is {__version__}",
            detail="The package needs a schema of the same major version, not older than itself.",
            hint="Run: symphony-pg db upgrade"
            if found < ours
            else f"Run: pip install 'symphony-pg=={schema}'",
        )
