"""An application whose database is Django's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from ..app import Symphony
from ..messages.envelope import Envelope
from ..sending.transport import AnyAsyncConnection, AnyConnection, Handlers
from ..transports.postgres import PostgresTransport


def django_dsn(using: str = "default") -> str:
    """Return where one of Django's databases is: in a test, the database of the test."""
    known = {each.keyword.decode() for each in Conninfo.get_defaults()}
    found = connections[using].get_connection_params()
    return make_conninfo("", **{key: value for key, value in found.items() if key in known})


class DjangoTransport(PostgresTransport):
    """Enqueues on Django's connection, in whatever transaction that is; without one, at once."""

    def __init__(self, using: str = "default") -> None:
        super().__init__()
        self._using = using
        self._is_elsewhere = False

    def bind(self, handlers: Handlers, dsn: str | None) -> None:
        """Do nothing: the database is Django's."""

    def move(self, dsn: str | None) -> None:
        """Use another database from now on, on connections of our own; None: Django's again."""
        self._is_elsewhere = dsn is not None
        super().move(dsn)

    def joins(self, dsn: str | None) -> bool:
        """Tell whether a transaction in that database can carry messages of this transport."""
        return super().joins(dsn) if self._is_elsewhere else dsn == django_dsn(self._using)

    def send(self, envelopes: Sequence[Envelope], conn: AnyConnection | None) -> list[int]:
        """Enqueue in the caller's transaction, or in Django's; return the message ids."""
        if conn is None and not self._is_elsewhere:
            conn = connections[self._using]
        return super().send(envelopes, conn)

    async def send_async(
        self, envelopes: Sequence[Envelope], conn: AnyAsyncConnection | None
    ) -> list[int]:
        """Do what send() does, from async code, in the thread that Django's ORM works in."""
        if conn is None and not self._is_elsewhere:
            ids: list[int] = await sync_to_async(self.send)(envelopes, None)
            return ids
        return await super().send_async(envelopes, conn)


class DjangoSymphony(Symphony):
    """An application whose messages are part of Django's transactions.

    `using` names one of settings.DATABASES. Other arguments are those of Symphony.
    """

    def __init__(self, using: str = "default", **options: Any) -> None:
        self._using = using
        super().__init__(transport=DjangoTransport(using), **options)

    @property
    def dsn(self) -> str | None:
        """Where the database is now: that of the settings, or of the test."""
        if self._dsn is None and (settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ):
            return django_dsn(self._using)
        return self._dsn
