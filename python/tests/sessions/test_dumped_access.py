"""Access in a dump: it is listed after it was restored, and granted again when somebody says so."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from symphony_pg import AccessDenied, Client
from symphony_pg.database import install as installation
from symphony_pg.server import Server
from tests.cli.helpers import Cli
from tests.helpers import Connection

from .test_rebase import make_database, run

GRANTS = {
    "web": ("enqueuer", ["mail"]),
    "shop": ("producer", None),
    "mailer": ("consumer", ["mail"]),
    "all_mailer": ("consumer", None),
    "ops": ("operator", None),
    "gone": ("observer", None),
}
COPIED = "waits: it was copied here from another server"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def dump(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with grants, dumped; its database and all of its roles are dropped then."""
    path = tmp_path_factory.mktemp("dump") / "symphony"
    dsn = make_database(server, "source")
    with psycopg.connect(dsn, autocommit=True) as conn:
        installation.install(conn)
        client = Client(conn)
        client.create_queue("mail")
        client.create_queue("sms")
        for role, (access, queues) in GRANTS.items():
            conn.execute(f"create role {role}")
            client.grant_access(role, access, queues)
        client.enqueue("A", queue_name="mail")
    run(server, "pg_dump", "--format=custom", f"--file={path}", f"--dbname={dsn}")
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute("drop database source")
        for role in GRANTS:
            admin.execute(f"drop role {role}")
    return path


@pytest.fixture(params=["here", "elsewhere"])
def target(request: pytest.FixtureRequest, server: Server, dump: Path) -> Iterator[Server]:
    """A server with roles of these names, which are others than those of the dump."""

    def made(server: Server) -> Server:
        with psycopg.connect(server.dsn, autocommit=True) as admin:
            for role in reversed(GRANTS):
                admin.execute(f"create role {role}")
        return server

    if request.param == "elsewhere":
        with Server() as other:
            yield made(other)
        return
    yield made(server)
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute("drop database restored (force)")
        for role in GRANTS:
            admin.execute(f"drop role if exists {role}")


def may(conn: Connection) -> list[str]:
    """Return what each role may do."""
    client = Client(conn)
    tries: dict[str, Callable[[], object]] = {
        "sends": lambda: client.enqueue("A", queue_name="mail"),
        "sends sms": lambda: client.enqueue("A", queue_name="sms"),
        "claims": lambda: client.claim_batch(["mail"]),
        "claims sms": lambda: client.claim_batch(["sms"]),
        "pauses": lambda: client.pause_queue("mail"),
        "looks": lambda: client.queue_stats(),
    }
    found = []
    for role in GRANTS:
        for name, attempt in tries.items():
            with conn.transaction(force_rollback=True):
                try:
                    with conn.transaction():
                        conn.execute(f"set local role {role}")
                        attempt()
                except AccessDenied:
                    continue
                found.append(f"{role} {name}")
    return found


UNLIMITED = [
    *("shop sends", "shop sends sms", "all_mailer claims", "all_mailer claims sms"),
    *("ops pauses", "ops looks", "gone looks"),
]
RESTORED = [
    *("web sends", "shop sends", "shop sends sms", "mailer claims"),
    *("all_mailer claims", "all_mailer claims sms", "ops pauses", "ops looks"),
]


@pytest.mark.parametrize("acl", ["with grants", "without grants"])
def test_access_is_granted_again_when_somebody_says_so(
    dump: Path, target: Server, acl: str
) -> None:
    dsn = make_database(target, "restored")
    options = [] if acl == "with grants" else ["--no-privileges"]
    run(target, "pg_restore", "--exit-on-error", *options, f"--dbname={dsn}", str(dump))
    cli = Cli(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        # pg_restore grants to names; a limit stays one, and its role may use no queue until then.
        restored_by_postgres = UNLIMITED if acl == "with grants" else []
        assert may(conn) == restored_by_postgres
        listed = {each["role_name"]: each for each in cli.json("access", "list")}
        assert {name: each["state"] for name, each in listed.items()} == dict.fromkeys(
            GRANTS, COPIED
        )
        assert {name: (e["access"], e["queues"]) for name, e in listed.items()} == GRANTS
        wrong = [each["code"] for each in cli.json("db", "status")["incidents"]]
        assert wrong.count("access_waits") == len(GRANTS)

        cli.run("db", "upgrade")
        Client(conn).tick()  # which finds that the tables were copied here
        assert may(conn) == restored_by_postgres
        conn.execute("drop owned by gone; drop role gone")

        states = {each["role_name"]: each["state"] for each in cli.json("access", "restore")}
        gone = f"{COPIED}, and no role has this name"
        assert states == dict.fromkeys(GRANTS, "granted") | {"gone": gone}
        assert may_without_gone(conn) == RESTORED
        assert "Nothing waits" not in cli.run("access", "restore").output
        cli.run("access", "revoke", "gone", "observer")
        assert "Nothing waits" in cli.run("access", "restore").output
        cli.run("db", "upgrade")
        assert may_without_gone(conn) == RESTORED
        assert Client(conn).check() == []
        actions = [each["affected"] for each in cli.json("audit", "--action", "restore_access")]
        assert actions == [len(GRANTS) - 1]


def may_without_gone(conn: Connection) -> list[str]:
    conn.execute("create role gone")
    try:
        return may(conn)
    finally:
        conn.execute("drop role gone")
