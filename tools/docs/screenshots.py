"""Take the pictures of docs/images: the dashboard of a made-up shop after a day, light and dark.

    make screenshots
    make screenshots ARGS="--every build/looks"     every page, in three widths, to look through

What happened before the shop was opened is written into the figures as tick() would fold it; the
rest is enqueued, claimed, failed and changed by the functions that everybody uses.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvicorn
from playwright.sync_api import Page, sync_playwright

from fetch import chromium
from symphony_pg import Client, Symphony
from symphony_pg.database.install import install
from symphony_pg.http import create_app

TOKEN = "a-token-for-pictures"  # noqa: S105
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = (1280, 800)
WIDTHS = (360, 1280, 1920)
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
SHOWN = {
    "overview": "/",
    "queue": "/queue?name=images&range=day",
    "failed": "/failed",
    "message": "/messages/{failed}",
    "preview": "/failed/preview?queue=images&type=shop.ResizeImage&error_class=ConnectionError",
    "audit": "/audit",
}
OTHERS = {
    "queue-hour": "/queue?name=mail",
    "type": "/type?queue=mail&name=shop.SendEmail",
    "limits": "/queue/limits?name=images",
    "test": "/queue/test?name=images&type=shop.ResizeImage",
    "purge": "/queue/purge?name=mail",
    "group": "/failed/group?queue=images&type=shop.ResizeImage",
    "messages": "/messages?q=queue:mail",
    "workers": "/workers",
    "schedules": "/schedules",
    "schedule": "/schedules?name=report",
    "transports": "/transports",
    "keys": "/keys",
    "settings": "/settings",
    "problem": "/queue?name=nothing",
}
# A day by minutes: more at noon than at night.
FIGURES = """
insert into symphony.figure (lane_id, is_hour, begins_at, arrived, claimed, completed, retried,
                             failed, waited_seconds, worked_seconds, waited, worked)
select lane_id, false, date_trunc('minute', now()) - %(back)s * interval '1 minute', %(count)s,
       %(count)s, %(count)s - %(retried)s - %(failed)s, %(retried)s, %(failed)s, 1, 1,
       %(waited)s, %(worked)s
from symphony.lane where queue_name = %(queue)s and priority = 5
"""
TYPES = """
insert into symphony.type_figure (is_hour, begins_at, queue_name, message_type, handled, failed,
                                  worked)
values (false, date_trunc('minute', now()) - %(back)s * interval '1 minute', %(queue)s, %(type)s,
        %(count)s, %(retried)s + %(failed)s, %(worked)s)
