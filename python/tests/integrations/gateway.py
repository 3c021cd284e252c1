"""Gateways that call functions for browsers: PostgREST, and a stand-in that does the same.

Both take the role of a token, put its claims into request.jwt.claims, and call the function of
POST /rpc/<name> with named arguments; what only reads runs in a transaction that only reads.
"""

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

SECRET = "a secret of at least thirty-two characters"
STATUS = {"25006": 405, "42883": 404, "PGRST106": 406, "PGRST202": 404, "PGRST301": 401}


def token(role: str, **claims: Any) -> str:
    """Return what an issuer of tokens (a JWT signed with HS256) gives a user."""
    payload = {"role": role, "exp": int(time.time()) + 600} | claims
    head = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(payload)}"
    return f"{head}.{_signature(head)}"


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _signature(head: str) -> str:
    return _base64(hmac.digest(SECRET.encode(), head.encode(), hashlib.sha256))


class GatewayError(Exception):
    """The gateway itself refuses a request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "details": None, "hint": None}


@contextmanager
def stand_in(dsn: str, schemas: list[str], anonymous: str) -> Iterator[str]:
    """Serve as a PostgREST would, and yield the address."""

    class Handler(_Handler):
        def __init__(self, *arguments: Any) -> None:
            self.dsn, self.schemas, self.anonymous = dsn, schemas, anonymous
            super().__init__(*arguments)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    dsn: str
    schemas: list[str]
    anonymous: str

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._answer(json.dumps(dict(parse_qsl(urlsplit(self.path).query))), "Accept-Profile")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer(body or "{}", "Content-Profile")

    def _answer(self, arguments: str, profile: str) -> None:
        claims: dict[str, Any] = {}
        try:
            claims = self._claims()
            schema = self.headers.get(profile, self.schemas[0])
            if schema not in self.schemas:
                known = ", ".join(self.schemas)
                raise GatewayError("PGRST106", f"The schema must be one of {known}")
            answer = self._called(claims, schema, arguments)
            self._send(204 if answer is None else 200, answer)
        except GatewayError as refused:
            self._send(STATUS[refused.body["code"] or ""], refused.body)
        except psycopg.Error as error:
            status = STATUS.get(error.sqlstate or "", 400)
            if error.sqlstate == "42501":
                status = 403 if claims else 401
            found = error.diag
            body = {"code": error.sqlstate, "message": found.message_primary}
            self._send(status, body | {"details": found.message_detail, "hint": found.message_hint})

    def _claims(self) -> dict[str, Any]:
        """Return the claims of the token, which is signed and not too old; none for nobody."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return {}
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, _signature(head)):
            raise GatewayError("PGRST301", "JWSError JWSInvalidSignature")
        payload = head.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
        if claims["exp"] < time.time():
            raise GatewayError("PGRST301", "JWT expired")
        return claims

    def _called(self, claims: dict[str, Any], schema: str, arguments: str) -> Any:
        """Call the function, as the role of the token; None: it returns nothing."""
        name = urlsplit(self.path).path.removeprefix("/rpc/")
        role = claims.get("role", self.anonymous)
        with psycopg.connect(self.dsn, row_factory=dict_row) as conn:
            function = conn.execute(
                FUNCTION, {"schema": schema, "name": name, "names": [*json.loads(arguments)]}
            ).fetchone()
            if function is None:
                raise GatewayError("PGRST202", f"Could not find the function {schema}.{name}")
            conn.rollback()
            conn.read_only = self.command == "GET" or not function["writes"]
            conn.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [role, json.dumps({"role": role} | claims)],
            )
            rows = conn.execute(_call(schema, name, function["types"]), [arguments]).fetchall()
        values = [row["value"] for row in rows]
        if function["many"]:
            return values
        return None if function["void"] else values[0]

    def _send(self, status: int, answer: Any) -> None:
        body = b"" if status == 204 else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# The function of that name that has all these arguments.
FUNCTION = """
select p.proretset as many, p.prorettype = 'void'::regtype as void, p.provolatile = 'v' as writes,
       coalesce(types.types, '{}') as types
from pg_proc as p
cross join lateral (
    select json_object_agg(given.name, format_type(a.type, null)) as types,
           count(*) as found
    from unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs]) as a (type, name)
    join unnest(%(names)s::text[]) as given (name) on given.name = a.name
) as types
where p.pronamespace = to_regnamespace(%(schema)s) and p.proname = %(name)s and p.prokind = 'f'
  and types.found = cardinality(%(names)s::text[])
"""


def _call(schema: str, name: str, types: dict[str, str]) -> sql.Composed:
    """Return the call, with the arguments that the JSON has, converted to their types."""
    typed = [sql.SQL(f"{{}} {kind}").format(sql.Identifier(each)) for each, kind in types.items()]
    named = [sql.SQL("{0} => a.{0}").format(sql.Identifier(each)) for each in types]
    given = sql.SQL("json_to_record(%s) as a ({})").format(sql.SQL(", ").join(typed))
    return sql.SQL("select to_json(f) as value from {} cross join lateral {}({}) as f").format(
        given if types else sql.SQL("(select %s::text) as a"),
        sql.Identifier(schema, name),
        sql.SQL(", ").join(named),
    )


@contextmanager
def postgrest(dsn: str, schemas: list[str], anonymous: str) -> Iterator[str]:
    """Serve by the PostgREST that POSTGREST_BIN names, and yield the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "PGRST_DB_URI": dsn,
        "PGRST_DB_SCHEMAS": ",".join(schemas),
        "PGRST_DB_ANON_ROLE": anonymous,
        "PGRST_JWT_SECRET": SECRET,
        "PGRST_SERVER_HOST": "127.0.0.1",
        "PGRST_SERVER_PORT": str(port),
    }
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([os.environ["POSTGREST_BIN"]], env=os.environ | settings)
    try:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(address):
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()
