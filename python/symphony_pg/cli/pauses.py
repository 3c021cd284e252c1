"""Who paused something, and since when: a line below the table that shows the pause."""

from __future__ import annotations

from datetime import datetime

from .output import Output

__all__ = ["tell_of_pause"]


def tell_of_pause(
    out: Output, name: str, state: str, since: datetime | None, by: str | None
) -> None:
    """Write who did that, if anybody did."""
    if since is not None:
        out.text(f"{name}: {state} since {out.cell(since)} by {by}.", colour="yellow")
