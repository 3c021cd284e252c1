"""The demo that goes on: traffic, a worker, a schedule, a limited queue, and the dashboard."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

import click

from ..app import Symphony
from ..database.client import Client
from ..database.connections import connect
from ..database.install import install
from ..extras import needing
from ..http import create_app
from ..messages.types import message
from ..outcomes import PermanentError
from ..worker import Worker

QUEUES = ["mail", "images", "payments", "reports"]
PAUSE = 0.25  # seconds, between two bursts of messages


@message("shop.SendEmail")
@dataclass
class SendEmail:
    """Always works."""

    to: str


@message("shop.ResizeImage")
@dataclass
class ResizeImage:
    """Fails now and then, as things do that depend on a network."""

    path: str


@message("shop.ChargeCard")
@dataclass
class ChargeCard:
    """Fails for good when the amount is negative."""

    amount: int
    card_token: str


@message("shop.Report")
@dataclass
class Report:
    """Is scheduled."""


def _application(dsn: str) -> Symphony:
    app = Symphony(dsn)

    @app.handler(SendEmail)
    async def send_email(_: SendEmail) -> None:
        await asyncio.sleep(random.expovariate(1 / 0.02))

    @app.handler(ResizeImage)
    async def resize_image(_: ResizeImage) -> None:
        await asyncio.sleep(random.expovariate(1 / 0.3))
        if random.random() < 0.1:  # noqa: S311
            raise ConnectionError("the image store did not answer within 5 seconds")

    @app.handler(ChargeCard)
    def charge_card(charge: ChargeCard) -> None:
        if charge.amount < 0:
            raise PermanentError(f"cannot charge {charge.amount}")

    @app.handler(Report)
    async def report(_: Report) -> None:
        await asyncio.sleep(1)

    return app


def _prepare(dsn: str) -> None:
    with connect(dsn) as conn:
        install(conn)
        client = Client(conn)
        for queue in QUEUES:
            client.create_queue(queue, retry_delay=timedelta(seconds=2), max_attempts=2)
        client.configure_queue("images", concurrency=3)
        client.create_transport("mail", queue_name="mail")
        client.set_routes("shop.SendEmail", ["mail"])
        client.create_schedule(
            "report", "shop.Report", "interval", {"every": "20 seconds"}, queue_name="reports"
        )


def _enqueue(app: Symphony, ended: threading.Event) -> None:
    """Enqueue some messages, again and again, now more and now fewer."""
    while not ended.wait(PAUSE):
        busy = 1.5 + random.random() * (1 + time.monotonic() // 60 % 3)  # noqa: S311
        batch = [
            app.envelope(SendEmail(f"user-{n}@example.com"), queue="mail")
            for n in range(int(4 * busy))
        ]
        batch.append(app.envelope(ResizeImage("cover.png"), queue="images"))
        if random.random() < 0.3:  # noqa: S311
            amount = random.choice([5, 20, 80, 120, -5])  # noqa: S311
            batch.append(app.envelope(ChargeCard(amount, "tok_4242"), queue="payments"))
        app.dispatch_many(batch)


def serve_demo(dsn: str, port: int) -> None:
    """Serve the dashboard of a database where something happens, until Ctrl-C."""
    with needing("demo --web", "symphony-pg[http]"):
        import uvicorn
    _prepare(dsn)
    token = secrets.token_urlsafe(12)
    app, ended = _application(dsn), threading.Event()
    worker = Worker(app, QUEUES, concurrency=8)
    threads = [
        threading.Thread(target=_enqueue, args=(app, ended)),
        threading.Thread(target=lambda: asyncio.run(worker.run())),
    ]
    with app, socket.create_server(("127.0.0.1", port)) as listener:
        api = create_app(app, operator_tokens=[token], viewer_tokens=[], worker_secrets=[])
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
        for each in threads:
            each.start()
        click.echo(f"\n  http://127.0.0.1:{listener.getsockname()[1]}/symphony/")
        click.echo(f"  sign in with the token  {token}\n\nCtrl-C ends it.")
        try:
            uvicorn.Server(uvicorn.Config(api, log_level="warning")).run(sockets=[listener])
        except KeyboardInterrupt:
            click.echo()
        finally:
            ended.set()
            worker.stop()
            for each in threads:
                each.join()
