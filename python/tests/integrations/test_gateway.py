"""Browsers and services that call Symphony by @supabase/postgrest-js, through a gateway.

The gateway is a stand-in for PostgREST, and the real one, too, where POSTGREST_BIN names it.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fetch import postgrest_js
from symphony_pg import Client
from tests.helpers import Connection, known, one

from .gateway import postgrest, stand_in, token

ANONYMOUS, USER, SHOP, SERVICE = ROLES = tuple(
    f"sy_gateway_{name}" for name in ("anonymous", "user", "shop", "service")
)
AUTHENTICATOR = "sy_gateway_authenticator"
SETUP = f"""
create role {AUTHENTICATOR} login noinherit password 'sy';
grant {", ".join(ROLES)} to {AUTHENTICATOR};
select symphony.create_queue('mail'), symphony.create_queue('sms');
select symphony.grant_access('{SHOP}', 'enqueuer', queues => '{{mail}}'),
       symphony.grant_access('{SERVICE}', 'consumer', queues => '{{mail}}');
create schema api;
create function api.send_email(address text) returns bigint
language sql security definer set search_path = '' as $$
    select symphony.enqueue(
        'SendEmail', jsonb_build_object('to', address), queue_name => 'mail',
        headers => jsonb_build_object(
            'user', current_setting('request.jwt.claims', true)::jsonb ->> 'sub'))
