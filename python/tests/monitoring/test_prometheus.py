"""Metrics: of the database and of each worker, as Prometheus's own parser reads them."""

import asyncio
import json
import re
import threading
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from symphony_pg import BadArgument, Client, PermanentError, Symphony, Worker
from symphony_pg.database.functions.figures import Sample
from symphony_pg.events import Lost
from symphony_pg.http import figures
from symphony_pg.monitoring.pages import Page, serving
from symphony_pg.monitoring.prometheus import FAMILIES, Exposition, WorkerMetrics
from tests.helpers import ROOT, Connection, Job, fail
from tests.http.helpers import VIEWER, bearer
from tests.http.helpers import serving as serving_app
from tests.worker.helpers import run

Labels = dict[str, str]
# A scrape of Prometheus asks for this.
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
PARSERS: Any = {
    "text/plain": parser.text_string_to_metric_families,
    "application/openmetrics-text": openmetrics.text_string_to_metric_families,
}
ACCEPTS = pytest.mark.parametrize("accept", ["", OPENMETRICS])


def parsed(text: bytes, kind: str) -> dict[tuple[str, frozenset[Any]], float]:
    """Return samples by name and labels, as the parser of their format reads them."""
    families = list(PARSERS[kind.partition(";")[0]](text.decode()))
    assert len({each.name for each in families}) == len(families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for each in families
        for sample in each.samples
    }


def value(samples: Any, name: str, **labels: str) -> float:
    found: float = samples[name, frozenset(labels.items())]
    return found


def of_database(client: Client, accept: str = "") -> Any:
    return parsed(*Exposition().of(client.metrics(), accept))


@ACCEPTS
def test_the_metrics_of_the_database(client: Client, conn: Connection, accept: str) -> None:
    client.create_queue("mail")
    client.pause_queue("mail")
    client.create_transport("sms", queue_name="mail")
    client.disable_transport("sms")
    client.create_transport("orders", "rabbitmq")
    client.enqueue("A", queue_name="outbox/orders")
    client.create_schedule("report", "A", "interval", {"every": "1 hour"})
    client.heartbeat("w1", ["default", "mail"])
    fail(client, 2)
    client.enqueue_batch([{"message_type": "A"}] * 3)
    client.tick()
    found = of_database(client, accept)
    assert value(found, "symphony_queue_messages", queue="default", state="pending") == 3
    assert value(found, "symphony_queue_messages", queue="default", state="failed") == 2
    assert value(found, "symphony_queue_oldest_pending_age_seconds", queue="default") >= 0
    assert value(found, "symphony_queue_oldest_pending_age_seconds", queue="mail") == 0
    assert value(found, "symphony_queue_paused", queue="mail") == 1
    assert value(found, "symphony_queue_failed_total", queue="default") == 2
    assert value(found, "symphony_queue_wait_seconds_bucket", queue="default", le="+Inf") == 2
    assert value(found, "symphony_queue_wait_seconds_count", queue="default") == 2
    assert value(found, "symphony_transport_disabled", transport="sms") == 1
    assert value(found, "symphony_transport_up", transport="orders") == 0
    assert value(found, "symphony_transport_pending_messages", transport="orders") == 1
    assert value(found, "symphony_transport_forwarded_total", transport="orders") == 0
    assert value(found, "symphony_workers", queue="mail", state="idle") == 1
    assert value(found, "symphony_scrape_errors_total") == 0
    assert value(found, "symphony_build_info", version="0.1.0", schema_version="0.1.0") == 1
    now = conn.execute("select extract(epoch from now())::float8").fetchone()
    assert now is not None
    assert abs(value(found, "symphony_last_tick_timestamp_seconds") - now[0]) < 10
    runs_at = value(found, "symphony_schedule_next_run_timestamp_seconds", schedule="report")
    assert 3000 < runs_at - now[0] < 3700


def test_every_metric_has_its_family_and_a_look_is_one_query(client: Client) -> None:
    client.create_transport("sms")
    client.create_transport("orders", "rabbitmq")
    client.create_schedule("report", "A", "interval", {"every": "1 hour"})
    client.heartbeat("w1", ["default"])
    client.tick()
    text, kind = Exposition().of(client.metrics(), "")
    families = {each.name for each in parser.text_string_to_metric_families(text.decode())}
    assert families == {*FAMILIES}, kind
    with pytest.raises(KeyError):
        Exposition().of([Sample("symphony_unheard_of", {}, 1)], "")


def test_names_that_need_quoting(client: Client, conn: Connection) -> None:
    name = 'back\\slash "quote" and\nline'
    client.create_schedule(name, "A", "interval", {"every": "1 hour"})
    found = of_database(client)
    assert value(found, "symphony_schedule_next_run_timestamp_seconds", schedule=name) > 0


def test_errors_of_scrapes_are_counted(
    app: Symphony, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures.Cached.__init__, "__defaults__", (0.0,))
    with serving_app(app) as http:

        def scrape() -> Any:
            return http.get("/api/symphony/metrics", headers=bearer(VIEWER))

        conn.execute("alter function symphony.metrics() rename to away")
        assert scrape().status_code == scrape().status_code == 503
        conn.execute("alter function symphony.away() rename to metrics")
        answer = scrape()
    samples = parsed(answer.content, answer.headers["content-type"])
    assert value(samples, "symphony_scrape_errors_total") == 2


