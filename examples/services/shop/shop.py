"""The shop: an order and the message of it are committed together."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from symphony_pg import Symphony

app = Symphony()


@app.message("OrderPlaced")
@dataclass
class OrderPlaced:
    """Somebody has ordered something."""

    order_id: int
    email: str


if __name__ == "__main__":
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with app:
        app.dispatch_many(
            [OrderPlaced(n, f"customer{n}@example.com") for n in range(first, first + 10)]
        )
    print("10 orders are placed")
