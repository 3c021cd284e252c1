"""The application that --app names, and what the database has to know of it."""

from __future__ import annotations

from ..app import Symphony
from ..client import Client

__all__ = ["declare_handlers"]


def declare_handlers(client: Client, app: Symphony) -> list[str]:
    """Make the handlers known to the database; return the new ones as type/handler."""
    return [
        f"{declaration.arguments['message_type']}/{name}"
        for declaration in app.handler_declarations()
        for name in client.run(declaration)
    ]
