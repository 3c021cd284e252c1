"""No secret is stored or logged, whatever an error says."""

import re
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from symphony_pg import (
    Client,
    Envelope,
    PermanentError,
    Symphony,
    SyncTransport,
    events,
    logging_middleware,
)
from symphony_pg.redaction import SECRET_NAMES, without_secrets
from tests.helpers import ROOT
from tests.worker.helpers import Process, failing_app, run


def test_the_connection_string_never_appears(dsn: str, client: Client) -> None:
    client.enqueue("A")
    password = psycopg.conninfo.conninfo_to_dict(dsn)["password"]
    run(failing_app(dsn, PermanentError(f"cannot connect with {dsn!r} or {dsn}")))
    (failed,) = client.failed_messages()
    (event,) = client.message_history(failed.message_id)
    assert str(password) not in f"{failed} {event}"
    assert "dbname" not in failed.last_error
    assert failed.last_error.startswith("symphony_pg.PermanentError: cannot connect with ")


SECRETS = ("password=hunter2", "{'token': 'hunter2'}", "Authorization: Bearer hunter2")


@pytest.mark.parametrize("kind", ["retried", "failed", "snoozed", "settled"])
def test_no_secret_is_logged(
    dsn: str, client: Client, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level("INFO")
    heard: list[str] = []
    app = Symphony(dsn, sanitize=lambda text: text.replace("4711", "(card)"))
    password = str(psycopg.conninfo.conninfo_to_dict(dsn)["password"])
    texts = [*SECRETS, f"cannot connect with {dsn}", f"card 4711 token=hunter2 {dsn!r}"]
    permanent = [ValueError] if kind == "failed" else []

    @app.handler("A", permanent=permanent, snooze={ValueError: 60} if kind == "snoozed" else {})
    def handle(body: Any, context: Any) -> None:
        if kind == "settled":
            with context.transaction():
                pass
        raise ValueError(f"it broke: {texts[body]}")

    @app.on(events.Failed)
    def on_failed(event: events.Failed) -> None:
        heard.append(event.error)
        raise RuntimeError(event.error, dsn)

    @app.on(events.Retried)
    def on_retried(event: events.Retried) -> None:
        heard.append(event.error)

    app.middleware(logging_middleware())
    for number in range(len(texts)):
        client.enqueue("A", number)
    run(app)
    assert caplog.text.count("ValueError: it broke: ") == len(texts)
    assert len(heard) == (len(texts) if kind in ("failed", "retried") else 0)
    for secret in ("hunter2", password, "4711", dsn):
        assert secret not in f"{caplog.text} {heard}"


def test_the_output_of_a_worker_has_no_secrets(dsn: str, client: Client, tmp_path: Path) -> None:
    app = (
        "import os\nfrom symphony_pg import Symphony\napp = Symphony()\n"
        "@app.handler('A')\ndef handle(body):\n"
        "    raise ValueError('token=hunter2 at ' + os.environ['SYMPHONY_DSN'])\n"
    )
    client.enqueue("A")
    with Process(tmp_path, app, dsn, "--drain") as worker:
        assert worker.wait() == 0
    written = worker.log.read_text()
    password = psycopg.conninfo.conninfo_to_dict(dsn)["password"]
    assert "ValueError: token=[redacted]" in written
    assert "hunter2" not in written
    assert f"password={password}" not in written
    assert "dbname" not in written


@pytest.mark.parametrize(
    "nowhere",
    ["postgresql://ada:hunter2@127.0.0.1:1/shop", "postgresql://ada:hunt@er:hunter2@127.0.0.1:1/x"],
)
def test_a_worker_without_its_database_shows_no_password(tmp_path: Path, nowhere: str) -> None:
    app = (
        "from symphony_pg import Symphony\napp = Symphony()\napp.handler('A')(lambda body: None)\n"
    )
    with Process(tmp_path, app, nowhere) as worker:
        worker.until_written("no connection")
        worker.send(signal.SIGTERM)
        worker.wait()
    assert "cannot connect" in worker.log.read_text() or "failed" in worker.log.read_text()
    assert "hunter2" not in worker.log.read_text()


def test_without_a_database_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    transport = SyncTransport()
    app = Symphony(transport=transport, sanitize=lambda text: text.replace("4711", "(card)"))

    @app.handler("A")
    def handle(body: Any) -> None:
        raise ValueError(f"card 4711: {body}")

    for secret in SECRETS:
        transport.send([Envelope("A", secret)], None)
    assert "ValueError: card (card): password=[redacted]" in caplog.text
    assert "hunter2" not in caplog.text
    assert "4711" not in caplog.text
    assert len(transport.failed) == len(SECRETS)


def test_what_the_database_hides_is_cut_before_it_gets_there() -> None:
    """The names of keys are those of the SQL function; here is each case that its test has."""
    text = (ROOT / "sql/tests/failed/secrets_are_taken_out_of_errors.sql").read_text()
    assert SECRET_NAMES in "".join(
        re.findall("'([^']*)'", (ROOT / "sql/functions/claim/_sanitized.sql").read_text())
    )
    cases = text[text.index("insert into case_") : text.index("create temporary table plain")]
    given = [
        found[2].replace("''", "'").replace("\\n" if found[1] else "\0", "\n")
        for found in re.finditer(r"^    \((e?)'((?:[^']|'')*)',", cases, re.MULTILINE)
    ]
    assert sum("hunter2" in each for each in given) > 40
    assert [each for each in given if "hunter2" in without_secrets(each)] == []
    assert without_secrets("no such user: ada") == "no such user: ada"


def test_a_hook_takes_out_more(dsn: str, client: Client) -> None:
    message_id = client.enqueue("A")
    error = PermanentError("card 4711")
    run(failing_app(dsn, error, sanitize=lambda text: text.replace("4711", "(card)")))
    (event,) = client.message_history(message_id)
    assert event.error is not None
    assert event.error.endswith("card (card)")
    assert "4711" not in str(event.traceback)


@pytest.mark.parametrize(
    "broken", [lambda text: text[100_000], lambda text: None], ids=["raises", "no text"]
)
def test_a_broken_hook_loses_no_message_and_no_secret(
    dsn: str, client: Client, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    message_id = client.enqueue("A")
    run(failing_app(dsn, PermanentError("card 4711"), sanitize=broken))
    (event,) = client.message_history(message_id)
    assert event.error_class == "symphony_pg.PermanentError"
    assert "withheld" in str(event.error)
    assert event.traceback is None
    assert "4711" not in f"{event} {caplog.text}"
    assert "the sanitizer failed" in caplog.text
