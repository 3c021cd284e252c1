"""What the end points tell, and that it is what the database knows."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from starlette.routing import Route

from symphony_pg import Client, Symphony
from symphony_pg.http import create_app, openapi
from symphony_pg.http.figures import Cached
from tests.helpers import Connection, fail, one
from tests.http.helpers import SECRET, TOKENS, VIEWER, bearer, serving

ROOT = "/api/symphony"


def get(app: Symphony, path: str, **options: Any) -> Any:
    with serving(app, **options) as client:
        answer = client.get(f"{ROOT}/{path}", headers=bearer(VIEWER))
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_how_full_the_queues_are(app: Symphony, client: Client) -> None:
    client.create_queue("mail")
    client.enqueue_batch([{"message_type": "A"}] * 3)
    client.enqueue("A", queue_name="mail")
    client.claim_batch(["mail"])
    fail_one = fail(client, 1)
    assert fail_one
    client.enqueue_batch([{"message_type": "A"}] * 2)
    rows = {each.pop("queue"): each for each in get(app, "queue-depth")["queues"]}
    assert rows["mail"]["processing"] == 1
    assert (rows["default"]["pending"], rows["default"]["failed"]) == (2, 4)
    assert rows["default"]["oldest_age"] >= 0 and rows["mail"]["oldest_age"] is None
    assert [each["queue"] for each in get(app, "queue-depth?queue=mail")["queues"]] == ["mail"]


def test_what_has_failed(app: Symphony, client: Client) -> None:
    fail(client, 2, "A", "Boom")
    fail(client, 1, "B", "Bang")
    groups = get(app, "failed")["groups"]
    assert [(each["type"], each["error_class"], each["messages"]) for each in groups] == [
        ("A", "Boom", 2),
        ("B", "Bang", 1),
    ]
    assert datetime.fromisoformat(groups[0]["newest_at"]).tzinfo is not None
    assert "it broke" not in str(groups)
    assert [each["messages"] for each in get(app, "failed?type=B&queue=default")["groups"]] == [1]
    assert get(app, "failed?error_class=Other")["groups"] == []


def test_status(app: Symphony, conn: Connection) -> None:
    def status(*tokens: str) -> tuple[int, Any]:
        with serving(app) as client:  # each has read nothing yet
            headers = bearer(tokens[0]) if tokens else {}
            answer = client.get(f"{ROOT}/status", headers=headers)
            return answer.status_code, answer.json()

    assert status() == (503, {"status": "down"})  # nothing has ever ticked
    Client(conn).tick()
    assert status() == (200, {"status": "ok"})
    code, told = status(VIEWER)
    assert (code, told["status"], told["transports_down"]) == (200, "ok", [])
    assert told["schema_version"] == Client(conn).version()
    assert 0 <= told["last_tick_age"] < 10
    Client(conn).create_transport("mail")
    Client(conn).disable_transport("mail")
    assert status() == (200, {"status": "degraded"})
    assert status(VIEWER)[1]["transports_down"] == ["mail"]
    assert "Transport" in str([each["sentence"] for each in status(VIEWER)[1]["incidents"]])
    conn.execute("update symphony.tick set ticked_at = ticked_at - interval '31 seconds'")
    assert status() == (503, {"status": "down"})
    assert status("x" * 20)[0] == 401
    assert status(SECRET)[0] == 403


def test_status_of_another_version(app: Symphony, conn: Connection) -> None:
    Client(conn).tick()
    conn.execute(
        "create or replace function symphony.version() returns text language sql stable as "
        "$$ select '9.9.9' $$"
    )
    with serving(app) as client:
        answer = client.get(f"{ROOT}/status", headers=bearer(VIEWER))
        assert answer.status_code == 503
        assert answer.json()["code"] == "SY090"


def test_live_touches_nothing(app: Symphony) -> None:
    assert get(app, "live") == {"status": "ok"}


def test_the_description_has_every_route_and_no_other(app: Symphony) -> None:
    for path, cron_path in ((ROOT, "/api/cron/symphony-worker"), ("", "/cron"), ("/q", "")):
        api = create_app(app, **TOKENS, path=path, cron_path=cron_path, dashboard_path=None)
        routes = {
            (route.path, method.lower())
            for route in api.routes
            if isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD"}
        }
        described = openapi.document(path, cron_path)
        assert routes == {
            (path, method) for path, each in described["paths"].items() for method in each
        }
        assert described["openapi"].startswith("3.1")


def test_answers_are_as_described(app: Symphony, client: Client) -> None:
    """Each answer has the members that the description requires, and no others."""
    client.tick()
    fail(client)
    client.pause_queue("default")
    described = openapi.document(ROOT, "/cron")
    schemas = described["components"]["schemas"]
    with serving(app) as http:
        answers = {
            "Status": http.get(f"{ROOT}/status").json(),
            "Details": (details := http.get(f"{ROOT}/status", headers=bearer(VIEWER)).json()),
            "Incident": details["incidents"][0],
            "Depth": http.get(f"{ROOT}/queue-depth", headers=bearer(VIEWER)).json()["queues"][0],
            "Group": http.get(f"{ROOT}/failed", headers=bearer(VIEWER)).json()["groups"][0],
            "Work": http.post(f"{ROOT}/worker?seconds=5", headers=bearer(SECRET)).json(),
            "Problem": http.get(f"{ROOT}/failed").json(),
        }
        assert http.get(f"{ROOT}/openapi.json", headers=bearer(VIEWER)).json() == {
            **described,
            "servers": [{"url": "/"}],
            "paths": {
                path.replace("/cron", "/api/cron/symphony-worker") if path == "/cron" else path: of
                for path, of in described["paths"].items()
            },
        }
    for name, answer in answers.items():
        assert {*schemas[name]["required"]} <= {*answer} <= {*schemas[name]["properties"]}, name
    assert {*re.findall(r"#/components/schemas/(\w+)", str(described))} == {*schemas}


async def test_many_that_ask_at_a_time_are_one_read() -> None:
    reads = 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.05)
        if reads == 2:
            raise ValueError
        return reads

    cached = Cached(read, 0.2)
    assert await asyncio.gather(*(cached.get() for _ in range(5))) == [1] * 5
    assert await cached.get() == 1
    await asyncio.sleep(0.3)
    with pytest.raises(ValueError):
        await cached.get()
    await asyncio.sleep(0.3)
    assert await cached.get() == 3


def test_many_at_a_time_share_two_connections(app: Symphony, conn: Connection) -> None:
    sessions = "select count(*) from pg_stat_activity where application_name = 'symphony-pg'"
    with serving(app) as client, ThreadPoolExecutor(20) as threads:

        def ask(path: str) -> int:
            return int(client.get(f"{ROOT}/{path}", headers=bearer(VIEWER)).status_code)

        assert {*threads.map(ask, ["queue-depth", "failed", "metrics"] * 20)} == {200}
        assert one(conn, sessions) <= 2
