"""The configuration that the project began with, and the same with `email` moved to RabbitMQ."""

import sys
from pathlib import Path

import pytest

from symphony_pg import Client
from tests.brokers.servers import Server
from tests.cli.helpers import Cli
from tests.helpers import Connection

FILE = """\
[transports]
default = "postgres"
sync = "sync"
async = {{ type = "postgres", queue = "async" }}
email = {{ {email}, priority = 7 }}

[routing]
EmailMessage = ["email"]
CampaignMessage = ["async"]
SMSMessage = ["async"]

[retry.default]
max_retries = 3
delay = "10ms"
multiplier = 2.0
max_delay = "30s"

[retry.EmailMessage]
max_retries = 5
delay = "20ms"
multiplier = 2.0
max_delay = "60s"

[worker]
batch_size = 10
max_concurrency = 5
poll_interval = "1s"
"""
APP = """
from dataclasses import dataclass
from symphony_pg import PermanentError, Symphony

app = Symphony.from_config()
seen = []

@app.message
@dataclass
class EmailMessage:
    to: str
    subject: str

@app.message
@dataclass
class CampaignMessage:
    campaign_id: str

@app.message
@dataclass
class SMSMessage:
    to: str

@app.handler(EmailMessage)
def email(message, context):
    seen.append(f"email to {message.to}, attempt {context.attempt} of {context.max_attempts}")
    if message.to == "nobody":
        raise PermanentError("there is no such address")
    if message.to == "busy" and context.attempt < 4:
        raise OSError("try again later")

@app.handler(CampaignMessage)
def campaign(message, context):
    seen.append(f"campaign {message.campaign_id}, attempt {context.attempt}")

@app.handler(SMSMessage)
def sms(message, context):
    seen.append(f"sms to {message.to}, attempt {context.attempt} of {context.max_attempts}")
    raise OSError("no network")
"""


@pytest.mark.parametrize("server", ["rabbitmq"], indirect=True)
def test_the_same_application_before_and_after(
    server: Server,
    conn: Connection,
    dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SYMPHONY_DSN", dsn)
    monkeypatch.setenv("SYMPHONY_RABBITMQ_DSN", server.dsn)
    (tmp_path / "brief_app.py").write_text(APP)
    shop = _Shop(Cli(dsn), Client(conn), tmp_path, monkeypatch)

    before = shop.run('type = "postgres", queue = "email"', ["consume", "email", "async"])
    after = shop.run(
        'type = "rabbitmq"',
        ["consume", "async", "--relay", "email"],
        ["consume", "--transport", "email"],
    )
    with capsys.disabled():
        for name, lines in (("before", before), ("after", after)):
            print(f"\n{name}:", *lines, sep="\n  ")
    assert after[1:] == before[1:]
    assert before[0] == "symphony.toml is well."
    assert "transports.email.priority: 7 counts in the outbox" in after[0]


class _Shop:
    """The application, its file, and its commands."""

    def __init__(
        self, cli: Cli, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._cli, self._client, self._folder = cli, client, folder
        self._monkeypatch = monkeypatch

    def run(self, email: str, *workers: list[str]) -> list[str]:
        """Configure it, send, and work off; return what was to be seen."""
        (self._folder / "symphony.toml").write_text(FILE.format(email=email))
        checked = self._cli.run("config", "check").output.strip()
        self._cli.run("config", "apply", "--yes")
        self._monkeypatch.delitem(sys.modules, "brief_app", raising=False)
        import brief_app  # type: ignore[import-not-found]

        brief_app.app.dispatch(brief_app.EmailMessage("ada", "hello"))
        brief_app.app.dispatch(brief_app.CampaignMessage("spring"))
        for to in ("busy", "nobody"):
            self._client.enqueue("EmailMessage", {"to": to, "subject": "from SQL"})
        self._client.enqueue("SMSMessage", {"to": "+49 30 1"})
        while self._waiting():
            for worker in workers:
                self._cli.run(*worker, "--app", "brief_app:app", "--drain")
        failed = [
            f"failed: {each.message_type}, {each.reason} after {each.attempt} attempts"
            for each in sorted(self._client.failed_messages(), key=lambda each: each.message_type)
        ]
        self._client.remove_failed(everything=True)
        brief_app.app.close()
        return [checked, *sorted(brief_app.seen), *failed]

    def _waiting(self) -> int:
        return sum(each.pending + each.delayed for each in self._client.queue_stats())
