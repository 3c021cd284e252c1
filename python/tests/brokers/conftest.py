"""Each kind of broker is started once, and every test has a destination of its own there."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from symphony_pg import Client, Symphony
from tests.brokers.bench import Bench
from tests.brokers.servers import SERVERS, Server
from tests.helpers import Connection

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, Server]]:
    """The servers that were started, by type."""
    found: dict[str, Server] = {}
    with tempfile.TemporaryDirectory(prefix="symphony-brokers-") as folder:
        Path(folder).chmod(0o755)
        found["folder"] = Path(folder)  # type: ignore[assignment]
        yield found
        for each in found.values():
            if isinstance(each, Server):
                each.close()


@pytest.fixture(params=[*SERVERS])
def server(
    request: pytest.FixtureRequest, started: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> Server:
    """A broker that runs."""
    kind = request.param
    for name, value in SERVERS[kind].credentials.items():
        monkeypatch.setenv(name, value)
    if kind not in started:
        folder = started["folder"] / kind
        folder.mkdir(exist_ok=True)
        server = SERVERS[kind](folder)
        started[kind] = server
        server.start()
    started[kind].ensure_up()
    return started[kind]


@pytest.fixture
def bench(server: Server, conn: Connection, dsn: str, app: Symphony) -> Bench:
    """A transport "orders" that leads to a queue or stream of that broker."""
    bench = Bench(server, Client(conn), app, dsn, f"orders{next(_numbers)}{server.ending}")
    bench.create()
    return bench