@ACCEPTS
def test_the_metrics_of_a_worker(app: Symphony, conn: Connection, accept: str) -> None:
    Client(conn).configure_queue("default", retry_delay=timedelta(0))
    metrics = WorkerMetrics(app)
    tried: list[int] = []

    def handle(job: Job) -> None:
        tried.append(job.n)
        if job.n == 1 and tried.count(1) == 1:
            raise KeyError
        if job.n == 2:
            raise PermanentError

    app.handler(Job)(handle)
    app.handler(Job, name="audit")(lambda job: None)
    worker = Worker(app, drain=True, concurrency=3)
    metrics.watch(worker)
    assert value(parsed(*metrics.page(accept)), "symphony_worker_slots", state="idle") == 3
    for n in (0, 1, 2):
        Client(conn).enqueue("Job", {"n": n}, headers={"handler": "default"})
    Client(conn).enqueue("Job", {"n": 0}, headers={"handler": "audit"})
    Client(conn).enqueue("Unknown", headers={})
    asyncio.run(worker.run())
    found = parsed(*metrics.page(accept))
    of = {"message_type": "Job", "handler": "default"}
    outcomes = {
        outcome: value(found, "symphony_handled_messages_total", outcome=outcome, **of)
        for outcome in ("done", "retried", "failed")
    }
    assert outcomes == {"done": 2, "retried": 1, "failed": 1}
    assert value(found, "symphony_handler_duration_seconds_count", **of) == 4
    of["handler"] = "audit"
    assert value(found, "symphony_handled_messages_total", outcome="done", **of) == 1
    assert value(found, "symphony_worker_messages_total", outcome="done") == 3
    assert not any("Unknown" in str(each) for each in found)
    assert any(name.startswith("python_") for name, _ in found)  # and what the process registers


def test_a_lost_lease_is_counted(app: Symphony, conn: Connection) -> None:
    metrics = WorkerMetrics(app)
    seen: list[Lost] = []
    Client(conn).configure_queue("default", lease=timedelta(seconds=1))
    end = "update symphony.claim set lease_until = now() - interval '1 hour' where open_ids <> '{}'"

    def handle(job: Job) -> None:
        conn.execute(end)
        Client(conn).tick()
        for _ in range(40):
            if seen:
                return
            threading.Event().wait(0.05)

    app.on(Lost)(seen.append)
    app.handler(Job)(handle)
    app.dispatch(Job())
    run(app, limit=1, tick=False)
    (lost,) = seen
    assert lost.queue_name == "default"
    found = parsed(*metrics.page())
    assert value(found, "symphony_leases_lost_total", queue="default") == 1


def test_the_dashboard_shows_what_there_is(app: Symphony, conn: Connection) -> None:
    """docs/grafana.json asks for metrics and labels that exist, and for most of them."""
    client = Client(conn)
    client.create_transport("sms")
    client.create_transport("orders", "rabbitmq")
    client.create_schedule("report", "A", "interval", {"every": "1 hour"})
    client.heartbeat("w1", ["default"])
    client.tick()
    metrics = WorkerMetrics(app)
    app.handler(Job)(lambda job: None)
    app.dispatch(Job())
    worker = Worker(app, drain=True)
    metrics.watch(worker)
    asyncio.run(worker.run())
    metrics._lost.labels("default").inc(0)
    known: dict[str, set[str]] = {}
    for (name, labels), _ in {**of_database(client), **parsed(*metrics.page())}.items():
        known.setdefault(name, set()).update(dict(labels))
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text())
    expressions = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
    ]
    expressions += [
        each["query"]["query"] if isinstance(each["query"], dict) else each["query"]
        for each in dashboard["templating"]["list"]
        if each["type"] == "query"
    ]
    expressions += re.findall(
        r"`(?:.*?)(symphony_[^`]*)`", (ROOT / "docs/monitoring.md").read_text()
    )
    assert len(expressions) > 15
    asked: set[str] = set()
    for expression in expressions:
        for name, labels in re.findall(r"\b(symphony_\w+)(?:\{([^}]*)\})?", expression):
            assert {name, f"{name}_bucket"} & {*known}, expression
            asked.add(name)
            used = re.findall(r"(\w+) *=", labels) + re.findall(r"by \(([\w, ]+)\)", expression)
            for label in ", ".join(used).split(", "):
                names = set().union(*(known.get(each, set()) for each in _names(expression)))
                assert label in names | {"", "instance", "job"}, expression
    families = {re.sub("_(total|bucket|sum|count)$", "", each) for each in asked}
    assert families >= {*FAMILIES} - {"symphony_build_info"}


def _names(expression: str) -> list[str]:
    return re.findall(r"\bsymphony_\w+", expression)


def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> Page:
        raise RuntimeError("password")

    pages = {"/a": lambda accept: Page(200, "text/plain", accept.encode()), "/b": broken}
    with serving("127.0.0.1", 0, pages) as port:
        url = f"http://127.0.0.1:{port}"
        asked = urllib.request.Request(f"{url}/a?x=1", headers={"Accept": "x/y"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.read() == b"x/y"
        for path, status in (("/b", 500), ("/c", 404)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url + path)
            with caught.value as error:
                assert error.code == status
                assert b"password" not in error.read()
        with pytest.raises(BadArgument, match="cannot listen"), serving("127.0.0.1", port, pages):
            pass
