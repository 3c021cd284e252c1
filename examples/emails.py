"""A small application: e-mails that are sent in the background.

symphony-pg db install
psql -c "create table clicks (email_id int primary key, count int)"
symphony-pg consume --app emails:app &
python emails.py
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from symphony_pg import Context, PermanentError, RetryAfter, Symphony

app = Symphony()


@app.message("SendEmail")
@dataclass
class SendEmail:
    """An e-mail that is to be sent."""

    to: str
    subject: str
    html: str = ""


@app.message("CountClick")
@dataclass
class CountClick:
    """Somebody followed a link in an e-mail."""

    email_id: int


@app.handler(SendEmail)
def send_email(email: SendEmail, context: Context) -> None:
    """Send an e-mail; a mail server that is busy names the time to come back."""
    if "@" not in email.to:
        raise PermanentError(f"{email.to!r} is not an address")
    if random.random() < 0.1:
        raise RetryAfter(timedelta(seconds=5), "the mail server is busy")
    print(f"to {email.to}: {email.subject} (attempt {context.attempt})")


@app.handler(CountClick)
async def count_click(click: CountClick, context: Context) -> None:
    """Count a click, in one transaction with the ack: exactly once, whatever happens."""
    async with context.transaction() as conn:
        await conn.execute(
            "insert into clicks (email_id, count) values (%s, 1) "
            "on conflict (email_id) do update set count = clicks.count + 1",
            [click.email_id],
        )


if __name__ == "__main__":
    with app:
        first = app.dispatch(SendEmail("ada@example.com", "Hello"), idempotency_key="hello-ada")
        again = app.dispatch(SendEmail("ada@example.com", "Hello"), idempotency_key="hello-ada")
        later = app.dispatch(SendEmail("bob@example.com", "Later"), delay=timedelta(seconds=10))
        app.dispatch(CountClick(email_id=first))
        print(f"message {first} (and not twice: {again}), message {later} in ten seconds")
