"""The transport that is a database of its own."""

from symphony_pg import Client, PostgresTransport, Symphony
from tests.helpers import NOWHERE, Connection, SendEmail


def test_the_postgres_transport_can_have_its_own_database(dsn: str, conn: Connection) -> None:
    transport = PostgresTransport(dsn, prepare_threshold=None)
    with Symphony(NOWHERE, transport=transport) as app:
        assert Client(conn).message_status(app.dispatch(SendEmail("ada"))) is not None
