"""Several databases in one dashboard: a switch, links that stay, roles and a poller for each."""

import html
import re
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from symphony_pg import BadArgument, Client, Symphony
from symphony_pg.cli import main
from symphony_pg.database.install import install
from tests.helpers import Connection, fail
from tests.http.helpers import OPERATOR, VIEWER, bearer, paragraphs, serving
from tests.http.test_dashboard import BASE, PAGES, asked, filled, proof, sign_in
from tests.http.test_serve import served

__all__ = ["asked", "filled"]

SHOP, BILLING = f"{BASE}/db/shop", f"{BASE}/db/billing"


@pytest.fixture
def billing_dsn(empty_dsn: str) -> str:
    """Where a second database is, in which one message has failed."""
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        install(conn)
        client = Client(conn)
        client.create_queue("invoices")
        fail(client, 1, "Invoice", "NoPaper", queue="invoices")
    return empty_dsn


@pytest.fixture
def databases(filled: Client, dsn: str, billing_dsn: str) -> dict[str, str]:
    return {"shop": dsn, "billing": billing_dsn}


@pytest.fixture
def visitor(app: Symphony, databases: Mapping[str, str]) -> Iterator[TestClient]:
    with serving(app, databases=databases) as made:
        yield made


def actions_of(dsn: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        return [each.action for each in Client(conn).audit(actor="ada")]


def act(visitor: TestClient, base: str, **options: Any) -> Any:
    page = visitor.get(f"{base}/")
    fields = {"queue": "default", "proof": proof(page.text), "next": f"{base}/"}
    return visitor.post(f"{base}/do/pause-queue", data=fields, follow_redirects=False, **options)


def test_the_first_page_tells_what_is_wrong_in_each(
    app: Symphony, databases: dict[str, str], filled: Client
) -> None:
    filled.pause_queue("mail")
    away = make_conninfo(databases["shop"], port=1)
    with serving(app, databases={**databases, "away": away}) as visitor:
        sign_in(visitor)
        page = visitor.get(f"{BASE}/").text
    told = paragraphs(page)
    assert re.fullmatch(r"\d of 3 databases needs? you", told[0])
    assert "critical The database cannot be reached." in told
    (worst, *_) = filled.health()
    assert f"{worst.severity} {worst.sentence}" in told
    heads = re.findall(r'<section class="now (\w+)" aria-labelledby="db-(\w+)"', page)
    severities = [each for each, _ in heads]
    assert severities == sorted(severities, key=["critical", "warning", "note", "well"].index)
    assert {each for _, each in heads} == {"shop", "billing", "away"}


@pytest.mark.parametrize("token", [VIEWER, OPERATOR])
def test_every_link_stays_in_its_database(visitor: TestClient, token: str) -> None:
    sign_in(visitor, token)
    for path in PAGES:
        answer = visitor.get(SHOP + path)
        assert answer.status_code == 200, path
        found = re.findall(r'(?:href|src|action|hx-get)="([^"#]*)"', answer.text)
        ours = [html.unescape(each) for each in found]
        elsewhere = [
            each
            for each in ours
            if not each.startswith(
                (f"{SHOP}/", f"{BASE}/static/", f"{BASE}/theme?", f"{BASE}/sign-out")
            )
        ]
        page = path.partition("?")[0]
        same = page if page.count("/") == 1 and page not in ("/queue", "/type") else "/"
        assert elsewhere == [f"{BASE}/", f"{BILLING}{same}", f"{BASE}/"], path
        for hidden in re.findall(r'name="next" value="([^"]*)"', answer.text):
            assert html.unescape(hidden).startswith(f"{SHOP}/")


def test_each_shows_its_own(visitor: TestClient) -> None:
    sign_in(visitor)
    assert "NoPaper" in visitor.get(f"{BILLING}/failed").text
    assert "NoPaper" not in visitor.get(f"{SHOP}/failed").text
    assert visitor.get(f"{BILLING}/queue?name=mail").status_code == 404
    assert visitor.get(f"{BASE}/db/nothing/").status_code == 404
    assert visitor.get(f"{BASE}/failed").status_code == 404


def test_roles_hold_in_each(visitor: TestClient, databases: dict[str, str]) -> None:
    sign_in(visitor, VIEWER)
    for base in (SHOP, BILLING):
        assert act(visitor, base).status_code == 403
        assert "/do/" not in visitor.get(f"{base}/").text
    sign_in(visitor, OPERATOR)
    answer = act(visitor, BILLING)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BILLING}/")
    assert actions_of(databases["billing"]) == ["pause_queue"]
    assert actions_of(databases["shop"]) == []
    answer = act(visitor, SHOP, headers={"origin": "https://evil.example"})
    assert (answer.status_code, actions_of(databases["shop"])) == (403, [])