"""
# A queue, its types, how busy it is, where its times are (as buckets), and how often it fails.
TRAFFIC = (
    ("mail", ("shop.SendEmail", "shop.Newsletter"), 160, 3, 6, 0.002),
    ("images", ("shop.ResizeImage",), 24, 7, 16, 0.03),
    ("payments", ("shop.ChargeCard",), 12, 4, 11, 0.01),
    ("reports", ("shop.Report",), 2, 9, 20, 0.0),
)
MINUTES = 24 * 60
AWAY = "postgresql://127.0.0.1:1/billing"


def _history(conn: psycopg.Connection, dice: random.Random) -> None:
    figures, types = [], []
    for back in range(1, MINUTES):
        day = 0.55 + 0.45 * math.sin((MINUTES - back) / MINUTES * 2 * math.pi + 0.9)
        for queue, names, rate, waits, takes, fails in TRAFFIC:
            busy = rate * day * dice.uniform(0.85, 1.15)
            count, trouble = round(busy), 240 < back < 275 and queue == "images"
            retried = sum(dice.random() < (0.4 if trouble else fails) for _ in range(count))
            failed = sum(dice.random() < (0.2 if trouble else 0.03) for _ in range(retried))
            late = 4 if trouble else 0
            row = {
                "back": back, "queue": queue, "count": count,
                "retried": retried - failed, "failed": failed,
                "waited": _sketch(count, waits + late, dice),
                "worked": _sketch(count, takes + late // 2, dice),
            }  # fmt: skip
            if count:
                figures.append(row)
                share = (1,) if len(names) == 1 else (0.8, 0.2)
                for name, part in zip(names, share, strict=True):
                    types.append(row | {"type": name, "count": max(round(count * part), 1)})
    with conn.cursor() as cursor:
        cursor.executemany(FIGURES, figures)
        cursor.executemany(TYPES, types)


def _sketch(count: int, middle: int, dice: random.Random) -> list[list[int]]:
    found: dict[int, int] = {}
    for _ in range(count):
        bucket = round(dice.gauss(middle, 1.6))
        found[bucket] = found.get(bucket, 0) + 1
    return sorted([each, many] for each, many in found.items())


def _fail(client: Client, queue: str, error: str, error_class: str, messages: int) -> None:
    while messages:
        for each in client.claim_batch([queue], batch_size=messages, worker="web-1:412:b81c"):
            client.nack_with_backoff(
                each.claim_id, each.message_id, f"{error_class}: {error}", error_class,
                retryable=False, traceback=TRACEBACK.format(error_class, error),
            )  # fmt: skip
            messages -= 1


TRACEBACK = """Traceback (most recent call last):
  File "shop/images.py", line 41, in resize_image
    original = store.get(event.path)
  File "shop/store.py", line 18, in get
    raise ConnectionError(f"the image store did not answer within {{LIMIT}} seconds")
{}: {}"""


def fill(dsn: str) -> dict[str, int]:
    """Make the shop; return the ids of messages that pages are about."""
    dice = random.Random(7)  # noqa: S311
    with psycopg.connect(dsn, autocommit=True) as conn:
        install(conn)
        client = Client(conn)
        for queue in ("mail", "images", "payments", "reports"):
            client.create_queue(queue, retry_delay=timedelta(seconds=2), max_attempts=3)
        client.configure_queue("images", concurrency=3, rate="20/s")
        client.configure_queue("payments", ordered=True)
        client.create_transport("mail", queue_name="mail")
        client.create_transport("payments", queue_name="payments", priority=8)
        client.set_routes("shop.SendEmail", ["mail"])
        client.set_routes("shop.ChargeCard", ["payments"])
        client.create_schedule(
            "report", "shop.Report", "cron", {"expression": "0 2 * * *"},
            queue_name="reports", timezone="Europe/Berlin",
        )  # fmt: skip
        with conn.transaction():
            _history(conn, dice)
        image = {"path": "covers/2026/11/cover.png", "width": 640, "upload_token": "tok_4242"}
        headers = {"correlation_id": "order-1017"}
        ids = client.enqueue_batch(
            [{"message_type": "shop.ResizeImage", "queue_name": "images", "body": image,
              "headers": headers}] * 14
            + [{"message_type": "shop.ChargeCard", "queue_name": "payments", "group_key": f"c-{n}",
                "body": {"amount": -5}} for n in range(3)]
        )  # fmt: skip
        client.enqueue("shop.SendEmail", {"to": "ada@example.com"}, "mail", headers=headers)
        _fail(client, "images", "the image store did not answer within 5 seconds",
              "ConnectionError", 12)  # fmt: skip
        _fail(client, "payments", "cannot charge -5", "symphony_pg.PermanentError", 3)
        client.enqueue_batch(
            [
                {
                    "message_type": "shop.SendEmail",
                    "queue_name": "mail",
                    "body": {"to": f"u{n}@x.org"},
                }
                for n in range(120)
            ]
            + [
                {
                    "message_type": "shop.ChargeCard",
                    "queue_name": "payments",
                    "group_key": f"c-{n % 4}",
                    "body": {"amount": 20},
                }
                for n in range(9)
            ]
            + [{"message_type": "shop.ResizeImage", "queue_name": "images", "body": image}] * 40
        )
        for worker, queue in (("web-1:412:b81c", "mail"), ("web-2:398:07aa", "images")):
            claimed = client.claim_batch([queue], batch_size=3, worker=worker)
            running = [
                {"message_id": e.message_id, "message_type": e.message_type,
                 "seconds": round(dice.uniform(0.1, 3), 1)} for e in claimed
            ]  # fmt: skip
            client.heartbeat(worker, ["mail", "images", "payments"], {"running": running})
        client.claim_batch(["payments"], batch_size=2, worker="web-2:398:07aa")
        conn.execute("select set_config('symphony.actor', 'ada', false)")
        client.retry_failed([ids[0]], body={"path": "covers/2026/11/cover-2.png", "width": 640})
        client.note("the image store is slow since 09:40; its people know")
        client.pause_queue("reports")
        client.configure_queue("images", concurrency=4)
        client.tick()
    return {"failed": ids[5]}


@contextmanager
def serving(dsn: str, port: int = 0, **options: Any) -> Iterator[str]:
    """Serve the shop's dashboard at a free port."""
    with Symphony(dsn) as app:
        api = create_app(
            app, operator_tokens=[TOKEN], viewer_tokens=[], worker_secrets=[], **options
        )
        server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="warning"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/symphony"
        server.should_exit = True
        thread.join()


def sign_in(page: Page, address: str) -> None:
    """Come in as somebody who may act."""
    page.goto(f"{address}/")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Your name").fill("ada")
    page.get_by_role("button", name="Sign in").click()


def take(address: str, pages: dict[str, str], every: Path | None) -> None:
    """Take pictures: in one width for the docs, or in three of the whole pages."""
    found = chromium.obtain()
    if found is None:
        raise SystemExit("there is no Chromium")
    program, environment = found
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, env={**environment}, chromium_sandbox=False, args=ARGUMENTS
        )
        for colours in ("light", "dark"):
            context = browser.new_context(color_scheme=colours, reduced_motion="reduce")
            page = context.new_page()
            page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
            sign_in(page, address)
            for name, path in pages.items():
                answer = page.goto(address + path)
                if answer is None or answer.status != (404 if name == "problem" else 200):
                    raise SystemExit(f"{path} cannot be shown")
                for width in WIDTHS if every else (SIZE[0],):
                    page.set_viewport_size({"width": width, "height": SIZE[1]})
                    page.wait_for_timeout(150)  # for charts, which follow their place
                    file = f"{name}-{colours}.png" if not every else f"{name}-{colours}-{width}.png"
                    page.screenshot(path=(every or IMAGES) / file, full_page=bool(every))
        browser.close()


def main() -> None:
    """Fill the database, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=Path, help="every page, in three widths, into a folder")
    parser.add_argument("--only", help="pages with this in their name")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve it instead, until Ctrl-C")
    given = parser.parse_args()
    dsn = os.environ["SYMPHONY_DSN"]
    ids = fill(dsn)
    if given.every:
        given.every.mkdir(parents=True, exist_ok=True)
    with serving(dsn, given.serve or 0) as address:
        if given.serve:
            print(f"{address}/ {TOKEN} {ids}", flush=True)
            threading.Event().wait()
        pages = SHOWN | OTHERS if given.every else SHOWN
        pages = {name: each for name, each in pages.items() if (given.only or "") in name}
        take(address, {name: each.format(**ids) for name, each in pages.items()}, given.every)
    if given.every:
        with serving(dsn, databases={"shop": dsn, "stock": dsn, "billing": AWAY}) as address:
            take(address, {"databases": "/", "of-several": "/db/shop/audit"}, given.every)


if __name__ == "__main__":
    main()
