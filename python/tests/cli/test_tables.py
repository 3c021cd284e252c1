"""Every table of the command line, over a database with long names: each fits 80 columns.

`pytest -s` shows them.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest

from symphony_pg import Client
from symphony_pg.cli import main
from symphony_pg.cli.cells import width_of
from tests.cli.helpers import Cli

TOML = """\
[transports.invoices]
dsn = "postgresql:///billing"
queue = "invoices-eu-west"
priority = 7

[routing]
"billing.*" = ["invoices", { transport = "invoices", handler = "audit-trail" }]

[retry."billing.CreateInvoice"]
max_retries = 5
delay = "2s"
permanent = ["billing.errors.CardRefused", "smtplib.SMTPRecipientsRefused"]
"""
TABLES = [
    ("queue", "list"),
    ("queue", "show", "default"),
    ("access", "list"),
    ("audit",),
    ("message", "list"),
    ("message", "errors"),
    ("stats",),
    ("workers", "list"),
    ("transport", "list"),
    ("route", "list"),
    ("route", "show", "billing.CreateInvoice"),
    ("policy", "list"),
    ("policy", "show", "billing.CreateInvoice"),
    ("schedule", "list"),
    ("schedule", "show", "nightly-report-of-invoices"),
    ("key", "list"),
    ("failed", "list"),
    ("failed", "stats"),
    ("config", "apply", "--dry-run"),
]


@pytest.fixture
def cli(
    cli: Cli, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_utc: None
) -> Cli:
    """Commands over a database in which there is something of everything."""
    monkeypatch.chdir(tmp_path)
    _fill_routes(client)
    _fill_schedules(client)
    _fill_messages(client)
    (tmp_path / "symphony.toml").write_text(TOML)
    return cli


def _fill_routes(client: Client) -> None:
    client.create_queue("invoices-eu-west", retry_max_delay=timedelta(minutes=5))
    client.create_queue("mail")
    client.create_transport("invoices", "postgres", "invoices-eu-west", 7)
    client.create_transport("audit-trail-of-everything", "postgres", "default", 2)
    client.set_routes(
        "billing.*", ["invoices", {"transport": "audit-trail-of-everything", "handler": "auditor"}]
    )
    client.set_routes("billing.reports.MonthlyStatement", ["invoices"])
    client.sync_handlers("billing.CreateInvoice", ["default", "auditor"])
    client.disable_transport("audit-trail-of-everything")
    client.set_retry_policy(
        "billing.CreateInvoice",
        max_attempts=6,
        delay=timedelta(seconds=2),
        permanent_errors=["billing.errors.CardRefused"],
        transient_errors=["billing.errors.BankIsBusy"],
        retry_after_errors={"requests.exceptions.ConnectionError": 60},
        snooze_errors={"billing.errors.BankIsClosed": 3600},
    )


def _fill_schedules(client: Client) -> None:
    for name, zone, expression in (
        ("nightly-report-of-invoices", "America/Argentina/Buenos_Aires", "30 2 * * mon-fri"),
        ("monthly-statement", "Europe/Paris", "0 6 L * *"),
        ("poll", "UTC", "*/15 * * * *"),
    ):
        client.create_schedule(
            name, "billing.reports.Nightly", "cron", {"expression": expression}, timezone=zone
        )
    client.pause_schedule("poll")
    client.create_queue("gone")
    client.create_schedule(
        "broken", "A", "cron", {"expression": "* * * * * *"}, queue_name="gone", catch_up="last"
    )
    client.drop_queue("gone")
    client.conn.execute(
        'update symphony.schedule set enabled = false, last_error = \'SY001: queue "gone" does not '
        "exist' where schedule_name = 'broken'"
    )
    client.create_schedule("launch", "Launch", "once", {"at": "2099-01-31 08:00"})
    client.run_schedule_now("nightly-report-of-invoices")


def _fill_messages(client: Client) -> None:
    for queue, error_class, error in (
        ("invoices-eu-west", "requests.exceptions.ConnectionError", "the bank's server at "),
        ("mail", "SMTPRecipientsRefused", "550 5.1.1 no such user here: nobody@"),
    ):
        client.enqueue_batch([{"message_type": "billing.CreateInvoice", "queue_name": queue}] * 2)
        for each in client.claim_batch([queue], worker="web1"):
            client.nack_with_backoff(
                each.claim_id,
                each.message_id,
                f"{error_class}: {error}payments.example.com did not answer\nand more",
                error_class,
                retryable=False,
            )
    worker = "web1.eu-west.example.com:4711:9f3a"
    client.enqueue_batch([{"message_type": "billing.CreateInvoice", "queue_name": "mail"}] * 1500)
    claimed = client.claim_batch(["mail"], 3, worker)
    running = [{"message_id": each.message_id, "seconds": 75} for each in claimed]
    told = {"host": "web1.eu-west.example.com", "pid": 4711, "done": 123456, "retried": 1234}
    told |= {"failed": 12, "memory": 150 << 20, "running": running}
    client.heartbeat(worker, ["invoices-eu-west", "mail", "default"], told)
    client.heartbeat("w2", ["default"], {"host": "db1", "pid": 7, "done": 0})
    client.request_workers("pause", ["w2"])
    client.pause_queue("invoices-eu-west")
    _fill_keys(client, worker)
    client.tick()


def _fill_keys(client: Client, worker: str) -> None:
    client.create_queue("deposits-of-customers", ordered=True)
    for customer in ("a2f41c9e-6d0b-4d1e-9a55-customer", "ada@example.com"):
        for _ in range(3):
            client.enqueue("Deposit", queue_name="deposits-of-customers", group_key=customer)
    in_hand, *_ = client.claim_batch(["deposits-of-customers"], 1, worker)
    head, *_ = client.claim_batch(["deposits-of-customers"], 1, worker)
    client.nack_with_backoff(head.claim_id, head.message_id, "not yet")
    assert in_hand.group_key != head.group_key


def tables(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands that show a table."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from tables(command, *path, name)
        elif any("--wide" in each.opts for each in command.params):
            yield (*path, name)


def test_every_table_fits(cli: Cli) -> None:
    shown = set()
    for command in TABLES:
        text = cli.run(*command).output
        print(f"\n$ symphony-pg {' '.join(command)}\n{text.rstrip()}")
        table = (
            text.split("\n\n")[1] if command[1:2] == ("show",) and command[0] != "policy" else text
        )
        assert max(map(width_of, table.splitlines())) <= 80, text
        wide = cli.run(*command, "--wide").output
        assert "…" not in wide
        shown |= {command[:n] for n in (1, 2)}
    assert {*tables(main)} <= shown
