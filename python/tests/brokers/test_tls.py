"""Brokers by TLS: who has signed the certificate counts, and whoever is not trusted is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from symphony_pg import Worker
from symphony_pg.brokers.broker import BrokerAway
from symphony_pg.brokers.opening import broker_of
from symphony_pg.worker.relay import Relay
from tests.brokers.bench import Bench
from tests.brokers.certificates import HOST, Authority
from tests.brokers.servers import SQS, RabbitMQ, Redis, Server
from tests.worker.helpers import at_work, until


class ByTLS(Server):
    """A broker whose certificate `authority` has signed. It wants one of its clients, too."""

    wants_certificate = True

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.stranger = Authority(folder, "stranger")
        self.own, self.client = self.authority.sign("server"), self.authority.sign("client")
        super().__init__(folder)

    @property
    def dsn(self) -> str:
        """Where it is, for who trusts the authority and has its certificate."""
        return self.seen_by(self.authority)

    def seen_by(self, trusted: Authority | None, host: str = HOST, *, is_known: bool = True) -> str:
        """Return the DSN of who trusts somebody; None: of whom the environment says."""
        raise NotImplementedError


class RedisByTLS(ByTLS, Redis):
    """Redis that listens by TLS alone."""

    def _listening(self) -> list[str]:
        return [
            *("--port", "0", "--tls-port", str(self.port)),
            *("--tls-cert-file", str(self.own.certificate)),
            *("--tls-key-file", str(self.own.key), "--tls-ca-cert-file", str(self.authority.path)),
        ]

    def seen_by(self, trusted: Authority | None, host: str = HOST, *, is_known: bool = True) -> str:
        query = [] if trusted is None else [f"ssl_ca_certs={trusted.path}"]
        if is_known:
            query += [f"ssl_certfile={self.client.certificate}", f"ssl_keyfile={self.client.key}"]
        return f"rediss://{host}:{self.port}/0?{'&'.join(query)}"


class RabbitMQByTLS(ByTLS, RabbitMQ):
    """RabbitMQ that listens by TLS alone."""

    def _listening(self) -> str:
        return (
            f"listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:{self.port}\n"
            f"ssl_options.cacertfile = {self.authority.path}\n"
            f"ssl_options.certfile = {self.own.certificate}\n"
            f"ssl_options.keyfile = {self.own.key}\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true"
        )

    def seen_by(self, trusted: Authority | None, host: str = HOST, *, is_known: bool = True) -> str:
        query = [] if trusted is None else [f"cafile={trusted.path}"]
        if is_known:
            query += [f"certfile={self.client.certificate}", f"keyfile={self.client.key}"]
        return f"amqps://guest:guest@{host}:{self.port}/?{'&'.join(query)}"


class SQSByTLS(ByTLS, SQS):
    """moto's server by TLS. boto3 has no DSN, so the environment says whom it trusts."""

    wants_certificate = False

    def _tls(self) -> tuple[str, str]:
        return str(self.own.certificate), str(self.own.key)

    def seen_by(self, trusted: Authority | None, host: str = HOST, *, is_known: bool = True) -> str:
        return f"sqs://eu-west-1?endpoint=https://{host}:{self.port}"


@pytest.fixture(scope="module", params=[RedisByTLS, RabbitMQByTLS, SQSByTLS])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ByTLS]:
    folder = tmp_path_factory.mktemp("tls")
    server: ByTLS = request.param(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.credentials.items():
            patch.setenv(name, value)
        patch.setenv("AWS_CA_BUNDLE", str(server.authority.path))
        server.start()
        try:
            yield server
        finally:
            server.close()


async def test_who_trusts_the_authority_works(bench: Bench, server: ByTLS) -> None:
    @bench.app.handler("Pay")
    def pay(body: Any) -> None:
        pass

    sent = bench.client.enqueue("Pay", {"n": 1})
    async with bench.working() as worker:
        await until(lambda: worker.counts.done == 1, "the message")
    assert bench.status(sent) == "forwarded"
    async with bench.broker() as broker:
        assert await broker.count() == 0


async def test_the_environment_may_say_whom_to_trust(
    bench: Bench, server: ByTLS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.path))
    broker = broker_of(replace(bench.settings, dsn=server.seen_by(None)))
    await broker.open()
    assert await broker.count() == 0
    await broker.close()


async def test_whom_nobody_trusts_is_down(
    bench: Bench, server: ByTLS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relay and consumer say why, and go on trying."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(server.stranger.path))
    wrong = replace(bench.settings, dsn=server.seen_by(server.stranger))
    sent = bench.client.enqueue("Pay", {"n": 1})
    bench.app.handler("Pay")(lambda body: None)
    relay, worker = Relay(wrong, bench.dsn), Worker(bench.app, transport=wrong)
    async with at_work(relay), at_work(worker):
        await until(lambda: bench.client.transport_status()[0].state == "down", "it is told")
        (told,) = bench.client.transport_status()
        assert "certificate verify failed" in (told.last_error or "")
        reason = "certificate verify failed"  # once no claim of the relay has the lane
        await until(lambda: reason in bench.client.why_not_running(sent), "it says why")
        await until(lambda: worker.why_not_ready() == "the worker is not connected to its broker")
        assert worker.why_not_alive() is None
        assert relay.counts.done == 0
    assert bench.status(sent) == "pending"


async def test_another_name_is_not_trusted(bench: Bench, server: ByTLS) -> None:
    dsn = server.seen_by(server.authority, "localhost")
    broker = broker_of(replace(bench.settings, dsn=dsn))
    with pytest.raises(BrokerAway, match=r"(?i)hostname"):
        await broker.open()


async def test_a_client_without_a_certificate_is_refused(bench: Bench, server: ByTLS) -> None:
    if not server.wants_certificate:
        pytest.skip("SQS wants none")
    dsn = server.seen_by(server.authority, is_known=False)
    broker = broker_of(replace(bench.settings, dsn=dsn))
    with pytest.raises(BrokerAway):
        await broker.open()


async def test_a_file_that_is_not_there_is_named(
    bench: Bench, server: ByTLS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", str(missing))
    monkeypatch.setattr(server.stranger, "path", missing)
    broker = broker_of(replace(bench.settings, dsn=server.seen_by(server.stranger)))
    with pytest.raises(BrokerAway, match=r"missing\.pem"):
        await broker.open()
