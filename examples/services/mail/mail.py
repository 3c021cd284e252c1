"""The mailer: a letter for each order, once."""

from __future__ import annotations

from dataclasses import dataclass

from symphony_pg import Context, Symphony

app = Symphony()


@app.message("OrderPlaced")
@dataclass
class OrderPlaced:
    """What the shop says of an order."""

    order_id: int
    email: str


@app.handler(OrderPlaced)
def confirm(order: OrderPlaced, context: Context) -> None:
    """Write a letter; what fails is tried again, and leaves nothing behind."""
    assert context.conn is not None
    context.conn.execute(
        "insert into letters (order_id, recipient) values (%s, %s)", [order.order_id, order.email]
    )
    if context.attempt == 1 and order.order_id % 5 == 0:
        raise OSError("the mail server is busy")
    print(f"order {order.order_id} to {order.email} (attempt {context.attempt})")