def test_nobody_looks_without_a_token(visitor: TestClient) -> None:
    for base in (BASE, SHOP, BILLING):
        answer = visitor.get(f"{base}/", follow_redirects=False)
        assert answer.headers["location"].startswith(f"{BASE}/sign-in?next=")


def test_people_act_as_the_role_of_each(
    app: Symphony, databases: dict[str, str], conn: Connection, filled: Client
) -> None:
    conn.execute("drop role if exists shop_looks")
    conn.execute("create role shop_looks login password 'x'")
    filled.grant_access("shop_looks", "observer")
    looks = make_conninfo(databases["shop"], user="shop_looks", password="x")
    shown = {**databases, "shop": looks}
    try:
        with serving(app, databases=shown) as visitor:
            sign_in(visitor)
            assert act(visitor, SHOP).status_code == 403  # it acts as it looks
            assert act(visitor, BILLING).status_code == 303
        acting = {"shop": databases["shop"]}
        with serving(app, databases=shown, operator_dsn=acting) as visitor:
            sign_in(visitor)
            assert act(visitor, SHOP).status_code == 303
    finally:
        filled.revoke_access("shop_looks", "observer")
        conn.execute("drop role shop_looks")


def test_one_poller_a_database(visitor: TestClient, asked: list[str]) -> None:
    for base in (SHOP, BILLING, BASE) * 10:
        assert visitor.get(f"{base}/", headers=bearer(VIEWER)).status_code == 200
    assert len(asked) == 2 * 5, asked


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"databases": {}}, "no database"),
        ({"databases": {"a/b": ""}}, "'a/b'"),
        ({"databases": {"": ""}}, "''"),
        ({"databases": {"a": ""}, "operator_dsn": "x"}, "operator_dsn is for one database"),
        ({"databases": {"a": ""}, "operator_dsn": {"b": "x"}}, "operator_dsn is for b"),
        ({"operator_dsn": {"b": "x"}}, "operator_dsn is for b"),
    ],
)
def test_what_is_not_a_list_of_databases(app: Symphony, options: Any, what: str) -> None:
    with pytest.raises(BadArgument, match=re.escape(what)), serving(app, **options):
        pass


def test_serve_shows_several(tmp_path: Path, dsn: str, databases: dict[str, str]) -> None:
    given = [f"--database={name}={each}" for name, each in databases.items()]

    def look(path: str) -> str:
        asked = urllib.request.Request(f"{server.url}{path}", headers=bearer(VIEWER))
        with urllib.request.urlopen(asked) as answer:
            return str(answer.read().decode())

    with served(tmp_path, dsn, *given) as server:
        assert {*re.findall(r'id="db-(\w+)"', look(f"{BASE}/"))} == {"shop", "billing"}
        assert "NoPaper" in look(f"{BILLING}/failed")


@pytest.mark.parametrize("given", [["shop"], ["shop="], ["shop=x", "shop=y"]])
def test_serve_refuses_what_is_no_database(given: list[str]) -> None:
    result = CliRunner().invoke(main, ["serve", *(f"--database={each}" for each in given)])
    assert result.exit_code == 2
    assert "NAME=DSN" in result.output or "given twice" in result.output
