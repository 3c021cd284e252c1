"""What the query of a request says."""

from __future__ import annotations

from starlette.requests import Request

from .problems import Problem


def parameters(request: Request, *known: str) -> dict[str, str]:
    """Return them by name; refuse what would be overlooked."""
    given: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name not in known:
            those = f"Those known are: {', '.join(known)}." if known else "There is none."
            raise Problem(400, "unknown parameter", those)
        if name in given:
            raise Problem(400, f"the parameter {name} is given twice")
        if not text or "\0" in text:
            raise Problem(400, f"the parameter {name} is empty, or holds a NUL")
        given[name] = text
    return given
