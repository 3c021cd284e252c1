"""The commands that grant access, and tell who did what."""

import getpass
from collections.abc import Iterator
from typing import Any

import pytest

from symphony_pg import Client
from tests.cli.helpers import Cli
from tests.helpers import Connection

ROLE = "sy_cli_access"


@pytest.fixture
def role(conn: Connection) -> Iterator[str]:
    conn.execute(f"create role {ROLE}")
    yield ROLE
    conn.execute(f"drop owned by {ROLE}; drop role {ROLE}")


def test_access_is_granted_listed_and_revoked(cli: Cli, conn: Connection, role: str) -> None:
    Client(conn).create_queue("mail")
    assert "No role" in cli.run("access", "list").output
    granted = cli.json("access", "grant", role, "enqueuer", "--queue", "mail")
    assert granted == {"role_name": role, "access": "enqueuer", "queues": ["mail"]}
    assert "of mail" in cli.run("access", "grant", role, "enqueuer", "--queue", "mail").output
    (row,) = cli.json("access", "list")
    assert (row["queues"], row["state"]) == (["mail"], "granted")
    assert "does not exist" in cli.run("access", "grant", "nobody", "consumer", exit_code=1).output
    refused = cli.run("access", "grant", role, "operator", "--queue", "mail", exit_code=1)
    assert "for some queues" in refused.output
    assert f"{role}  enqueuer  mail    granted" in cli.run("access", "list").output
    cli.run("access", "revoke", role, "enqueuer")
    assert cli.json("access", "list") == []


def test_an_operator_is_told_who_may_grant(cli: Cli, conn: Connection, role: str) -> None:
    cli.run("access", "grant", role, "operator")
    as_operator = Cli(f"{cli.dsn} options='-c role={role}'")
    for verb in ("grant", "revoke"):
        output = as_operator.run("access", verb, role, "producer", exit_code=1).output
        assert "permission denied to" in output
        assert "HINT: Take that role: set role " in output


def waiting_access(cli: Cli) -> list[Any]:
    """Return what waits, as `db status` tells it."""
    incidents = cli.json("db", "status")["incidents"]
    return [each for each in incidents if each["code"] == "access_waits"]


def test_what_waits_is_told_and_restored(cli: Cli, conn: Connection, role: str) -> None:
    cli.run("access", "grant", role, "producer")
    assert waiting_access(cli) == []
    conn.execute(f"drop owned by {role}; drop role {role}; create role {role}")
    (waiting,) = waiting_access(cli)
    assert waiting["cause"] == "It waits: another role has this name now."
    assert "another role has this name" in cli.run("db", "status").output
    assert "symphony-pg access restore" in cli.run("access", "list").output
    upgraded = cli.run("db", "upgrade").output
    assert f"producer {role} waits: another role" in upgraded
    assert "symphony-pg access restore" in upgraded
    assert len(waiting_access(cli)) == 1
    assert [each["state"] for each in cli.json("access", "restore")] == ["granted"]
    assert "Nothing waits" in cli.run("access", "restore").output


def test_who_did_it_is_told(cli: Cli, conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.run("queue", "create", "mail")
    monkeypatch.setenv("SYMPHONY_ACTOR", "ada")
    cli.run("queue", "pause", "mail")
    Client(conn).resume_queue("mail")
    resumed, paused, created = cli.json("audit", "mail")
    assert (resumed["action"], resumed["actor"]) == ("resume_queue", None)
    assert (paused["action"], paused["actor"]) == ("pause_queue", "ada")
    assert created["actor"].startswith(f"{getpass.getuser()}@")
    assert paused["application"] == "symphony-pg"
    assert [each["action"] for each in cli.json("audit", "--actor", "ada")] == ["pause_queue"]
    shown = cli.run("audit", "mail", "--limit", "1").output
    assert f"More: --before {resumed['audit_id']}" in shown
    assert "Nothing was done" in cli.run("audit", "nowhere").output


def test_many_failed_messages_are_retried_by_somebody(
    cli: Cli, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(conn)
    client.enqueue("A")
    (claimed,) = client.claim_batch()
    client.nack_with_backoff(claimed.claim_id, claimed.message_id, "x", retryable=False)
    monkeypatch.setenv("SYMPHONY_ACTOR", "grace")
    cli.run("failed", "retry", "--all")
    (entry,) = cli.json("audit", "--action", "retry_failed")
    assert (entry["actor"], entry["affected"]) == ("grace", 1)
    assert conn.execute("select current_setting('symphony.actor', true)").fetchone() == (None,)


def test_who_paused_is_told_below_what_is_paused(
    cli: Cli, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(conn)
    client.create_queue("mail")
    client.create_transport("slow", queue_name="mail")
    client.heartbeat("w", ["mail"])
    cli.run("schedule", "add", "daily", "A", "--every", "1d")
    monkeypatch.setenv("SYMPHONY_ACTOR", "ada@web1")
    looks = {
        "mail: paused": [["stats"], ["stats", "mail"], ["queue", "list"]],
        "slow: disabled": [["transport", "list"]],
        "daily: paused": [["schedule", "list"]],
        "w: asked to pause": [["workers", "list"]],
    }
    for commands in looks.values():
        for command in commands:
            assert " since " not in cli.run(*command).output
    cli.run("queue", "pause", "mail")
    cli.run("transport", "disable", "slow")
    cli.run("schedule", "pause", "daily")
    cli.run("workers", "pause", "w")
    for line, commands in looks.items():
        for command in commands:
            output = cli.run(*command).output
            assert f"{line} since " in output
            assert " by postgres (ada@web1)." in output
    assert "postgres (ada@web1)" in cli.run("schedule", "show", "daily").output
    assert "postgres (ada@web1)" in cli.run("queue", "show", "mail").output
    (mail,) = (row for row in cli.json("queue", "list") if row["queue_name"] == "mail")
    assert (mail["paused"], mail["paused_by"]) == (True, "postgres (ada@web1)")
