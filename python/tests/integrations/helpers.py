"""What the tests of the drivers use."""

from psycopg.conninfo import conninfo_to_dict

from symphony_pg import Client
from tests.helpers import Connection


def url(dsn: str, driver: str) -> str:
    """Return where a database is, as SQLAlchemy wants it."""
    of = conninfo_to_dict(dsn)
    return f"{driver}://{of['user']}:{of['password']}@{of['host']}:{of['port']}/{of['dbname']}"


def there(conn: Connection, *message_ids: int) -> list[bool]:
    """Tell for each message whether it exists."""
    return [Client(conn).message_status(each) is not None for each in message_ids]
