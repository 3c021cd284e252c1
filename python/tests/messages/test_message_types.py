"""Kinds of message classes, versions and upcasters: what goes out comes in, errors name fields."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pydantic
import pytest

from symphony_pg import Client, InMemoryTransport, InvalidMessage, NewerVersion, Symphony, message
from symphony_pg.messages.types import message_type_of
from tests.helpers import Connection, known, status
from tests.worker.helpers import run

from .helpers import codec

LONG = "12345678901234567890.12345678901234567890"


class Line(msgspec.Struct):
    name: str
    count: int = 1


@message("Order", version=1)
class Order(msgspec.Struct, rename="camel"):
    order_id: int
    price: Decimal
    at: datetime
    lines: list[Line] = []
    extra: Any = None


class Item(pydantic.BaseModel):
    name: str
    count: int = pydantic.Field(default=1, ge=1)


@message("Invoice")
class Invoice(pydantic.BaseModel):
    invoice_id: int = pydantic.Field(alias="invoiceId")
    price: Decimal
    at: datetime
    items: list[Item] = []
    extra: Any = None


NOW = datetime(2030, 1, 31, 8, 0, 0, 123456, timezone(timedelta(hours=1)))
ORDER = Order(2**70, Decimal(LONG), NOW, [Line("a")], {"x": 1.5})
INVOICE = Invoice(
    invoiceId=2**70, price=Decimal(LONG), at=NOW, items=[Item(name="a")], extra={"x": 1.5}
)


@pytest.mark.parametrize("given", [ORDER, INVOICE], ids=["msgspec", "pydantic"])
def test_a_message_comes_back_through_the_database(
    app: Symphony, conn: Connection, given: Any
) -> None:
    seen: list[Any] = []
    app.handler(type(given))(seen.append)
    message_id = app.dispatch(given)
    found = known(conn, message_id)
    assert {"orderId", "invoiceId"} & set(found.body)
    assert found.body["price"] == LONG
    run(app)
    assert seen == [given]
    assert str(seen[0].price) == LONG
    assert status(conn, message_id) == "completed"


@pytest.mark.parametrize("cls", [Order, Invoice])
def test_a_decimal_keeps_its_digits_as_a_number_too(cls: type) -> None:
    body = codec(cls).encode(ORDER if cls is Order else INVOICE)
    text = json.dumps(body).replace(f'"{LONG}"', LONG)
    assert text != json.dumps(body)
    assert str(codec(cls).decode(text).price) == LONG


@pytest.mark.parametrize(
    ("cls", "change", "text"),
    [
        (Order, {"orderId": "x"}, "orderId: expected `int`"),
        (Order, {"lines": [{"name": 1}]}, r"lines\[0\]\.name: expected `str`"),
        (Order, {"lines": [{}]}, r"lines\[0\]\.name: missing"),
        (Order, {"orderId": ...}, "^orderId: missing"),
        (Invoice, {"invoiceId": "x"}, "invoiceId: input should be a valid integer"),
        (Invoice, {"items": [{"name": 1}]}, r"items\[0\]\.name: input should be a valid string"),
        (Invoice, {"items": [{}], "at": 1e99}, r"^at: .*and 1 more"),
        (Invoice, {"items": [{}]}, r"items\[0\]\.name: missing"),
        (Invoice, {"invoiceId": ...}, "^invoiceId: missing"),
    ],
)
def test_a_body_that_does_not_fit_names_the_field(
    cls: type, change: dict[str, Any], text: str
) -> None:
    body = {**codec(cls).encode(ORDER if cls is Order else INVOICE), **change}
    with pytest.raises(InvalidMessage, match=text):
        codec(cls).decode(json.dumps({k: v for k, v in body.items() if v is not ...}))


@pytest.mark.parametrize("cls", [Order, Invoice])
def test_what_is_no_object_or_no_json(cls: type) -> None:
    with pytest.raises(InvalidMessage, match="the body is not JSON"):
        codec(cls).decode("{")
    with pytest.raises(InvalidMessage, match=cls.__name__):
        codec(cls).decode("[]")


@pytest.mark.parametrize(
    ("given", "name", "value", "text"),
    [
        (ORDER, "order_id", "x", "orderId: expected `int`"),
        (ORDER, "extra", object(), "extra: "),
        (ORDER, "extra", {"x": float("nan")}, r"extra\.x: expected a finite number, got nan"),
        (INVOICE, "invoice_id", "3", "invoiceId: input should be a valid integer"),
        (INVOICE, "items", [Item.model_construct(name="x", count=0)], r"items\[0\]\.count"),
        (INVOICE, "extra", object(), "extra: "),
        (INVOICE, "extra", [float("inf")], r"extra\[0\]: expected a finite number, got inf"),
        (
            INVOICE,
            "extra",
            pydantic.SecretStr("x"),
            r"extra: expected a JSON value, got SecretStr\(",
        ),
    ],
)
def test_dispatch_checks_every_field(given: Any, name: str, value: Any, text: str) -> None:
    broken = codec(type(given)).decode(json.dumps(codec(type(given)).encode(given)))
    setattr(broken, name, value)
    transport = InMemoryTransport()
    with pytest.raises(InvalidMessage, match=text):
        Symphony(transport=transport).dispatch(broken)
    transport.assert_nothing_dispatched()


def test_classes_that_cannot_be_used_say_so() -> None:
    class Bad(msgspec.Struct):
        x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    class Worse(pydantic.BaseModel):
        x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    for cls in (Bad, Worse):
        with pytest.raises(TypeError, match="Nowhere"):
            codec(cls).prepare()
    with pytest.raises(TypeError, match="a dataclass, a msgspec Struct or a pydantic model"):
        message_type_of(int)


def test_libraries_that_nobody_uses_are_not_imported() -> None:
    code = (
        "import sys, dataclasses, symphony_pg\n"
        "@symphony_pg.message\n"
        "@dataclasses.dataclass\n"
        "class A: n: int\n"
        "print([name for name in ('pydantic', 'pytest') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_body_that_cannot_be_decoded_fails_as_it_is(app: Symphony, conn: Connection) -> None:
    app.handler(Order)(lambda order: None)
    bodies = ['{"orderId": "x", "n": 1.00, "ä": [null]}', "[1, 2]", '"text"', "17.10"]
    for body in bodies:
        conn.execute("select symphony.enqueue('Order', %s::jsonb)", [body])
    assert run(app).failed == len(bodies)
    rows = conn.execute(
        "select body = enqueued::jsonb, error_class from unnest(%s::text[]) as enqueued "
        "join symphony.failed_message on body = enqueued::jsonb",
        [bodies],
    ).fetchall()
    assert rows == [(True, "symphony_pg.InvalidMessage")] * len(bodies)


@message("Mail", version=3)
@dataclass
class Mail:
    recipients: list[str]
    price: Decimal
    weight: float = 0.0


def with_upcasters() -> type:
    @message("Mail", version=3)
    @dataclass
    class Fresh(Mail):
        pass

    app = Symphony(transport=InMemoryTransport())

    @app.upcaster(Fresh, from_version=1)
    def rename(body: dict[str, Any]) -> dict[str, Any]:
        return {"recipient": body["to"], "price": body["price"], "weight": body["weight"]}

    @app.upcaster(Fresh, from_version=2)
    def listed(body: dict[str, Any]) -> dict[str, Any]:
        return {"recipients": [body.pop("recipient")], **body}

    return Fresh


def test_a_version_travels_in_the_headers(app: Symphony, conn: Connection) -> None:
    def headers(message: Any, **options: Any) -> Any:
        found = known(conn, app.dispatch(message, **options))
        return found.headers

    assert headers(ORDER) == {}
    assert headers(Mail([], Decimal(1))) == {"version": 3}
    assert headers(Mail([], Decimal(1)), headers={"a": 1}) == {"version": 3, "a": 1}
    with pytest.raises(ValueError, match="'version'"):
        app.dispatch(ORDER, headers={"version": 7})


def test_older_versions_are_upcast_step_by_step(app: Symphony, conn: Connection) -> None:
    seen: list[Any] = []
    mail = with_upcasters()
    app.handler(mail)(seen.append)
    old = f'{{"to": "ada", "price": {LONG}, "weight": 1.5}}'
    conn.execute("select symphony.enqueue('Mail', %s::jsonb)", [old])
    middle = f'{{"recipient": "bob", "price": {LONG}, "weight": 2}}'
    conn.execute(
        "select symphony.enqueue('Mail', %s::jsonb, headers => '{\"version\": 2}')", [middle]
    )
    app.dispatch(mail(["eve"], Decimal(LONG), 3.5))
    run(app)
    assert seen == [
        mail(["ada"], Decimal(LONG), 1.5),
        mail(["bob"], Decimal(LONG), 2.0),
        mail(["eve"], Decimal(LONG), 3.5),
    ]
    assert all(type(each.weight) is float for each in seen)


def test_a_newer_version_is_left_to_newer_workers(app: Symphony, conn: Connection) -> None:
    app.handler(Order)(lambda order: None)
    message_id = Client(conn).enqueue("Order", {"anything": 1}, headers={"version": 2})
    counts = run(app)
    assert (counts.snoozed, counts.retried, counts.failed) == (1, 0, 0)
    found = known(conn, message_id)
    assert (found.status, found.body, found.attempt) == ("delayed", {"anything": 1}, 0)
    assert Client(conn).message_history(message_id) == []
    assert found.available_at is not None
    wait = found.available_at - datetime.now(timezone.utc)
    assert timedelta(seconds=50) < wait <= NewerVersion.WAIT
    assert "Order is of version 2, and this program knows 1" in str(found.last_error)


def test_a_deployment_may_take_longer_than_all_attempts(dsn: str, conn: Connection) -> None:
    handled: list[int] = []
    client = Client(conn)
    message_id = client.enqueue("Order", {"n": 1}, headers={"version": 2})
    with Symphony(dsn) as old:
        old.handler(Order)(lambda order: handled.append(1))
        for _ in range(6):
            assert run(old).snoozed == 1
            conn.execute("update symphony.delayed_message set available_at = clock_timestamp()")
            client.tick()

    @message("Order", version=2)
    @dataclass
    class NewOrder:
        n: int

    with Symphony(dsn) as new:
        new.handler(NewOrder)(lambda order, context: handled.append(context.attempt + 1))
        run(new)
    assert handled == [2]
    found = known(client.conn, message_id)
    assert found.status == "completed"


def test_a_newer_version_fails_when_nobody_comes_to_know_it(
    app: Symphony, conn: Connection
) -> None:
    app.handler(Order)(lambda order: None)
    client = Client(conn)
    client.create_queue("q", max_snooze=timedelta(0))
    client.enqueue("Order", {}, queue_name="q", headers={"version": 2})
    assert run(app, queues=["q"]).failed == 1
    (failed,) = client.failed_messages("q")
    assert failed.reason == "expired"
    assert failed.last_error.startswith(
        "put off for longer than 00:00:00: Order is of version 2, and this program knows 1"
    )


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        ("{}", {"version": "2"}, "a whole number from 1 on, not '2'"),
        ("{}", {"version": 0}, "a whole number"),
        ("{}", {"version": True}, "a whole number"),
        ("{}", {}, r"the upcaster of Mail from version 1 failed: KeyError\('to'\)"),
        ("{}", {"version": 3}, "recipients: missing"),
    ],
)
def test_versions_that_do_not_work_out(body: str, headers: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidMessage, match=text):
        message_type_of(with_upcasters()).decode(body, headers)


def test_an_upcaster_returns_json() -> None:
    @message(version=2)
    @dataclass
    class Thing:
        n: Any

    message_type_of(Thing).upcaster(1, lambda body: {"n": object()})
    with pytest.raises(InvalidMessage, match="which is not a JSON value"):
        message_type_of(Thing).decode("{}", "{}")


def test_upcasters_make_a_whole_chain() -> None:
    app = Symphony(transport=InMemoryTransport())
    with pytest.raises(InvalidMessage, match="Mail has no upcaster from version 1"):
        message_type_of(Mail).decode("{}", "{}")

    @message("Gap", version=3)
    @dataclass
    class Gap:
        pass

    app.upcaster(Gap, from_version=1)(lambda body: body)
    with pytest.raises(TypeError, match="an upcaster from version 1, but none from version 2"):
        message_type_of(Gap).prepare()
    with pytest.raises(ValueError, match="already"):
        app.upcaster(Gap, from_version=1)(lambda body: body)
    for version in (0, 3):
        with pytest.raises(ValueError, match="nothing to upcast"):
            app.upcaster(Gap, from_version=version)(lambda body: body)
    with pytest.raises(ValueError, match=r"the version of .*Gap is 1, 2, 3"):
        message("Gap", version=0)(Gap)
