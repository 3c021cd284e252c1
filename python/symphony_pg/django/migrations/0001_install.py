"""Install the schema, if symphony-pg db install has not done it before."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from ...database.foreign import psycopg_of
from ...database.install import install


def forwards(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    """Install in the transaction of the migration; other databases than PostgreSQL stay as is."""
    if schema_editor.connection.vendor == "postgresql":
        conn = psycopg_of(schema_editor.connection)
        assert conn is not None
        install(conn)


class Migration(migrations.Migration):  # type: ignore[misc]
    """There is no way back by itself: messages are nothing that a migration removes."""

    operations = [  # noqa: RUF012
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
