"""dispatch(conn=…) with Django's connection, and Django's connections around handlers."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils.functional import empty
from psycopg.conninfo import conninfo_to_dict

from symphony_pg import BadArgument, Client, NotInstalled, Symphony, UnknownQueue
from tests.helpers import Connection, SendEmail, known, wait_until
from tests.integrations.helpers import there
from tests.worker.helpers import Process


def database(dsn: str, **options: Any) -> dict[str, Any]:
    """Return an entry of settings.DATABASES."""
    of = conninfo_to_dict(dsn)
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{name.upper(): str(of[name]) for name in ("host", "port", "user", "password")},
        "NAME": of["dbname"],
        **options,
    }


@pytest.fixture(params=["client-side binding", "server-side binding"])
def django_dsn(dsn: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Let Django's default database be that of the test, and Django not configured afterwards."""
    options = {"server_side_binding": request.param.startswith("server")}
    settings.configure(DATABASES={"default": database(dsn, OPTIONS=options)}, USE_TZ=True)
    django.setup()
    vars(connections).pop("settings", None)
    yield dsn
    connections.close_all()
    with suppress(AttributeError):  # another thread may have used it, and this one not
        del connections["default"]
    vars(connections).pop("settings", None)
    connections._settings = None
    settings._wrapped = empty


CONNECTIONS = pytest.mark.parametrize("which", ["proxy", "wrapper", "get_connection"])


def chosen(which: str) -> Any:
    if which == "get_connection":
        return transaction.get_connection()
    return connection if which == "proxy" else connections["default"]


@CONNECTIONS
def test_commit_rollback_and_savepoint(
    app: Symphony, conn: Connection, django_dsn: str, which: str
) -> None:
    own = chosen(which)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lost = app.dispatch(SendEmail(), conn=own)
        raise ZeroDivisionError
    with transaction.atomic():
        kept = [app.dispatch(SendEmail("bob"), conn=own)]
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            undone = app.dispatch(SendEmail(), conn=own)
            raise ZeroDivisionError
        kept += app.dispatch_many([SendEmail("b"), SendEmail("c")], conn=own)
        assert there(conn, *kept) == [False] * 3
    at_once = app.dispatch(SendEmail(), headers={"a": [1, None]}, delay=3, conn=own)
    assert there(conn, lost, undone, *kept, at_once) == [False, False, True, True, True, True]
    assert [known(conn, each).body["to"] for each in kept] == ["bob", "b", "c"]
    assert known(conn, at_once).headers == {"a": [1, None]}


def test_the_connection_inside(app: Symphony, conn: Connection, django_dsn: str) -> None:
    with pytest.raises(TypeError, match="None before the first query: give conn=connection"):
        app.dispatch(SendEmail(), conn=connection.connection)
    with transaction.atomic():
        connection.ensure_connection()
        message_id = app.dispatch(SendEmail(), conn=connection.connection)
        assert there(conn, message_id) == [False]
    assert there(conn, message_id) == [True]


def test_errors_are_ours(app: Symphony, conn: Connection, django_dsn: str) -> None:
    with transaction.atomic():
        with pytest.raises(UnknownQueue), transaction.atomic():
            app.dispatch(SendEmail(), queue="nowhere", conn=connection)
        message_id = app.dispatch(SendEmail(), conn=connection)
    with pytest.raises(BadArgument, match="idempotency_key contains NUL"):
        app.dispatch(SendEmail(), idempotency_key="\0", conn=connection)
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        transaction.set_rollback(True)
        app.dispatch(SendEmail(), conn=connection)
    assert there(conn, message_id) == [True]


async def test_async_code_is_told_the_way(app: Symphony, conn: Connection, django_dsn: str) -> None:
    with pytest.raises(TypeError, match=r"await sync_to_async\(app\.dispatch\)"):
        await app.dispatch_async(SendEmail(), conn=connection)
    dispatch = sync_to_async(app.dispatch)
    message_id = await dispatch(SendEmail(), conn=connection)
    await sync_to_async(connections.close_all)()
    assert there(conn, message_id) == [True]


APP = """
import asyncio
from dataclasses import dataclass
from django.conf import settings
from symphony_pg import Symphony

settings.configure(DATABASES={"default": DATABASE})
from asgiref.sync import sync_to_async
from django.db import connection

app = Symphony()
MIDDLEWARE

def use(kind):
    with connection.cursor() as cursor:
        if kind == "lose":
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")
        cursor.execute("select 1")

@app.handler("Sync")
def sync(kind):
    use(kind)

@app.handler("Async")
async def in_event_loop(kind):
    await sync_to_async(use)(kind)

@app.message("Batch")
@dataclass
class Batch:
    kind: str

@app.batch_handler(Batch, size=1)
def batch(messages):
    use(messages[0].kind)

@app.message("AsyncBatch")
@dataclass
class AsyncBatch:
    kind: str

@app.batch_handler(AsyncBatch, size=1)
async def async_batch(messages):
    await sync_to_async(use)(messages[0].kind)
"""
OUTER = """
from symphony_pg import Middleware
import inspect
def outer(passage, next):
    return next(passage)
async def outer_async(passage, next):
    return await next(passage)
app.middleware(Middleware(outer, outer_async))
"""


@pytest.mark.parametrize(
    ("message_type", "age", "middleware"),
    [
        ("Sync", 0, ""),
        ("Sync", 600, ""),
        ("Sync", None, OUTER),
        ("Async", 600, ""),
        ("Async", None, OUTER),
        ("Batch", 600, ""),
        ("AsyncBatch", 600, ""),
    ],
)
def test_a_lost_connection_is_lost_once(
    dsn: str, conn: Connection, tmp_path: Path, message_type: str, age: int | None, middleware: str
) -> None:
    is_batch = message_type.endswith("Batch")
    kinds = ["use", "lose", "use", "use", "use"]
    ids = Client(conn).enqueue_batch(
        [
            {"message_type": message_type, "body": {"kind": kind} if is_batch else kind}
            for kind in kinds
        ]
    )
    text = APP.replace("DATABASE}", f"{database(dsn, CONN_MAX_AGE=age)}}}")
    with Process(tmp_path, text.replace("MIDDLEWARE", middleware), dsn) as worker:
        wait_until(lambda: known(conn, ids[-1]).status == "completed", worker)
        wait_until(lambda: known(conn, ids[1]).attempt > 1, worker)
    found = [known(conn, each) for each in ids]
    assert [each.attempt for each in found if each.message_id != ids[1]] == [1] * 4, worker
    assert {each.status for each in found if each.message_id != ids[1]} == {"completed"}


def test_an_application_comes_back_to_djangos_connection(
    conn: Connection, empty_dsn: str, django_dsn: str
) -> None:
    from symphony_pg.django import DjangoSymphony

    app = DjangoSymphony()
    home = app.dsn
    with app.moved(empty_dsn):
        assert app.dsn == empty_dsn
        with pytest.raises(NotInstalled):
            app.dispatch(SendEmail())
    assert app.dsn == home
    with transaction.atomic():
        message_id = app.dispatch(SendEmail())
        assert there(conn, message_id) == [False]
    assert there(conn, message_id) == [True]
