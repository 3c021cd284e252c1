"""The worked example: two services with databases of their own, and RabbitMQ between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from tests.brokers.servers import Server
from tests.helpers import ROOT, Connection, one, wait_until

SERVICES = ROOT / "examples" / "services"
COUNT = "select count(*), count(distinct order_id) from letters"


def run(service: str, environment: Mapping[str, str], *command: str) -> str:
    """Run a command in the folder of a service."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=SERVICES / service,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("server", ["rabbitmq"], indirect=True)
def test_two_services_work_together(
    server: Server, dsn: str, conn: Connection, empty_dsn: str, tmp_path: Path
) -> None:
    command = ("-m", "symphony_pg.cli")
    shop = {"SYMPHONY_DSN": dsn, "SYMPHONY_RABBITMQ_DSN": server.dsn}
    mail = {**shop, "SYMPHONY_DSN": empty_dsn}
    run("mail", mail, *command, "db", "install")
    with psycopg.connect(empty_dsn, autocommit=True) as theirs, (tmp_path / "log").open("w") as log:
        (create,) = [
            line.partition('"')[2].rpartition('"')[0]
            for line in (SERVICES / "README.md").read_text().splitlines()
            if line.startswith("psql -c")
        ]
        theirs.execute(create)
        for service, environment in (("shop", shop), ("mail", mail)):
            run(service, environment, *command, "config", "apply", "--yes")
        assert "10 orders" in run("shop", shop, "shop.py")
        run("shop", shop, *command, "relay", "orders", "--drain")
        worker = subprocess.Popen(
            [
                *(sys.executable, *command, "consume", "--app", "mail:app"),
                *("--transport", "orders", "--relay", "orders"),
            ],
            cwd=SERVICES / "mail",
            env={**os.environ, **mail},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: one(theirs, COUNT) == (10, 10), tmp_path / "log", 30)
        finally:
            worker.terminate()
            worker.wait(30)
        assert one(theirs, "select count(*) from symphony.failed_message") == 0
        assert one(theirs, "select count(*) from symphony.attempt") == 2
    assert one(conn, "select count(*) from symphony.failed_message") == 0
