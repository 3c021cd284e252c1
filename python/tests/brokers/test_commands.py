"""The commands for transports that lead to brokers."""

import sys
from pathlib import Path

import pytest

from tests.brokers.bench import Bench
from tests.brokers.servers import Server
from tests.cli.helpers import Cli

FILE = """
[transports.orders]
dsn = "{dsn}"
destination = "{destination}"

[routing]
"*" = ["orders"]
"""
APP = """
from symphony_pg import Symphony
app = Symphony()

@app.handler("Pay")
def pay(body):
    with open("paid", "a") as paid:
        paid.write(f"{body}\\n")
"""


@pytest.fixture
def project(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application and its symphony.toml."""
    text = FILE.format(dsn=bench.server.dsn, destination=bench.destination)
    (tmp_path / "symphony.toml").write_text(text)
    (tmp_path / "broker_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broker_app", raising=False)
    return tmp_path


def test_a_project_is_set_up_and_works(bench: Bench, project: Path) -> None:
    cli = Cli(bench.dsn)
    cli.run("config", "check")
    cli.run("config", "apply", "--yes")
    assert "Nothing differs" in cli.run("config", "apply", "--dry-run").stdout
    assert "://" not in cli.run("--json", "transport", "list").stdout
    assert cli.json("transport", "setup", "orders")["waiting"] == 0
    for _ in range(2):  # the second probe is no copy of the first
        assert cli.json("transport", "test", "orders")["seconds"] < 10
    bench.client.enqueue("Pay", {"n": 1})
    assert "no relay" in cli.run("transport", "list").stdout
    assert cli.json("relay", "orders", "--drain")["orders"]["done"] == 1
    counts = cli.json("consume", "--app", "broker_app:app", "--transport", "orders", "--limit", "1")
    assert counts["done"] == 1
    assert (project / "paid").read_text() == "{'n': 1}\n"


def test_a_worker_relays_in_the_same_process(bench: Bench, project: Path) -> None:
    cli = Cli(bench.dsn)
    bench.client.enqueue("Pay", {"n": 1})
    worker = ("consume", "--app", "broker_app:app", "--transport", "orders", "--limit", "1")
    assert cli.json(*worker, "--relay", "orders")["done"] == 1
    bench.client.enqueue("Pay", {"n": 2})
    assert cli.json("consume", "--app", "broker_app:app", "--drain", "--relay-all")["done"] == 0
    assert cli.json(*worker)["done"] == 1
    assert (project / "paid").read_text() == "{'n': 1}\n{'n': 2}\n"
    assert "not both" in cli.run(*worker, "--relay-all", "--relay", "orders", exit_code=2).output
    assert "There are these: orders" in cli.run(*worker, "--relay", "nope", exit_code=1).output


def test_a_relay_that_cannot_go_on_ends_its_worker(bench: Bench, project: Path) -> None:
    cli = Cli(bench.dsn)
    bench.client.set_routes("*", [])
    bench.client.remove_transport("orders")
    bench.client.drop_queue("outbox/orders")
    worker = ("consume", "--app", "broker_app:app", "--relay", "orders")
    assert "outbox/orders" in cli.run(*worker, exit_code=1).output


def test_a_transport_that_is_nowhere_is_refused(bench: Bench, project: Path) -> None:
    cli = Cli(bench.dsn)
    assert "There are these: orders" in cli.run("relay", "nope", exit_code=1).output
    assert "or give --all" in cli.run("relay", exit_code=2).output
    options = ("--app", "broker_app:app", "--transport", "orders")
    assert "not both" in cli.run("consume", "default", *options, exit_code=2).output


def test_a_broker_that_is_not_there_is_named(bench: Bench, project: Path, server: Server) -> None:
    (project / "symphony.toml").write_text(
        FILE.format(dsn=server.nowhere, destination=bench.destination)
    )
    output = Cli(bench.dsn).run("transport", "setup", "orders", exit_code=1).output
    assert "is not reached" in output
    assert "secret" not in output


def test_a_library_that_is_missing_is_named(
    bench: Bench, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, bench.server.library, None)
    output = Cli(bench.dsn).run("relay", "orders", exit_code=1).output
    assert f"pip install 'symphony-pg[{bench.server.kind}]'" in output


@pytest.mark.parametrize(
    ("server", "written"),
    [
        ("redis", "redis://127.0.0.1:{port}/0?ssl_ca_cert=x"),
        ("redis", "redis://127.0.0.1:{port}/0?socket_timeout=x"),
        ("sqs", "sqs://eu-west-1?endpoint=127.0.0.1:{port}"),
        ("sqs", "sqs://?endpoint=http://127.0.0.1:{port}"),
    ],
    indirect=["server"],
)
def test_a_dsn_with_a_mistake_is_told(
    bench: Bench, project: Path, server: Server, written: str
) -> None:
    (project / "symphony.toml").write_text(
        FILE.format(dsn=written.format(port=server.port), destination=bench.destination)
    )
    output = Cli(bench.dsn).run("transport", "setup", "orders", exit_code=1).output
    assert "is not reached" in output
    assert "Traceback" not in output
