"""The worker end point: it works off a backlog, ends in time, and loses nothing."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from symphony_pg import Client, Snooze, Symphony
from symphony_pg.http import create_app
from tests.helpers import KINDS, Connection, Job, jobs, known, one, wait_until
from tests.http.helpers import SECRET, TOKENS, VIEWER, WORKER, bearer, serving
from tests.proxy import proxy_to

SLACK = 1.0


def drain(client: TestClient, query: str = "") -> dict[str, Any]:
    answer = client.post(f"{WORKER}{query}", headers=bearer(SECRET))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def handles(app: Symphony, kind: str, work: Callable[[], float]) -> None:
    """Let a handler of a kind take so long."""
    if kind == "sync":
        app.handler(Job)(lambda job: time.sleep(work()))
    else:

        async def handle(job: Job) -> None:
            await asyncio.sleep(work())

        app.handler(Job)(handle)


def there(conn: Connection) -> int:
    """Count the messages that are not done, wherever they are."""
    return sum(
        each.pending + each.delayed + each.processing + each.failed
        for each in Client(conn).queue_stats()
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [WORKER, "/api/cron/symphony-worker"])
def test_what_is_there_is_worked_off(
    app: Symphony, conn: Connection, method: str, path: str
) -> None:
    app.handler(Job)(lambda job: 1 / job.n)
    app.dispatch_many(jobs(4))
    app.dispatch(Job(9), delay=3600)
    with serving(app) as client:
        answer = client.request(method, path, headers=bearer(SECRET)).json()
    assert answer.pop("seconds") < 10
    assert answer == {
        "claimed": 4,
        "done": 3,
        "retried": 1,
        "failed": 0,
        "snoozed": 0,
        "released": 0,
        "remaining": 0,
    }


def test_it_ticks_and_declares_schedules(app: Symphony, conn: Connection) -> None:
    seen: list[Job] = []
    app.handler(Job)(seen.append)
    app.dispatch(Job(), delay=0.01)
    time.sleep(0.05)
    with serving(app) as client:
        assert drain(client)["done"] == 1
        assert client.post("/api/symphony/tick", headers=bearer(SECRET)).json()["ran"] in (
            True,
            False,
        )
    assert one(conn, "select count(*) from symphony.tick") >= 1


def test_queues_and_limit(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    for name in ("mail", "bulk"):
        Client(conn).create_queue(name)
    for name in ("default", "mail", "bulk"):
        app.dispatch_many(jobs(3), queue=name)
    with serving(app, queues=["mail"]) as client:
        assert (found := drain(client, "?limit=2"))["done"] == 2
        assert found["remaining"] == 1
        assert drain(client, "?queues=default,bulk&limit=4")["remaining"] == 2
        assert drain(client, "?queues=*")["done"] == 3
    assert there(conn) == 0


@KINDS
def test_it_ends_in_time_under_a_backlog_with_slow_handlers(
    app: Symphony, conn: Connection, kind: str
) -> None:
    handles(app, kind, lambda: 0.4)
    count = 10_000
    app.dispatch_many(jobs(count))
    with serving(app) as client:
        began = time.monotonic()
        found = drain(client, "?seconds=5")
        took = time.monotonic() - began
    assert took < 5 + SLACK
    assert found["done"] >= 4
    assert (found["retried"], found["failed"]) == (0, 0)
    assert found["remaining"] == count - found["done"] == there(conn)


@KINDS
def test_it_ends_in_time_though_its_handlers_do_not(
    app: Symphony, conn: Connection, kind: str
) -> None:
    until = threading.Event()
    if kind == "sync":
        app.handler(Job)(lambda job: until.wait(30))
    else:

        async def handle(job: Job) -> None:
            await asyncio.sleep(30)

        app.handler(Job)(handle)
    ids = app.dispatch_many(jobs(20))
    try:
        with serving(app) as client:
            began = time.monotonic()
            found = drain(client, "?seconds=4")
            assert time.monotonic() - began < 4 + SLACK
            assert (found["done"], found["retried"]) == (0, 4)
            assert there(conn) == len(ids)
            assert known(conn, ids[0]).last_error.startswith("the worker was stopped")  # type: ignore[union-attr]
            assert {known(conn, each).attempt for each in ids[4:]} == {0}  # these were given back
    finally:
        until.set()


def test_a_second_request_is_told_that_one_is_running(app: Symphony, conn: Connection) -> None:
    until = threading.Event()
    app.handler(Job)(lambda job: until.wait(10))
    app.dispatch(Job())
    answers: list[dict[str, Any]] = []
    with serving(app) as client:
        first = threading.Thread(target=lambda: answers.append(drain(client)))
        first.start()
        processing = "select processing = 1 from symphony.queue_stats('default')"
        wait_until(lambda: one(conn, processing), "the handler")
        assert drain(client) == {"busy": True}
        until.set()
        first.join()
        assert answers[0]["done"] == 1
        assert drain(client)["done"] == 0


def test_two_processes_share_the_work(app: Symphony, dsn: str, conn: Connection) -> None:
    """Leases make it safe that several are called at once: here, two applications."""
    seen: list[int] = []
    other = Symphony(dsn)
    for each in (app, other):
        each.handler(Job)(lambda job: seen.append(job.n))
    app.dispatch_many(jobs(2000))
    found: list[int] = []

    def work(served: Symphony) -> None:
        with serving(served) as client:
            found.append(drain(client)["done"])

    threads = [threading.Thread(target=work, args=[each]) for each in (app, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert (sum(found), sorted(seen), there(conn)) == (2000, list(range(2000)), 0)


def test_what_is_snoozed_is_told(app: Symphony) -> None:
    def handle(job: Job) -> None:
        raise Snooze(60)

    app.handler(Job)(handle)
    app.dispatch(Job())
    with serving(app) as client:
        found = drain(client)
    assert (found["snoozed"], found["retried"], found["remaining"]) == (1, 0, 0)


def test_stop_ends_what_runs(app: Symphony, conn: Connection) -> None:
    handles(app, "sync", lambda: 0.1)
    app.dispatch_many(jobs(200))
    api = create_app(app, **TOKENS)
    with TestClient(api) as client:
        threading.Timer(1, api.state.stop).start()
        began = time.monotonic()
        found = drain(client)
    assert time.monotonic() - began < 5
    assert 0 < found["done"] < 200
    assert there(conn) == 200 - found["done"]


def test_it_answers_in_time_though_the_network_is_silent(dsn: str, conn: Connection) -> None:
    Client(conn).configure_queue("default", lease=timedelta(seconds=3))
    with proxy_to(dsn) as proxy:
        app = Symphony(proxy.dsn)
        seen: list[int] = []

        @app.handler(Job)
        def handle(job: Job) -> None:
            if not seen:
                proxy.refuses_news = True
                proxy.silence()
            seen.append(job.n)

        Client(conn).enqueue_batch([{"message_type": "Job", "body": {"n": n}} for n in range(5)])
        with serving(app) as client:
            depth = client.get("/api/symphony/queue-depth", headers=bearer(VIEWER))
            assert depth.status_code == 200  # what looks has a connection, too
            began = time.monotonic()
            found = drain(client, "?seconds=3")
            assert time.monotonic() - began < 3 + SLACK
            assert (found["done"], found["remaining"]) == (0, None)
            assert drain(client, "?seconds=3") in ({"busy": True}, found)
            status = client.get("/api/symphony/status")
            assert status.status_code == 503
        proxy.clear()
        app.close()
    drained = "select pending + processing + delayed = 0 from symphony.queue_stats('default')"
    again = Symphony(dsn)
    again.handler(Job)(lambda job: None)
    with serving(again) as client:
        wait_until(lambda: drain(client, "?seconds=3") and one(conn, drained), "the leases", 30)
    again.close()


def test_nothing_grows_with_each_request(app: Symphony, conn: Connection) -> None:
    app.handler(Job)(lambda job: None)
    sessions = "select count(*) from pg_stat_activity where datname = current_database()"
    with serving(app) as client:

        def left() -> tuple[int, int, int]:
            for _ in range(10):
                app.dispatch(Job())
                assert drain(client)["done"] == 1
            return threading.active_count(), one(conn, sessions), len(app.bus.around("handle"))

        first = left()
        assert left() <= first
    assert one(conn, "select count(*) from symphony.worker") == 0