$$;
revoke execute on function api.send_email(text) from public;
grant usage on schema api to {USER}, {ANONYMOUS};
grant execute on function api.send_email(text) to {USER};
"""


@dataclass
class Answer:
    data: Any
    status: int
    error: dict[str, Any] | None

    @property
    def refusal(self) -> tuple[int, str]:
        assert self.error is not None, self
        return self.status, self.error["code"]


class Gateway:
    """A gateway, and a process of Node.js that calls it."""

    def __init__(self, url: str, node: "subprocess.Popen[str]") -> None:
        self._url = url
        self._node = node

    def call(
        self,
        caller: str | None,
        name: str,
        /,
        *options: str,
        **arguments: Any,
    ) -> Answer:
        """Call a function with a role, a whole token, or nothing; options are GET and a schema."""
        bearer = token(caller) if caller in ROLES else caller
        (schema,) = {*options} - {"GET"} or {"symphony"}
        request = {"url": self._url, "token": bearer, "schema": schema, "name": name}
        assert self._node.stdin is not None and self._node.stdout is not None
        self._node.stdin.write(
            json.dumps(request | {"args": arguments, "get": "GET" in options}) + "\n"
        )
        self._node.stdin.flush()
        return Answer(**json.loads(self._node.stdout.readline()))


@contextmanager
def roles(conn: Connection) -> Iterator[None]:
    for role in ROLES:
        conn.execute(f"create role {role}")
    try:
        conn.execute(SETUP)
        yield
    finally:
        for role in (AUTHENTICATOR, *ROLES):
            if conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                name = sql.Identifier(role)
                conn.execute(sql.SQL("drop owned by {0}; drop role {0}").format(name))


@pytest.fixture(params=["stand-in", "PostgREST"])
def gateway(request: pytest.FixtureRequest, dsn: str, conn: Connection) -> Iterator[Gateway]:
    if request.param == "PostgREST" and "POSTGREST_BIN" not in os.environ:
        pytest.skip("POSTGREST_BIN names no PostgREST")
    obtained = postgrest_js.obtain()
    if obtained is None:
        pytest.skip("@supabase/postgrest-js cannot be obtained: no npm, or no network")
    command, environment = obtained
    login = make_conninfo(dsn, user=AUTHENTICATOR, password="sy")
    serve = stand_in if request.param == "stand-in" else postgrest
    with (
        roles(conn),
        serve(login, ["api", "symphony"], ANONYMOUS) as url,
        subprocess.Popen(
            [*command, str(Path(__file__).with_name("postgrest.js"))],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as node,
    ):
        yield Gateway(url, node)


def test_whoever_has_no_token_or_a_wrong_one_is_refused(gateway: Gateway, conn: Connection) -> None:
    assert gateway.call(None, "enqueue", message_type="A").refusal == (401, "42501")
    for name in ("claim_batch", "queue_stats", "version"):
        assert gateway.call(None, name).refusal == (401, "42501")
    email = gateway.call(None, "send_email", "api", address="eve@example.com")
    assert email.refusal == (401, "42501")
    forged = token(SERVICE)[:-4] + "AAAA"
    late = token(SERVICE, exp=1)
    for caller in (forged, late):
        answer = gateway.call(caller, "claim_batch")
        assert (answer.status, answer.data) == (401, None)
    stranger = gateway.call(token("postgres"), "claim_batch")
    assert stranger.error is not None
    assert stranger.error["code"] == "42501"
    assert one(conn, "select count(*) from symphony.message") == 0


def test_an_enqueuer_of_one_queue(gateway: Gateway, conn: Connection) -> None:
    message = {"message_type": "SendEmail", "body": {"to": ["ada", "caf\xe9"]}, "priority": 7}
    sent = gateway.call(SHOP, "enqueue", **message, queue_name="mail", delay="1 hour")
    assert (sent.status, sent.error) == (200, None)
    status = known(conn, sent.data)
    assert (status.queue_name, status.priority, status.status) == ("mail", 7, "delayed")
    many = gateway.call(
        SHOP, "enqueue_batch", messages=[{"message_type": "A", "queue_name": "mail"}] * 3
    )
    assert len(many.data) == 3

    refused = [
        gateway.call(SHOP, "enqueue", **message, queue_name=name) for name in ("sms", "nope")
    ]
    assert [each.refusal for each in refused] == [(403, "42501")] * 2
    existing, missing = (json.dumps(each.error) for each in refused)
    assert existing.replace("sms", "nope") == missing
    batch = [{"message_type": "A", "queue_name": name} for name in ("mail", "sms")]
    assert gateway.call(SHOP, "enqueue_batch", messages=batch).refusal == (403, "42501")
    assert gateway.call(SHOP, "enqueue", message_type="A").refusal == (403, "42501")
    for name, arguments in (
        ("claim_batch", {"queues": ["mail"]}),
        ("cancel", {"message_id": sent.data}),
        ("message_status", {"message_id": sent.data}),
        ("queue_stats", {}),
        ("list_queues", {}),
    ):
        assert gateway.call(SHOP, name, **arguments).refusal == (403, "42501")
    wrong = gateway.call(SHOP, "enqueue", message_type="", queue_name="mail")
    assert wrong.refusal == (400, "22023")
    assert wrong.error is not None
    assert wrong.error["details"] and wrong.error["hint"]
    assert gateway.call(SHOP, "enqueue", message_type="A", colour="red").status == 404
    assert one(conn, "select count(*) from symphony.message") == 3


def test_a_wrapper_takes_the_user_from_the_token(gateway: Gateway, conn: Connection) -> None:
    ada = token(USER, sub="ada")
    sent = gateway.call(ada, "send_email", "api", address="ada@example.com")
    assert sent.status == 200
    body, headers = one(
        conn, "select body, headers from symphony.message where message_id = %s", sent.data
    )
    assert (body, headers) == ({"to": "ada@example.com"}, {"user": "ada"})
    direct = gateway.call(ada, "enqueue", message_type="SendEmail", headers={"user": "grace"})
    assert direct.refusal == (403, "42501")


def test_a_service_claims_and_settles(gateway: Gateway, client: Client) -> None:
    for n in range(4):
        assert gateway.call(SHOP, "enqueue", message_type="A", body=n, queue_name="mail").data
    client.enqueue("Secret", queue_name="sms")
    taken = gateway.call(SERVICE, "claim_batch", queues=["mail"], batch_size=10, worker="js")
    assert [row["body"] for row in taken.data] == [0, 1, 2, 3]
    claim = taken.data[0]["claim_id"]
    first, second, third, fourth = (row["message_id"] for row in taken.data)
    settle = {"claim_id": claim}
    assert gateway.call(SERVICE, "ack", **settle, message_ids=[first, second]).data == 2
    nacked = gateway.call(
        SERVICE, "nack_with_backoff", **settle, message_id=third, error="no", retryable=False
    )
    assert nacked.data["outcome"] == "failed"
    assert gateway.call(SERVICE, "extend_lease", claim_ids=[claim], lease="1 min").data == [claim]
    assert gateway.call(SERVICE, "ack", **settle).data == 1
    late = gateway.call(SERVICE, "ack", **settle)
    assert late.refusal == (400, "SY010")
    assert late.error is not None and "handed out anew" in late.error["hint"]
    assert gateway.call(SERVICE, "claim_batch", queues=["mail"]).data == []
    assert gateway.call(SERVICE, "claim_batch", queues=["sms"]).refusal == (403, "42501")
    (status,) = gateway.call(SERVICE, "message_status", message_id=fourth).data
    assert status["status"] == "completed"
    mail, sms = (client.queue_stats(name)[0] for name in ("mail", "sms"))
    assert (mail.pending, mail.processing, mail.failed, sms.pending) == (0, 0, 1, 1)


def test_a_request_that_only_reads_writes_nothing(gateway: Gateway, client: Client) -> None:
    message = client.enqueue("A", queue_name="mail")
    (claimed,) = client.claim_batch(["mail"])
    client.enqueue("A", queue_name="mail")
    for caller, name, arguments in (
        (SHOP, "enqueue", {"message_type": "A", "queue_name": "mail"}),
        (SHOP, "enqueue", {"message_type": "A", "queue_name": "mail", "delay": "1 hour"}),
        (SERVICE, "claim_batch", {"queues": ["mail"]}),
        (SERVICE, "ack", {"claim_id": claimed.claim_id}),
        (SERVICE, "release", {"claim_id": claimed.claim_id}),
        (SERVICE, "heartbeat", {"worker": "js", "queues": ["mail"]}),
    ):
        assert gateway.call(caller, name, "GET", **arguments).refusal == (405, "25006"), name
    look = gateway.call(SERVICE, "message_status", "GET", message_id=message)
    assert look.data[0]["status"] == "processing"
    assert gateway.call(SERVICE, "version", "GET").data == client.version()
    (stats,) = client.queue_stats("mail")
    assert (stats.pending, stats.processing) == (1, 1)


def test_only_schemas_that_are_exposed_are_reached(gateway: Gateway) -> None:
    answer = gateway.call(SERVICE, "pg_sleep", "pg_catalog", seconds=0)
    assert answer.refusal == (406, "PGRST106")
